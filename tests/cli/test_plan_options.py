"""From options to a plan."""

from pathlib import Path

import pytest

from lyricgen.cli.plan_options import read_plan, show_plan
from lyricgen.errors import OptionError
from lyricgen.generation.plan import Plan


def test_options_are_those_of_the_notations() -> None:
    asked = {"pattern": "7,5", "rhyme": "AA", "acrostic": "我", "words": "海边", "mood": "忧伤"}
    assert read_plan(**asked, lines=4) == Plan.parse(**asked, lines=4)


def test_a_song_to_be_like_brings_its_own_lines(tmp_path: Path) -> None:
    song = tmp_path / "song.txt"
    song.write_text("一二三\n四五六\n", encoding="utf-8")
    assert read_plan(like=song, acrostic="我") == Plan.like(song, acrostic="我")
    with pytest.raises(OptionError, match="--pattern and --lines"):
        read_plan(like=song, pattern="7", lines=4)


def test_the_plan_is_shown_beside_the_results(capsys: pytest.CaptureFixture[str]) -> None:
    show_plan(Plan.parse(pattern="7", lines=2))
    shown = capsys.readouterr()
    assert shown.out == ""
    assert [row.split() for row in shown.err.splitlines()][1:] == [["1", "7"], ["2", "7"]]


def test_the_lines_of_a_free_song_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    show_plan(Plan(), lines=8)
    assert capsys.readouterr().err.splitlines()[-1] == "lines: 8"
