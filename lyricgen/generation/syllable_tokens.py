"""The tokens of a model that writes English words: lines count syllables and rhyme by pronunciation."""

import re
from collections import defaultdict
from functools import cached_property

import numpy as np

from lyricgen.generation.tokens import Mask, Tokens
from lyricgen.model.network import FIRST_CLASS
from lyricgen.text.labels import Labeler
from lyricgen.text.phonetics import is_han, line_end, line_rhyme, line_units
from lyricgen.text.vocab import FIRST, Vocab

WORDS = frozenset("aioAIO")  # of one letter
APOSTROPHES = frozenset("'’")
PARTS = frozenset(
    "don didn doesn isn aren wasn weren couldn wouldn shouldn hasn haven hadn ain mustn ll ve re".split()  # noqa: SIM905
)
"""What words with an apostrophe fall into."""


def tokens_of(labeler: Labeler) -> Tokens:
    """What there is to know of a vocabulary: in syllables where it is one of words in Latin letters."""
    words = labeler.vocab.tokenizer.level == "word" and _latin(labeler.vocab)
    return SyllableTokens(labeler) if words else Tokens(labeler)


def spells(vocab: Vocab) -> bool:
    """Whether words are written letter by letter, so that nothing knows their syllables before they are whole."""
    return vocab.tokenizer.level == "char" and _latin(vocab)


def _latin(vocab: Vocab) -> bool:
    latin = sum(token[:1].isalpha() and not is_han(token[:1]) for token in vocab.tokens[FIRST:])
    return latin > 4 * sum(is_han(token[:1]) for token in vocab.tokens[FIRST:])


class SyllableTokens(Tokens):
    """Masks as of Chinese tokens, with syllables for characters.

    Words stand apart. What is only a part of a word, a spelled letter or what is around an apostrophe, has no place
    in a line that is counted: how many syllables it adds is known only with the rest of its word.
    """

    count = staticmethod(line_units)
    spelled = True

    def __init__(self, labeler: Labeler) -> None:
        super().__init__(labeler)
        specials = FIRST - FIRST_CLASS
        self.units = np.array([0] * specials + [line_units(text) for text in self.texts[specials:]])

    @cached_property
    def latin(self) -> Mask:
        """What has no place in a line that is counted."""
        return self._each(
            lambda text: (
                bool(APOSTROPHES & set(text)) or text.casefold() in PARTS or any(map(is_han, text))
                or (len(text) == 1 and text.isalpha() and text not in WORDS)
            )
        )  # fmt: skip

    @property
    def _apart(self) -> Mask:
        return self.latin

    @cached_property
    def _begins_word(self) -> Mask:
        return self._each(lambda text: text[0].isalnum())

    def spelling(self, line: str) -> Mask | None:
        """What is a whole word, and after one no other without a space between."""
        return ~self.latin & ~self._begins_word if self.pauses(line) else ~self.latin

    def pauses(self, line: str) -> bool:
        """Whether a word has just ended."""
        return line[-1:].isalnum()

    def holds(self, line: str, word: str) -> bool:
        """Whether a word stands in a line, whole."""
        return bool(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", line))

    def goes_on(self, line: str) -> bool:
        """No: words are whole."""
        return False

    def begun(self, text: str, word: str) -> int:
        """How many characters of a phrase stand at the end of a text already: whole words of it."""
        ends = (k for k in range(len(word) - 1, 0, -1) if not (word[k - 1].isalnum() and word[k].isalnum()))
        return next((k for k in ends if re.search(rf"(?<!\w){re.escape(word[:k])}$", text)), 0)

    def _part_of(self, rest: str) -> Mask:
        """What `rest` begins with, up to the end of a word of it."""

        def begins(text: str) -> bool:
            inside = text[-1].isalnum() and rest[len(text) : len(text) + 1].isalnum()
            return rest.startswith(text) and not inside

        return self._each(begins)

    def _rich(self, lines: int, table: int, *, near: bool) -> frozenset[str]:
        """The sounds that so many words or more end in, or the richest."""
        ends: dict[str, set[int]] = defaultdict(set)
        for sounds, last, out in zip(self._sounds(table), self._last.tolist(), self.latin.tolist(), strict=True):
            for name in sounds if not out else ():
                ends[name].add(last)
        enough = min(lines, max(map(len, ends.values()), default=0))
        return frozenset(name for name, found in ends.items() if len(found) >= enough)

    def _ending_of(self, text: str) -> str:
        return line_end(text)

    def _sounds_of(self, table: int) -> list[frozenset[str]]:
        return [
            line_rhyme(text) if text[-1].isalpha() and not is_han(text[-1]) else frozenset() for text in self.texts
        ]
