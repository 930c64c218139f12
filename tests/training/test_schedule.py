"""How far a run is and how high its learning rate stands."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricgen.model.config import TrainConfig
from lyricgen.training.schedule import Progress, learning_rate

BY_EPOCHS = TrainConfig(epochs=1, lr=2.0, warmup=0.2)
COSINE = TrainConfig(epochs=1, lr=2.0, warmup=0.2, schedule="cosine")
BY_MINUTES = TrainConfig(minutes=10)


class Clock:
    """A clock that stands until it is set."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


WARM_UP = [(0.0, 0.02), (0.05, 0.5), (0.1, 1.0), (0.2, 2.0)]  # a hundredth at first: the first step moves a little


@pytest.mark.parametrize(("done", "expected"), [*WARM_UP, (0.4, 1.5), (0.6, 1.0), (0.8, 0.5), (1.0, 0.0)])
def test_a_linear_warm_up_then_a_line_to_zero(done: float, expected: float) -> None:
    assert learning_rate(BY_EPOCHS, done) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("done", "expected"),
    [*WARM_UP, (0.2 + 0.8 / 3, 1.5), (0.6, 1.0), (0.2 + 0.8 * 2 / 3, 0.5), (1.0, 0.0)],  # cos 60° = 1/2
)
def test_a_linear_warm_up_then_half_a_cosine(done: float, expected: float) -> None:
    assert learning_rate(COSINE, done) == pytest.approx(expected, abs=1e-12)


def test_other_schedules() -> None:
    constant = TrainConfig(epochs=1, lr=2.0, warmup=0.2, schedule="constant")
    assert [learning_rate(constant, done) for done in (0.1, 0.2, 0.7, 1.0)] == pytest.approx([1.0, 2.0, 2.0, 2.0])
    at_once = TrainConfig(epochs=1, lr=2.0, warmup=0.0)
    assert [learning_rate(at_once, done) for done in (0.0, 0.5, 1.0)] == pytest.approx([2.0, 1.0, 0.0])


@given(st.floats(0, 1), st.floats(0, 0.9))
def test_the_learning_rate_stays_between_nothing_and_its_height(done: float, warmup: float) -> None:
    assert 0 <= learning_rate(TrainConfig(epochs=1, lr=2.0, warmup=warmup), done) <= 2


def test_progress_by_steps() -> None:
    progress = Progress(BY_EPOCHS, 8)
    assert progress.done == 0 and progress.remaining() == math.inf
    assert [progress.advance(step) for step in (1, 4, 8, 9)] == [0.125, 0.5, 1.0, 1.0]
    assert progress.remaining() == 0


def test_what_remains_is_told_from_what_was_used() -> None:
    clock = Clock()
    progress = Progress(BY_EPOCHS, 8, used=20.0, clock=clock)
    clock.now += 10
    progress.advance(2)
    assert (progress.seconds, progress.remaining()) == (30, 90)


def test_progress_by_the_clock() -> None:
    clock = Clock()
    progress = Progress(BY_MINUTES, 8, clock=clock)
    assert progress.advance(7) == 0
    clock.now += 150
    assert progress.advance(1) == 0.25
    assert (progress.seconds, progress.remaining()) == (150, 450)
    clock.now += 1000
    assert progress.advance(2) == 1
    assert progress.remaining() == 0


def test_earlier_parts_and_the_last_evaluation_count() -> None:
    clock = Clock()
    progress = Progress(BY_MINUTES, 8, used=60.0, reserve=120.0, clock=clock)
    clock.now += 180
    assert progress.advance(1) == 240 / 480
    assert progress.remaining() == 360
    progress.reserve = 700.0  # longer than the run
    assert progress.advance(1) == 1


def test_progress_never_falls() -> None:
    clock = Clock()
    progress = Progress(BY_MINUTES, 8, clock=clock)
    done = []
    for now, reserve in ((1300.0, 0.0), (1100.0, 0.0), (1360.0, 300.0), (1361.0, 0.0), (0.0, 0.0)):
        clock.now, progress.reserve = now, reserve
        done.append(progress.advance(1))
    assert done == [0.5, 0.5, 1.0, 1.0, 1.0]
