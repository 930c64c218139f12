"""The row of bars that shows a run's losses."""

import math

import pytest

from lyricgen.cli.display import sparkline


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([], ""),
        ([2.0], "▁"),
        ([3.0, 3.0, 3.0], "▁▁▁"),
        ([8.0, 1.0], "█▁"),
        ([1, 2, 3, 4, 5, 6, 7, 8], "▁▂▃▄▅▆▇█"),
        ([8.0, math.inf, 1.0, math.nan], "█ ▁ "),
        ([math.nan], " "),
    ],
)
def test_bars_by_hand(values: list[float], shown: str) -> None:
    assert sparkline(values) == shown


def test_only_the_last_values_are_shown() -> None:
    values = [100.0, *map(float, range(8))]
    assert sparkline(values, width=8) == "▁▂▃▄▅▆▇█"
    assert len(sparkline(list(map(float, range(99))))) == 20
