"""Tiny models with known vocabularies."""

from pathlib import Path

import pytest
import torch

from lyricgen.generation.lyricist import Lyricist
from lyricgen.model.checkpoint import Card, Checkpoint
from lyricgen.model.config import ModelConfig
from lyricgen.model.network import LyricModel
from lyricgen.text.tokenizer import Tokenizer
from lyricgen.text.vocab import SPECIALS, Vocab


def make_lyricist(
    cell: str = "lstm", *, tokens: str = "\n星月雨风山海", tied: bool = True, seed: int = 3
) -> Lyricist:
    """A model with random weights, bold enough to write varied lines."""
    vocab = Vocab((*SPECIALS, *tokens), Tokenizer("char"), unseen=0.01)
    torch.manual_seed(seed)
    model = LyricModel(ModelConfig(len(vocab), cell=cell, embedding=6, hidden=8, layers=2, tied=tied, dropout=0.0))
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(2)
        model.bias[1] += 1.0  # line breaks
    model.pin_resets()
    return Lyricist(Checkpoint(Path("none"), Card(model.config), vocab, model.eval()))


@pytest.fixture(params=["rnn", "lstm", "gru"])
def lyricist(request: pytest.FixtureRequest) -> Lyricist:
    """One of each cell."""
    return make_lyricist(request.param)
