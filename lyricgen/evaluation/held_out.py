"""What a model thinks of a text: its likelihood per character, of the text as it stands."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lyricgen.errors import InputError
from lyricgen.model.checkpoint import Checkpoint
from lyricgen.model.likelihood import Unseen, token_nats
from lyricgen.text.documents import Document
from lyricgen.text.vocab import END, UNKNOWN, Ids


@dataclass(frozen=True)
class HeldOut:
    """Sums over all texts. `tokens` counts ends of songs too; `chars` every character of the files.

    At word level `nats` belongs to one way of cutting the text into words, an upper bound of the text's own.
    """

    nats: float
    chars: int
    tokens: int
    unknown_chars: int
    texts: int
    bound: bool

    @property
    def nats_per_char(self) -> float:
        """Nats per character of the text as it stands."""
        return self.nats / self.chars

    def to_json(self) -> dict[str, Any]:
        """The figures as a JSON object."""
        return {
            "nats_per_char": self.nats_per_char,
            "bits_per_char": self.nats_per_char / math.log(2),
            "perplexity": math.exp(min(700.0, self.nats / self.tokens)),
            "chars": self.chars,
            "tokens": self.tokens,
            "unknown_chars": self.unknown_chars,
            "texts": self.texts,
            "bound": self.bound,
        }

    def lines(self) -> list[str]:
        """The figures for people."""
        data = self.to_json()
        kind = " (a bound: of one way to cut it into words)" if self.bound else ""
        return [
            f"{data['nats_per_char']:.4f} nats per character, {data['bits_per_char']:.4f} bits{kind}",
            f"perplexity {data['perplexity']:.2f} per token",
            f"{self.chars:,} characters in {self.texts:,} texts, {self.tokens:,} tokens, "
            f"{self.unknown_chars:,} characters unknown",
        ]


def evaluate_documents(checkpoint: Checkpoint, documents: Iterable[Document]) -> HeldOut:
    """Scores texts from the start of a song each. Raises InputError where there is nothing to score."""
    vocab = checkpoint.vocab
    nats = 0.0
    chars = tokens = unknown = texts = 0

    def sequences() -> Iterator[Ids]:
        nonlocal chars, tokens, unknown, texts
        for document in documents:
            ids = vocab.encode(document.text)
            if document.ended:
                ids = np.append(ids, np.int32(END))
            chars += document.characters
            tokens += len(ids)
            unknown += int((ids == UNKNOWN).sum())
            texts += 1
            yield ids

    for each in token_nats(checkpoint.model, sequences(), unseen=Unseen.of(vocab), labeler=checkpoint.labeler):
        nats += float(each.sum())
    if not chars:
        raise InputError("there is no text to evaluate: the files are empty")
    return HeldOut(nats, chars, tokens, unknown, texts, bound=vocab.tokenizer.level == "word")
