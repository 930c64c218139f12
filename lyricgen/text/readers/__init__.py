"""Reads songs from files, folders and standard input."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lyricgen.errors import InputError
from lyricgen.text.encoding import STDIN, display_name, open_text, reading
from lyricgen.text.readers.lrc import LrcSheet, TimedLine, parse_lrc, read_lrc
from lyricgen.text.readers.plain import Songs, read_plain
from lyricgen.text.readers.tables import read_csv, read_json, read_jsonl
from lyricgen.text.song import Song

__all__ = ["LrcSheet", "Songs", "Source", "TimedLine", "find_sources", "parse_lrc", "read_songs", "read_source"]

TABLES = {".json": read_json, ".jsonl": read_jsonl, ".csv": read_csv}
EXTENSIONS = (".txt", ".lrc", *TABLES)
_EXPECTED = "expected .txt, .lrc, .json, .jsonl or .csv files"


@dataclass(frozen=True)
class Source:
    """A file to read. `named` marks one that was given itself and not found in a folder: it must be usable."""

    path: Path
    named: bool


def read_songs(paths: Sequence[str | Path], *, songs: Songs = "file") -> Iterator[Song | InputError]:
    """The songs of files, folders (all files in them, sorted) and, for `-`, of standard input, one at a time.

    What is wrong with a file inside a folder is yielded, and the rest still read. What is wrong with a path that
    was named itself is raised.
    """
    for source in find_sources(paths):
        yield from [source] if isinstance(source, InputError) else read_source(source, songs=songs)


def find_sources(paths: Sequence[str | Path]) -> Iterator[Source | InputError]:
    """The files to read for some paths; raises InputError for a folder without any."""
    named = [Path(path) for path in paths]
    for path in named:
        with reading(str(path)):
            if path != STDIN and not path.exists():  # told before hours go into the paths before it
                raise FileNotFoundError
    for path in named:
        if path == STDIN or not path.is_dir():
            yield Source(path, named=True)
            continue
        problems: list[OSError] = []
        found = sorted(_walk(path, problems))
        for problem in problems:
            yield InputError(f"{problem.filename} cannot be read: {problem.strerror}")
        if not found:
            raise InputError(f"no songs in {path}/: {_EXPECTED}")
        yield from (Source(file, named=False) for file in found)


def _walk(folder: Path, problems: list[OSError]) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder, onerror=problems.append):
        if "vocab.json" in files and "config.json" in files:
            continue  # a model's folder, not songs
        if "comparison.json" in files and "corpus.txt" in files:
            folders.clear()
            continue  # a comparison's, whose songs are copies
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith(".") and name.lower().endswith(EXTENSIONS):
                yield Path(parent, name)


def read_source(source: Source, *, songs: Songs = "file") -> Iterator[Song | InputError]:
    """The songs of one file; what is wrong with it is raised if it was named, else yielded."""
    try:
        problem: InputError | None = None
        sung = False
        for item in _read_file(source.path, songs=songs):
            if isinstance(item, InputError):
                problem = problem or item
            else:
                sung = True
            if sung or not source.named:
                yield item
        if not sung and (source.named or problem is None):
            raise problem or InputError(_nothing_in(source.path))
    except InputError as error:
        if source.named:
            raise
        yield error


def _nothing_in(path: Path) -> str:
    empty = path.is_file() and not path.stat().st_size
    return f"{display_name(path)} {'is empty' if empty else 'has no lyrics'}: give a text with a sung line"


def _read_file(path: Path, *, songs: Songs) -> Iterator[Song | InputError]:
    name = display_name(path)
    title = "" if path == STDIN else path.stem
    with open_text(path) as stream, reading(name):
        if read_table := TABLES.get(path.suffix.lower()):
            yield from read_table(stream, name=name, title=title)
        elif path.suffix.lower() == ".lrc":
            yield from read_lrc(stream.read(), title=title)
        else:
            yield from read_plain(stream, title=title, songs=songs)
