"""Tiny models with known vocabularies."""

from collections.abc import Iterable
from pathlib import Path

import pytest
import torch

from lyricgen.generation.lyricist import Lyricist
from lyricgen.model.checkpoint import Card, Checkpoint
from lyricgen.model.config import ModelConfig
from lyricgen.model.network import LyricModel
from lyricgen.text.labels import ENDS, LENGTHS, RHYMES, Labeler
from lyricgen.text.tokenizer import Tokenizer
from lyricgen.text.vocab import FIRST, SPECIALS, Vocab

CHARACTERS = Tokenizer("char")
WORDS = Tokenizer("word", "jieba", "0")


def make_lyricist(
    cell: str = "lstm",
    *,
    tokens: Iterable[str] = "\n星月雨风山海",
    tied: bool = True,
    seed: int = 3,
    tokenizer: Tokenizer = CHARACTERS,
    labelled: bool = False,
    moods: tuple[str, ...] = (),
) -> Lyricist:
    """A model with random weights, bold enough to write varied lines.

    One that is `labelled` plans lines of moderate length, and rhymes that its tokens have.
    """
    vocab = Vocab((*SPECIALS, *tokens), tokenizer, unseen=0.01)
    torch.manual_seed(seed)
    labels = {"lengths": LENGTHS, "rhymes": RHYMES, "moods": len(moods) + 1, "styles": 1} if labelled else {}
    shape = ModelConfig(len(vocab), cell, 6, 8, tied=tied, dropout=0.0, **labels)
    model = LyricModel(shape)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(2)
        model.bias[1] += 1.0  # line breaks
        if model.planner:
            known = Labeler(vocab).ends_in[FIRST:]
            model.planner.rhyme.bias[[not (known >> label & 1).any() for label in range(RHYMES)]] = -100
            model.planner.length.bias[2:9] += 3
            model.planner.length.bias[ENDS] += 1
    model.pin_resets()
    return Lyricist(Checkpoint(Path("none"), Card(model.config, moods=moods), vocab, model.eval()))


@pytest.fixture(params=["rnn", "lstm", "gru"])
def lyricist(request: pytest.FixtureRequest) -> Lyricist:
    """One of each cell."""
    return make_lyricist(request.param)
