"""What the benchmarks decide by themselves: which songs a figure is of, what it counts, and what a card says."""

import json
import runpy
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
import torch

from lyricgen.model.config import ModelConfig
from lyricgen.text.readers import read_songs
from lyricgen.text.song import Section, Song
from lyricgen.training.dataset import Batch

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


def test_the_run_that_counts_tokens_a_second_is_evaluated_at_its_end_alone(tmp_path: Path) -> None:
    corpus_size = benchmark("corpus_size")
    corpus_size["write_text"](tmp_path / "songs.txt", 4000)
    shape = {"hidden": 4, "layers": 1, "embedding": 4, "batch": 16, "window": 16}
    session = corpus_size["begin"](tmp_path / "songs.txt", device=torch.device("cpu"), shape=shape, epochs=1)
    steps = list(session.trainer.run())[-1].step
    evaluations = (session.folder / "history.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["step"] for line in evaluations] == [steps] and steps > 2


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_the_loop_of_tutorials_learns_on_the_device_it_is_given(cell: str) -> None:
    device = torch.device("meta")  # which takes part in few operations with tensors of another
    batch = Batch(torch.tensor([[3, 4], [5, 6]]), torch.tensor([[2, 3], [4, -1]]))
    for given in (batch, Batch(batch.x.to(device), batch.y.to(device))):
        benchmark("training_speed")["plain_loop"](ModelConfig(9, cell=cell, embedding=3, hidden=4), given, device)()
