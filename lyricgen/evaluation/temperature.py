"""The temperature at which a model predicts a text best: how much too sure, or too unsure, it is of itself."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lyricgen.errors import InputError
from lyricgen.evaluation.held_out import document_nats
from lyricgen.model.checkpoint import Checkpoint
from lyricgen.text.documents import Document
from lyricgen.text.vocab import UNKNOWN

TOLERANCE = 0.005  # of the temperature's logarithm; the cost near its lowest grows with the square of that
STEP = 0.1
REACH = 3.0  # temperatures from e⁻³ to e³ are tried
GOLDEN = (3 - math.sqrt(5)) / 2


@dataclass(frozen=True)
class TemperatureFit:
    """The best temperature of a text, and what it gains there over 1: `nats` in all, and per character."""

    temperature: float
    nats: float
    chars: int

    @property
    def nats_per_char(self) -> float:
        """The gain in nats per character."""
        return self.nats / self.chars

    def to_json(self) -> dict[str, Any]:
        """The figures as a JSON object."""
        return {"temperature": self.temperature, "gain_nats": self.nats, "gain_nats_per_char": self.nats_per_char}

    def line(self) -> str:
        """The figures for people."""
        return (
            f"best temperature {self.temperature:.3f}: {self.nats_per_char:.4f} nats per character better "
            f"({self.nats:,.1f} in all)"
        )


def fit_temperature(checkpoint: Checkpoint, documents: Sequence[Document]) -> TemperatureFit:
    """The T at which softmax(logits / T) gives a text the highest likelihood (Guo et al. 2017, arXiv:1706.04599).

    The text is read anew for each T that is tried, about eight times. Unknown characters cost the same at any T
    and are left out. Raises InputError where there is nothing else.
    """

    def known(temperature: float) -> list[npt.NDArray[np.float64]]:
        """The nats of each text's known tokens."""
        found = document_nats(checkpoint, documents, temperature=temperature)
        return [nats[ids != UNKNOWN] for _, ids, nats in found]

    def cost(log_temperature: float) -> float:
        """Those of all texts."""
        return math.fsum(float(nats.sum()) for nats in known(math.exp(log_temperature)))

    chars = sum(document.characters for document in documents)
    if not chars:
        raise InputError("there is no text to fit a temperature to: the files are empty")
    as_it_is = known(1.0)
    if not any(map(len, as_it_is)):
        raise InputError("there is no text to fit a temperature to: the model knows none of its characters")
    before = math.fsum(float(nats.sum()) for nats in as_it_is)
    best, lowest = minimum(cost, at_start=before)
    return TemperatureFit(math.exp(best), before - lowest, chars)


def minimum(cost: Callable[[float], float], *, at_start: float) -> tuple[float, float]:
    """Where a function of one valley is lowest, to TOLERANCE, searched from 0 to ±REACH, and its value there.

    First three points are found of which the middle one is lowest; then the bracket shrinks by parabolas, and by
    the golden section where those do not help (Press et al., Numerical Recipes, chapter 10).
    """
    left, middle, right = _bracket(cost, at_start)
    for turn in range(60):
        if right[0] - left[0] <= 2.5 * TOLERANCE:
            break
        wider = right if right[0] - middle[0] > middle[0] - left[0] else left
        x = _vertex(left, middle, right)
        if not left[0] < x < right[0] or turn % 3 == 2:
            x = middle[0] + GOLDEN * (wider[0] - middle[0])
        if abs(x - middle[0]) < TOLERANCE:
            x = middle[0] + math.copysign(TOLERANCE, wider[0] - middle[0])
        new = (x, cost(x))
        lower, higher = (new, middle) if new[1] < middle[1] else (middle, new)
        if higher[0] < lower[0]:
            left, middle = higher, lower
        else:
            middle, right = lower, higher
    return middle


Point = tuple[float, float]


def _bracket(cost: Callable[[float], float], at_start: float) -> tuple[Point, Point, Point]:
    """Three points from left to right, the middle one lowest; three times the last where the valley goes on."""
    step = STEP
    before, here, ahead = (-step, math.inf), (0.0, at_start), (step, cost(step))
    if ahead[1] >= here[1] - 1e-9 * abs(here[1]):
        before, step = ahead, -step
        ahead = (step, cost(step))
    while ahead[1] < here[1] - 1e-9 * abs(here[1]) and abs(ahead[0]) < REACH:
        step *= 1.6
        before, here, x = here, ahead, ahead[0] + step
        ahead = (x, cost(x))
    if ahead[1] < here[1]:
        return ahead, ahead, ahead
    left, right = sorted((before, ahead))
    return left, here, right


def _vertex(a: Point, b: Point, c: Point) -> float:
    """Where the parabola through three points is lowest; nan where it is none."""
    p, q = (b[0] - a[0]) * (b[1] - c[1]), (b[0] - c[0]) * (b[1] - a[1])
    if not math.isfinite(p - q) or p == q:
        return math.nan
    return b[0] - ((b[0] - a[0]) * p - (b[0] - c[0]) * q) / (2 * (p - q))
