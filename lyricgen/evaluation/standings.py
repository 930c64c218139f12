"""What the runs of a comparison say together: means over seeds, the time to a loss, curves, samples."""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lyricgen.errors import InputError
from lyricgen.evaluation.comparison_setup import PLAN, RUNS
from lyricgen.evaluation.contenders import count_parameters
from lyricgen.evaluation.run_record import Point, RunRecord, RunResult, read_result
from lyricgen.generation.constraints import Form
from lyricgen.generation.lyricist import Lyricist
from lyricgen.model import checkpoint
from lyricgen.model.config import CELL_NAMES

SAMPLE_LINES = 4
NEAR, FAR = 32, 64  # steps back between which the gradient's rate per step is told
Curve = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Standing:
    """One contender: the runs that succeeded, by seed (at least one)."""

    name: str
    runs: tuple[RunResult, ...]

    @property
    def nats(self) -> float:
        """The mean over seeds of the best held-out loss, nats per character."""
        return statistics.fmean(run.nats for run in self.runs)

    @property
    def deviation(self) -> float | None:
        """Its standard deviation over seeds; None for a single one."""
        return statistics.stdev(run.nats for run in self.runs) if len(self.runs) > 1 else None

    @property
    def held_out(self) -> bool:
        """Whether the losses are of held-out text; where there was none they are those of training."""
        return all(run.held_out for run in self.runs)

    @property
    def measured_held_out(self) -> bool:
        """Whether the gradients and the use of context were measured on held-out text."""
        return all(run.record.held_out for run in self.runs)

    @property
    def parameters(self) -> int:
        """Parameters of the model."""
        return count_parameters(self.runs[0].network)

    @property
    def speed(self) -> float:
        """Tokens a second in training; 0 where it was not seen."""
        return statistics.fmean([run.record.speed for run in self.runs if run.record.speed] or [0.0])

    @property
    def fading_before(self) -> tuple[float, ...]:
        """The gradient's norm by distance in an untrained model, the mean over seeds."""
        return _mean([run.record.fading_before for run in self.runs])

    @property
    def fading(self) -> tuple[float, ...]:
        """The gradient's norm by distance after training, the mean over seeds."""
        return _mean([run.record.fading for run in self.runs])

    @property
    def rate_before(self) -> float | None:
        """What a step leaves of the gradient in an untrained model (see `rate_per_step`)."""
        return rate_per_step(self.fading_before)

    @property
    def rate(self) -> float | None:
        """What a step leaves of the gradient after training."""
        return rate_per_step(self.fading)

    @property
    def context(self) -> dict[int, float]:
        """Nats per character by the number of tokens read before, the mean over seeds."""
        lengths = self.runs[0].record.context.lengths
        return dict(zip(lengths, _mean([run.record.context.nats for run in self.runs]), strict=False))

    def seconds_to(self, loss: float) -> tuple[float | None, int]:
        """The mean time to a held-out loss over the seeds that reach it, and how many do."""
        times = [time for run in self.runs if (time := seconds_to(run.curve, loss)) is not None]
        return (statistics.fmean(times) if times else None), len(times)

    def curve(self, *, by: str) -> Curve:
        """Held-out loss by `seconds` or `tokens`, the mean over seeds where all of them were measured."""
        return mean_curve([[(getattr(point, by), point.nats) for point in run.curve] for run in self.runs])

    def sample(self, start: str) -> tuple[str, ...]:
        """Lines by the first run's model, from seed 0."""
        begun = len([line for line in start.split("\n") if line])
        form = Form(lines=SAMPLE_LINES + max(0, begun - 1))
        (song,) = Lyricist(checkpoint.load(self.runs[0].folder)).write(start, form=form)
        return song.lines

    def to_json(self, *, loss: float) -> dict[str, Any]:
        """All of it but a sample as a JSON object."""
        time, reached = self.seconds_to(loss)
        return {
            "name": self.name,
            "network": asdict(self.runs[0].network),
            "parameters": self.parameters,
            "held_out": self.held_out,
            "measured_held_out": self.measured_held_out,
            "nats_per_char": {"mean": self.nats, "deviation": self.deviation, "seeds": [r.nats for r in self.runs]},
            "tokens_per_second": self.speed,
            "seconds_to_loss": time,
            "seeds_that_reach_it": reached,
            "gradient_at_start": list(self.fading_before),
            "gradient": list(self.fading),
            "rate_per_step_at_start": self.rate_before,
            "rate_per_step": self.rate,
            "context": {str(length): nats for length, nats in self.context.items()},
            "curves": [[asdict(point) for point in run.curve] for run in self.runs],
            "folders": [str(run.folder) for run in self.runs],
        }


def rank(results: Iterable[RunResult]) -> tuple[Standing, ...]:
    """The contenders in the order of their first runs, without runs that failed. Raises InputError for no run."""
    runs: dict[str, list[RunResult]] = {}
    why = "there is none"
    for result in results:
        if not result.record.failed:
            runs.setdefault(result.name, []).append(result)
        why = result.record.failed or why
    if not runs:
        raise InputError(f"every run failed ({why}); give --configs with other settings")
    return tuple(Standing(name, tuple(found)) for name, found in runs.items())


def read_standings(folder: Path) -> tuple[Standing, ...]:
    """What a comparison's folder holds so far: the cells, then the others by name.

    Raises InputError where it is none, or has no run that is finished.
    """
    if not (folder / PLAN).is_file():
        raise InputError(f"{folder} holds no comparison; name a folder that `lyricgen compare` made")
    found = []
    for run in (folder / RUNS).glob("*-*"):
        record = RunRecord.read(run)
        name, _, seed = run.name.rpartition("-")
        if record is not None and record.measured and seed.isdecimal():
            found.append(read_result(run, record, name=name, seed=int(seed)))
    if not found:
        raise InputError(f"{folder} has no finished run yet; wait for one")
    cells = {cell: number for number, cell in enumerate(CELL_NAMES)}
    return rank(sorted(found, key=lambda run: (cells.get(run.name, len(cells)), run.name, run.seed)))


def rate_per_step(norms: Sequence[float]) -> float | None:
    """What a step back leaves of the gradient: the geometric mean from NEAR to FAR, None where that is unknown."""
    if len(norms) <= FAR or not (norms[NEAR] > 0 and math.isfinite(norms[FAR] / norms[NEAR])):
        return None
    return float((norms[FAR] / norms[NEAR]) ** (1 / (FAR - NEAR)))


def common_loss(standings: Iterable[Standing]) -> float:
    """The lowest held-out loss that every run reaches."""
    return max(run.nats for standing in standings for run in standing.runs)


def seconds_to(curve: Sequence[Point], loss: float) -> float | None:
    """When a curve comes down to a loss, between two evaluations by a straight line; None where it never does."""
    before: Point | None = None
    for point in curve:
        if point.nats <= loss:
            if before is None or point.nats == loss:
                return point.seconds
            share = (before.nats - loss) / (before.nats - point.nats)
            return before.seconds + share * (point.seconds - before.seconds)
        before = point
    return None


def mean_curve(curves: Sequence[Curve]) -> Curve:
    """The mean of curves over the x that all of them cover, at the points of the first; one alone as it is."""
    if len(curves) == 1:
        return list(curves[0])
    low, high = max(curve[0][0] for curve in curves), min(curve[-1][0] for curve in curves)
    at = np.array(sorted({low, high, *(x for x, _ in curves[0] if low <= x <= high)}))
    means = np.mean([np.interp(at, *np.array(curve).T) for curve in curves], axis=0)
    return list(zip(at.tolist(), means.tolist(), strict=True))


def _mean(rows: Sequence[Sequence[float]]) -> tuple[float, ...]:
    return tuple(math.fsum(column) / len(rows) for column in zip(*rows, strict=False))
