"""A run's folder: who holds it, and what a run that ends leaves there."""

import random
from pathlib import Path

import pytest
import torch

from lyricgen.errors import TrainingError
from lyricgen.training.recipe import Wishes
from lyricgen.training.run_folder import DATA, LABELS, STATE, RunFolder
from lyricgen.training.session import RunOptions, Session, start_session


def begin(tmp_path: Path) -> Session:
    """A run of a few steps, on text whose lines are labelled."""
    rng = random.Random(1)
    lines = ["".join(rng.choices("星月雨风山海人来去我你", k=5)) for _ in range(20)]
    (tmp_path / "text.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    wishes = Wishes(hidden=8, embedding=4, layers=1, epochs=2)
    options = RunOptions((str(tmp_path / "text.txt"),), tmp_path / "run", wishes=wishes)
    return start_session(options, device=torch.device("cpu"), began=0.0)


def test_what_cannot_be_removed_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows, where another process has the file open."""
    honest = Path.unlink

    def unlink(self: Path, missing_ok: bool = False) -> None:
        if self.name in (LABELS, *DATA):
            raise PermissionError(13, "in use", str(self))
        honest(self, missing_ok)

    session = begin(tmp_path)
    monkeypatch.setattr(Path, "unlink", unlink)
    assert list(session.trainer.run())[-1].ended == "done"
    left = {path.name for path in session.folder.iterdir()}
    assert {*DATA, LABELS, "model.safetensors", "last.safetensors"} <= left and STATE not in left


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs to see what is mapped")
def test_a_run_that_ends_has_let_go_of_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def mapped() -> set[str]:
        maps = Path("/proc/self/maps").read_text(encoding="utf-8")
        return {name for name in (LABELS, *DATA) if str(tmp_path / "run" / name) in maps}

    session = begin(tmp_path)
    assert mapped() == {LABELS, DATA[0]}
    seen: list[set[str]] = []
    monkeypatch.setattr(RunFolder, "finish", lambda *_: seen.append(mapped()))
    for _ in session.trainer.run():
        pass
    assert seen == [set()]


def test_a_folder_is_free_once_it_is_released(tmp_path: Path) -> None:
    RunFolder(tmp_path).release()
    assert not list(tmp_path.iterdir())
    RunFolder(tmp_path).release()


def test_to_release_twice_takes_nothing_from_who_came_after(tmp_path: Path) -> None:
    first = RunFolder(tmp_path)
    first.release()
    second = RunFolder(tmp_path)
    first.release()
    with pytest.raises(TrainingError, match="another run is writing"):
        RunFolder(tmp_path)
    second.release()


def test_who_comes_at_the_moment_of_release_keeps_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = RunFolder(tmp_path)
    honest, others = first._lock.release, []

    def release() -> None:
        honest()
        others.append(RunFolder(tmp_path))

    with monkeypatch.context() as hurried:
        hurried.setattr(first._lock, "release", release)
        first.release()
    with pytest.raises(TrainingError, match="another run is writing"):
        RunFolder(tmp_path)
    others[0].release()
