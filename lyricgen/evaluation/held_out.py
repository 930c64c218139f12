"""What a model thinks of a text: its likelihood per character, of the text as it stands."""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lyricgen.errors import InputError
from lyricgen.evaluation.metrics import finite, perplexity, shown_perplexity, standard_error
from lyricgen.model.checkpoint import Checkpoint
from lyricgen.model.likelihood import Unseen, token_nats
from lyricgen.text.documents import Document
from lyricgen.text.vocab import END, UNKNOWN, Ids, Vocab

Nats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LineScore:
    """A line as it stands, its line break counted; `end`: not a line but the end of the song."""

    text: str
    nats: float
    chars: int
    end: bool = False

    @property
    def nats_per_char(self) -> float | None:
        """Nats per character; none for an end that stands for no character."""
        return self.nats / self.chars if self.chars else None

    def to_json(self) -> dict[str, Any]:
        """The figures as a JSON object."""
        per_char = None if self.nats_per_char is None else finite(self.nats_per_char)
        return {"text": self.text, "nats": finite(self.nats), "chars": self.chars, "nats_per_char": per_char,
                "end": self.end}  # fmt: skip


@dataclass(frozen=True)
class SongScore:
    """One text. `lines` add up to it; they are there where they were asked for."""

    title: str
    nats: float
    chars: int
    tokens: int
    unknown_chars: int
    lines: tuple[LineScore, ...] = ()

    @property
    def nats_per_char(self) -> float:
        """Nats per character of the text as it stands."""
        return self.nats / self.chars

    def to_json(self, *, per_line: bool = False) -> dict[str, Any]:
        """The figures as a JSON object."""
        data = {"title": self.title, "nats": finite(self.nats), **_rates(self.nats, self.chars, self.tokens),
                "chars": self.chars, "tokens": self.tokens, "unknown_chars": self.unknown_chars}  # fmt: skip
        return data | ({"lines": [line.to_json() for line in self.lines]} if per_line else {})


def _rates(nats: float, chars: int, tokens: int) -> dict[str, float | None]:
    return {
        "nats_per_char": finite(nats / chars),
        "bits_per_char": finite(nats / chars / math.log(2)),
        "perplexity": perplexity(nats, tokens),
    }


@dataclass(frozen=True)
class HeldOut:
    """The scores of all texts. Sums: `tokens` counts ends of songs too; `chars` every character of the files.

    At word level (`bound`) `nats` belongs to one way of cutting the text into words, an upper bound of the
    text's own.
    """

    songs: tuple[SongScore, ...]
    bound: bool

    def __post_init__(self) -> None:
        if not self.chars:
            raise InputError("there is no text to evaluate: the files are empty")

    @property
    def nats(self) -> float:
        """Nats of all texts."""
        return math.fsum(song.nats for song in self.songs)

    @property
    def chars(self) -> int:
        """Characters of all texts."""
        return sum(song.chars for song in self.songs)

    @property
    def tokens(self) -> int:
        """Tokens of all texts."""
        return sum(song.tokens for song in self.songs)

    @property
    def unknown_chars(self) -> int:
        """Characters outside the vocabulary, in all texts."""
        return sum(song.unknown_chars for song in self.songs)

    @property
    def texts(self) -> int:
        """How many texts."""
        return len(self.songs)

    @property
    def nats_per_char(self) -> float:
        """Nats per character of the text as it stands."""
        return self.nats / self.chars

    @property
    def standard_error(self) -> float | None:
        """Standard error of `nats_per_char` over songs; none for a single one."""
        if not math.isfinite(self.nats):
            return None
        return standard_error([song.nats for song in self.songs], [song.chars for song in self.songs])

    def to_json(self, *, per_song: bool = False, per_line: bool = False) -> dict[str, Any]:
        """The figures as a JSON object."""
        error = self.standard_error
        data = {
            **_rates(self.nats, self.chars, self.tokens),
            "nats_per_char_se": error,
            "bits_per_char_se": None if error is None else error / math.log(2),
            "chars": self.chars,
            "tokens": self.tokens,
            "unknown_chars": self.unknown_chars,
            "texts": self.texts,
            "bound": self.bound,
        }
        songs = [song.to_json(per_line=per_line) for song in self.songs] if per_song or per_line else []
        return data | ({"songs": songs} if songs else {})

    def lines(self) -> list[str]:
        """The figures for people."""
        bits, error = self.nats_per_char / math.log(2), self.standard_error
        kind = " (a bound: of one way to cut it into words)" if self.bound else ""
        spread = "" if error is None else f" ± {error:.4f} (standard error over songs)"
        return [
            f"{self.nats_per_char:.4f} nats per character{spread}, {bits:.4f} bits{kind}",
            f"perplexity {shown_perplexity(self.nats, self.tokens)} per token",
            f"{self.chars:,} characters in {self.texts:,} texts, {self.tokens:,} tokens, "
            f"{self.unknown_chars:,} characters unknown",
        ]

    def table(self, *, per_line: bool = False) -> list[str]:
        """A row for each song, and under it one for each of its lines: nats per character, characters, text."""
        rows = ["", "  nats per character, characters, song"]
        for song in self.songs:
            rows.append(f"{song.nats_per_char:8.4f} {song.chars:6,}  {song.title or '–'}")
            for line in song.lines if per_line else ():
                cost = "       –" if line.nats_per_char is None else f"{line.nats_per_char:8.4f}"
                rows.append(f"{cost} {line.chars:6,}    {'(the end)' if line.end else line.text}")
        return rows


def evaluate_documents(checkpoint: Checkpoint, documents: Iterable[Document], *, by_line: bool = False) -> HeldOut:
    """Scores texts from the start of a song each. Raises InputError where there is nothing to score."""
    vocab, songs = checkpoint.vocab, []
    for document, ids, nats in document_nats(checkpoint, documents):
        lines = line_scores(document, ids, nats, vocab=vocab) if by_line else ()
        unknown = int((ids == UNKNOWN).sum())
        songs.append(SongScore(document.title, float(nats.sum()), document.characters, len(ids), unknown, lines))
    return HeldOut(tuple(songs), bound=vocab.tokenizer.level == "word")


def document_nats(
    checkpoint: Checkpoint, documents: Iterable[Document], *, temperature: float = 1.0
) -> Iterator[tuple[Document, Ids, Nats]]:
    """Each text with its ids, `(n,)`, the song's end among them where it is predicted, and the nats of each."""
    vocab, waiting = checkpoint.vocab, deque[tuple[Document, Ids]]()

    def sequences() -> Iterator[Ids]:
        for document in documents:
            ids = vocab.encode(document.text)
            waiting.append((document, np.append(ids, np.int32(END)) if document.ended else ids))
            yield waiting[-1][1]

    costs = token_nats(checkpoint.model, sequences(), unseen=Unseen.of(vocab), labeler=checkpoint.labeler,
                       temperature=temperature)  # fmt: skip
    for nats in costs:
        yield (*waiting.popleft(), nats)


def line_scores(document: Document, ids: Ids, nats: Nats, *, vocab: Vocab) -> tuple[LineScore, ...]:
    """The nats of each line of a text, from those of its tokens `(n,)`; a token belongs where it begins."""
    text = document.text
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    line_of = np.concatenate(([0], np.cumsum(points == ord("\n"))))  # of each character, and of what follows them
    lengths = vocab.lengths[ids]
    starts = np.cumsum(lengths) - lengths
    parts = text.split("\n")
    sums = np.bincount(line_of[starts], weights=nats, minlength=len(parts)).tolist()
    scores = [LineScore(part, cost, len(part) + 1) for part, cost in zip(parts[:-1], sums[:-1], strict=True)]
    if parts[-1]:
        scores.append(LineScore(parts[-1], sums[-1], len(parts[-1])))
    elif document.ended:
        scores.append(LineScore("", sums[-1], document.characters - len(text), end=True))
    return tuple(scores)
