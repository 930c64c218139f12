"""What there is to know of a vocabulary's tokens to keep a line to its plan, as masks over classes."""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from lyricgen.model.network import FIRST_CLASS
from lyricgen.text.labels import Labeler, is_letter
from lyricgen.text.phonetics import (
    character_classes,
    count_units,
    is_han,
    line_rhyme,
    near_classes,
    table_of,
    tones,
)
from lyricgen.text.vocab import END, FIRST

Mask = npt.NDArray[np.bool_]  # (C,): which classes may follow


def tones_off(marks: str, text: str) -> int:
    """How many characters of a text have another tone than the mark beside them asks for, 中 for either."""
    return _off(marks, tones(text))


def _off(marks: str, found: Sequence[str | None]) -> int:
    return sum(mark not in ("中", tone) for mark, tone in zip(marks, found, strict=False))


class Tokens:
    """Masks of one vocabulary, made when they are first needed and kept. None of them is ever changed."""

    count: Callable[[str], int] = staticmethod(count_units)
    """The units of a text."""
    spelled = False
    """Whether words are spelled in letters, with spaces between them."""

    def __init__(self, labeler: Labeler) -> None:
        self.vocab = labeler.vocab
        self.texts = self.vocab.tokens[FIRST_CLASS:]
        self.units: npt.NDArray[np.int64] = labeler.units[FIRST_CLASS:]
        self.letters: Mask = labeler.letters[FIRST_CLASS:]
        self.line_break = labeler.line_break
        self.length = lru_cache(maxsize=256)(self._length)
        self.closing = lru_cache(maxsize=512)(self._closing)
        self.head = lru_cache(maxsize=256)(self._head)
        self.tone = lru_cache(maxsize=256)(self._tone)
        self._reachable = lru_cache(maxsize=64)(self._lengths_before)
        self.rich = lru_cache(maxsize=64)(self._rich)
        self._rhyming = lru_cache(maxsize=64)(self._rhyming_of)
        self.part_of = lru_cache(maxsize=256)(self._part_of)
        self._sounds = lru_cache(maxsize=4)(self._sounds_of)

    @cached_property
    def latin(self) -> Mask:
        """Tokens with letters or digits, whose part in a line's length depends on their neighbours."""
        return self._each(lambda text: any(count_units(c) and not is_han(c) for c in text))

    def _lengths_before(self, sizes: frozenset[int]) -> Mask:
        """Which lengths can be made of Chinese tokens in front of one that has one of these sizes."""
        own = sorted({int(size) for size in self.units[~self.latin & (self.units > 0)]})
        found = np.zeros(512, dtype=bool)
        found[[size for size in sizes if size < len(found)]] = True
        for length in range(1, len(found)):
            found[length] |= any(size <= length and found[length - size] for size in own)
        return found

    @cached_property
    def counts(self) -> bool:
        """Whether most words or characters have units: a script may have none that are known here."""
        words = self._each(lambda text: text[0].isalpha())
        return bool(2 * np.count_nonzero(self.units[words]) >= np.count_nonzero(words))

    @cached_property
    def _blank(self) -> Mask:
        return self._each(lambda text: not text.strip())

    def only(self, ids: Iterable[int]) -> Mask:
        """Just these ids."""
        mask = np.zeros(len(self.units), dtype=bool)
        mask[[number - FIRST_CLASS for number in ids]] = True
        return mask

    def _length(self, left: int, latin: bool = False) -> Mask:
        """What can follow where a line has so many units left: what fits, and can be made up to the full length.

        With `latin`, letters and digits too, as a model that plans its own lines may write them.
        """
        fits = self.units <= left
        counted = np.flatnonzero(fits & (self.units > 0))
        fits[counted] = self._reachable(frozenset({0}))[left - self.units[counted]]
        fits = fits | self.latin if latin and left else fits & ~self.latin
        fits &= left > 0 or ~self._blank  # a line does not end in a space
        fits[END - FIRST_CLASS] = False
        if self.line_break >= 0:
            fits[self.line_break - FIRST_CLASS] = not left
        return fits

    def _closing(self, left: int, classes: frozenset[str], table: int, taken: frozenset[str] = frozenset()) -> Mask:
        """What ends a line of so many units in one of the classes, or leaves it open to such an end.

        No line ends in one of the characters `taken`.
        """
        final = self.ending(classes, table, taken)
        reachable = self._reachable(frozenset(self.units[final].tolist()))
        mask: Mask = self.units == 0
        inner = np.flatnonzero((self.units > 0) & (self.units < left))
        mask[inner] = reachable[left - self.units[inner]]
        mask[final[self.units[final] == left]] = True
        return mask

    def ending(
        self, classes: frozenset[str], table: int, taken: frozenset[str] = frozenset()
    ) -> npt.NDArray[np.int64]:
        """What sounds like one of the classes, and ends in none of the characters `taken`: the classes of tokens."""
        found = self._rhyming(classes, table)
        codes = [self._codes[each] for each in taken if each in self._codes]
        return found[~np.isin(self._last[found], codes)] if codes else found

    def _rhyming_of(self, classes: frozenset[str], table: int) -> npt.NDArray[np.int64]:
        return np.flatnonzero([not classes.isdisjoint(found) for found in self._sounds(table)])

    def spelled_out(self, line: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The ids of a line, those of unknown characters left out, and how much of it stands after each."""
        ids: list[int] = []
        stops: list[int] = []
        for number in self.vocab.encode(line).tolist():
            text = self.vocab.tokens[number]
            at = line.find(text, stops[-1] if stops else 0) if number >= FIRST else -1
            if at >= 0:
                ids.append(number)
                stops.append(at + len(text))
        return tuple(ids), tuple(stops)

    def goes_on(self, line: str) -> bool:
        """Whether a line ends in a word that single letters may go on with."""
        return is_letter(line[-1:])

    def begun(self, text: str, word: str) -> int:
        """How much of a word stands at the end of a text already."""
        return next((k for k in range(len(word) - 1, 0, -1) if text.endswith(word[:k])), 0)

    def short(self, left: int) -> Mask:
        """What takes so many units at most."""
        mask: Mask = self.units <= left
        return mask

    def ends(self, classes: frozenset[str], table: int) -> int:
        """How many characters there are to end a line in, in one of the classes."""
        return len(np.unique(self._last[self.ending(classes, table)]))

    def _rich(self, lines: int, table: int, *, near: bool) -> frozenset[str]:
        """The classes in which each of so many lines can end in a character of its own, or else the richest."""
        count = {
            name: self.ends(near_classes(name) if near else frozenset({name}), table) for name in table_of(table)
        }
        enough = min(lines, max(count.values()))
        return frozenset(name for name in count if count[name] >= enough)

    def spelling(self, line: str) -> Mask | None:
        """What may follow in a line for the sake of its spelling; None where anything may."""
        return None

    def pauses(self, line: str) -> bool:
        """Whether no unit may follow a line at once."""
        return False

    def holds(self, line: str, word: str) -> bool:
        """Whether a word stands in a line."""
        return word in line

    @cached_property
    def _codes(self) -> dict[str, int]:
        """A number for each character that tokens end in."""
        return {last: code for code, last in enumerate(sorted({self._ending_of(text) for text in self.texts}))}

    @cached_property
    def _last(self) -> npt.NDArray[np.int64]:
        return np.array([self._codes[self._ending_of(text)] for text in self.texts])

    def _ending_of(self, text: str) -> str:
        """What must differ in lines that rhyme."""
        return text[-1]

    @staticmethod
    def rest_of_head(head: str, line: str) -> str:
        """What of the characters that a line shall begin with is still to come, in whatever case."""
        return head[len(line) :] if head.casefold().startswith(line.casefold()) else ""

    def _head(self, head: str) -> Mask:
        """What begins with `head`, or is the beginning of it: in its case, where any token does."""
        folded = head.casefold()
        exact = self._each(lambda text: text.startswith(head) or head.startswith(text))
        either = self._each(lambda text: text.casefold().startswith(folded) or folded.startswith(text.casefold()))
        return exact if (exact & ~self._apart).any() else either

    @property
    def _apart(self) -> Mask:
        """What has no place in a line that is planned."""
        return np.zeros(len(self.units), dtype=bool)

    def _part_of(self, rest: str) -> Mask:
        """What `rest` begins with."""
        return self._each(rest.startswith)

    def _tone(self, marks: str) -> Mask:
        """What sounds like the first of these marks, 中 for either."""
        return np.array([not _off(marks, found) for found in self._tones])

    @cached_property
    def _tones(self) -> list[list[str | None]]:
        return [list(tones(text)) for text in self.texts]

    def _each(self, test: Callable[[str], bool]) -> Mask:
        specials = FIRST - FIRST_CLASS
        return np.array([False] * specials + [test(text) for text in self.texts[specials:]])

    def _sounds_of(self, table: int) -> list[frozenset[str]]:
        """The classes of each token's end, of all its readings where it is one character: the line decides."""
        known = table_of(table)
        return [
            line_rhyme(text, table=known) | (character_classes(text, table=known) if len(text) == 1 else frozenset())
            if is_han(text[-1]) else frozenset()
            for text in self.texts
        ]  # fmt: skip
