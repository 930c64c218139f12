"""A look at a corpus through its vocabulary: how many tokens, how much they cover, which are the commonest."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lyricgen.errors import OptionError
from lyricgen.text.song import Song
from lyricgen.text.tokenizer import Tokenizer
from lyricgen.text.vocab import FIRST, Vocab, count_vocab

WORD_MIN_COUNT = 5  # words rarer than this break into characters where nothing else is asked


@dataclass(frozen=True)
class Survey:
    """A vocabulary with the number of times each token occurs, `(V,)`."""

    vocab: Vocab
    counts: npt.NDArray[np.int64]
    min_count: int

    @property
    def words(self) -> int:
        """Tokens of more than one character."""
        return int((self.vocab.lengths > 1).sum())

    @property
    def coverage(self) -> float:
        """The share of the text's characters that stand in tokens of more than one character."""
        in_tokens = self.counts * self.vocab.lengths
        return float(in_tokens[self.vocab.lengths > 1].sum() / max(1, in_tokens.sum()))

    def top(self, number: int) -> list[tuple[str, int]]:
        """The commonest tokens with their counts, line breaks and spaces left out."""
        order = (k for k in np.argsort(-self.counts, kind="stable").tolist() if k >= FIRST)
        named = ((self.vocab.tokens[k], int(self.counts[k])) for k in order)
        found = [(token, count) for token, count in named if token.strip() and count]
        return found[:number]

    def lines(self, *, top: int) -> list[str]:
        """The survey for people."""
        vocab, total = self.vocab, int(self.counts.sum())
        cut = f"words by {vocab.tokenizer.segmenter}" if vocab.tokenizer.level == "word" else "characters"
        text = [
            f"{len(vocab) - FIRST:,} tokens ({cut}): {self.words:,} of more than one character, "
            f"{len(vocab) - FIRST - self.words:,} characters",
            f"{total:,} in the text; {self.coverage:.1%} of its characters stand in longer tokens",
        ]
        if vocab.tokenizer.level == "word":
            text.append(f"words that occur fewer than {self.min_count} times are broken into characters")
        return text + [f"{count:8,}  {token}" for token, count in self.top(top)]

    def to_json(self, *, top: int) -> dict[str, Any]:
        """The survey as a JSON object."""
        return {
            "level": self.vocab.tokenizer.level,
            "segmenter": self.vocab.tokenizer.segmenter,
            "tokens": len(self.vocab) - FIRST,
            "words": self.words,
            "characters": len(self.vocab) - FIRST - self.words,
            "in_text": int(self.counts.sum()),
            "coverage": self.coverage,
            "min_count": self.min_count,
            "top": [{"token": token, "count": count} for token, count in self.top(top)],
        }


def survey(songs: Iterable[Song], *, level: str, min_count: int | None) -> Survey:
    """Reads songs once and counts their tokens."""
    if min_count is not None and min_count < 1:
        raise OptionError(f"min-count must be at least 1, got {min_count}")
    rare = min_count if min_count is not None else WORD_MIN_COUNT if level == "word" else 1
    vocab, counts = count_vocab((song.text() for song in songs), tokenizer=Tokenizer.of_level(level), min_count=rare)
    return Survey(vocab, counts, rare)
