"""What a run measures on its held-out text is what `evaluate` finds for the same file."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch

from lyricgen.evaluation.held_out import evaluate_documents
from lyricgen.model import checkpoint
from lyricgen.model.checkpoint import Card, Checkpoint
from lyricgen.model.network import LyricModel
from lyricgen.text.documents import Songs, read_documents
from lyricgen.text.song import Section, Song
from lyricgen.text.tokenizer import Tokenizer
from lyricgen.training import held_out
from lyricgen.training.held_out import HeldOut
from lyricgen.training.prepare import prepare
from lyricgen.training.recipe import Wishes
from lyricgen.training.session import RunOptions, start_session

TEXT = "ab\nba\n\nbb\n\naab\n\n"


@pytest.mark.parametrize("songs", ["blank", "file"])
def test_a_run_and_an_evaluation_agree(
    songs: Songs, make_model: Callable[..., LyricModel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though an end of song is a character of the one file, an empty line, and of the other none."""
    monkeypatch.setattr(held_out, "mixed_precision", lambda device: nullcontext())
    (tmp_path / "held-out.txt").write_text(TEXT, encoding="utf-8")
    documents = list(read_documents([tmp_path / "held-out.txt"], songs=songs))
    found = prepare([Song((Section(("ab", "ba")),))], tmp_path, tokenizer=Tokenizer(), min_count=1, valid=documents,
                    plan=False, blank=songs == "blank")  # fmt: skip
    assert found.valid is not None
    model = make_model(vocab_size=len(found.vocab))
    measured = HeldOut(
        found.valid.path, found.vocab, tokens=found.valid.tokens, planned=False, blank=songs == "blank"
    )
    told = evaluate_documents(Checkpoint(tmp_path, Card(model.config), found.vocab, model), documents)
    assert measured.characters == found.valid.characters == told.chars == len(TEXT)
    assert measured.nats(model) / measured.characters == pytest.approx(told.nats_per_char, rel=1e-6)


@pytest.mark.parametrize("songs", ["blank", "file"])
def test_so_do_a_runs_card_and_an_evaluation(songs: Songs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_out, "mixed_precision", lambda device: nullcontext())
    path = tmp_path / "held-out.txt"
    path.write_text(TEXT, encoding="utf-8")
    options = RunOptions(
        (str(path),), tmp_path / "run", str(path), songs, wishes=Wishes(hidden=8, layers=1, epochs=2)
    )
    session = start_session(options, device=torch.device("cpu"), began=0.0)
    for _ in session.trainer.run():
        pass
    told = evaluate_documents(checkpoint.load(session.folder), read_documents([path], songs=songs))
    assert checkpoint.read_card(session.folder).results["held_out"] == pytest.approx(told.nats_per_char, rel=1e-6)
