"""How far a run is and how high its learning rate stands, by steps or by the clock."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from lyricgen.model.config import TrainConfig

Clock = Callable[[], float]


@dataclass
class Progress:
    """The share of a run that is done, from 0 to 1: of its steps, or of its minutes.

    `used` is what earlier parts of the run took, in seconds; `reserve` is time kept back at the end, for the last
    evaluation. The share never falls, so an erratic clock cannot raise the learning rate again.
    """

    config: TrainConfig
    steps: int  # in all, where the run is counted in epochs
    used: float = 0.0
    clock: Clock = time.monotonic
    reserve: float = 0.0
    done: float = 0.0

    def __post_init__(self) -> None:
        self._start = self.clock()

    @property
    def seconds(self) -> float:
        """Time used by the run so far, earlier parts included."""
        return self.used + self.clock() - self._start

    def advance(self, step: int) -> float:
        """The share done after `step` steps."""
        if self.config.minutes:
            budget = max(1e-9, self.config.minutes * 60 - self.reserve)
            self.done = min(1.0, max(self.done, self.seconds / budget))
        else:
            self.done = min(1.0, step / self.steps)
        return self.done

    def remaining(self) -> float:
        """Seconds left, as far as can be told."""
        if self.config.minutes:
            return max(0.0, self.config.minutes * 60 - self.seconds)
        return self.seconds * (1 - self.done) / self.done if self.done else math.inf


class Turn(NamedTuple):
    """What follows a step. Clocks and Ctrl-C differ between processes, so the first rank's turn is that of all."""

    done: float
    evaluate: bool
    report: bool
    stop: bool
    save: bool


def learning_rate(config: TrainConfig, done: float, *, begun: float = 0.0) -> float:
    """The learning rate when the share `done` of the run is over: a warm-up, then a line to zero or half a cosine.

    The share `begun` was over at the first step: reading the songs takes time too, and is no warm-up.
    The line is that of Bergsma et al. 2025, arXiv:2502.15938; the cosine that of Loshchilov and Hutter 2017,
    arXiv:1608.03983, without restarts.
    """
    done = max(0.0, done - begun) / (1 - begun) if begun < 1 else 1.0
    if config.warmup and done < config.warmup:
        return config.lr * max(done / config.warmup, 0.01)
    if config.schedule == "constant":
        return config.lr
    left = (1 - done) / (1 - config.warmup)
    return config.lr * (left if config.schedule == "linear" else math.sin(math.pi / 2 * left) ** 2)
