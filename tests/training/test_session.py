"""The time that reading takes is a part of a run's minutes."""

import random
from pathlib import Path

import pytest
import torch

from lyricgen.errors import TrainingError
from lyricgen.training import recipe
from lyricgen.training.recipe import Wishes
from lyricgen.training.session import RunOptions, Session, start_session


@pytest.fixture
def songs(tmp_path: Path) -> str:
    rng = random.Random(1)
    lines = ["".join(rng.choices("abcdefghij", k=30)) for _ in range(300)]
    (tmp_path / "songs.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(tmp_path / "songs.txt")


def begin(songs: str, out: Path, *, minutes: float | None, reading: float, **wishes: int) -> Session:
    """A run whose songs took so many minutes to read, by a clock that stands."""
    options = RunOptions((songs,), out, wishes=Wishes(minutes=minutes, layers=1, **wishes))
    return start_session(options, device=torch.device("cpu"), began=-60 * reading, clock=lambda: 0.0)


def test_sizes_are_chosen_for_the_minutes_that_remain(
    songs: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipe, "matrix_rate", lambda device: 1e10)
    late = begin(songs, tmp_path / "late", minutes=1.4, reading=1.1)
    short = begin(songs, tmp_path / "short", minutes=0.3, reading=0)
    long = begin(songs, tmp_path / "long", minutes=1.4, reading=0)
    late_model, short_model, long_model = (each.trainer.card.model for each in (late, short, long))
    assert late_model == short_model and late_model.hidden < long_model.hidden
    assert late.trainer.config.lr == short.trainer.config.lr
    assert any("in 0.3 minutes" in line for line in late.lines)
    # But the run ends when the user said.
    assert late.trainer.config.minutes == late.trainer.card.training["minutes"] == 1.4
    assert late.trainer._progress.remaining() == pytest.approx(0.3 * 60)


@pytest.mark.parametrize(
    ("minutes", "reading", "says"),
    [(5, 6.1, "reading took 6.1 of 5 minutes"), (None, 4.8, "took 4.8 of 5 minutes"), (1, 0.96, "0.96 of 1 minutes")],
)
def test_a_run_whose_minutes_are_spent_on_reading_is_refused(
    songs: str, tmp_path: Path, minutes: float | None, reading: float, says: str
) -> None:
    with pytest.raises(TrainingError, match=f"{says}; give more --minutes"):
        begin(songs, tmp_path / "run", minutes=minutes, reading=reading, hidden=8)
    assert not (tmp_path / "run").exists()


def test_a_run_that_only_tries_the_command_is_told_and_made(songs: str, tmp_path: Path) -> None:
    late = begin(songs, tmp_path / "run", minutes=0.02, reading=0.5, hidden=8)
    assert "reading took 0.5 of 0.02 minutes; give more --minutes" in late.lines
    assert [report.ended for report in late.trainer.run()] == ["done"] and late.trainer.steps == 1
    in_time = begin(songs, tmp_path / "other", minutes=0.02, reading=0.01, hidden=8)
    assert not any("reading took" in line for line in in_time.lines)


def test_epochs_do_not_mind_how_long_reading_takes(songs: str, tmp_path: Path) -> None:
    session = begin(songs, tmp_path / "run", minutes=None, reading=99, hidden=8, epochs=1)
    assert (session.trainer.config.epochs, session.trainer.config.minutes) == (1, 0)
