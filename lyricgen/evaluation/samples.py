"""What a model writes by itself, measured beside what people wrote: diversity, form, rhyme, copying."""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from lyricgen.evaluation.copies import TOLD, Comparison, Copies, Indexed, runs
from lyricgen.evaluation.metrics import (
    BLEU_SONGS,
    DISTINCT,
    Style,
    distinct,
    first_letters,
    load_sacrebleu,
    self_bleu,
)
from lyricgen.evaluation.wording import FROM_INDEX, HEAD, MEANINGS, NOT_HELD_OUT, PARTIAL_INDEX, UNKNOWN_TRAINING
from lyricgen.generation.lyricist import Lyricist, Written
from lyricgen.generation.sampler import SamplingConfig
from lyricgen.model import checkpoint
from lyricgen.model.checkpoint import CONFIG
from lyricgen.model.config import check_range
from lyricgen.model.locate import find_model
from lyricgen.text.documents import Document, read_documents
from lyricgen.text.readers.sheet import sheet_sections
from lyricgen.text.song import Song

YARDSTICK_SONGS = 1000  # of a longer text so many songs are drawn to measure by


@dataclass(frozen=True)
class Measure:
    """One figure of what was written and of the songs of people. `form` is how it is printed."""

    name: str
    written: float | None
    people: float | None
    form: str = ".3f"

    def shown(self) -> tuple[str, str]:
        """Both figures as text; a dash where there is none."""
        return tuple("–" if value is None else format(value, self.form) for value in (self.written, self.people))  # type: ignore[return-value]


@dataclass(frozen=True)
class Samples:
    """Songs that a model wrote, and the songs of people that they are measured by.

    `training` knows what of both stands in the training songs: by the songs, or, where they are not at hand, by the
    model's index of them. None where there is none either.
    """

    texts: tuple[Written, ...]
    people: Style
    seed: int
    sampling: SamplingConfig
    training: Comparison | Indexed | None

    @cached_property
    def written(self) -> Style:
        """What was written, as songs."""
        return Style(tuple(as_song(text.text) for text in self.texts))

    @cached_property
    def copies(self) -> tuple[Copies, Copies] | None:
        """What stands in the training songs: of what was written, and of the songs of people."""
        if self.training is None:
            return None
        return self.training.copies(self.written.songs), self.training.copies(self.people.songs)

    @cached_property
    def marks(self) -> list[list[list[bool]]]:
        """For each character of each line of each written song whether it belongs to a copied run."""
        songs = self.written.songs
        if self.training is None:
            return [[[False] * len(line) for line in song.lines] for song in songs]
        return [self.training.marks(song) for song in songs]

    @cached_property
    def measures(self) -> tuple[Measure, ...]:
        """All figures, in the order in which they are shown.

        Of the songs of people as many letters, or songs, are taken as were written, where a figure depends on that.
        """
        written, people = self.written, self.people
        alike = first_letters(people.texts, written.letters) or []
        found = [Measure(f"distinct_{n}", distinct(written.texts, n), distinct(alike, n)) for n in DISTINCT]
        size = min(len(written.songs), BLEU_SONGS)
        others = people.texts[:size] if len(people.texts) >= size else []
        found += [
            Measure("self_bleu", self_bleu(written.texts, seed=self.seed), self_bleu(others)),
            Measure("repeated_lines", written.repeated, people.repeated, ".1%"),
            Measure("lines_per_song", written.lines_per_song, people.lines_per_song, ".1f"),
            Measure("line_length", written.mean_length, people.mean_length, ".2f"),
            Measure("rhyme_rate", written.rhymes.rate, people.rhymes.rate, ".1%"),
            Measure("rhyme_chance", written.rhymes.chance, people.rhymes.chance, ".1%"),
            Measure("same_ends", written.rhymes.same_rate, people.rhymes.same_rate, ".1%"),
        ]
        if self.copies is not None:
            ours, theirs = self.copies
            found += [Measure(f"copied_{n}", ours.ngrams[n], theirs.ngrams[n], ".1%") for n in ours.ngrams]
            if not isinstance(self.training, Indexed):
                found.append(Measure("copied_lines", ours.lines, theirs.lines, ".1%"))
        return tuple(found)

    @property
    def is_held_out(self) -> bool:
        """Whether the songs of people are new to the model: not more than half of them stands in training songs.

        That is told by lines, and by the longest n-grams where an index knows no lines.
        """
        if self.copies is None:
            return True
        _, theirs = self.copies
        share = theirs.ngrams[TOLD[-1]] if isinstance(self.training, Indexed) else theirs.lines
        return (share or 0) <= 0.5

    def warnings(self, *, chinese: bool) -> list[str]:
        """What a reader of the figures has to know."""
        if self.training is None:
            return [UNKNOWN_TRAINING(chinese=chinese)]
        found = [] if self.is_held_out else [NOT_HELD_OUT]
        if isinstance(self.training, Indexed):
            found += [FROM_INDEX, *([PARTIAL_INDEX] if self.training.partial else [])]
        return [wording(chinese=chinese) for wording in found]

    def lines(self, *, chinese: bool) -> list[str]:
        """The figures for people: those of what was written, those of the text, what they are."""
        rows = ["", HEAD(chinese=chinese)]
        for measure in self.measures:
            written, people = measure.shown()
            rows.append(f"{written:>8}  {people:>8}  {MEANINGS[measure.name].name(chinese=chinese)}")
        return rows

    def to_json(self) -> dict[str, Any]:
        """All of it as a JSON object."""
        songs = zip(self.texts, self.written.songs, self.marks, strict=True)
        return {
            "count": len(self.texts),
            "seed": self.seed,
            "sampling": asdict(self.sampling),
            "training_songs": self.training.songs if self.training else None,
            "copied_by": self.training and ("index" if isinstance(self.training, Indexed) else "songs"),
            "written": {measure.name: measure.written for measure in self.measures},
            "text": {measure.name: measure.people for measure in self.measures},
            "line_lengths": _both(self, lambda style: dict(sorted(style.lengths.items()))),
            "rhyme_classes": _both(self, lambda style: dict(style.rhymes.classes)),
            "songs": [text.to_json() | {"copied": runs(song, marks)} for text, song, marks in songs],
        }


def _both(samples: Samples, of: Callable[[Style], Any]) -> dict[str, Any]:
    return {"written": of(samples.written), "text": of(samples.people)}


def as_song(text: str, *, title: str = "") -> Song:
    """A text of lines and empty lines as a song; headings, if it has any, are no lines."""
    return Song(sheet_sections(text.split("\n")), title=title)


def check_samples(count: int, *, seed: int = 0) -> None:
    """Raises OptionError for a number of songs or a seed out of range, or where sacrebleu is missing."""
    check_range("samples", count, 1, 10_000)
    check_range("seed", seed, 0, 2**63 - 1)
    load_sacrebleu()


def write_samples(
    lyricist: Lyricist,
    documents: Sequence[Document],
    *,
    count: int,
    seed: int = 0,
    training: Iterable[Song] | None = None,
) -> Samples:
    """Lets a model write `count` songs and measures them by the songs of some texts.

    `training`: the songs that the model learned from, in which both are looked up; without them, in the index of them
    that the model's folder has. Raises as `check_samples` does, and CheckpointError where that index is damaged.
    """
    check_samples(count, seed=seed)
    drawn = list(documents)
    random.Random(seed).shuffle(drawn)  # as songs of one style often lie together
    people = Style(tuple(as_song(document.text, title=document.title) for document in drawn[:YARDSTICK_SONGS]))
    sampling = SamplingConfig()
    texts = tuple(lyricist.write(count=count, seed=seed, sampling=sampling))
    if training is None:
        index = lyricist.checkpoint.novelty
        return Samples(texts, people, seed, sampling, Indexed(index) if index else None)
    comparison = Comparison([*(as_song(text.text) for text in texts), *people.songs])
    comparison.look_through(training)
    return Samples(texts, people, seed, sampling, comparison)


def style_of(name: str, *, samples: int, seed: int) -> Style:
    """How songs are made: of a model (as `find_model` knows it) those it writes, of anything else those it holds."""
    folder = find_model(name)
    if not (folder / CONFIG).is_file():
        return Style(tuple(as_song(document.text, title=document.title) for document in read_documents([name])))
    check_range("samples", samples, 1, 10_000)
    check_range("seed", seed, 0, 2**63 - 1)
    texts = Lyricist(checkpoint.load(folder)).write(count=samples, seed=seed)
    return Style(tuple(as_song(text.text) for text in texts))
