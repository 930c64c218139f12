"""The units that copying is counted in: where they stand in a text, and numbers that stand for them.

A unit is a Han character, a digit, a whole word in a script that has capitals (Latin, Greek, Cyrillic), or one letter
of any other script. Punctuation, spaces and line breaks are no units, so a run goes on across them. Letters are
compared without case and accents, full-width forms as the usual ones.

The numbers are the same on every machine: Unicode's code points through the mixing function of SplitMix64 (Steele,
Lea and Flood 2014, "Fast splittable pseudorandom number generators").
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from lyricgen.text.phonetics import HAN

GRAM = 4
"""Units that a fingerprint covers."""
BITS = 11
"""Of a fingerprint."""
BREAK = 0x110000
"""In place of a code point: where one song ends and another may begin."""

Points = npt.NDArray[np.uint32]
Codes = npt.NDArray[np.uint64]
Fingerprints = npt.NDArray[np.uint16]

_APART, _JOINS, _SINGLE, _LETTER, _BREAK = range(5)  # what a character is to its neighbours
_HAN = re.compile(f"[{HAN}]")
_APOSTROPHES = "'’"

_MASK = (1 << 64) - 1
_GAMMA = 0x9E3779B97F4A7C15  # SplitMix64's constants
_FIRST, _SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_IN_WORD, _IN_GRAM = 0xD1342543DE82EF95, 0xAF251AF3B0F025B5  # odd multipliers that tell places apart


@dataclass(frozen=True)
class Units:
    """The units of a text: their codes `(m,)`, and where each begins and ends in the text, `(m,)` each."""

    codes: Codes
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.codes)


def to_points(text: str) -> Points:
    """The code points of a text, `(n,)`."""
    points: Points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    return points


def cut(points: Points) -> Units:
    """The units of a text given as code points `(n,)`; a BREAK is a unit of code 0."""
    seen, at = np.unique(points, return_inverse=True)
    known = [_of_point(point) for point in seen.tolist()]
    kinds = np.array([kind for kind, _ in known], dtype=np.uint8)[at]  # (n,)
    weights = np.array([weight for _, weight in known], dtype=np.uint64)[at]
    kept = np.flatnonzero(kinds >= _SINGLE)
    if not len(kept):
        return Units(np.zeros(0, np.uint64), kept, kept)
    apart = np.cumsum(kinds == _APART)[kept]
    letter = kinds[kept] == _LETTER
    goes_on = letter[1:] & letter[:-1] & (apart[1:] == apart[:-1])
    first = np.flatnonzero(np.concatenate(([True], ~goes_on)))
    lengths = np.diff(first, append=len(kept))
    inside = np.arange(len(kept)) - np.repeat(first, lengths)  # 0 | 0 1 2 | 0 …
    powers = np.cumprod(np.array([1] + [_IN_WORD] * int(inside.max()), dtype=np.uint64))
    codes = _mix_all(np.add.reduceat(weights[kept] * powers[inside], first))
    codes[kinds[kept[first]] == _BREAK] = 0
    return Units(codes, kept[first], kept[first + lengths - 1] + 1)


def fingerprints(codes: Codes) -> Fingerprints:
    """BITS for every GRAM units in a row, `(m,) → (m - 3,)`: from 1 on, and 0 where a BREAK is among them."""
    count = max(0, len(codes) - GRAM + 1)
    total, broken = np.zeros(count, dtype=np.uint64), np.zeros(count, dtype=bool)
    for offset, power in enumerate(_GRAM_POWERS):
        part = codes[offset : offset + count]
        total += part * np.uint64(power)
        broken |= part == 0
    short = _short(total)
    short[broken] = 0
    return short


def after(last: Sequence[int], codes: Codes) -> Fingerprints:
    """The fingerprints of three units followed by each of some others, `(c,)`."""
    before = sum(code * power for code, power in zip(last, _GRAM_POWERS, strict=False)) & _MASK
    return _short(codes * np.uint64(_GRAM_POWERS[-1]) + np.uint64(before))


def fingerprint(codes: Sequence[int]) -> int:
    """The fingerprint of GRAM units."""
    total = sum(code * power for code, power in zip(codes, _GRAM_POWERS, strict=True))
    return _mix(total & _MASK) >> 64 - BITS or 1


def last_units(text: str, count: int) -> tuple[list[int], str]:
    """The codes of the last `count` units of a text (fewer where it has no more), and the word that it ends in.

    The word is empty where no letter that followed could become part of it. What `cut` finds too, but that takes a
    text at a time and this a few units.
    """
    codes: list[int] = []
    word = ""
    at = len(text)
    while at and len(codes) < count:
        at -= 1
        kind, code = _character(text[at])
        if kind == _SINGLE:
            codes.append(code)
        elif kind == _LETTER:
            begin, end = at, at + 1
            while at and (kind := _character(text[at - 1])[0]) in (_LETTER, _JOINS):
                at -= 1
                begin = at if kind == _LETTER else begin
            codes.append(word_code(text[begin:end]))
            if len(codes) == 1 and all(_character(each)[0] == _JOINS for each in text[end:]):
                word = text[begin:]
    return codes[::-1], word


def word_code(word: str) -> int:
    """The code of one unit spelt by these characters."""
    weights = [weight for kind, weight in map(_weight, word) if kind != _JOINS]
    total = sum(weight * pow(_IN_WORD, place, 1 << 64) for place, weight in enumerate(weights))
    return _mix(total & _MASK)


def goes_on(word: str) -> bool:
    """Whether a text's first letter, should it follow a word at once, becomes part of that word."""
    for character in word:
        kind = _character(character)[0]
        if kind != _JOINS:
            return kind == _LETTER
    return False


@cache
def _character(character: str) -> tuple[int, int]:
    """What a character is, and its code should it be a unit."""
    kind, weight = _weight(character)
    return kind, _mix(weight)


@cache
def _weight(character: str) -> tuple[int, int]:
    """What a character is, and its share in the code of a unit."""
    if _HAN.match(character) or not (character.isalpha() and character.lower() != character.upper()):
        category = unicodedata.category(character)
        if category[0] == "M" or character in _APOSTROPHES:
            return _JOINS, 0
        if category[0] not in "LN" and not _HAN.match(character):
            return _APART, 0
        usual = unicodedata.normalize("NFKC", character)
        return _SINGLE, _mix(ord(usual if len(usual) == 1 else character) + _GAMMA)
    bare = unicodedata.normalize("NFKD", character)[0].casefold()
    return _LETTER, _mix(ord(bare if len(bare) == 1 else character) + _GAMMA)


def _of_point(point: int) -> tuple[int, int]:
    return (_BREAK, 0) if point == BREAK else _weight(chr(point))


def _mix(number: int) -> int:
    """SplitMix64's mixing function."""
    number = (number ^ number >> 30) * _FIRST & _MASK
    number = (number ^ number >> 27) * _SECOND & _MASK
    return number ^ number >> 31


def _mix_all(numbers: Codes) -> Codes:
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(_FIRST)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(_SECOND)
    return numbers ^ (numbers >> np.uint64(31))


def _short(totals: Codes) -> Fingerprints:
    short = (_mix_all(totals) >> np.uint64(64 - BITS)).astype(np.uint16)
    return np.maximum(short, np.uint16(1))


_GRAM_POWERS = tuple(pow(_IN_GRAM, place, 1 << 64) for place in range(GRAM))
