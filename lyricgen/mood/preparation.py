"""What is done to a text before a classifier reads it, the same in training and in prediction."""

import html
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lyricgen.errors import CheckpointError, InputError
from lyricgen.text.encoding import read_text

LONGEST = 2**16
"""Characters of a text that are read at all: a label seldom hangs on what comes after so many."""

_TAG = re.compile(r"<[a-zA-Z/!][^<>]{0,200}>")
_ADDRESS = re.compile(r"(?:https?://|www\.)[!-~]+", re.IGNORECASE)
_MENTION = re.compile(r"(?<![A-Za-z0-9.])@[\w-]{1,40}")
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
_STRETCHED = re.compile(r"(.)\1{3,}")
_SPACES = re.compile(r"[^\S\n]+")
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F) if chr(code - 0xFEE0).isalnum()} | {0x3000: 0x20}
_SURROGATES = re.compile("[\ud800-\udfff]")
_LATIN = "A-Za-z0-9À-ɏ"


@dataclass(frozen=True)
class Preparation:
    """`clean` leaves out markup, web addresses, @names and invisible characters, makes full-width letters half-width
    and shortens what is stretched (哈哈哈哈哈 to 哈哈哈). `stop_words` are left out wherever they stand; words in
    Latin letters as whole words and in any case.
    """

    clean: bool = False
    stop_words: tuple[str, ...] = ()

    def __call__(self, text: str) -> str:
        """The text as it is read; empty where nothing is left."""
        text = _SURROGATES.sub("", text[:LONGEST]).replace("\r\n", "\n").replace("\r", "\n")
        if self.clean:
            text = html.unescape(_TAG.sub(" ", text)).translate(_WIDE)
            text = _MENTION.sub(" ", _ADDRESS.sub(" ", text))
            text = _STRETCHED.sub(r"\1\1\1", _INVISIBLE.sub("", text))
            text = _SPACES.sub(" ", text)
        if self.stop_words:
            text = self._stopped.sub("", text)
        return text.strip()

    @cached_property
    def _stopped(self) -> re.Pattern[str]:
        longest_first = sorted(self.stop_words, key=lambda word: (-len(word), word))
        return re.compile("|".join(map(_whole_word, longest_first)), re.IGNORECASE)

    def to_json(self) -> dict[str, Any]:
        """What a checkpoint keeps of it."""
        return {"clean": self.clean, "stop_words": list(self.stop_words)}

    @classmethod
    def from_json(cls, data: Any) -> "Preparation":
        """A preparation from what `to_json` gave. Raises CheckpointError where it is something else."""
        try:
            found = cls(bool(data["clean"]), tuple(data["stop_words"]))
        except (KeyError, TypeError) as error:
            raise CheckpointError("config.json does not say how texts are prepared; take an intact copy") from error
        if not all(isinstance(word, str) and word for word in found.stop_words):
            raise CheckpointError("config.json holds stop words that are none; take an intact copy")
        return found


def _whole_word(word: str) -> str:
    before = f"(?<![{_LATIN}])" if re.match(f"[{_LATIN}]", word) else ""
    after = f"(?![{_LATIN}])" if re.search(f"[{_LATIN}]$", word) else ""
    return before + re.escape(word) + after


def read_stop_words(path: Path) -> tuple[str, ...]:
    """The words of a file, one a line, each once. Raises InputError where it has none."""
    words = tuple(dict.fromkeys(filter(None, map(str.strip, read_text(path).split("\n")))))
    if not words:
        raise InputError(f"{path} has no stop words: write one a line")
    return words
