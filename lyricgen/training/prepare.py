"""A corpus onto disk as ids: read once, split by song, counted, translated, in memory that does not grow with it."""

import random
import tempfile
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from lyricgen.errors import TrainingError
from lyricgen.text.documents import Document
from lyricgen.text.song import Song
from lyricgen.text.tokenizer import Tokenizer
from lyricgen.text.vocab import END, FIRST, START, Ids, Pieces, Vocab, VocabBuilder

CHUNK = 1 << 21  # provisional ids translated at a time: about 100 MB of working memory
TRAIN, VALID, LEFT_OUT, UNLABELLED = 0, 1, 2, 3
LABELLED = {"train": TRAIN, "valid": VALID, "test": LEFT_OUT}


@dataclass(frozen=True)
class Part:
    """One side of the split as it lies on disk."""

    path: Path
    tokens: int
    characters: int  # of the text it stands for; an end of song counts where it stands for an empty line
    songs: int


@dataclass(frozen=True)
class Prepared:
    """A corpus ready for training. `split` says in words how the held-out part was taken; it may be empty."""

    vocab: Vocab
    train: Part
    valid: Part | None
    split: str


@dataclass
class _Spool:
    """Provisional ids of all songs, one after the other in a temporary file, with where each begins."""

    file: BinaryIO
    starts: "array[int]" = field(default_factory=lambda: array("q"))
    sides: "array[int]" = field(default_factory=lambda: array("b"))
    tokens: int = 0

    def add(self, ids: npt.NDArray[np.uint32], *, side: int, goes_on: bool = False) -> None:
        if not goes_on or not self.starts:
            self.starts.append(self.tokens)
            self.sides.append(side)
        ids.tofile(self.file)
        self.tokens += len(ids)

    def songs(self) -> "list[_Stretch]":
        bounds = [*self.starts, self.tokens]
        return [_Stretch(start, stop) for start, stop in pairwise(bounds)]

    def map(self) -> npt.NDArray[np.uint32]:
        self.file.flush()
        if not self.tokens:
            return np.zeros(0, dtype=np.uint32)
        return np.memmap(self.file, dtype=np.uint32, mode="r", shape=(self.tokens,))


@dataclass(frozen=True)
class _Stretch:
    """A run of the spool that goes to one side; `ended` where a song ends with it."""

    start: int
    stop: int
    ended: bool = True


def prepare(
    songs: Iterable[Song],
    folder: Path,
    *,
    tokenizer: Tokenizer,
    min_count: int,
    valid: Iterable[Document] | None = None,
    valid_share: float = 0.1,
    base: Vocab | None = None,
    blank: bool = False,
    seed: int = 0,
) -> Prepared:
    """Writes `train.npy` and `valid.npy` into `folder` and gives the vocabulary of the training songs.

    The split is by song (labels in the songs win), by the tail where there is one; `valid` is used instead where
    it is given. `base` is a vocabulary to grow from. `blank`: an end of song stands for an empty line of the file
    and counts as its character.
    Raises TrainingError for a text too short to learn from.
    """
    builder = VocabBuilder(tokenizer)
    with tempfile.TemporaryFile(dir=folder) as file, tempfile.TemporaryFile(dir=folder) as valid_file:
        spool, valid_spool = _Spool(file), _Spool(valid_file)
        for song in songs:
            side = LABELLED.get(song.split.lower(), UNLABELLED)
            spool.add(builder.add(song.text()), side=side, goes_on=song.continues)
        documents_end = []
        for document in valid or ():
            valid_spool.add(builder.add(document.text), side=VALID)
            documents_end.append(document.ended)
        ids = valid_ids = spool.map()
        if valid is None:
            line_break = int(builder.add("\n")[0])
            training, held_out, split = _split(spool, ids, share=valid_share, seed=seed, line_break=line_break)
        else:
            valid_ids, training, split = valid_spool.map(), spool.songs(), "held out: the text given"
            stretches = zip(valid_spool.songs(), documents_end, strict=True)
            held_out = [_Stretch(s.start, s.stop, ended) for s, ended in stretches]
        vocab, pieces = builder.build(_count(ids, training, size=len(builder)), min_count=min_count, base=base)
        if len(set(vocab.tokens[FIRST:]) - {"\n"}) < 2:
            raise TrainingError("the corpus has fewer than two different characters; give it more text")
        train = _write(folder / "train.npy", ids, training, pieces, vocab=vocab, blank=blank)
        held = _write(folder / "valid.npy", valid_ids, held_out, pieces, vocab=vocab, blank=blank)
    return Prepared(vocab, train, held if held_out else None, split)


def _split(
    spool: _Spool, ids: npt.NDArray[np.uint32], *, share: float, seed: int, line_break: int
) -> tuple[list[_Stretch], list[_Stretch], str]:
    """Which stretches train and which are held out, and how that was decided."""
    songs, sides = spool.songs(), list(spool.sides)
    if VALID in sides:
        training = [song for song, side in zip(songs, sides, strict=True) if side in (TRAIN, UNLABELLED)]
        held_out = [song for song, side in zip(songs, sides, strict=True) if side == VALID]
        return training, held_out, f"held out: the {len(held_out)} songs marked valid"
    whole = [song for song, side in zip(songs, sides, strict=True) if side != LEFT_OUT]
    if len(whole) == 1:
        return _split_tail(whole[0], ids, share=share, line_break=line_break)
    order = list(range(len(whole)))
    random.Random(seed).shuffle(order)
    if len(order) < 10:  # so few that the longest must not be lost to training
        order.sort(key=lambda k: whole[k].stop - whole[k].start)
    chosen = set(order[: max(1, round(share * len(order)))])
    training = [s for k, s in enumerate(whole) if k not in chosen]
    return training, [s for k, s in enumerate(whole) if k in chosen], f"held out: {len(chosen)} songs"


def _split_tail(
    song: _Stretch, ids: npt.NDArray[np.uint32], *, share: float, line_break: int
) -> tuple[list[_Stretch], list[_Stretch], str]:
    """The last part of a single text, cut after the line break nearest to where the share begins."""
    aim = song.stop - max(1, round(share * (song.stop - song.start)))
    reach = max(1, (song.stop - song.start) // 4)
    near = ids[max(song.start, aim - reach) : min(song.stop - 1, aim + reach)]
    breaks = np.flatnonzero(near == line_break) + max(song.start, aim - reach) + 1
    if not len(breaks):
        return [song], [], "held out: nothing, the text is too short to spare any"
    cut = int(breaks[np.argmin(np.abs(breaks - aim))])
    return (
        [_Stretch(song.start, cut, ended=False)],
        [_Stretch(cut, song.stop)],
        "held out: the last part of the text",
    )


def _count(ids: npt.NDArray[np.uint32], stretches: list[_Stretch], *, size: int) -> npt.NDArray[np.int64]:
    counts = np.zeros(size, dtype=np.int64)
    for chunk in _chunks(stretches):
        counts += np.bincount(ids[chunk], minlength=size)
    return counts


def _chunks(stretches: list[_Stretch]) -> Iterator[slice]:
    """Slices that cover the stretches, neighbours joined, none longer than CHUNK."""
    k = 0
    while k < len(stretches):
        start, stop = stretches[k].start, stretches[k].stop
        while k + 1 < len(stretches) and stretches[k + 1].start == stop:
            k += 1
            stop = stretches[k].stop
        k += 1
        yield from (slice(a, min(a + CHUNK, stop)) for a in range(start, stop, CHUNK))


def _write(
    path: Path,
    ids: npt.NDArray[np.uint32],
    stretches: list[_Stretch],
    pieces: Pieces,
    *,
    vocab: Vocab,
    blank: bool,
) -> Part:
    """Final ids of the stretches, each between its song's ends, as an array of the smallest type that fits."""
    lengths = np.diff(pieces.starts)
    tokens = sum(int(lengths[ids[chunk]].sum()) for chunk in _chunks(stretches))
    tokens += sum(1 + stretch.ended for stretch in stretches)
    kind = np.min_scalar_type(len(vocab) - 1)
    out = np.lib.format.open_memmap(path, mode="w+", dtype=kind, shape=(max(1, tokens),))
    at = characters = 0
    for stretch in stretches:
        out[at] = START
        at += 1
        for chunk in _chunks([stretch]):
            final = pieces.expand(ids[chunk])
            out[at : at + len(final)] = final
            at += len(final)
            characters += int(vocab.lengths[final].sum())
        if stretch.ended:
            out[at] = END
            at += 1
            characters += blank
    out.flush()
    del out
    return Part(path, tokens, characters, len(stretches))


def load_ids(path: Path) -> Ids:
    """The ids of a prepared part, `(n,)`, mapped from disk and not read until they are used."""
    return np.load(path, mmap_mode="r")  # type: ignore[no-any-return]
