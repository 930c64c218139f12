"""A run that cannot go on here says so, and is not called damaged."""

import random
from pathlib import Path
from typing import Any

import pytest
import torch

from lyricgen.errors import TrainingError
from lyricgen.model.network import LyricModel
from lyricgen.training import learner
from lyricgen.training.memory import lacks_memory, memory_errors
from lyricgen.training.recipe import Wishes
from lyricgen.training.session import RunOptions, resume_session, start_session

CPU = torch.device("cpu")


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """A run that was stopped after its first report."""
    rng = random.Random(1)
    lines = ["".join(rng.choices("abcdefghij", k=9)) for _ in range(40)]
    (tmp_path / "text.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    wishes = Wishes(hidden=8, embedding=4, layers=1, dropout=0.2, epochs=3)
    session = start_session(RunOptions((str(tmp_path / "text.txt"),), tmp_path / "run", wishes=wishes), device=CPU,
                            began=0.0)  # fmt: skip
    for _ in session.trainer.run():
        session.trainer.stop()
    return session.folder


def change(folder: Path, **values: object) -> None:
    state = torch.load(folder / "training.pt", weights_only=True)
    torch.save({**state, **values}, folder / "training.pt")


def test_a_run_begun_on_another_device_names_it(stopped: Path) -> None:
    assert torch.load(stopped / "training.pt", weights_only=True)["device"] == "cpu"
    change(stopped, device="cuda", generator=torch.zeros(16, dtype=torch.uint8))
    with pytest.raises(TrainingError, match="this run was begun on cuda; resume it there"):
        resume_session(stopped, device=CPU)


def test_a_state_saved_before_devices_were_goes_on(stopped: Path) -> None:
    state = torch.load(stopped / "training.pt", weights_only=True)
    del state["device"]
    torch.save(state, stopped / "training.pt")
    assert list(resume_session(stopped, device=CPU).trainer.run())[-1].ended == "done"


def test_a_hidden_state_in_half_precision_goes_on_where_there_is_none(
    stopped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def halved(value: Any) -> Any:
        return value.bfloat16() if isinstance(value, torch.Tensor) else [halved(part) for part in value]

    saved = torch.load(stopped / "training.pt", weights_only=True)
    hidden = {name: halved(value) for name, value in saved.items() if name.startswith("state")}
    assert hidden
    change(stopped, **hidden)
    monkeypatch.setattr(learner, "half_precision", lambda device: None)
    monkeypatch.setattr("lyricgen.model.device.half_precision", lambda device: None)
    assert list(resume_session(stopped, device=CPU).trainer.run())[-1].ended == "done"


SHORTAGES = [
    MemoryError(),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you …"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:117] data. DefaultCPUAllocator: not enough memory: you tried to …"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
]


@pytest.mark.parametrize("error", SHORTAGES, ids=str)
def test_a_want_of_memory_is_no_damage(error: Exception, stopped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: LyricModel, *_: object) -> None:
        raise error

    monkeypatch.setattr(LyricModel, "__init__", full)
    remedy = "there is not enough memory; try a lower --batch, --window or --hidden"
    with pytest.raises(TrainingError, match=remedy), memory_errors():
        resume_session(stopped, device=CPU)


@pytest.mark.parametrize("error", [RuntimeError("size 5056 but found 16"), ValueError("out of memory")])
def test_other_errors_are_not_taken_for_a_want_of_memory(error: Exception) -> None:
    assert not lacks_memory(error)
    with pytest.raises(type(error), match=str(error)), memory_errors():
        raise error
