"""The songs of a corpus on their way onto disk: as provisional ids in a temporary file."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from lyricgen.text.vocab import END, START

CHUNK = 1 << 21  # provisional ids translated at a time: about 100 MB of working memory
MOST_KNOWN = 60_000  # different moods and styles that are kept apart while a corpus is read

Provisional = npt.NDArray[np.uint32]
Runs = npt.NDArray[np.int64]  # (n, 2): where each run of the spool starts and stops


@dataclass
class Spool:
    """Provisional ids of all songs between their ends, in a temporary file, with where each song begins."""

    file: BinaryIO
    starts: "array[int]" = field(default_factory=lambda: array("q"))
    sides: "array[int]" = field(default_factory=lambda: array("b"))
    named: "array[int]" = field(default_factory=lambda: array("H"))  # mood and style of each song, as pairs
    names: dict[str, int] = field(default_factory=lambda: {"": 0})
    tokens: int = 0
    _open: bool = False

    def add(
        self,
        ids: Provisional,
        *,
        side: int,
        goes_on: bool = False,
        ended: bool = True,
        names: Sequence[str] = ("", ""),
    ) -> None:
        """Takes in a song with its mood and style, or the next part of the last one."""
        if not goes_on or not self.starts:
            self.close()
            self.starts.append(self.tokens)
            self.sides.append(side)
            room = len(self.names) < MOST_KNOWN
            self.named.extend(
                self.names.setdefault(n, len(self.names)) if room else self.names.get(n, 0) for n in names
            )
            self._write(np.array([START], dtype=np.uint32))
        self._write(ids)
        self._open = ended

    def close(self) -> None:
        """Ends the last song."""
        if self._open:
            self._write(np.array([END], dtype=np.uint32))
        self._open = False

    def _write(self, ids: Provisional) -> None:
        self.file.write(ids.tobytes())
        self.tokens += len(ids)

    def songs(self) -> Runs:
        """Where each song starts and stops."""
        bounds = np.array([*self.starts, self.tokens], dtype=np.int64)
        return np.stack((bounds[:-1], bounds[1:]), axis=1)

    def read(self, run: slice) -> Provisional:
        """The provisional ids of a run; read, not mapped: mapped pages would count as memory in use."""
        self.file.seek(4 * run.start)
        return np.frombuffer(self.file.read(4 * (run.stop - run.start)), dtype=np.uint32)


def chunks(runs: Runs, *, longest: int | None = None) -> Iterator[slice]:
    """Slices that cover the runs in order, neighbours joined, none longer than `longest` (CHUNK)."""
    longest = longest or CHUNK  # which tests make smaller
    if not len(runs):
        return
    apart = np.flatnonzero(runs[1:, 0] != runs[:-1, 1])
    starts = runs[np.concatenate(([0], apart + 1)), 0].tolist()
    stops = runs[np.concatenate((apart, [len(runs) - 1])), 1].tolist()
    for start, stop in zip(starts, stops, strict=True):
        yield from (slice(a, min(a + longest, stop)) for a in range(start, stop, longest))
