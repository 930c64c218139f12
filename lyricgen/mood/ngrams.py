"""Which short runs of a text count for its class: characters and words, alone, in twos and threes, with gaps.

The second input of the classifier, beside the encoder: a bag of n-grams, as in fastText (Joulin and others 2017,
arXiv:1607.01759). An n-gram is known by a 64-bit hash, and those that stand in two texts or more have a row of
weights each, so two n-grams never share one by chance as they do in a table of few buckets.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

import numpy as np
import numpy.typing as npt

MOST = 2**19
"""N-grams that are kept, the most frequent ones."""

MOST_WEIGHTS = 2**24
"""Weights of n-grams, one for each class: 64 MiB, and about 2.5 GB while they are fitted (`linear.fit`)."""

TOGETHER = 2048  # texts at a time
CHARACTERS = 2**20  # of them at most, but for a single text that has more: what is made of them takes some 300 MB
_FEW = 30  # texts: below, an n-gram that stands in one of them is kept too
GAP_WEIGHT = 0.55  # of a pair with a gap, against pairs without one
RARITY = 0.5  # exponent of the inverse document frequency

_SCRIPTS = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"  # written without spaces between words
_PIECE = re.compile(rf"[^\W{_SCRIPTS}]+|\S|\n")
_STEP = np.uint64(0x9E3779B97F4A7C15)  # odd, so that multiplying loses nothing
_SALTS = (np.uint64(0xD1B54A32D192ED03), np.uint64(0x8CB92BA72F3D8DD7), np.uint64(0xAAAAAAAAAAAAAAAB))

Keys = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float32]


@lru_cache(maxsize=2**17)
def _word(word: str) -> tuple[int, tuple[int, ...]]:
    """The code of a word, and of the runs of three to five letters in it with its ends marked."""
    code = (1 << 32) | crc32(word.encode("utf-8", "replace"))
    marked = f"<{word}>"
    runs = {marked[k : k + n] for n in (3, 4, 5) for k in range(len(marked) - n + 1)} if len(word) > 2 else set()
    return code, tuple((2 << 32) | crc32(run.encode("utf-8", "replace")) for run in sorted(runs - {marked}))


def _codes(text: str) -> tuple[list[int], list[int]]:
    """The codes of a text's pieces in order, and of the runs of letters in its words."""
    codes: list[int] = []
    letters: list[int] = []
    for piece in _PIECE.findall(text.casefold()):
        if len(piece) == 1:
            codes.append(ord(piece))
        else:
            code, runs = _word(piece)
            codes.append(code)
            letters.extend(runs)
    return codes, letters


def _occurrences(texts: Sequence[str]) -> tuple[Keys, Keys, int]:
    """Every n-gram of some texts as a key, with the number of its text, both `(n,)`.

    Pairs with a gap come last; the third value is where they begin.
    """
    found = [_codes(text) for text in texts]
    owners = np.repeat(np.arange(len(texts)), [len(codes) for codes, _ in found])
    codes = np.array([code for codes, _ in found for code in codes], dtype=np.uint64)
    letters = np.array([code for _, runs in found for code in runs], dtype=np.uint64)
    letter_owners = np.repeat(np.arange(len(texts)), [len(runs) for _, runs in found])
    ones = codes * _STEP
    keys, homes = [ones, letters * _STEP], [owners, letter_owners]
    near, wide, gap = _SALTS
    for reach, key in (
        (1, pairs := (ones[:-1] ^ near) * _STEP + ones[1:]),
        (2, (pairs[:-1] ^ wide) * _STEP + ones[2:]),
        (2, (ones[:-2] ^ gap) * _STEP + ones[2:]),
    ):
        inside = owners[reach:] == owners[:-reach]
        keys.append(key[inside])
        homes.append(owners[reach:][inside])
    plain = sum(map(len, keys[:-1]))
    return np.concatenate(keys).view(np.int64), np.concatenate(homes), plain


def groups(texts: Sequence[str], *, most: int) -> Iterator[Sequence[str]]:
    """Texts in order, at most so many at a time, and fewer where they are long."""
    first = size = 0
    for k, text in enumerate(texts):
        if k > first and (k - first == most or size + len(text) > CHARACTERS):
            yield texts[first:k]
            first, size = k, 0
        size += len(text)
    if texts:
        yield texts[first:]


def most_ngrams(classes: int) -> int:
    """How many n-grams are kept where each has a weight for so many classes."""
    return min(MOST, MOST_WEIGHTS // classes)


@dataclass(frozen=True)
class Rows:
    """The n-grams of n texts: text k has `columns[starts[k]:starts[k + 1]]` with these `values`, of length 1."""

    columns: Keys
    values: Weights
    starts: Keys

    def of(self, texts: Keys) -> "Rows":
        """Those of some of the texts."""
        sizes = np.diff(self.starts)[texts]
        starts = np.concatenate(([0], np.cumsum(sizes)))
        cells = np.repeat(self.starts[texts] - starts[:-1], sizes) + np.arange(starts[-1])
        return Rows(self.columns[cells], self.values[cells], starts)


@dataclass(frozen=True, eq=False)
class _Counts:
    """N-grams: their keys in order, how many texts each stands in, whether it is a pair with a gap, `(N,)` each."""

    keys: Keys
    texts: Keys
    gapped: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, texts: Sequence[str]) -> "_Counts":
        """Those of a group of texts."""
        keys, owners, plain = _occurrences(texts)
        gapped = np.arange(len(keys)) >= plain
        order = np.lexsort((owners, keys))
        keys, owners, gapped = keys[order], owners[order], gapped[order]
        new = np.ones(len(keys), bool)
        new[1:] = (keys[1:] != keys[:-1]) | (owners[1:] != owners[:-1])
        return cls._summed(keys[new], np.ones(int(new.sum()), np.int64), gapped[new])

    @classmethod
    def merged(cls, parts: Sequence["_Counts"]) -> "_Counts":
        """Those of several groups together; of one key's kinds the first counts."""
        keys, texts, gapped = zip(*((part.keys, part.texts, part.gapped) for part in parts), strict=True)
        return cls._summed(np.concatenate(keys), np.concatenate(texts), np.concatenate(gapped))

    @classmethod
    def _summed(cls, keys: Keys, texts: Keys, gapped: npt.NDArray[np.bool_]) -> "_Counts":
        keys, at, inverse = np.unique(keys, return_index=True, return_inverse=True)
        return cls(keys, np.bincount(inverse, weights=texts).astype(np.int64), gapped[at])


@dataclass(frozen=True, eq=False)
class NgramTable:
    """The n-grams that have weights: their keys in order, and how much one occurrence of each counts, `(N,)`."""

    keys: Keys
    scales: Weights

    @classmethod
    def of(cls, texts: Sequence[str], *, most: int = MOST) -> "NgramTable":
        """The table of some texts."""
        # New n-grams wait until they are as many as all before: each is then sorted a few times, however many texts.
        none = np.zeros(0, np.int64)
        parts = [_Counts(none, none, none > 0)]
        for group in groups(texts, most=TOGETHER):
            parts.append(_Counts.of(group))
            if sum(len(part.keys) for part in parts[1:]) >= len(parts[0].keys):
                parts = [_Counts.merged(parts)]
        found = _Counts.merged(parts)
        kept = np.flatnonzero(found.texts >= (1 if len(texts) < _FEW else 2))
        if len(kept) > most:
            kept = np.sort(kept[np.argsort(-found.texts[kept], kind="stable")[:most]])
        rarity = (np.log((1 + len(texts)) / (1 + found.texts[kept])) + 1) ** RARITY
        return cls(found.keys[kept], (rarity * np.where(found.gapped[kept], GAP_WEIGHT, 1.0)).astype(np.float32))

    def __len__(self) -> int:
        return len(self.keys)

    def rows(self, texts: Sequence[str]) -> Rows:
        """The n-grams of texts that the table knows, weighted by 1 + ln(count) and rarity, each text to length 1."""
        parts = [self._rows(group) for group in groups(texts, most=TOGETHER)]
        columns, values, sizes = (np.concatenate(part) for part in zip(*parts, strict=True))
        return Rows(columns, values, np.concatenate(([0], np.cumsum(sizes))))

    def _rows(self, texts: Sequence[str]) -> tuple[Keys, Weights, Keys]:
        empty = np.zeros(0, np.int64)
        if not len(self):
            return empty, np.zeros(0, np.float32), np.zeros(len(texts), np.int64)
        occurring, owners, _ = _occurrences(texts)
        columns = np.minimum(np.searchsorted(self.keys, occurring), len(self) - 1)
        known = self.keys[columns] == occurring
        cells, counts = np.unique(owners[known] * len(self) + columns[known], return_counts=True)
        homes, columns = np.divmod(cells, len(self))
        values = (1 + np.log(counts)) * self.scales[columns]
        lengths = np.sqrt(np.bincount(homes, weights=values**2, minlength=len(texts)))
        return columns, (values / lengths[homes]).astype(np.float32), np.bincount(homes, minlength=len(texts))
