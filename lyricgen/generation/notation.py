"""Reads the short notations in which songwriters write down a plan: patterns, schemes, tones, words, forms."""

import re
import unicodedata
from dataclasses import dataclass

from lyricgen.errors import OptionError
from lyricgen.generation.line_plan import MOST_LINES, MOST_UNITS, TONE_MARKS
from lyricgen.text.phonetics import HAN, line_units, named_class, table_of
from lyricgen.text.song import heading_text

FREE = "X"
MOST_WORDS = 100

_COMMA = r"\s*[,、;]\s*"
_HAN = re.compile(f"[{HAN}]")
_TONE_SIGNS = str.maketrans("○●⊙◎", "平仄中中")  # as tables of 词 print them


@dataclass(frozen=True)
class Pattern:
    """The lengths of lines in stanzas; `parted` where the user wrote a blank line."""

    stanzas: tuple[tuple[int, ...], ...]
    parted: bool = False

    @property
    def lengths(self) -> tuple[int, ...]:
        """The lengths of all stanzas."""
        return tuple(length for stanza in self.stanzas for length in stanza)


def read_pattern(text: str) -> Pattern:
    """`7,7,/,5,5`: characters of each line, `/` for a blank line. Raises OptionError."""
    tidy = _tidy(text)
    stanzas = [_items(part, separator=rf"{_COMMA}|\s+") for part in tidy.split("/")]
    pattern = Pattern(tuple(tuple(map(_length, items)) for items in stanzas if items), parted="/" in tidy)
    if not pattern.lengths:
        raise OptionError(f"pattern has no line in {_quoted(text)}; give lengths such as 7,7,5,5")
    check_lines("pattern", len(pattern.lengths))
    return pattern


def _length(item: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", item) or not 1 <= int(item) <= MOST_UNITS:
        raise OptionError(
            f"pattern must be lengths from 1 to {MOST_UNITS} such as 7,7,5,5, and / for a blank line, "
            f"got {_quoted(item)}"
        )
    return int(item)


def read_scheme(text: str) -> str:
    """`AABB`: equal letters rhyme, X is free. Raises OptionError."""
    scheme = re.sub(rf"{_COMMA}|[\s/|-]+", "", _tidy(text)).upper()
    if not re.fullmatch("[A-Z]+", scheme):
        raise OptionError(f"rhyme must be letters such as AABB or XAXA (X is free), got {_quoted(text)}")
    check_lines("rhyme", len(scheme))
    return scheme


def read_tones(text: str) -> tuple[str, ...]:
    """`平平仄仄平,…`: the tones of each line, 中 where either is right; commas part lines. Raises OptionError."""
    lines = tuple(re.findall(r"[^\s,、;.。/|]+", _tidy(text).translate(_TONE_SIGNS)))
    for line in lines or ("",):
        if not re.fullmatch(f"[{TONE_MARKS}]+", line):
            raise OptionError(
                f"tones must be 平, 仄, and 中 for either, such as 平平仄仄平, and commas between lines, "
                f"got {_quoted(line or text)}"
            )
        if len(line) > MOST_UNITS:
            raise OptionError(f"tones must be at most {MOST_UNITS} a line, got {len(line)}; part lines by commas")
    check_lines("tones", len(lines))
    return lines


def read_words(text: str) -> tuple[str, ...]:
    """`海边,星光`: words, parted by commas, Chinese ones also by spaces; each once. Raises OptionError."""
    words: list[str] = []
    for item in re.split(_COMMA, _tidy(text)):
        parts = item.split() if _HAN.search(item) else [" ".join(item.split())]
        for word in parts:
            if not line_units(word):
                raise OptionError(f"words must be parted by single commas, such as 海边,星光, got {_quoted(text)}")
            words.append(word)
    if len(words) > MOST_WORDS:
        raise OptionError(f"words must be at most {MOST_WORDS}, got {len(words)}")
    return tuple(dict.fromkeys(words))


def read_acrostic(text: str) -> tuple[str, ...]:
    """The characters that lines shall begin with; punctuation and spaces are left out. Raises OptionError."""
    heads = tuple(char for char in _tidy(text) if line_units(char))
    if not heads:
        raise OptionError(f"acrostic has no character in {_quoted(text)}; give some, such as 我爱你")
    check_lines("acrostic", len(heads))
    return heads


def read_form(text: str) -> tuple[str, ...]:
    """`主歌,副歌,…`: the headings of sections. Raises OptionError."""
    names = tuple(heading_text(item) for item in _items(_tidy(text), separator=_COMMA))
    if not names or not all(names):
        raise OptionError(f"form must be names of sections such as 主歌,副歌,主歌,副歌, got {_quoted(text)}")
    check_lines("form", len(names))
    return names


def read_classes(text: str, *, table: int) -> tuple[str, ...]:
    """`江阳` or `ang`, or one for each letter of the scheme: the names of rhyme classes. Raises OptionError."""
    items = _items(_tidy(text), separator=rf"{_COMMA}|\s+")
    return tuple(named_class(item, table=table_of(table)) for item in items)


def check_lines(name: str, lines: int) -> None:
    """Raises OptionError where a song would become too long."""
    if lines > MOST_LINES:
        raise OptionError(f"{name} makes a song of {lines} lines; it may have at most {MOST_LINES}")


def _tidy(text: str) -> str:
    """Full-width signs as their usual ones, no space around."""
    return unicodedata.normalize("NFKC", text).strip()


def _items(text: str, *, separator: str) -> list[str]:
    """The items of a list; a comma at its ends is no item, and an empty text has none."""
    bare = re.sub(r"^\s*[,、;]|[,、;]\s*$", "", text).strip()
    return re.split(separator, bare) if bare else []


def _quoted(text: str) -> str:
    """A text as a message can show it."""
    return repr(text if len(text) <= 40 else text[:39] + "…")
