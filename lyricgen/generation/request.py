"""What is to be written, a song while it is written, and the text that comes of it."""

from dataclasses import dataclass, field

import numpy as np

from lyricgen.generation.constraints import Draft, Form, Rule
from lyricgen.generation.course import Course
from lyricgen.generation.plan import Plan
from lyricgen.generation.sampler import SamplingConfig, song_stream
from lyricgen.model.config import check_range

MOST_CANDIDATES = 64
NAMING = 1 << 32  # in place of a version: the random stream by which a song draws its mood and style
Odds = tuple[float, ...]


@dataclass(frozen=True)
class Request:
    """What is to be written.

    `named` are the labels of the mood and the style, 0 where they are open. `usual` are the odds by which each song
    draws those that are open, for labels from 1 on; none: they stay unknown. `also` are rules beside the form's, each
    with a name by which it is told should it give way; of so many `candidates` for each line the best is kept.
    """

    start: str = ""
    plan: Plan = field(default_factory=Plan)
    form: Form = field(default_factory=Form)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    named: tuple[int, int] = (0, 0)
    seed: int = 0
    also: tuple[tuple[str, Rule], ...] = ()
    candidates: int = 1
    usual: tuple[Odds, Odds] = ((), ())

    def __post_init__(self) -> None:
        check_range("seed", self.seed, 0, 2**63 - 1)
        check_range("candidates", self.candidates, 1, MOST_CANDIDATES)


@dataclass(frozen=True)
class Piece:
    """Text that was just written and the number of its song; `finished` is the whole song, with its last piece."""

    song: int
    text: str
    finished: Draft | None = None


@dataclass
class Row:
    """One song while it is written."""

    number: int
    course: Course
    stream: np.random.Generator
    named: tuple[int, int] = (0, 0)
    draft: Draft = field(default_factory=Draft)


def draw_names(named: tuple[int, int], usual: tuple[Odds, Odds], *, seed: int, number: int) -> tuple[int, int]:
    """The mood and the style of song `number`: what was asked for, or one as usual as it is in the training songs."""
    stream = song_stream(seed, number, NAMING)
    mood, style = (
        name or (1 + int(stream.choice(len(odds), p=odds)) if odds else 0)
        for name, odds in zip(named, usual, strict=True)
    )
    return mood, style
