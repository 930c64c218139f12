"""The songs of some paths, cleaned and without duplicates, as often as they are needed."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from lyricgen.errors import InputError, OptionError
from lyricgen.text.cleaning import Cleaner, CleaningReport, counted
from lyricgen.text.encoding import STDIN
from lyricgen.text.phonetics import HAN
from lyricgen.text.readers import Songs, Source, find_sources, read_source
from lyricgen.text.song import Song

_HAN = re.compile(f"[{HAN}]")
_MESSAGES = 100


@dataclass(frozen=True)
class CorpusReport:
    """What a corpus holds, and what was left out and why.

    `characters` counts the sung lines without their line breaks. Of the messages about skipped files and records
    the first hundred are kept; `skipped_count` counts all.
    """

    files: int = 0
    songs: int = 0
    lines_sung: int = 0
    characters: int = 0
    han: int = 0
    cleaning: CleaningReport = field(default_factory=CleaningReport)
    skipped: tuple[str, ...] = ()
    skipped_count: int = 0

    def lines(self) -> list[str]:
        """The report for people, one sentence a line."""
        size = f"{counted(self.lines_sung, 'line')}, {counted(self.characters, 'character')} ({self.han:,} Han)"
        text = [f"{counted(self.songs, 'song')} from {counted(self.files, 'file')}: {size}"]
        text += [*self.cleaning.lines(), *(f"skipped: {message}" for message in self.skipped)]
        more = self.skipped_count - len(self.skipped)
        return text + ([f"skipped: {more:,} more"] if more else [])

    def to_json(self) -> dict[str, Any]:
        """The report as a JSON object."""
        return asdict(self)


class Corpus:
    """The songs of files and folders: read, cleaned, each once; streamed, so that size does not matter.

    Iterating reads the files anew (standard input, `-`, can only be read once); after it `report` tells what was
    read and what was left out. Raises InputError where a named path is unusable or no song is left.
    """

    def __init__(self, paths: Sequence[str | Path], *, songs: Songs = "file", clean: bool = True) -> None:
        if songs not in ("file", "blank"):
            raise OptionError(f"songs must be file or blank, got {songs!r}")
        self._paths = [Path(path) for path in paths]
        self._songs = songs
        self._clean = clean
        self._read_once = False
        self.report = CorpusReport()

    def __iter__(self) -> Iterator[Song]:
        if self._read_once and STDIN in self._paths:
            raise InputError("standard input can be read only once: write the songs to a file and name that")
        self._read_once = True
        cleaner = Cleaner()
        tally = _Tally()
        for source in find_sources(self._paths):
            for item in tally.count_file(source, self._songs):
                song = cleaner.clean(item) if self._clean else item
                if song and song.lines:
                    tally.count(song)
                    yield song
        self.report = replace(tally.report(), cleaning=cleaner.report)
        if not self.report.songs:
            raise InputError(_nothing_left(self.report))


def _nothing_left(report: CorpusReport) -> str:
    why = "; ".join([*report.skipped[:1], *report.cleaning.lines()]) or "none has a sung line"
    return f"no songs left of {counted(report.files, 'file')} ({why}): name texts with sung lines"


class _Tally:
    """Counts what passes."""

    def __init__(self) -> None:
        self._files = self._songs = self._lines = self._characters = self._han = self._skipped = 0
        self._messages: list[str] = []

    def count_file(self, source: Source | InputError, songs: Songs) -> Iterator[Song]:
        self._files += 1
        for item in [source] if isinstance(source, InputError) else read_source(source, songs=songs):
            if isinstance(item, Song):
                yield item
                continue
            self._skipped += 1
            if len(self._messages) < _MESSAGES:
                self._messages.append(str(item))

    def count(self, song: Song) -> None:
        self._songs += not song.continues
        self._lines += len(song.lines)
        text = "".join(song.lines)
        self._characters += len(text)
        self._han += len(_HAN.findall(text))

    def report(self) -> CorpusReport:
        return CorpusReport(
            files=self._files,
            songs=self._songs,
            lines_sung=self._lines,
            characters=self._characters,
            han=self._han,
            skipped=tuple(self._messages),
            skipped_count=self._skipped,
        )


def write_songbook(songs: Iterable[Song], out: Path) -> None:
    """Writes songs to one file in the songbook's form, whole or not at all; never over an existing file."""
    temporary = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        if out.exists():
            raise InputError(f"{out} exists: choose another name, or remove it first")
        with temporary.open("w", encoding="utf-8", newline="\n") as stream:
            for number, song in enumerate(songs):
                stream.write(("\n" if number and not song.continues else "") + song.to_songbook())
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(out)
    except OSError as error:
        raise InputError(f"{out} cannot be written ({error.strerror}): make room or choose another place") from None
    finally:
        temporary.unlink(missing_ok=True)
