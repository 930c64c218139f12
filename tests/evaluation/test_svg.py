"""Charts: where bars and points lie, worked out by hand."""

import re
from itertools import pairwise

import pytest

from lyricgen.evaluation.svg import BOTTOM, HEIGHT, TOP, Axes, Bars, Spot, curve, histogram, paired_bars, ticks


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (5.13, 5.96, [5.2, 5.4, 5.6, 5.8]),
        (0, 9, [0, 2, 4, 6, 8]),
        (-3, 3, [-3, -2, -1, 0, 1, 2, 3][::1]),
        (0, 5000, [0, 1000, 2000, 3000, 4000, 5000]),
    ],
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)


def test_ticks_of_no_span_are_few() -> None:
    assert len(ticks(2, 2)) <= 1


def heights(chart: str, kind: str) -> list[float]:
    return [float(found) for found in re.findall(rf'class="{kind}"[^>]*height="([\d.]+)"', chart)]


def test_bars_are_as_high_as_their_shares() -> None:
    chart = paired_bars(["一", "二"], [Bars("a", "a", [0.5, 0.25]), Bars("b", "b", [0.0, 0.1])], x="", label="")
    whole = HEIGHT - TOP - BOTTOM
    assert heights(chart, "a") == pytest.approx([whole, whole / 2], abs=0.1)
    assert heights(chart, "b") == pytest.approx([0, whole / 5], abs=0.1)
    assert "<title>一: a 50.0%</title>" in chart and "<title>二: b 10.0%</title>" in chart


def test_a_histogram_counts_every_value_once() -> None:
    values = [1.0, 1.0, 1.1, 5.0]
    chart = histogram(values, ["甲", "乙", "丙", "丁<"], x="", label="")
    counts = [int(found) for found in re.findall(r"<title>[\d.]+–[\d.]+: (\d+)</title>", chart)]
    assert sum(counts) == 4 and counts[0] == 3 and counts[-1] == 1
    assert chart.count('class="rug"') == 4 and "丁&lt; 5.000" in chart
    assert histogram([2.0], ["甲"], x="", label="").count('class="rug"') == 1


def test_a_curve_falls_where_its_values_do() -> None:
    chart = curve([Spot(1, 3.0, 0.5), Spot(2, 2.0), Spot(3, 1.0, 0.1)], x="", label="")
    places = [float(found) for found in re.findall(r'class="dot" cx="[\d.]+" cy="([\d.]+)"', chart)]
    assert all(a < b for a, b in pairwise(places))  # down the page
    assert places[1] == pytest.approx((places[0] + places[2]) / 2, abs=0.1)
    assert "1: 3.000 ± 0.500" in chart and "<title>2: 2.000</title>" in chart


def test_axes_of_no_span_divide_by_nothing() -> None:
    axes = Axes(1, 1, 2, 2)
    assert axes.x(1) == axes.x(1.0) and axes.y(2) == HEIGHT - BOTTOM
