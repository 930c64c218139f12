"""`lyricgen train` says what stands in its way in one line."""

from pathlib import Path

import pytest
import torch

from lyricgen.model.network import LyricModel
from lyricgen.training.learner import Learner

from .conftest import Run
from .test_bad_input import refused


@pytest.mark.parametrize("error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory.")], ids=str)
@pytest.mark.parametrize("owner", [Learner, LyricModel], ids=["start", "learn"])
def test_a_want_of_memory_is_told_in_one_line(
    run: Run, songs: Path, tmp_path: Path, owner: type, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(owner, "__init__" if owner is Learner else "features", full)
    done = run("train", songs, "--out", tmp_path / "m", "--epochs", 1, "--hidden", 8)
    assert done.code == 1 and "Traceback" not in done.err
    told = "lyricgen: there is not enough memory; try a lower --batch, --window or --hidden"
    assert done.err.splitlines()[-1] == told
    assert (tmp_path / "m").exists() is (owner is LyricModel)  # nothing is left of a run that could not begin


@pytest.mark.parametrize("setting", ["--seed=0", "--dropout=0", "--epochs=0", "--lr=0", "--no-plan", "--untied"])
def test_a_run_that_goes_on_takes_no_settings_not_even_zeros(run: Run, tmp_path: Path, setting: str) -> None:
    assert "keeps its own settings" in refused(run, "train", "--resume", tmp_path, setting)


def test_a_run_that_goes_on_may_be_told_its_device(run: Run, tmp_path: Path) -> None:
    assert "stopped before its first save" in refused(run, "train", "--resume", tmp_path, "--device", "cpu")


def test_where_nothing_is_held_out_no_loss_is_called_so(run: Run, tmp_path: Path) -> None:
    (tmp_path / "line.txt").write_text("星星月亮风吹过海山\n", encoding="utf-8")
    done = run("train", tmp_path / "line.txt", "--out", tmp_path / "m", "--epochs", 2, "--hidden", 8)
    assert done.code == 0 and "nothing was held out; training loss" in done.err
    assert "held-out" not in done.err
