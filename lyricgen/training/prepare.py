"""A corpus onto disk as ids: read once, split by song, counted, translated, in memory that hardly grows with it."""

import os
import tempfile
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from lyricgen.errors import TrainingError
from lyricgen.model.checkpoint import disk_errors
from lyricgen.text.documents import Document
from lyricgen.text.labels import Labeler
from lyricgen.text.novelty import NoveltyBuilder, NoveltyIndex
from lyricgen.text.song import Song
from lyricgen.text.tokenizer import Tokenizer
from lyricgen.text.units import BREAK
from lyricgen.text.vocab import END, FIRST, START, Ids, Pieces, Vocab, VocabBuilder
from lyricgen.training.song_labels import Names, name_songs, song_labels, write_labels
from lyricgen.training.split import TRAIN, UNLABELLED, VALID, Split, side_of, split_songs
from lyricgen.training.spool import CHUNK, Runs, Spool, chunks

SAMPLE = 1 << 18  # ids by which it is decided whether lines are labelled
INDEXED = 1 << 17  # of them that are indexed at a time, so that the whole index still fits beside into as much


@dataclass(frozen=True)
class Part:
    """One side of the split as it lies on disk."""

    path: Path
    tokens: int
    characters: int  # of the text it stands for; an end of song counts where it stands for an empty line
    songs: int


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
        spool, valid_spool = Spool(file), Spool(valid_file)
        for song in songs:
            side = side_of(song.split)
            spool.add(builder.add(song.text()), side=side, goes_on=song.continues, names=(song.mood, song.style))
        spool.close()
        for document in valid or ():
            valid_spool.add(builder.add(document.text), side=VALID, ended=document.ended)
        valid_spool.close()
        if valid is None:
            valid_spool = spool
            split = split_songs(spool, share=valid_share, seed=seed, line_break=int(builder.add("\n")[0]))
        else:
            training = np.isin(spool.sides, (TRAIN, UNLABELLED))
            split = Split(spool.songs()[training], valid_spool.songs(), "held out: the text given")
        if spool.tokens and not len(split.train):
            raise TrainingError("every song is marked valid or test; mark some train, or leave some without a mark")
        counts = _count(spool, split.train, size=len(builder))
        vocab, pieces = builder.build(counts, min_count=min_count, base=base)
        if len(set(vocab.tokens[FIRST:]) - {"\n"}) < 2:
            raise TrainingError("the corpus has fewer than two different characters; give it more text")
        train = _write(folder / "train.npy", spool, split.train, pieces, vocab=vocab, blank=blank)
        held = _write(folder / "valid.npy", valid_spool, split.valid, pieces, vocab=vocab, blank=blank)
        ids = load_ids(train.path, tokens=train.tokens, vocab_size=len(vocab))
        labeler = Labeler(vocab)
        if plan or (plan is None and labeler.fits(ids[:SAMPLE])):
            names = name_songs(spool, split.train, known=names or Names())
            labels = song_labels(spool, split.train, names)
            write_labels(folder / "labels.npy", ids, labeler, labels)
            labelled = names.counts(labels)
        else:
            names, labelled = None, ((), ())
        index = _index(spool, split.train, builder.spelling(), novelty or NoveltyBuilder())
    return Prepared(vocab, train, held if len(split.valid) else None, split.how, names, index, labelled)


def _count(spool: Spool, runs: Runs, *, size: int) -> npt.NDArray[np.int64]:
    counts = np.zeros(size, dtype=np.int64)
    for chunk in chunks(runs):
        found = np.bincount(spool.read(chunk))  # no longer than it must be: a split may have a chunk for each song
        counts[: len(found)] += found
    return counts


def _write(path: Path, spool: Spool, runs: Runs, pieces: Pieces, *, vocab: Vocab, blank: bool) -> Part:
    """Final ids of the runs as an array of the smallest type that fits. Each part begins with a start of song."""
    lengths = np.diff(pieces.starts)
    first = slice(int(runs[0, 0]), int(runs[0, 0]) + 1) if len(runs) else slice(0, 0)
    headless = int((spool.read(first) != START).sum())  # the tail of a text
    tokens = headless + sum(int(lengths[spool.read(chunk)].sum()) for chunk in chunks(runs))
    kind = np.min_scalar_type(len(vocab) - 1)
    shape = (max(1, tokens),)  # what is empty cannot be mapped
    header = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": shape}
    characters = 0
    with path.open("wb") as file:  # not through a map: on a full disk that ends the process
        np.lib.format.write_array_header_1_0(file, header)
        file.write(np.full(shape[0] - tokens + headless, START, dtype=kind).tobytes())
        for chunk in chunks(runs):
            final = pieces.expand(spool.read(chunk))
            file.write(final.astype(kind).tobytes())
            characters += int(vocab.lengths[final].sum()) + (int((final == END).sum()) if blank else 0)
        file.flush()
        os.fsync(file.fileno())
    return Part(path, tokens, characters, len(runs))


def _index(spool: Spool, runs: Runs, spelling: Pieces | None, novelty: NoveltyBuilder) -> NoveltyIndex | None:
    """What stands in the runs; `spelling` is what the spool's ids stand for."""
    for chunk in chunks(runs, longest=INDEXED):
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
