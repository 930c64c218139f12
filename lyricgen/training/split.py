"""Which songs of a corpus train a model, and which are held out."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lyricgen.text.song import meant_split
from lyricgen.training.spool import CHUNK, Runs, Spool

TRAIN, VALID, LEFT_OUT, UNLABELLED = 0, 1, 2, 3
SIDES = {"train": TRAIN, "valid": VALID, "test": LEFT_OUT}
FEW_SONGS = 10  # below this the shortest are held out, so that the longest are not lost to training


def side_of(name: str) -> int:
    """The side that a song is marked for."""
    return SIDES.get(meant_split(name), UNLABELLED)


@dataclass(frozen=True)
class Split:
    """Which runs of the spool train and which are held out, and how that was decided."""

    train: Runs
    valid: Runs
    how: str


def split_songs(spool: Spool, *, share: float, seed: int, line_break: int) -> Split:
    """By the labels of songs where some are marked valid, else a share: of songs by the seed, of one text its end."""
    songs, sides = spool.songs(), np.array(spool.sides)
    if (sides == VALID).any():
        valid = songs[sides == VALID]
        return Split(
            songs[(sides == TRAIN) | (sides == UNLABELLED)], valid, f"held out: the {len(valid)} songs marked valid"
        )
    songs = songs[sides != LEFT_OUT]
    if len(songs) == 1:
        return _split_tail(songs, spool, share=share, line_break=line_break)
    order = np.random.default_rng(seed).permutation(len(songs))
    if len(songs) < FEW_SONGS:
        order = np.argsort(songs[:, 1] - songs[:, 0], kind="stable")
    held_out = np.zeros(len(songs), dtype=bool)
    held_out[order[: max(1, round(share * len(songs)))]] = True
    return Split(songs[~held_out], songs[held_out], f"held out: {held_out.sum():,} songs")


def _split_tail(songs: Runs, spool: Spool, *, share: float, line_break: int) -> Split:
    """The last part of a single text, cut after the line break nearest to where the share begins."""
    start, stop = songs[0].tolist()
    aim, reach = stop - max(1, round(share * (stop - start))), max(1, (stop - start) // 4)
    low, high = max(start + 1, aim - reach), min(stop - 2, aim + reach)  # the text's last break parts nothing
    cut = _after_nearest_break(spool, aim, low=low, high=high, line_break=line_break)
    if cut is None:
        return Split(songs, songs[:0], "held out: nothing, the text is too short to spare any")
    # Where the text ends is nothing that one text can teach, so the held-out part stops short of it.
    return Split(np.array([[start, cut]]), np.array([[cut, stop - 1]]), "held out: the last part of the text")


def _after_nearest_break(spool: Spool, aim: int, *, low: int, high: int, line_break: int) -> int | None:
    """Where the line begins that is nearest to the aim, of two the first, by a break from `low` up to `high`.

    What lies between may be more than memory holds: it is read outwards from the aim, in pieces.
    """

    def breaks(start: int, stop: int) -> npt.NDArray[np.int64]:
        start, stop = max(low, start), min(high, stop)
        return start + np.flatnonzero(spool.read(slice(start, max(start, stop))) == line_break)

    goal = aim - 1  # a line begins after its break
    for near in range(0, max(goal - low, high - goal) + 1, CHUNK):
        far = near + CHUNK
        found = np.concatenate((breaks(goal - far, goal - near), breaks(goal + near, goal + far)))
        if len(found):
            return int(found[np.argmin(np.abs(found - goal))]) + 1
    return None
