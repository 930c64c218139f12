"""Texts as they stand in their files, for scoring: nothing cleaned away, every character accounted for."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lyricgen.errors import InputError, OptionError
from lyricgen.text.encoding import read_text
from lyricgen.text.readers import TABLES, find_sources, read_songs
from lyricgen.text.song import Song, is_songbook, parse_songbook

Songs = Literal["file", "blank"]


@dataclass(frozen=True)
class Document:
    """A text that is scored from the start of a song.

    `ended`: the song's end is predicted too. `characters`: how many characters of the file it accounts for; the
    end of a song accounts for one where it stands for the empty line after it. `split`: its label, if it has one.
    """

    text: str
    characters: int
    ended: bool
    title: str = ""
    split: str = ""


def read_documents(paths: Sequence[str | Path], *, songs: Songs = "file") -> Iterator[Document]:
    """The texts of files, in order.

    A plain .txt is taken as it stands, line for line, in a folder too; in files that hold more than what is sung (the
    songbook's form, .lrc, .json, .jsonl, .csv) it is the sung text of each song. Raises InputError for what cannot be
    read.
    """
    if songs not in ("file", "blank"):
        raise OptionError(f"songs must be file or blank, got {songs!r}")
    for source in find_sources(paths):
        if isinstance(source, InputError):
            raise source
        path = source.path
        text = _plain(path)
        if text is None:
            yield from _whole(_songs(path, songs))
        elif is_songbook(text[:4096]):
            yield from _whole(parse_songbook(text.split("\n")))
        elif songs == "blank":
            yield from split_blank(text)
        elif text:
            yield Document(text, len(text), text.endswith("\n"), title=path.stem)


def split_blank(text: str) -> Iterator[Document]:
    """Songs parted by empty lines; together they account for every character of the text."""
    *parted, last = text.split("\n\n")
    for part in parted:
        yield Document(part + "\n", len(part) + 2, ended=True)
    if last:
        yield Document(last, len(last), last.endswith("\n"))


def _plain(path: Path) -> str | None:
    """The text of a file that is no table and no .lrc; None for those."""
    return None if path.suffix.lower() in (".lrc", *TABLES) else read_text(path)


def _songs(path: Path, songs: Songs) -> Iterator[Song]:
    for song in read_songs([path], songs=songs):
        if isinstance(song, InputError):
            raise song
        yield song


def _whole(songs: Iterable[Song]) -> Iterator[Document]:
    """The sung text of each song, the parts of a long one joined."""
    head, text = Song(()), ""
    for song in songs:
        if text and not song.continues:
            yield Document(text, len(text), ended=True, title=head.title, split=head.split)
            text = ""
        head, text = song, text + song.text()
    if text:
        yield Document(text, len(text), ended=True, title=head.title, split=head.split)
