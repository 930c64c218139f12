"""What several runs say together, by hand."""

from pathlib import Path

import pytest

from lyricgen.errors import InputError
from lyricgen.evaluation.run_record import Point, RunRecord, RunResult
from lyricgen.evaluation.standings import Standing, common_loss, mean_curve, rank, rate_per_step, seconds_to
from lyricgen.model.config import ModelConfig

CURVE = (Point(1.0, 10, 5.0), Point(2.0, 20, 4.0), Point(4.0, 40, 3.0), Point(5.0, 50, 3.5))


def result(name: str, seed: int, *, nats: float = 3.0, speed: float = 0.0, failed: str = "") -> RunResult:
    record = RunRecord({}, 0.0, True, (1.0, 0.5), (1.0, float(seed)), speed=speed, measured=True, failed=failed)
    return RunResult(name, seed, Path(name), ModelConfig(8), nats, CURVE, record)


def test_the_time_to_a_loss_lies_between_two_evaluations() -> None:
    assert seconds_to(CURVE, 4.0) == 2.0
    assert seconds_to(CURVE, 3.5) == pytest.approx(3.0)
    assert seconds_to(CURVE, 6.0) == 1.0  # as early as it was measured
    assert seconds_to(CURVE, 2.9) is None
    assert seconds_to((), 9.0) is None


def test_curves_are_averaged_where_all_of_them_are_known() -> None:
    assert mean_curve([[(0, 4), (2, 2)]]) == [(0, 4), (2, 2)]
    found = mean_curve([[(0, 4), (2, 2), (4, 2)], [(1, 5), (3, 3)]])
    assert found == [(1.0, 4.0), (2.0, 3.0), (3.0, 2.5)]


def test_runs_stand_together_by_name_and_failed_ones_apart() -> None:
    runs = [result("a", 0, nats=3), result("b", 0, nats=4), result("a", 1, nats=5), result("b", 1, failed="nan")]
    a, b = rank(runs)
    assert (a.name, a.nats, a.deviation) == ("a", 4.0, pytest.approx(2**0.5))
    assert (b.name, b.nats, b.deviation) == ("b", 4.0, None)
    assert common_loss([a, b]) == 5.0
    assert a.fading == (1.0, 0.5)
    assert a.seconds_to(3.0) == (4.0, 2)
    assert a.seconds_to(1.0) == (None, 0)
    with pytest.raises(InputError, match="every run failed"):
        rank(runs[-1:])


def test_the_rate_per_step_is_that_of_a_gradient_that_shrinks_evenly() -> None:
    even = [3.0 * 0.9**k for k in range(65)]
    assert rate_per_step(even) == pytest.approx(0.9)
    assert rate_per_step([*even[:40], *[0.0] * 25]) == 0
    assert rate_per_step(even[:64]) is None
    assert rate_per_step([1.0, *[0.0] * 64]) is None
    assert rate_per_step([float("nan")] * 65) is None


def test_a_speed_that_was_not_seen_does_not_count() -> None:
    assert Standing("a", (result("a", 0, speed=10), result("a", 1), result("a", 2, speed=20))).speed == 15
    assert Standing("a", (result("a", 0),)).speed == 0
