"""Takes the plan of a song that exists: its lengths, rhymes, repeats, sections, and the time tags of an .lrc."""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lyricgen.errors import InputError
from lyricgen.generation.arrangement import number_groups
from lyricgen.generation.line_plan import MOST_LINES, MOST_UNITS, LinePlan
from lyricgen.text.cleaning import Cleaner
from lyricgen.text.credits import is_credit, is_instrumental_notice, is_title
from lyricgen.text.encoding import display_name, read_text
from lyricgen.text.phonetics import THIRTEEN, Table, line_end, line_rhyme, line_units
from lyricgen.text.readers import TABLES, LrcSheet, parse_lrc, read_songs
from lyricgen.text.readers.lrc import is_lrc
from lyricgen.text.readers.plain import read_plain
from lyricgen.text.readers.sheet import heading_name
from lyricgen.text.song import Song

Layout = tuple[str | int, ...]
"""The rows of an .lrc: as they stand, or the index of the line whose tags and words stand there."""

_WHOSE_WORDS = re.compile(r"[词詞]|lyric|words|written", re.IGNORECASE)


@dataclass
class _Sheet:
    """The sung lines of a song as they are collected, the sections that they fall into, and the rows of an .lrc."""

    lines: list[str] = field(default_factory=list)
    plans: list[LinePlan] = field(default_factory=list)
    sections: list[list[int]] = field(default_factory=list)
    rows: list[str | int] = field(default_factory=list)
    heading: str = ""
    fresh: bool = True  # the next line opens a section

    def open(self, heading: str = "") -> None:
        """Lets the next line begin a section."""
        self.fresh = True
        self.heading = heading or self.heading

    def add(self, line: str, *, times: tuple[str, ...] = ()) -> None:
        """Adds a sung line."""
        if self.fresh:
            self.sections.append([])
        self.rows.append(len(self.lines))
        self.sections[-1].append(len(self.lines))
        opens = self.fresh and bool(self.lines)
        self.plans.append(LinePlan(section=self.heading, opens=opens, times=times))
        self.lines.append(line)
        self.fresh, self.heading = False, ""


def read_model(path: Path) -> Song | LrcSheet:
    """The song, or the .lrc sheet, in a file, or from standard input for `-`. Raises InputError."""
    name = display_name(path)
    if path.suffix.lower() in TABLES or path.is_dir():
        found = list(read_songs([path]))
    else:
        text = read_text(path)
        if path.suffix.lower() == ".lrc" or is_lrc(text):
            return parse_lrc(text)
        found = list(read_plain(io.StringIO(text), title=path.stem))
    for item in found:
        if isinstance(item, InputError):
            raise item
    songs = [item for item in found if isinstance(item, Song)]
    if not songs:
        raise InputError(f"{name} has no lyrics: give a song with sung lines")
    if len(songs) > 1:
        raise InputError(f"{name} holds more than one song; give a file of one song, at most {MOST_LINES} lines")
    return songs[0]


def lines_like(
    source: Song | LrcSheet, *, name: str, table: Table = THIRTEEN, near: bool = False
) -> tuple[tuple[LinePlan, ...], Layout]:
    """The plan of each sung line, and the rows of the .lrc if the source is one. Raises InputError."""
    sheet = _read_lrc(source) if isinstance(source, LrcSheet) else _read_song(source)
    if not sheet.lines:
        raise InputError(f"{name} has no lyrics: give a song with sung lines")
    if len(sheet.lines) > MOST_LINES:
        raise InputError(f"{name} has {len(sheet.lines)} lines; a song may have at most {MOST_LINES}")
    first: dict[str, int] = {}
    origins = [first.setdefault(_bare(line), number) for number, line in enumerate(sheet.lines)]
    groups = _groups(sheet, origins, table=table, near=near)
    plans = []
    for number, (line, plan, origin, group) in enumerate(zip(sheet.lines, sheet.plans, origins, groups, strict=True)):
        if origin != number:
            plans.append(replace(plan, repeats=origin))
            continue
        if (length := line_units(line)) > MOST_UNITS:
            raise InputError(
                f"{name}: line {number + 1} has {length} characters; a sung line has at most {MOST_UNITS}"
            )
        plans.append(replace(plan, length=length, rhyme=group))
    return tuple(plans), tuple(sheet.rows) if isinstance(source, LrcSheet) else ()


def _bare(line: str) -> str:
    """What two lines have in common that are the same but for their punctuation."""
    return re.sub(r"[\W_]+", "", line).casefold()


def _read_song(song: Song) -> _Sheet:
    sheet = _Sheet()
    cleaned = Cleaner().clean(song)
    for section in cleaned.sections if cleaned else ():
        sheet.open(section.name)
        for line in section.lines:
            if line_units(line):
                sheet.add(line)
    return sheet


def _read_lrc(source: LrcSheet) -> _Sheet:
    """The rows of the file in their order: a line that is sung at several times stands once, with all its tags."""
    sheet = _Sheet()
    for row in source.rows:
        if not row.text or not line_units(row.text):
            if row.tags:  # a pause
                sheet.open()
            sheet.rows.append(row.raw)
        elif heading := heading_name(row.text):
            sheet.open(heading)
            sheet.rows.append(row.raw)
        elif _is_label(row.text, title=source.metadata.get("ti", "")):
            if not _WHOSE_WORDS.search(row.text):  # the new words are not by who wrote the old
                sheet.rows.append(row.raw)
        else:
            sheet.add(row.text, times=row.tags)
    return sheet


def _is_label(line: str, *, title: str) -> bool:
    return is_credit(line) or is_instrumental_notice(line) or is_title(line, title=title)


def _groups(sheet: _Sheet, origins: Sequence[int], *, table: Table, near: bool) -> list[int | None]:
    """The rhyme group of each line: within a section, lines that share a class and end in two characters or more.

    A line that came before stands for its first appearance, so new lines may rhyme with a refrain.
    """
    sounds = [line_rhyme(line, table=table, near=near) for line in sheet.lines]
    ends = [line_end(line) for line in sheet.lines]
    keys: list[int | None] = [None] * len(sheet.lines)
    for section in sheet.sections:
        waiting = section
        while members := _largest(waiting, sounds, ends):
            waiting = [line for line in waiting if line not in members]
            roots = [origins[line] for line in members]
            if any(origins[line] == line for line in members):
                key = next((keys[root] for root in roots if keys[root] is not None), roots[0])
                for root in roots:
                    keys[root] = key if keys[root] is None else keys[root]
    return number_groups(keys)


def _largest(lines: Sequence[int], sounds: Sequence[frozenset[str]], ends: Sequence[str]) -> list[int]:
    """The lines that share the class with the most different ends; none where no class has two."""
    best: list[int] = []
    for name in dict.fromkeys(name for line in lines for name in sorted(sounds[line])):
        members = [line for line in lines if name in sounds[line]]
        if len({ends[line] for line in members}) > max(1, len({ends[line] for line in best})):
            best = members
    return best
