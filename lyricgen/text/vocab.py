"""The vocabulary: which tokens a model knows, and texts to ids and back."""

import json
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from lyricgen.errors import CheckpointError, OptionError
from lyricgen.text.tokenizer import Tokenizer

UNKNOWN, START, END = 0, 1, 2
SPECIALS = ("<unk>", "<start>", "<end>")
FIRST = len(SPECIALS)  # the first id that stands for text

Ids = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Vocab:
    """Tokens by id. The first three stand for an unseen character, the start and the end of a song.

    `unseen` is the probability of a character that training never showed, estimated from how many of its
    characters it showed once (Good and Turing; Good 1953, Biometrika 40). `<unk>` is read, never written.
    """

    tokens: tuple[str, ...]
    tokenizer: Tokenizer
    unseen: float = 0.0

    def __len__(self) -> int:
        return len(self.tokens)

    @cached_property
    def ids(self) -> dict[str, int]:
        """The id of every token that stands for text."""
        return {token: number for number, token in enumerate(self.tokens[FIRST:], FIRST)}

    @cached_property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Characters of each token, `(V,)`; an unknown one is one character, the ends of a song none."""
        return np.array([1, 0, 0, *map(len, self.tokens[FIRST:])], dtype=np.int64)

    @cached_property
    def unseen_characters(self) -> int:
        """How many assigned Unicode characters are not in the vocabulary: what an unknown one could have been."""
        known = sum(len(token) == 1 and _is_assigned(token) for token in self.tokens[FIRST:])
        return max(1, assigned_characters() - known)

    def encode(self, text: str) -> Ids:
        """Ids of a text, `(n,)`. A word outside the vocabulary becomes its characters."""
        ids = self.ids
        out: list[int] = []
        for piece in self.tokenizer.split(text):
            number = ids.get(piece)
            if number is not None:
                out.append(number)
            else:
                out.extend(ids.get(character, UNKNOWN) for character in piece)
        return np.array(out, dtype=np.int32)

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids; an unknown character shows as U+FFFD, the ends of a song as nothing."""
        shown = ("\ufffd", "", "")
        return "".join(shown[i] if i < FIRST else self.tokens[i] for i in ids)

    def to_json(self) -> dict[str, Any]:
        """What `vocab.json` holds."""
        tokenizer = self.tokenizer
        return {
            "level": tokenizer.level,
            "segmenter": tokenizer.segmenter,
            "segmenter_version": tokenizer.version,
            "unseen": self.unseen,
            "tokens": list(self.tokens),
        }

    @classmethod
    def from_json(cls, data: Any) -> "Vocab":
        """A vocabulary from what `to_json` gave. Raises CheckpointError where it is something else."""
        try:
            tokens = tuple(data["tokens"])
            tokenizer = Tokenizer(data["level"], data["segmenter"], data["segmenter_version"])
            unseen = float(data["unseen"])
        except (KeyError, TypeError, ValueError, OverflowError, OptionError) as error:
            raise CheckpointError("vocab.json is not a vocabulary; take an intact copy of the model") from error
        text = tokens[FIRST:]
        sound = tokens[:FIRST] == SPECIALS and all(isinstance(token, str) and token for token in text)
        if not sound or len(set(text)) != len(text) or not 0 <= unseen < 1:
            raise CheckpointError("vocab.json is damaged; take an intact copy of the model")
        return cls(tokens, tokenizer, unseen)

    def dumps(self) -> str:
        """The contents of a `vocab.json`."""
        return json.dumps(self.to_json(), ensure_ascii=False) + "\n"


@dataclass(frozen=True)
class Pieces:
    """Which ids each provisional id stands for: those of entry p are `flat[starts[p]:starts[p + 1]]`."""

    starts: npt.NDArray[np.int64]
    flat: Ids

    def expand(self, provisional: npt.NDArray[np.uint32]) -> Ids:
        """Final ids of provisional ones, in order."""
        first = self.starts[provisional]
        lengths = self.starts[provisional.astype(np.int64) + 1] - first
        ends = np.cumsum(lengths)
        total = int(ends[-1]) if len(ends) else 0
        # Position inside each entry: 0 1 2 | 0 | 0 1 …
        inside = np.arange(total) - np.repeat(ends - lengths, lengths)
        final: Ids = self.flat[np.repeat(first, lengths) + inside]
        return final


class VocabBuilder:
    """Reads a corpus once and gives provisional ids at once; the vocabulary is settled at the end.

    So no text is read twice: provisional ids (code points plus FIRST, or words in order of appearance) are kept by
    the caller and translated by `Pieces` when the counts are known. START and END stand for themselves.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        # No piece of a text has a line break and more in it, so these keys are never met.
        self._words: dict[str, int] = {f"\n{special}": number for number, special in enumerate(SPECIALS)}

    def __len__(self) -> int:
        """Upper bound of the provisional ids so far."""
        return len(self._words) if self.tokenizer.level == "word" else FIRST + 0x110000

    def add(self, text: str) -> npt.NDArray[np.uint32]:
        """Provisional ids of a text, `(n,)`."""
        if self.tokenizer.level == "char":
            points: npt.NDArray[np.uint32] = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
            return points + np.uint32(FIRST)
        words = self._words
        return np.array([words.setdefault(word, len(words)) for word in self.tokenizer.split(text)], dtype=np.uint32)

    def build(
        self, counts: npt.NDArray[np.int64], *, min_count: int, base: Vocab | None = None
    ) -> tuple[Vocab, Pieces]:
        """The vocabulary for training counts per provisional id, `(len(self),)`, and the translation to it.

        Words of fewer than `min_count` occurrences break into characters; every character seen is a token. With a
        `base`, its tokens stay what they are, under their ids, and new ones follow.
        """
        old: dict[str, int] = base.ids if base else {}
        words = list(self._words) if self.tokenizer.level == "word" else None
        kept: dict[str, int] = {}
        characters: dict[str, int] = {}
        for number in (np.flatnonzero(counts[FIRST:]) + FIRST).tolist():
            word, count = words[number] if words else chr(number - FIRST), int(counts[number])
            if len(word) == 1:
                characters[word] = characters.get(word, 0) + count
            elif count >= min_count or word in old:
                kept[word] = count
                for character in word:
                    characters.setdefault(character, 0)
            else:
                for character in word:
                    characters[character] = characters.get(character, 0) + count
        once = sum(count == 1 and character not in old for character, count in characters.items())
        total = sum(kept.values()) + sum(characters.values())
        counted = {token: count for token, count in {**characters, **kept}.items() if token not in old}
        fresh = sorted(counted, key=lambda token: (-counted[token], token))
        unseen = (once + 0.5) / (total + 1.0) if total else 0.0
        vocab = Vocab((*(base.tokens if base else SPECIALS), *fresh), self.tokenizer, unseen)
        return vocab, self._pieces(vocab, words)

    def spelling(self) -> Pieces | None:
        """The code points, plus FIRST, that provisional ids stand for; None where they are that already."""
        if self.tokenizer.level == "char":
            return None
        words = list(self._words)[FIRST:]
        points = np.frombuffer("".join(words).encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.int32)
        lengths = np.array([1] * FIRST + [len(word) for word in words], dtype=np.int64)
        flat = np.concatenate((np.arange(FIRST, dtype=np.int32), points + np.int32(FIRST)))
        return Pieces(np.concatenate(([0], np.cumsum(lengths))), flat)

    def _pieces(self, vocab: Vocab, words: Sequence[str] | None) -> Pieces:
        ids = vocab.ids
        if words is None:
            flat = np.full(FIRST + 0x110000, UNKNOWN, dtype=np.int32)
            flat[:FIRST] = range(FIRST)
            for token, number in ids.items():
                flat[FIRST + ord(token)] = number
            return Pieces(np.arange(len(flat) + 1, dtype=np.int64), flat)
        parts = list(range(FIRST))
        starts = list(range(FIRST + 1))
        for word in words[FIRST:]:
            parts.extend((ids[word],) if word in ids else (ids.get(c, UNKNOWN) for c in word))
            starts.append(len(parts))
        return Pieces(np.array(starts, dtype=np.int64), np.array(parts, dtype=np.int32))


def count_vocab(
    texts: Iterable[str], *, tokenizer: Tokenizer, min_count: int = 1
) -> tuple[Vocab, npt.NDArray[np.int64]]:
    """The vocabulary of some texts and how often each of its tokens occurs in them, `(V,)`; read once."""
    builder = VocabBuilder(tokenizer)
    counts = np.zeros(0, dtype=np.int64)
    for text in texts:
        fresh = np.bincount(builder.add(text), minlength=len(counts))
        fresh[: len(counts)] += counts
        counts = fresh
    counts = np.pad(counts, (0, max(0, len(builder) - len(counts))))
    vocab, pieces = builder.build(counts, min_count=min_count)
    weights = np.repeat(counts, np.diff(pieces.starts))
    tokens = np.bincount(pieces.flat, weights=weights, minlength=len(vocab)).astype(np.int64)
    return vocab, tokens


def _is_assigned(character: str) -> bool:
    return unicodedata.category(character) not in ("Cn", "Cs", "Co")


@lru_cache
def assigned_characters() -> int:
    """How many characters Unicode assigns, in the version that this Python knows (private use left out)."""
    return sum(_is_assigned(chr(point)) for point in range(0x110000))
