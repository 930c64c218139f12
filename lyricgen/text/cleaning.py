"""Cleans songs of what is not sung, counting every step."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

from lyricgen.text.credits import is_credit, is_instrumental_notice, is_title
from lyricgen.text.song import Section, Song


@dataclass(frozen=True)
class CleaningReport:
    """What each step changed or dropped, in the order of the steps."""

    full_width: int = 0
    control: int = 0
    blank: int = 0
    urls: int = 0
    credits: int = 0
    instrumental: int = 0
    empty: int = 0
    duplicates: int = 0

    def lines(self) -> list[str]:
        """One line for each step that did something."""
        counts = ((getattr(self, step.name), *_STEPS[step.name]) for step in fields(self))
        return [f"{what}: {counted(count, unit)}" for count, what, unit in counts if count]


def counted(number: int, unit: str) -> str:
    """A number and its unit: 1 song, 2,000 songs."""
    return f"{number:,} {unit}{'' if number == 1 else 's'}"


_STEPS = {
    "full_width": ("full-width letters, digits and spaces made half-width", "character"),
    "control": ("control and invisible characters removed", "character"),
    "blank": ("repeated empty lines folded", "line"),
    "urls": ("web addresses removed", "line"),
    "credits": ("credits removed", "line"),
    "instrumental": ("instrumental notices removed", "line"),
    "empty": ("songs without a sung line dropped", "song"),
    "duplicates": ("duplicates dropped", "song"),
}

_WIDE = {wide: wide - 0xFEE0 for first, last in ("０９", "Ａｚ") for wide in range(ord(first), ord(last) + 1)}
_HALF_WIDTH = {code: half for code, half in _WIDE.items() if chr(half).isalnum()} | {0x3000: 0x20}
_FULL_WIDTH = re.compile("[０-９Ａ-Ｚａ-ｚ　]")

# Spaces of other widths, tabs and separators part words; the rest of these are not seen at all.
_ODD_SPACES = "\t\x0b\x0c\x1c-\x1f\x85\xa0\u2000-\u200a\u2028\u2029\u202f\u205f"
_INVISIBLE = "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffc"
_CONTROL = re.compile(f"[{_ODD_SPACES}]|[{_INVISIBLE}\ud800-\udfff]")
_SPACE = re.compile(f"[{_ODD_SPACES}]")

_URL = re.compile(
    r"(?:https?://|www\.)[!-~]+|(?<![a-z0-9-])[a-z0-9][a-z0-9-]*\.(?:com|net|org|cn)(?![a-z0-9])[!-~]*", re.IGNORECASE
)
_AROUND_URL = 40  # a line with an address and no more characters than this is an advertisement
_NOT_TEXT = re.compile(r"[\W_]+")


class Cleaner:
    """Cleans one song after the other and remembers which it has seen, in 8 bytes each."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._seen: set[bytes] = set()
        self._before = ""  # what became of the part before one that continues: kept, empty or duplicates

    @property
    def report(self) -> CleaningReport:
        """What was done so far."""
        return CleaningReport(**self._counts)

    def clean(self, song: Song) -> Song | None:
        """The song with its sung lines only; None if it has none left, or if they were sung before.

        A part that continues is no duplicate, unless the part before it was.
        """
        self._counts["blank"] += song.folded
        first = song.lines[0] if song.lines and not song.continues else ""
        headed = is_title(first, title=song.title)
        self._counts["credits"] += headed
        parts = [(part.name, part.lines[headed and not n :]) for n, part in enumerate(song.sections)]
        sections = tuple(Section(sung, name) for name, lines in parts if (sung := self._sung(lines)))
        text = _NOT_TEXT.sub("", "".join(line for part in sections for line in part.lines)).casefold()
        digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
        if not text:
            fate = "empty"
        elif digest in self._seen and (not song.continues or self._before == "duplicates"):
            fate = "duplicates"
        else:
            fate = "kept"
        continues = song.continues and self._before == "kept"
        self._before = fate
        if fate != "kept":
            self._counts[fate] += 1
            return None
        self._seen.add(digest)
        return replace(song, sections=sections, continues=continues)

    def _sung(self, lines: Iterable[str]) -> tuple[str, ...]:
        return tuple(cleaned for line in lines if (cleaned := self._line(line)))

    def _line(self, line: str) -> str:
        """A line without what is not sung; empty if nothing is left."""
        line = self._characters(line)
        if _URL.search(line):
            self._counts["urls"] += 1
            line = _URL.sub("", line).strip()
            line = line if len(line) > _AROUND_URL else ""
        for step, unsung in (("credits", is_credit), ("instrumental", is_instrumental_notice)):
            if unsung(line):
                self._counts[step] += 1
                return ""
        return line

    def _characters(self, line: str) -> str:
        if wide := len(_FULL_WIDTH.findall(line)):
            self._counts["full_width"] += wide
            line = line.translate(_HALF_WIDTH)
        if odd := len(_CONTROL.findall(line)):
            self._counts["control"] += odd
            line = _CONTROL.sub("", _SPACE.sub(" ", line))
        return line.strip()
