"""A corpus onto disk as ids: read once, split by song, counted, translated, in memory that hardly grows with it."""

import os
import tempfile
import tokenize
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import numpy.typing as npt

from lyricgen.errors import TrainingError
from lyricgen.model.checkpoint import disk_errors
from lyricgen.text.documents import Document
from lyricgen.text.labels import Labeler, Labels, label_names
from lyricgen.text.novelty import NoveltyBuilder, NoveltyIndex
from lyricgen.text.song import Song
from lyricgen.text.tokenizer import Tokenizer
from lyricgen.text.units import BREAK
from lyricgen.text.vocab import END, FIRST, START, Ids, Pieces, Vocab, VocabBuilder

SAMPLE = 1 << 18  # ids by which it is decided whether lines are labelled
CHUNK = 1 << 21  # provisional ids translated at a time: about 100 MB of working memory
INDEXED = 1 << 17  # of them that are indexed at a time, so that the whole index still fits beside into as much
TRAIN, VALID, LEFT_OUT, UNLABELLED = 0, 1, 2, 3
LABELLED = {"train": TRAIN, "valid": VALID, "test": LEFT_OUT}
MOST_KNOWN = 60_000  # different moods and styles that are kept apart while a corpus is read
FEW_SONGS = 10  # below this the shortest are held out, so that the longest are not lost to training

Provisional = npt.NDArray[np.uint32]
Runs = npt.NDArray[np.int64]  # (n, 2): where each run of the spool starts and stops


@dataclass(frozen=True)
class Part:
    """One side of the split as it lies on disk."""

    path: Path
    tokens: int
    characters: int  # of the text it stands for; an end of song counts where it stands for an empty line
    songs: int


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


@dataclass(frozen=True)
class Prepared:
    """A corpus ready for training. `split` says in words how the held-out part was taken; it may be empty.

    `names` is there where the lines of the training text were labelled, for a model that knows plans.
    `novelty` tells what stands in the training songs; None where they are too many for it. `labelled` counts the
    training songs of each mood and of each style.
    """

    vocab: Vocab
    train: Part
    valid: Part | None
    split: str
    names: Names | None = None
    novelty: NoveltyIndex | None = None
    labelled: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())


@dataclass
class _Spool:
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


def prepare(
    songs: Iterable[Song],
    folder: Path,
    *,
    tokenizer: Tokenizer,
    min_count: int,
    valid: Iterable[Document] | None = None,
    valid_share: float = 0.1,
    base: Vocab | None = None,
    plan: bool | None = None,
    names: Names | None = None,
    novelty: NoveltyBuilder | None = None,
    blank: bool = False,
    seed: int = 0,
) -> Prepared:
    """Writes `train.npy` and `valid.npy` into `folder` and gives the vocabulary of the training songs.

    With a `plan`, also `labels.npy`: the labels of the training text (see `text/labels.py`); left open, where its
    lines are sung Chinese. `names` are moods and styles that have their labels already.

    The split is by song (labels in the songs win), by the tail where there is one; `valid` is used instead where
    it is given, and songs labelled as held out are still not trained on. `base` is a vocabulary to grow from;
    `novelty` may know songs already that the model was trained on before.
    `blank`: an end of song stands for an empty line of the file and counts as its character.
    Raises TrainingError for a text too short to learn from.
    """
    builder = VocabBuilder(tokenizer)
    with (
        disk_errors(folder),
        tempfile.TemporaryFile(dir=folder) as file,
        tempfile.TemporaryFile(dir=folder) as valid_file,
    ):
        spool, valid_spool = _Spool(file), _Spool(valid_file)
        for song in songs:
            side = LABELLED.get(song.split.lower(), UNLABELLED)
            spool.add(builder.add(song.text()), side=side, goes_on=song.continues, names=(song.mood, song.style))
        spool.close()
        for document in valid or ():
            valid_spool.add(builder.add(document.text), side=VALID, ended=document.ended)
        valid_spool.close()
        if valid is None:
            valid_spool = spool
            split = _split(spool, share=valid_share, seed=seed, line_break=int(builder.add("\n")[0]))
        else:
            training = np.isin(spool.sides, (TRAIN, UNLABELLED))
            split = _Split(spool.songs()[training], valid_spool.songs(), "held out: the text given")
        counts = _count(spool, split.train, size=len(builder))
        vocab, pieces = builder.build(counts, min_count=min_count, base=base)
        if len(set(vocab.tokens[FIRST:]) - {"\n"}) < 2:
            raise TrainingError("the corpus has fewer than two different characters; give it more text")
        train = _write(folder / "train.npy", spool, split.train, pieces, vocab=vocab, blank=blank)
        held = _write(folder / "valid.npy", valid_spool, split.valid, pieces, vocab=vocab, blank=blank)
        ids = load_ids(train.path, tokens=train.tokens, vocab_size=len(vocab))
        labeler = Labeler(vocab)
        if plan or (plan is None and labeler.fits(ids[:SAMPLE])):
            names = _name(spool, split.train, known=names or Names())
            labels = _song_labels(spool, split.train, names)
            _write_labels(folder / "labels.npy", ids, labeler, labels)
            labelled = names.counts(labels)
        else:
            names, labelled = None, ((), ())
        index = _index(spool, split.train, builder.spelling(), novelty or NoveltyBuilder())
    return Prepared(vocab, train, held if len(split.valid) else None, split.how, names, index, labelled)


def _name(spool: _Spool, runs: Runs, *, known: Names) -> Names:
    """The moods and styles of some songs, after those that are known."""
    words = list(spool.names)
    pairs = np.array(spool.named).reshape(-1, 2)[np.isin(spool.starts, runs[:, 0])]
    found = [label_names(words[k] for k in np.unique(pairs[:, side])) for side in (0, 1)]
    moods, styles = (
        old + tuple(name for name in new if name not in old)
        for old, new in zip((known.moods, known.styles), found, strict=True)
    )
    return Names(moods[:255], styles[:255])


def _song_labels(spool: _Spool, runs: Runs, names: Names) -> Labels:
    """Mood and style of the songs of some runs, in order, and a number by which labels are hidden, `(S, 3)`."""
    words = list(spool.names)
    pairs = np.array(spool.named).reshape(-1, 2)[np.searchsorted(spool.starts, runs[:, 0], side="right") - 1]
    table = {pair: names.of(words[pair[0]], words[pair[1]]) for pair in {tuple(pair) for pair in pairs.tolist()}}
    labels = np.array([table[tuple(pair)] for pair in pairs.tolist()], dtype=np.uint8).reshape(-1, 2)
    chance = (np.arange(len(runs), dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(56)).astype(np.uint8)
    return np.concatenate((labels, chance[:, None]), axis=1)


def _write_labels(path: Path, ids: Ids, labeler: Labeler, songs: Labels) -> None:
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
            lines = labeler.of(np.concatenate((run, after)))[: len(run)]
            at = song + np.cumsum(run == START)
            song = int(at[-1])
            named = songs[np.minimum(at, len(songs) - 1)]
            named[run == END, :2] = 0
            file.write(np.concatenate((lines, named), axis=1).tobytes())
            start += len(run)
        file.flush()
        os.fsync(file.fileno())


def load_labels(path: Path, *, tokens: int) -> Labels:
    """What `_write_labels` wrote, `(tokens, 5)`, mapped from disk. Raises TrainingError where it is damaged."""
    try:
        labels = np.load(path, mmap_mode="r")
        sound = labels.shape == (tokens, 5) and labels.dtype == np.uint8
    except (OSError, ValueError, EOFError, SyntaxError, tokenize.TokenError):
        sound = False
    if not sound:
        raise TrainingError(f"{path} is damaged; start the run again")
    return cast(Labels, labels)


@dataclass(frozen=True)
class _Split:
    """Which runs of the spool train and which are held out, and how that was decided."""

    train: Runs
    valid: Runs
    how: str


def _split(spool: _Spool, *, share: float, seed: int, line_break: int) -> _Split:
    songs, sides = spool.songs(), np.array(spool.sides)
    if (sides == VALID).any():
        valid = songs[sides == VALID]
        return _Split(
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
    return _Split(songs[~held_out], songs[held_out], f"held out: {held_out.sum():,} songs")


def _split_tail(songs: Runs, spool: _Spool, *, share: float, line_break: int) -> _Split:
    """The last part of a single text, cut after the line break nearest to where the share begins."""
    start, stop = songs[0].tolist()
    aim, reach = stop - max(1, round(share * (stop - start))), max(1, (stop - start) // 4)
    low, high = max(start + 1, aim - reach), min(stop - 2, aim + reach)  # the text's last break parts nothing
    near = spool.read(slice(low, max(low, high)))
    breaks = np.flatnonzero(near == line_break) + low + 1
    if not len(breaks):
        return _Split(songs, songs[:0], "held out: nothing, the text is too short to spare any")
    cut = int(breaks[np.argmin(np.abs(breaks - aim))])
    # Where the text ends is nothing that one text can teach, so the held-out part stops short of it.
    return _Split(np.array([[start, cut]]), np.array([[cut, stop - 1]]), "held out: the last part of the text")


def _count(spool: _Spool, runs: Runs, *, size: int) -> npt.NDArray[np.int64]:
    counts = np.zeros(size, dtype=np.int64)
    for chunk in _chunks(runs):
        counts += np.bincount(spool.read(chunk), minlength=size)
    return counts


def _chunks(runs: Runs, *, longest: int | None = None) -> Iterator[slice]:
    """Slices that cover the runs in order, neighbours joined, none longer than `longest` (CHUNK)."""
    longest = longest or CHUNK  # which tests make smaller
    if not len(runs):
        return
    apart = np.flatnonzero(runs[1:, 0] != runs[:-1, 1])
    starts = runs[np.concatenate(([0], apart + 1)), 0].tolist()
    stops = runs[np.concatenate((apart, [len(runs) - 1])), 1].tolist()
    for start, stop in zip(starts, stops, strict=True):
        yield from (slice(a, min(a + longest, stop)) for a in range(start, stop, longest))


def _write(path: Path, spool: _Spool, runs: Runs, pieces: Pieces, *, vocab: Vocab, blank: bool) -> Part:
    """Final ids of the runs as an array of the smallest type that fits. Each part begins with a start of song."""
    lengths = np.diff(pieces.starts)
    first = slice(int(runs[0, 0]), int(runs[0, 0]) + 1) if len(runs) else slice(0, 0)
    headless = int((spool.read(first) != START).sum())  # the tail of a text
    tokens = headless + sum(int(lengths[spool.read(chunk)].sum()) for chunk in _chunks(runs))
    kind = np.min_scalar_type(len(vocab) - 1)
    shape = (max(1, tokens),)  # what is empty cannot be mapped
    header = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": shape}
    characters = 0
    with path.open("wb") as file:  # not through a map: on a full disk that ends the process
        np.lib.format.write_array_header_1_0(file, header)
        file.write(np.full(shape[0] - tokens + headless, START, dtype=kind).tobytes())
        for chunk in _chunks(runs):
            final = pieces.expand(spool.read(chunk))
            file.write(final.astype(kind).tobytes())
            characters += int(vocab.lengths[final].sum()) + (int((final == END).sum()) if blank else 0)
        file.flush()
        os.fsync(file.fileno())
    return Part(path, tokens, characters, len(runs))


def _index(spool: _Spool, runs: Runs, spelling: Pieces | None, novelty: NoveltyBuilder) -> NoveltyIndex | None:
    """What stands in the runs; `spelling` is what the spool's ids stand for."""
    for chunk in _chunks(runs, longest=INDEXED):
        if novelty.full:
            break
        ids = spool.read(chunk)
        points = spelling.expand(ids).astype(np.uint32) if spelling else ids
        novelty.feed(np.where(points < FIRST, np.uint32(BREAK), points - np.uint32(FIRST)))
    return novelty.build()


def load_ids(path: Path, *, tokens: int, vocab_size: int) -> Ids:
    """The ids of a prepared part, `(tokens,)`, mapped from disk.

    Raises TrainingError for a file that is damaged: another length, or ids past the vocabulary.
    """
    try:
        ids = np.load(path, mmap_mode="r")
        sound = ids.shape == (tokens,) and ids.dtype.kind == "u" and tokens > 0
        sound = sound and all(int(ids[a : a + CHUNK].max()) < vocab_size for a in range(0, tokens, CHUNK))
    except (OSError, ValueError, EOFError, SyntaxError, tokenize.TokenError):
        sound = False
    if not sound:
        raise TrainingError(f"{path} is damaged; start the run again")
    return cast(Ids, ids)
