"""Reads plain text: one song a file, many parted by blank lines, or many in the songbook's form."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from typing import Literal, TextIO

from lyricgen.text.readers.lrc import is_lrc, parse_lrc
from lyricgen.text.readers.sheet import add_line
from lyricgen.text.song import PART_CHARACTERS, SectionBuilder, Song, is_songbook, parse_songbook

Songs = Literal["file", "blank"]

_HEAD = 2**12


def read_plain(stream: TextIO, *, title: str, songs: Songs = "file") -> Iterator[Song]:
    """The songs of a plain text, never held whole: a text too long to hold comes in parts.

    A text that opens in the songbook's form is read as such, one that opens with time tags as LRC.
    """
    head = stream.read(_HEAD)
    stream.seek(0)
    if is_songbook(head):
        yield from parse_songbook(_lines(stream))
    elif songs == "blank":
        yield from _songs_between_blanks(_lines(stream))
    elif is_lrc(head):
        yield parse_lrc(stream.read()).song(title=title)
    else:
        yield from _parts(_lines(stream), title=title)


def _lines(stream: TextIO) -> Iterator[str]:
    """The lines of a stream, stripped; a line longer than a part is cut, so that memory stays constant."""
    while line := stream.readline(PART_CHARACTERS):
        yield line.strip()


def _parts(lines: Iterator[str], *, title: str) -> Iterator[Song]:
    """One song, or the parts of a text too long for one, cut at line ends."""
    builder = SectionBuilder()
    continues = False
    for line in lines:
        if line and builder.full:
            yield Song(builder.sections(), title=title, continues=continues, folded=builder.folded)
            builder = SectionBuilder()
            continues = True
        add_line(builder, line)
    if sections := builder.sections():
        yield Song(sections, title=title, continues=continues, folded=builder.folded)


def _songs_between_blanks(lines: Iterator[str]) -> Iterator[Song]:
    """Songs that blank lines part, each without a title."""
    folded = 0
    for sung, song in groupby(lines, key=bool):
        if not sung:
            folded = sum(1 for _ in song) - 1
            continue
        for part in _parts(song, title=""):
            yield replace(part, folded=folded)
            folded = 0
