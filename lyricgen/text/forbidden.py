"""Which tokens would make a text that is being written copy a training song."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from lyricgen.text.novelty import EVERYDAY, NoveltyIndex, Places, check_length
from lyricgen.text.units import (
    GRAM,
    Codes,
    after,
    cut,
    fingerprint,
    fingerprints,
    goes_on,
    last_units,
    to_points,
    word_code,
)

Numbers = npt.NDArray[np.int64]
_NONE: Numbers = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class _Tokens:
    """Some tokens cut into units: `codes` `(c, k)` has zeros where a token has fewer than k, `numbers` `(c,)`."""

    numbers: Numbers
    codes: Codes

    @cached_property
    def having(self) -> list["_Tokens"]:
        """Item j: those of j units or more; the last item is not empty."""
        lengths = (self.codes != 0).sum(axis=1)
        return [self.take(lengths >= count) for count in range(int(lengths.max(initial=0)) + 1)]

    def take(self, which: npt.NDArray[np.bool_] | Numbers) -> "_Tokens":
        """Some of them."""
        return _Tokens(self.numbers[which], self.codes[which])


class Watch:
    """Tells which of some tokens may not follow a text.

    A run is what `NoveltyIndex.runs` tells: `at_least` units or more that stand in one or two training songs. The
    word that a text ends in counts as it stands, so a word is stopped at the letter that would make it a copy.
    """

    def __init__(self, index: NoveltyIndex, tokens: Sequence[str], *, at_least: int) -> None:
        check_length(at_least)
        self._index = index
        self._at_least = at_least
        parts = [cut(to_points(token)) for token in tokens]
        codes = np.zeros((len(parts), max((len(part) for part in parts), default=0)), dtype=np.uint64)
        for row, part in enumerate(parts):
            codes[row, : len(part)] = part.codes
        self._any = _Tokens(np.arange(len(parts)), codes)
        # Should the text end in a word, these become part of it; by their first units as they are spelt.
        joining = np.array([goes_on(token) for token in tokens], dtype=bool)
        self._apart, self._joining = self._any.take(~joining), self._any.take(joining)
        self._heads = [tokens[n][: parts[n].ends[0]] for n in self._joining.numbers.tolist()]

    def forbidden(self, text: str) -> Numbers:
        """The numbers of the tokens with which `text` holds a run that it did not hold before, in no order.

        Where no run is near, as almost always, this takes a few lookups.
        """
        last, word = last_units(text, self._at_least)
        if not word:
            return self._completing(text, last[-self._at_least + 1 :], self._any)
        apart = self._completing(text, last[-self._at_least + 1 :], self._apart)
        joined = self._completing(text, last[:-1], self._joined(last[:-1], word), without=1)
        return np.concatenate((apart, joined))

    def _joined(self, last: list[int], word: str) -> _Tokens:
        """The tokens that `word` goes on with, their first units with it in front; only those that can matter."""
        single = len(last) == self._at_least - 1 and len(self._standing(last)) > 0
        rows = (
            np.arange(len(self._heads)) if single else np.flatnonzero((self._joining.codes[:, 1:] != 0).any(axis=1))
        )
        tokens = self._joining.take(rows)
        whole = np.array([word_code(word + self._heads[row]) for row in rows.tolist()], dtype=np.uint64)
        return replace(tokens, codes=np.column_stack((whole, tokens.codes[:, 1:])))

    def _completing(self, text: str, last: list[int], tokens: _Tokens, *, without: int = 0) -> Numbers:
        """Those of some tokens that complete a run; `last` are up to N - 1 units before them.

        `without`: so many units at the end of the text are not before them, but part of them.
        """
        certain: list[Numbers] = []
        suspect: list[Numbers] = []
        # The shortest run has `before` units of the text and the others of the token.
        for before in range(min(len(last), self._at_least - 1), -1, -1):
            count = self._at_least - before
            if count >= len(tokens.having):
                break
            having = tokens.having[count]
            if before < GRAM:
                suspect.append(self._known_starts(last[len(last) - before :], having))
                continue
            places = self._standing(last[-before:])
            if not len(places):
                continue
            expected = self._index.prints[places + (before - GRAM + 1)]
            found = after(last[-GRAM + 1 :], having.codes[:, 0])
            for row in np.flatnonzero(np.isin(found, expected)).tolist():
                rare = count == 1 and self._index.songs_at(places[expected == found[row]]) < EVERYDAY
                (certain if rare else suspect).append(having.numbers[row : row + 1])
        if not certain and not any(map(len, suspect)):
            return _NONE
        sure = np.concatenate((_NONE, *certain))
        doubtful = np.setdiff1d(np.concatenate((_NONE, *suspect)), sure)
        judged = self._judged(text, tokens.take(np.isin(tokens.numbers, doubtful)), without=without)
        return np.concatenate((sure, judged))

    def _standing(self, units: list[int]) -> Places:
        """Where four units or more stand in a song that goes on after them."""
        prints = [fingerprint(units[at : at + GRAM]) for at in (0, 1) if at + GRAM <= len(units)]
        if len(prints) == 1:
            return self._index.pairs.beginning(prints[0])
        places = self._index.pairs.places(*prints)
        if not len(places) or len(units) == GRAM + 1:
            return places
        written = fingerprints(np.array(units, dtype=np.uint64))
        return self._index.follow(places, written, first=2)

    def _known_starts(self, last: list[int], tokens: _Tokens) -> Numbers:
        """The tokens that with a few units before them begin in a way that some song knows."""
        wide = np.column_stack((np.tile(np.array(last, dtype=np.uint64), (len(tokens.numbers), 1)), tokens.codes))
        flat = [fingerprints(wide[:, at : at + GRAM].reshape(-1))[::GRAM] for at in (0, 1)]
        return tokens.numbers[self._index.pairs.have(*flat)]

    def _judged(self, text: str, tokens: _Tokens, *, without: int) -> Numbers:
        """Those of a few tokens that complete a run, each tried in full."""
        written = cut(to_points(text)).codes
        written = written[: len(written) - without]
        hits = []
        for number, codes in zip(tokens.numbers.tolist(), tokens.codes, strict=True):
            prints = fingerprints(np.concatenate((written, codes[codes != 0])))
            runs = self._index.stretches(prints, at_least=self._at_least)
            if any(stop > len(written) for _, stop in runs):
                hits.append(number)
        return np.array(hits, dtype=np.int64)
