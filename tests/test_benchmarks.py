"""What the benchmarks decide by themselves: which songs a figure is of, whether it counts, and what a card says."""

import runpy
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from lyricgen.text.readers import read_songs
from lyricgen.text.song import Section, Song

ROOT = Path(__file__).parent.parent


def benchmark(name: str) -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "benchmarks" / f"{name}.py"))


def test_the_songs_that_fine_tuning_reports_on_are_neither_trained_on_nor_chosen_by(tmp_path: Path) -> None:
    songs = [Song((Section((f"第{number}首歌",)),), title=str(number), split="train") for number in range(20)]
    parts = benchmark("fine_tuning")["split"](songs, tmp_path)
    train, valid, test = ({song.title for song in read_songs([part]) if isinstance(song, Song)} for part in parts)
    assert (len(train), valid, test) == (16, {"1", "11"}, {"0", "10"})
    assert not train & (valid | test)


@pytest.mark.parametrize(("before", "after"), [(349.0, 400.0), (400.0, 349.0)])
def test_a_figure_of_a_slow_moment_is_to_be_taken_again(before: float, after: float) -> None:
    rates = benchmark("quality")["rates"]
    assert rates(before, after, least=350).endswith(f"{after:.0f} after (below 350: repeat)")
    assert rates(before, after, least=349) == f"{before:.0f} GFLOP/s before, {after:.0f} after"


def test_the_starters_card_says_of_fine_tuning_what_was_measured_or_nothing() -> None:
    paragraph = benchmark("starter_card")["fine_tuning"]
    songs = [Song((Section(("星星",)),), style=style) for style in ("摇滚", "校园", "摇滚", "民谣")]
    given = Namespace(fine_tuning=[4.9104, 4.3376], leave_out=["摇滚", "校园"], machine="a machine", date="a day")
    text = paragraph(given, songs)
    for figure in ("the 3 songs", "4.338 nats", "minutes: 4.910 (a machine, a day)"):
        assert figure in text
    assert "--leave-out 摇滚 --leave-out 校园" in text and "--style 摇滚 --style 校园" in text
    assert paragraph(Namespace(fine_tuning=None), songs) == ""
