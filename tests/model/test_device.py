"""Devices: what is waited for."""

import pytest
import torch

from lyricgen.model.device import synchronize


@pytest.mark.parametrize(("name", "waits"), [("cpu", []), ("cuda", ["cuda"]), ("cuda:1", ["cuda"]), ("mps", ["mps"])])
def test_a_device_that_works_by_itself_is_waited_for(
    name: str, waits: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[str] = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: waited.append(device.type))
    monkeypatch.setattr(torch.mps, "synchronize", lambda: waited.append("mps"))
    synchronize(torch.device(name))
    assert waited == waits
