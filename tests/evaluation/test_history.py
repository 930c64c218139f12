"""Losses read back from runs."""

from pathlib import Path

import pytest

from lyricgen.errors import CheckpointError
from lyricgen.evaluation.history import read_curve, short_names


def test_a_curve_by_hand(tmp_path: Path) -> None:
    (tmp_path / "history.jsonl").write_text(
        '{"tokens": 10, "held_out": 2.5, "loss": 3}\n\n{"tokens": 20, "held_out": 2, "loss": 1.5}\n'
    )
    assert read_curve(tmp_path, what="held_out") == [(10, 2.5), (20, 2)]
    assert read_curve(tmp_path, what="loss") == [(10, 3), (20, 1.5)]


@pytest.mark.parametrize("text", ["nonsense", '{"tokens": 1}', "[1]", '{"tokens": 1, "held_out": "x"}'])
def test_a_damaged_history(tmp_path: Path, text: str) -> None:
    (tmp_path / "history.jsonl").write_text(text)
    with pytest.raises(CheckpointError, match="damaged"):
        read_curve(tmp_path, what="held_out")


def test_no_history(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="name the folder of a training run"):
        read_curve(tmp_path, what="loss")
    (tmp_path / "history.jsonl").write_text("")
    with pytest.raises(CheckpointError, match="no loss yet"):
        read_curve(tmp_path, what="loss")
    with pytest.raises(CheckpointError, match="name the folder"):
        read_curve(tmp_path / "history.jsonl", what="loss")


def test_names_are_as_short_as_they_can_be() -> None:
    assert short_names([Path("a/x"), Path("b/y")]) == ["x", "y"]
    assert short_names([Path("a/x"), Path("b/x")]) == ["a/x", "b/x"]
    assert short_names([Path("a/x"), Path("a/x")]) == ["x", "x"]
