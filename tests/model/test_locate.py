"""Which model is meant."""

import os
from pathlib import Path

import pytest

from lyricgen.errors import CheckpointError
from lyricgen.model import locate
from lyricgen.model.locate import find_model, starter_folder


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder without runs, of a program that comes without a model."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(locate, "resource", lambda name: tmp_path / "program" / name)


def write_model(folder: Path, *, age: int = 0) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    weights = folder / "model.safetensors"
    weights.write_bytes(b"")
    os.utime(weights, (1_000_000 - age, 1_000_000 - age))
    return folder


def test_the_model_that_was_named() -> None:
    write_model(Path("checkpoints/new"))
    assert find_model("mine") == find_model(Path("mine")) == Path("mine")


def test_the_newest_run() -> None:
    write_model(Path("checkpoints/old"), age=60)
    new = write_model(Path("checkpoints/new"))
    write_model(Path("checkpoints/older"), age=90)
    (write_model(Path("checkpoints/unfinished")) / "config.json").unlink()
    Path("checkpoints/empty").mkdir()
    assert find_model(None) == new


def test_the_starter_is_no_run_but_what_there_is_without_one(tmp_path: Path) -> None:
    starter = write_model(tmp_path / "program/checkpoints/starter")
    assert starter_folder() == find_model(None) == find_model("starter") == starter
    write_model(Path("checkpoints/starter"))
    assert find_model(None) == starter
    run = write_model(Path("checkpoints/run"), age=90)
    assert find_model(None) == run
    assert find_model("starter") == starter


def test_a_folder_named_like_the_starter_is_that_folder(tmp_path: Path) -> None:
    write_model(tmp_path / "program/checkpoints/starter")
    write_model(Path("starter"))
    assert find_model("starter") == Path("starter")


def test_no_model_at_all() -> None:
    assert starter_folder() is None
    assert find_model("starter") == Path("starter")
    with pytest.raises(CheckpointError, match="no model yet; train one with `lyricgen train`"):
        find_model(None)
