"""The labels of a training text, token by token, on disk: the plan of its lines, its songs' moods and styles."""

import os
import tokenize
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from lyricgen.errors import TrainingError
from lyricgen.text.labels import Labeler, Labels, label_names
from lyricgen.text.vocab import END, START, Ids
from lyricgen.training.spool import CHUNK, Runs, Spool


@dataclass(frozen=True)
class Names:
    """The moods and styles that songs are labelled with, as labels from 1 on; 0 is unknown."""

    moods: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()

    def of(self, mood: str, style: str) -> tuple[int, int]:
        """The labels of a song."""
        return tuple(  # type: ignore[return-value]
            names.index(name) + 1 if name in names else 0
            for names, name in ((self.moods, mood), (self.styles, style))
        )

    def counts(self, labels: Labels) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """How many songs have each mood and each style, by labels of songs `(S, 3)`."""
        moods, styles = (
            tuple(np.bincount(labels[:, side], minlength=len(names) + 1)[1:].tolist())
            for side, names in enumerate((self.moods, self.styles))
        )
        return moods, styles


def name_songs(spool: Spool, runs: Runs, *, known: Names) -> Names:
    """The moods and styles of some songs, after those that are known."""
    words = list(spool.names)
    pairs = np.array(spool.named).reshape(-1, 2)[np.isin(spool.starts, runs[:, 0])]
    found = [label_names(words[k] for k in np.unique(pairs[:, side])) for side in (0, 1)]
    moods, styles = (
        old + tuple(name for name in new if name not in old)
        for old, new in zip((known.moods, known.styles), found, strict=True)
    )
    return Names(moods[:255], styles[:255])


def song_labels(spool: Spool, runs: Runs, names: Names) -> Labels:
    """Mood and style of the songs of some runs, in order, and a number by which labels are hidden, `(S, 3)`."""
    words = list(spool.names)
    pairs = np.array(spool.named).reshape(-1, 2)[np.searchsorted(spool.starts, runs[:, 0], side="right") - 1]
    table = {pair: names.of(words[pair[0]], words[pair[1]]) for pair in {tuple(pair) for pair in pairs.tolist()}}
    labels = np.array([table[tuple(pair)] for pair in pairs.tolist()], dtype=np.uint8).reshape(-1, 2)
    chance = (np.arange(len(runs), dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(56)).astype(np.uint8)
    return np.concatenate((labels, chance[:, None]), axis=1)


def write_labels(path: Path, ids: Ids, labeler: Labeler, songs: Labels) -> None:
    """The labels of ids, `(n, 5)`: left, rhyme, mood, style, and the number by which these two are hidden.

    The end of a song has no mood: what is read there is the beginning of another.
    """
    header = {"descr": "|u1", "fortran_order": False, "shape": (len(ids), 5)}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        start, song = 0, -1 if len(ids) and ids[0] == START else 0
        while start < len(ids):
            run = np.asarray(ids[start : start + CHUNK])
            if start + CHUNK < len(ids):  # up to the last line that is whole
                closes = np.flatnonzero((run[1:] == labeler.line_break) | (run[1:] == START)) + 1
                run = run[: closes[-1]] if len(closes) else run
            after = np.asarray(ids[start + len(run) : start + len(run) + CHUNK // 16])  # the line to come
            file.write(_labels(run, after, labeler, songs, song).tobytes())
            song += int((run == START).sum())
            start += len(run)
        file.flush()
        os.fsync(file.fileno())


def _labels(run: Ids, after: Ids, labeler: Labeler, songs: Labels, song: int) -> Labels:
    """The labels of whole lines, `(n, 5)`, the ids that follow them known, after so many songs."""
    lines = labeler.of(np.concatenate((run, after)))[: len(run)]
    at = song + np.cumsum(run == START)
    named = songs[np.minimum(at, len(songs) - 1)]
    named[run == END, :2] = 0
    return np.concatenate((lines, named), axis=1)


def load_labels(path: Path, *, tokens: int) -> Labels:
    """What `write_labels` wrote, `(tokens, 5)`, mapped from disk. Raises TrainingError where it is damaged."""
    try:
        labels = np.load(path, mmap_mode="r")
        sound = labels.shape == (tokens, 5) and labels.dtype == np.uint8
    except (OSError, ValueError, EOFError, SyntaxError, tokenize.TokenError):
        sound = False
    if not sound:
        raise TrainingError(f"{path} is damaged; start the run again")
    return cast(Labels, labels)
