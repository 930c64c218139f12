"""What stands in the training songs: a compact index of them, and the runs of a text that are found in it.

The index is the songs' fingerprints: for every four units in a row (see `lyricgen.text.units`) eleven bits of their
hash, in the order of the songs. A stretch of a text stands in a song where its fingerprints do, one after the other.
So no copy is missed, whatever its length; a stretch of n units that stands nowhere passes for one that does with
probability 2^(-11 (n - 3)) at any one place. The order also tells which song it is, and so how many
songs share a stretch: what three or more share is an everyday phrase and no copy.
"""

import hashlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from lyricgen.errors import CheckpointError, OptionError
from lyricgen.text.units import BITS, BREAK, GRAM, Fingerprints, Points, cut, fingerprints, to_points

SHORTEST = 6
"""Units of the shortest run that can be asked for."""
COPY = 8
"""Units of a run that is called a copy where nothing else is asked."""
EVERYDAY = 3
"""So many songs make a stretch an everyday phrase."""
MOST = 1 << 24
"""An index has at most so many fingerprints, 32 MiB in memory: for more text than that, none is made."""

# Magic, version, whether partial, how many fingerprints, bytes of their deflated low halves; a digest follows, and
# the low and the high halves, each deflated: choruses return, and the high halves take less than a byte.
_HEAD = struct.Struct("<8sHHQQ")
_DIGEST = 16
_MAGIC, _VERSION = b"lyricrun", 3
_BITS = {2: 13, 3: BITS}  # of a fingerprint in the versions that can be read
_TABLE = 1 << BITS
_SOON_SORTED = 1 << 20  # an index of so many fingerprints is sorted for one text too
_BETWEEN_WORDS = (BREAK, ord("\n"), ord(" "))  # a text that comes in parts may be cut here
_TOGETHER = 1 << 15  # characters
_LONGEST_WORD = 1 << 16  # of characters that have none of these among them

Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Run:
    """A stretch of a text that stands in the training songs: `text[start:end]`, so many units of it."""

    start: int
    end: int
    text: str
    units: int


@dataclass(frozen=True)
class Pairs:
    """Where any two fingerprints stand one after the other in an index: five units in a row."""

    keys: npt.NDArray[np.uint64]  # sorted: the two, and the place in the lower half

    @classmethod
    def of(cls, prints: Fingerprints, places: Places) -> "Pairs":
        """Those of a song's fingerprints that begin at some places."""
        two = (prints[places].astype(np.uint64) << np.uint64(48)) | (
            prints[places + 1].astype(np.uint64) << np.uint64(32)
        )
        return cls(np.sort(two | places.astype(np.uint64)))

    def places(self, first: int, second: int) -> Places:
        """Where the pair stands."""
        key = first << 48 | second << 32
        low = int(self.keys.searchsorted(np.uint64(key)))
        if low == len(self.keys) or int(self.keys[low]) >> 32 != key >> 32:
            return _NOWHERE
        high = int(self.keys.searchsorted(np.uint64(key | 0xFFFFFFFF), side="right"))
        return (self.keys[low:high] & np.uint64(0xFFFFFFFF)).astype(np.int64)

    def beginning(self, first: int) -> Places:
        """Where a pair begins with this fingerprint."""
        low, high = self.keys.searchsorted(np.array([first << 48, (first << 48) + (1 << 48) - 1], dtype=np.uint64))
        return (self.keys[low:high] & np.uint64(0xFFFFFFFF)).astype(np.int64)

    def have(self, first: Fingerprints, second: Fingerprints) -> npt.NDArray[np.bool_]:
        """Whether each of some pairs, `(m,)` and `(m,)`, stands anywhere."""
        if not len(self.keys):
            return np.zeros(len(first), dtype=bool)
        key = (first.astype(np.uint64) << np.uint64(16)) | second.astype(np.uint64)
        at = np.minimum(self.keys.searchsorted(key << np.uint64(32)), len(self.keys) - 1)
        found: npt.NDArray[np.bool_] = (self.keys[at] >> np.uint64(32)) == key
        return found


_NOWHERE: Places = np.zeros(0, dtype=np.int64)


class NoveltyIndex:
    """The fingerprints of the training songs, a zero before and after each song.

    `partial`: there are songs that the model has learned and the index does not know.
    """

    def __init__(self, prints: Fingerprints, *, partial: bool = False) -> None:
        self.prints = prints
        self.partial = partial

    @cached_property
    def pairs(self) -> Pairs:
        """Every pair of neighbours; takes eight bytes a unit, so only where texts are written against the index."""
        return Pairs.of(self.prints, _pairs_within(self.prints))

    def sort(self) -> None:
        """Makes the pairs now, for whoever is going to look for runs in many texts."""
        _ = self.pairs

    @cached_property
    def _ends(self) -> Places:
        return np.flatnonzero(self.prints == 0)

    @property
    def songs(self) -> int:
        """How many songs there are, those too short for a fingerprint left out."""
        return max(0, len(self._ends) - 1)

    def songs_at(self, places: Places) -> int:
        """How many different songs some places are in."""
        return len(np.unique(self._ends.searchsorted(places)))

    def runs(self, text: str, *, at_least: int = COPY) -> list[Run]:
        """The stretches of `at_least` units or more that stand in one or two training songs, as long as they get.

        They come in order; two overlap where a text goes over from one song to another. What is between units
        counts for nothing, in the songs as in the text, line breaks too: a couplet that is broken differently is
        still copied. Raises OptionError for fewer units than SHORTEST.
        """
        check_length(at_least)
        units = cut(to_points(text))
        spans = self.stretches(fingerprints(units.codes), at_least=at_least)
        bounds = [(int(units.starts[a]), int(units.ends[b - 1]), b - a) for a, b in spans]
        return [Run(start, end, text[start:end], count) for start, end, count in bounds]

    def stretches(self, written: Fingerprints, *, at_least: int) -> Iterator[tuple[int, int]]:
        """The runs as units `[a, b)` of a text of these fingerprints `(m - 3,)`."""
        width = at_least - GRAM + 1  # of the shortest run, in fingerprints
        if len(written) < width:
            return
        pairs = self._pairs_of(written)
        known = np.concatenate(([0], np.cumsum(pairs.have(written[:-1], written[1:]))))
        stop = 0  # of the last stretch that stands in a song, copied or everyday
        for at in np.flatnonzero(known[width - 1 :] - known[: len(known) - width + 1] == width - 1).tolist():
            if at + width <= stop:
                continue
            places = pairs.places(int(written[at]), int(written[at + 1]))
            places = self.follow(places, written[at : at + width], first=2)
            if len(places):
                start, stop, places = self._widen(places, written, at, at + width)
                if self.songs_at(places) < EVERYDAY:
                    yield start, stop + GRAM - 1

    def follow(self, places: Places, written: Fingerprints, *, first: int = 0) -> Places:
        """Those of some places where these fingerprints stand, which the first so many are known to do."""
        for offset in range(first, len(written)):
            if not len(places):
                break
            places = places[self.prints[places + offset] == written[offset]]
        return places

    def _widen(self, places: Places, written: Fingerprints, start: int, stop: int) -> tuple[int, int, Places]:
        """A stretch that stands at some places, grown to the left and then to the right while it still stands."""
        while start and len(further := places[self.prints[places - 1] == written[start - 1]]):
            start, places = start - 1, further - 1
        while stop < len(written) and len(further := places[self.prints[places + (stop - start)] == written[stop]]):
            stop, places = stop + 1, further
        return start, stop, places

    def _pairs_of(self, written: Fingerprints) -> Pairs:
        """The pairs that can matter to one text."""
        if len(self.prints) <= _SOON_SORTED or "pairs" in self.__dict__:
            return self.pairs
        wanted = np.zeros(_TABLE, dtype=bool)
        wanted[written] = True
        wanted[0] = False
        return Pairs.of(self.prints, _pairs_within(self.prints, wanted))

    def to_bytes(self) -> bytes:
        """The contents of a `novelty.bin`."""
        low = zlib.compress(self.prints.astype(np.uint8).data)  # the low half: what does not fit is cut off
        high = zlib.compress((self.prints >> np.uint16(8)).astype(np.uint8).data)
        head = _HEAD.pack(_MAGIC, _VERSION, self.partial, len(self.prints), len(low))
        return head + _digest(head, low, high) + low + high

    @classmethod
    def from_bytes(cls, data: bytes) -> "NoveltyIndex":
        """The index that `to_bytes` wrote. Raises CheckpointError for anything else."""
        damaged = CheckpointError("novelty.bin is damaged; take an intact copy of the model, or remove that file")
        if len(data) < _HEAD.size + _DIGEST:
            raise damaged
        head, body = data[: _HEAD.size], memoryview(data)[_HEAD.size + _DIGEST :]
        magic, version, partial, count, half = _HEAD.unpack(head)
        if magic != _MAGIC:
            raise damaged
        if version > _VERSION:
            raise CheckpointError("novelty.bin was written by a newer lyricgen; install that or a newer one")
        if version not in _BITS:
            raise CheckpointError("novelty.bin was written by an older lyricgen; train again, or remove that file")
        if not 0 < count <= MOST or _digest(head, body) != data[_HEAD.size : -len(body)]:
            raise damaged
        low, high = _inflate(body[:half], size=count), _inflate(body[half:], size=count)
        if low is None or high is None:
            raise damaged
        prints: Fingerprints = high.astype(np.uint16) << np.uint16(8) | low
        if prints[0] or prints[-1] or prints.max() >= 1 << _BITS[version]:
            raise damaged
        if more := _BITS[version] - BITS:  # the first bits of a longer fingerprint are the shorter one
            prints = np.where(prints == 0, prints, np.maximum(prints >> np.uint16(more), np.uint16(1)))
        return cls(prints, partial=bool(partial))


class NoveltyBuilder:
    """Makes an index from songs as they come, of no more than MOST fingerprints.

    `base` is the index of a model that goes on learning: its songs stay, those that come again count once.
    `partial`: the model knows songs that nobody kept an index of.
    """

    def __init__(self, *, base: NoveltyIndex | None = None, partial: bool = False) -> None:
        self._base = base
        self._partial = partial
        self._parts: list[Fingerprints] = []
        self._size = len(base.prints) if base else 0
        self._last = -1  # fingerprint
        self._waiting: list[Points] = []  # small parts are taken in together
        self._rest = np.full(GRAM - 1, BREAK, dtype=np.uint32)  # what the next fingerprints begin with

    @property
    def full(self) -> bool:
        """Whether there is more text than an index is made for."""
        return self._size > MOST

    def add(self, song: str) -> None:
        """Takes in one song's text."""
        self.feed(np.append(to_points(song), np.uint32(BREAK)))

    def feed(self, points: Points) -> None:
        """Takes in a further part of a text, `(n,)` code points of any number of songs, a BREAK between any two."""
        if self.full:
            return
        self._waiting.append(points)
        if sum(map(len, self._waiting)) >= _TOGETHER:
            self._take_in()

    def _take_in(self) -> None:
        self._rest = np.concatenate((self._rest, *self._waiting))
        self._waiting.clear()
        whole = np.flatnonzero(np.isin(self._rest, _BETWEEN_WORDS))
        stop = int(whole[-1]) + 1 if len(whole) else 0
        if len(self._rest) - stop > _LONGEST_WORD:
            stop = len(self._rest)
        units = cut(self._rest[:stop])
        if len(units) < GRAM:
            return
        self._rest = self._rest[units.starts[1 - GRAM] :]
        prints = fingerprints(units.codes)
        zero = prints == 0
        kept = prints[~(zero & np.append(self._last == 0, zero[:-1]))]  # one zero between songs
        self._last = int(prints[-1])
        self._parts.append(kept)
        self._size += len(kept)
        if self.full:
            self._parts.clear()

    def build(self) -> NoveltyIndex | None:
        """The index; None where there was more text than it is made for."""
        if not self.full:
            self._waiting.append(np.array([BREAK], dtype=np.uint32))
            self._take_in()
        if self.full:
            return None
        prints: Fingerprints = np.concatenate(self._parts)
        if self._base:
            known = set(_songs(self._base.prints))
            fresh = [song for song in _songs(prints) if song not in known]
            prints = np.frombuffer(self._base.prints.tobytes() + b"".join(fresh), dtype=np.uint16)
        partial = self._partial or (self._base is not None and self._base.partial)
        return NoveltyIndex(prints, partial=partial)


def check_length(at_least: int) -> None:
    """Raises OptionError for a length of runs that an index does not tell."""
    if at_least < SHORTEST:
        raise OptionError(f"a run has at least {SHORTEST} characters, got {at_least}")


def _pairs_within(prints: Fingerprints, wanted: npt.NDArray[np.bool_] | None = None) -> Places:
    """Where a fingerprint that is wanted is followed by one of the same song."""
    begins = (prints[:-1] != 0) if wanted is None else wanted[prints[:-1]]
    return np.flatnonzero(begins & (prints[1:] != 0))


def _songs(prints: Fingerprints) -> Iterator[bytes]:
    """The fingerprints of each song, with the zero after them."""
    for before, end in pairwise(np.flatnonzero(prints == 0).tolist()):
        yield prints[before + 1 : end + 1].tobytes()


def _inflate(data: memoryview, *, size: int) -> npt.NDArray[np.uint8] | None:
    """So many bytes that were deflated; None for anything else, which never takes more memory than they do."""
    inflater = zlib.decompressobj()
    try:
        found = inflater.decompress(data, size + 1)
    except zlib.error:
        return None
    return np.frombuffer(found, dtype=np.uint8) if inflater.eof and len(found) == size else None


def _digest(*parts: bytes | memoryview) -> bytes:
    digest = hashlib.blake2b(digest_size=_DIGEST)
    for part in parts:
        digest.update(part)
    return digest.digest()
