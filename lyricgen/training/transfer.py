"""A model that goes on learning from another text: what it knows stays, its vocabulary grows."""

from dataclasses import replace

import torch
from torch import Tensor

from lyricgen.model.checkpoint import Checkpoint
from lyricgen.model.config import ModelConfig
from lyricgen.model.network import FIRST_CLASS, LyricModel
from lyricgen.text.vocab import FIRST, UNKNOWN, Vocab


@torch.no_grad()
def grow(source: Checkpoint, vocab: Vocab, *, config: ModelConfig | None = None) -> LyricModel:
    """The source's model over a vocabulary that begins with its own.

    A new word starts as the mean of its characters that are known, a new character as the mean of all; so nothing
    that the model could write before changes but by the little that the new tokens take.
    """
    model = LyricModel(config or replace(source.card.model, vocab_size=len(vocab)))
    old, new = source.model.state_dict(), model.state_dict()
    for name, weight in old.items():
        if weight.shape == new[name].shape:
            new[name].copy_(weight)
    parts = [_parts(token, source.vocab) for token in vocab.tokens[len(source.vocab) :]]
    _extend(new["embedding.weight"], old["embedding.weight"], parts, shift=0)
    if "output.weight" in new:
        _extend(new["output.weight"], old["output.weight"], parts, shift=FIRST_CLASS)
    for name in new:
        if name.startswith("labels.") and len(new[name]) > len(old[name]):
            new[name][: len(old[name])] = old[name]
            new[name][len(old[name]) :] = old[name].mean(dim=0)  # moods and styles that it meets for the first time
    size = len(old["bias"])
    new["bias"][:size] = old["bias"]
    new["bias"][size:] = old["bias"][FIRST - FIRST_CLASS :].mean()
    return model


def _parts(token: str, vocab: Vocab) -> list[int]:
    """Ids whose mean a new token starts from."""
    known = [vocab.ids[character] for character in token if character in vocab.ids] if len(token) > 1 else []
    return known or list(range(UNKNOWN + FIRST, len(vocab)))


def _extend(weight: Tensor, old: Tensor, parts: list[list[int]], *, shift: int) -> None:
    """Fills `weight`, `(V, D)`, with the old rows and, after them, the means of the parts of each new token."""
    weight[: len(old)] = old
    for row, ids in enumerate(parts, len(old)):
        weight[row] = old[torch.tensor(ids) - shift].mean(dim=0)
