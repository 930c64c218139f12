"""Reads LRC, the lyrics of music players: a time tag in front of every line."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lyricgen.text.readers.sheet import sheet_sections
from lyricgen.text.song import Song

_TIME = r"(\d{1,3}):(\d{1,2})(?:[.:](\d{1,3}))?"
_LINE_TAG = re.compile(rf"\s*\[\s*{_TIME}\s*\]")
_ANY_TAG = re.compile(rf"\[\s*{_TIME}\s*\]|<\s*{_TIME}\s*>")
_METADATA = re.compile(r"\[\s*([A-Za-z#][A-Za-z_]*)\s*:(.*)\]")


@dataclass(frozen=True)
class TimedLine:
    """A line and when it is sung, in seconds from the start; an empty text marks a pause."""

    seconds: float
    text: str


@dataclass(frozen=True)
class LrcRow:
    """A row of the file: its time tags as they are written, what is sung at them, and all of it as it stands."""

    tags: tuple[str, ...]
    text: str
    raw: str


@dataclass(frozen=True)
class LrcSheet:
    """The content of an LRC file: metadata by lower-case key (ti, ar, al, by …), lines in the order of time.

    The file's `[offset:]` stays among the metadata; the times have it applied already. `rows` are in the order of
    the file, metadata and empty rows among them.
    """

    metadata: Mapping[str, str]
    lines: tuple[TimedLine, ...]
    rows: tuple[LrcRow, ...]

    def song(self, *, title: str = "") -> Song:
        """The song, titled by the metadata or else as given; pauses part its sections."""
        return Song(
            sheet_sections(line.text for line in self.lines),
            title=self.metadata.get("ti") or title,
            artist=self.metadata.get("ar", ""),
        )


def is_lrc(text: str) -> bool:
    """Whether a text is LRC: its first lines that are not empty hold tags, a time tag among them."""
    lines = [line for line in text.split("\n") if line.strip()][:40]
    tagged = [line for line in lines if _LINE_TAG.match(line) or _METADATA.fullmatch(line.strip())]
    timed = sum(bool(_LINE_TAG.match(line)) for line in tagged)
    return timed > 0 and len(tagged) * 2 > len(lines)


def parse_lrc(text: str) -> LrcSheet:
    """The metadata and timed lines of an LRC text.

    A line with several time tags is sung at each of them. Word tags are removed. A line without a tag belongs to
    the line before it. A positive offset, in milliseconds, makes lines appear sooner
    (https://en.wikipedia.org/wiki/LRC_(file_format)).
    """
    metadata: dict[str, str] = {}
    lines: list[tuple[int, str]] = []
    rows: list[LrcRow] = []
    last = 0
    for raw in text.split("\n"):
        line = raw.strip()
        tags, times, sung = _split_tags(line)
        found = _METADATA.fullmatch(line)
        if times:
            lines += [(time, sung) for time in times]
            last = times[-1]
        elif found:
            metadata.setdefault(found.group(1).lower(), found.group(2).strip())
        elif sung:
            lines.append((last, sung))
        rows.append(LrcRow(tags, "" if found and not times else sung, line))
    offset = _milliseconds(metadata.get("offset", ""))
    lines.sort(key=lambda line: line[0])
    timed = tuple(TimedLine(max(0, time - offset) / 1000, sung) for time, sung in lines)
    return LrcSheet(metadata, timed, tuple(rows))


def _split_tags(line: str) -> tuple[tuple[str, ...], list[int], str]:
    """The tags that open a line, their times in milliseconds, and what is sung, free of tags."""
    tags, times = [], []
    while tag := _LINE_TAG.match(line):
        tags.append(tag[0].strip())
        minutes, seconds, fraction = tag.groups(default="")
        times.append(int(minutes) * 60_000 + int(seconds) * 1000 + int(fraction.ljust(3, "0")))
        line = line[tag.end() :]
    return tuple(tags), times, re.sub(" {2,}", " ", _ANY_TAG.sub("", line)).strip()


def _milliseconds(offset: str) -> int:
    return int(offset) if re.fullmatch(r"[+-]?\d{1,9}", offset) else 0


def read_lrc(text: str, *, title: str) -> Iterator[Song]:
    """The song of an LRC file."""
    yield parse_lrc(text).song(title=title)
