"""What each token of a song says of the line it stands in: how much of it is left, and how it will rhyme."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from lyricgen.text.phonetics import THIRTEEN, character_classes, count_units, is_han, rhyme_class
from lyricgen.text.vocab import END, FIRST, START, Vocab

LONGEST = 30  # units of a line that are counted exactly
MORE, ENDS = LONGEST + 1, LONGEST + 2  # longer than that; no line follows, the song ends
LENGTHS = ENDS + 1
MOOD, STYLE = 2, 3  # the places of a song's labels, after its lines' left and rhyme
CLASSES = ("", *THIRTEEN)  # of the rhyme labels; the first is for lines that end in something else than Chinese
RHYMES = len(CLASSES)
FEWEST_SUNG = 0.7  # the share of lines that must be short and Chinese for labels to be worth their place
MOST_NAMES = 64  # more moods or styles than that in a corpus are no labels

Labels = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Labeler:
    """The labels of one vocabulary's ids.

    At each token stand the `left` units of its line that come after it (at a line break or a start of song: the
    length of the line to come) and the rhyme class of that line. A unit is a Han character, a Latin word or a
    digit. Both follow from the ids alone.
    """

    vocab: Vocab

    @cached_property
    def units(self) -> npt.NDArray[np.int64]:
        """The units of each token, `(V,)`. An unknown character counts as one."""
        counts = [1, 0, 0, *(count_units(token) for token in self.vocab.tokens[FIRST:])]
        return np.array(counts, dtype=np.int64)

    @cached_property
    def letters(self) -> npt.NDArray[np.bool_]:
        """Which tokens go on with the Latin word before them, `(V,)`: single letters."""
        return np.array([len(t) == 1 and is_letter(t) for t in self.vocab.tokens], dtype=bool)

    @cached_property
    def ends_in(self) -> npt.NDArray[np.uint16]:
        """The rhymes that a line may have which ends in each token, `(V,)`, one bit for each label of CLASSES."""
        bits = [1, 1, 1, *(_rhymes(token) for token in self.vocab.tokens[FIRST:])]
        return np.where(self.letters, np.uint16((1 << RHYMES) - 1), np.array(bits, dtype=np.uint16))

    @property
    def line_break(self) -> int:
        """The id of the line break, -1 where there is none."""
        return self.vocab.ids.get("\n", -1)

    def count(self, ids: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
        """What each of ids `(n,)` adds to the units of its line, `(n,)`."""
        units: npt.NDArray[np.int64] = self.units[ids]
        letter = self.letters[ids]
        units[1:][letter[1:] & letter[:-1]] = 0  # a Latin word counts once
        return units

    def of(self, ids: npt.NDArray[np.integer]) -> Labels:
        """The labels of ids `(n,)` that hold whole songs or the beginning of one: `(n, 2)`, left and rhyme."""
        n = len(ids)
        units = self.count(ids)
        closes = (ids == self.line_break) | (ids == END)
        ends = np.append(np.flatnonzero(closes), n)  # the line of token t ends at the first of these after t
        end = ends[np.searchsorted(ends, np.arange(n), side="right")] if n else ends[:0]
        total = np.concatenate(([0], np.cumsum(units)))
        left = total[end] - total[1:]
        opens = (ids == self.line_break) | (ids == START)
        label = np.where(left > LONGEST, MORE, left)
        label[:-1][opens[:-1] & (ids[1:] == END)] = ENDS
        label[ids == END] = 0
        rhymes = np.zeros(n + 1, dtype=np.uint8)
        starts = np.concatenate(([0], ends[:-1] + 1))
        for start, stop in zip(starts.tolist(), ends.tolist(), strict=True):
            if total[stop] > total[start]:
                rhymes[stop] = self._rhyme(ids[start:stop], units[start:stop])
        rhyme = np.where((label == 0) | (label == ENDS), 0, rhymes[end] if n else 0)
        # Inside a line the class stays known to its end, past the last sung character.
        inside = ~closes & (ids != START)
        rhyme[inside] = rhymes[end[inside]]
        return np.stack((label, rhyme), axis=1).astype(np.uint8)

    def _rhyme(self, line: npt.NDArray[np.integer], units: npt.NDArray[np.int64]) -> int:
        """The rhyme label of a line of ids with at least one unit."""
        last = int(line[np.flatnonzero(units)[-1]])
        bits = int(self.ends_in[last])
        if bits & (bits - 1) == 0:  # the one class that it can have
            return bits.bit_length() - 1
        found = rhyme_class(self.vocab.decode(line.tolist()))
        sounded = [label for label in range(1, RHYMES) if CLASSES[label] in found and bits >> label & 1]
        if sounded:  # a final 儿 is sung with the character before it
            return next((label for label in sounded if CLASSES[label] != "一七"), sounded[0])
        return (bits & -bits).bit_length() - 1

    def fits(self, ids: npt.NDArray[np.integer]) -> bool:
        """Whether a text is made of lines that are short and Chinese, so that labels say something."""
        if self.line_break < 0:
            return False
        labels = self.of(ids)
        lines = labels[(ids == self.line_break) | (ids == START)]
        sung = lines[(lines[:, 0] > 0) & (lines[:, 0] != ENDS)]
        return len(sung) > 0 and float(((sung[:, 0] <= LONGEST) & (sung[:, 1] > 0)).mean()) >= FEWEST_SUNG

    def allowed(self, left: int, rhyme: int) -> npt.NDArray[np.bool_]:
        """Which tokens may follow under labels, `(V,)`: those that leave the line able to keep them."""
        units, out = self.units, np.zeros(len(self.vocab), dtype=bool)
        if left == ENDS:
            out[END] = True
            return out
        if left == MORE:
            out[FIRST:] = True
        else:
            out[FIRST:] = (units[FIRST:] < left) | (units[FIRST:] == 0)
            closing = units == left if left else np.zeros_like(out)
            out |= closing & (self.ends_in >> np.uint16(rhyme) & 1 == 1)
            out |= self.letters
        out[END] = left == 0  # a text may end without a line break
        if self.line_break >= 0:
            out[self.line_break] = left == 0
        return out


@lru_cache(maxsize=2**16)
def _rhymes(token: str) -> int:
    """The rhymes that a line may have which ends in a token, one bit each."""
    last = next((c for c in reversed(token) if count_units(c)), "")
    if not last or not is_han(last):
        return 1
    if last == "儿":
        return (1 << RHYMES) - 2
    found = character_classes(last)
    return sum(1 << label for label in range(1, RHYMES) if CLASSES[label] in found) or 1


def is_letter(character: str) -> bool:
    """Whether a character is a letter of words that count as one unit each."""
    return character.isalpha() and count_units(character) == 1 and not is_han(character)


def label_names(found: Iterable[str]) -> tuple[str, ...]:
    """The moods or styles of a corpus, as labels from 1 on: the distinct ones, none where they are too many."""
    distinct = tuple(sorted({name for name in found if name}))
    return distinct if len(distinct) <= MOST_NAMES else ()
