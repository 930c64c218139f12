"""Pretrained word vectors, in the text formats of word2vec and GloVe, as a start for the embedding."""

from dataclasses import dataclass
from pathlib import Path

import torch

from lyricgen.errors import InputError
from lyricgen.model.network import LyricModel
from lyricgen.text.encoding import open_text
from lyricgen.text.vocab import FIRST, Vocab


@dataclass(frozen=True)
class Vectors:
    """The vectors of a vocabulary's tokens: `ids` `(n,)` of those found, `values` `(n, width)`."""

    ids: torch.Tensor
    values: torch.Tensor
    tokens: int  # of the vocabulary, those that stand for text

    @property
    def width(self) -> int:
        """Numbers in a vector."""
        return self.values.shape[1]

    def summary(self) -> str:
        """One line for people."""
        share = 100 * len(self.ids) / max(1, self.tokens)
        return (
            f"vectors: found {len(self.ids):,} of {self.tokens:,} tokens ({share:.0f} %), {self.width} numbers each"
        )

    @torch.no_grad()
    def start(self, model: LyricModel) -> None:
        """Puts the vectors into a model's embedding, brought to the spread that it starts with."""
        weight = model.embedding.weight
        spread = self.values.std().clamp_min(1e-6)
        weight[self.ids] = self.values / spread * weight[FIRST:].std()


def read_vectors(path: Path, vocab: Vocab) -> Vectors:
    """Reads the vectors of a vocabulary's tokens, one line a token; a word2vec header line is passed over.

    Raises InputError for a file of another kind, or with none of the tokens.
    """
    found: dict[int, torch.Tensor] = {}
    width = 0
    with open_text(path) as lines:
        for number, line in enumerate(lines, 1):
            token, *numbers = line.rstrip().rsplit(" ", width or -1)  # GloVe knows tokens with spaces, like ". . ."
            if number == 1 and len(numbers) == 1:
                continue  # word2vec's header: how many vectors, how wide
            width = width or len(numbers)
            if len(numbers) != width or width < 2 or _takes_in_a_number(token):
                raise InputError(
                    f"{path}, line {number}: expected a token and {max(width, 2)} numbers, as GloVe writes"
                )
            if token in vocab.ids:
                try:
                    vector = torch.tensor([float(text) for text in numbers])
                    if not vector.isfinite().all():
                        raise ValueError
                except ValueError:
                    raise InputError(f"{path}, line {number}: expected numbers after {token!r}") from None
                found.setdefault(vocab.ids[token], vector)
    if not found:
        raise InputError(f"{path} has none of the vocabulary's tokens; are they words of the same language?")
    return Vectors(torch.tensor(list(found)), torch.stack(list(found.values())), len(vocab) - FIRST)


def _takes_in_a_number(token: str) -> bool:
    """Whether a token has several words and the last is a number, which the line has too many then."""
    _, space, last = token.rpartition(" ")
    try:
        float(last)
    except ValueError:
        return False
    return bool(space)
