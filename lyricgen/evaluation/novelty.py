"""Which runs of a file stand in a model's training songs, and how much of it that is."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lyricgen.text.documents import read_documents
from lyricgen.text.encoding import STDIN, display_name, read_text
from lyricgen.text.novelty import NoveltyIndex
from lyricgen.text.readers import TABLES
from lyricgen.text.units import cut, to_points


@dataclass(frozen=True)
class Copy:
    """A run that stands in the training songs, with the line that it begins in, counted from 1.

    `title` is that of its song where a file has several, and then the line is that of the song's sung text.
    `characters` are counted as `lyricgen.text.units` does.
    """

    title: str
    line: int
    text: str
    characters: int


@dataclass(frozen=True)
class Checked:
    """What was found in a file: how many characters it has, how many stand in copied runs, and the runs."""

    file: str
    characters: int
    copied_characters: int
    runs: tuple[Copy, ...]

    @property
    def share(self) -> float:
        """The share of the characters that stand in copied runs."""
        return self.copied_characters / max(1, self.characters)

    def to_json(self) -> dict[str, Any]:
        """The findings as a JSON object."""
        return {**asdict(self), "share": self.share}


def check_file(path: str, index: NoveltyIndex, *, at_least: int) -> Checked:
    """Looks a file through for runs of `at_least` characters or more; `-` is standard input. Raises InputError.

    A text is taken as it stands; of files that hold more than text (.lrc, .json, .jsonl, .csv) what is sung.
    """
    characters = copied = 0
    runs: list[Copy] = []
    for title, text in _texts(path):
        points = to_points(text)
        starts, breaks = cut(points).starts, np.flatnonzero(points == ord("\n"))
        inside = np.zeros(len(text) + 1, dtype=bool)
        for run in index.runs(text, at_least=at_least):
            inside[run.start : run.end] = True
            runs.append(Copy(title, 1 + int(breaks.searchsorted(run.start)), run.text, run.units))
        characters += len(starts)
        copied += int(inside[starts].sum())
    return Checked(display_name(Path(path)), characters, copied, tuple(runs))


def _texts(path: str) -> Iterator[tuple[str, str]]:
    """Titles and texts of a file."""
    if Path(path) != STDIN and (Path(path).is_dir() or Path(path).suffix.lower() in (".lrc", *TABLES)):
        yield from ((document.title, document.text) for document in read_documents([path]))
    else:
        yield "", read_text(Path(path))
