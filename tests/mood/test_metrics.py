"""Figures counted by hand."""

import numpy as np
import pytest

from lyricgen.mood.metrics import Scores

# true a a a b b c, told a a b b c c
SCORES = Scores.of(["a", "b", "c", "none"], [0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 2, 2])


def test_by_hand() -> None:
    np.testing.assert_array_equal(SCORES.confusion, [[2, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0]])
    assert SCORES.accuracy == pytest.approx(4 / 6)
    np.testing.assert_allclose(SCORES.precision, [1, 1 / 2, 1 / 2, 0])
    np.testing.assert_allclose(SCORES.recall, [2 / 3, 1 / 2, 1, 0])
    np.testing.assert_allclose(SCORES.f1, [4 / 5, 1 / 2, 2 / 3, 0])
    assert SCORES.macro_f1 == pytest.approx((4 / 5 + 1 / 2 + 2 / 3) / 3)  # a class that never occurs is not counted


def test_sums_of_parts() -> None:
    whole = Scores.of(["a", "b"], [0, 1, 1], [0, 0, 1])
    parts = Scores.of(["a", "b"], [0], [0]) + Scores.of(["a", "b"], [1, 1], [0, 1])
    np.testing.assert_array_equal(parts.confusion, whole.confusion)


def test_shown_in_columns_that_line_up() -> None:
    lines = Scores.of(["欢快", "b"], [0, 1, 1], [0, 0, 1]).lines()
    assert lines[0] == "accuracy 0.667, macro-F1 0.667 on 3 texts"
    assert lines[3] == "欢快       0.500   1.000  0.667      1"
    assert lines[-2:] == ["欢快            1  0", "b               1  1"]


def test_as_json() -> None:
    told = SCORES.to_json()
    assert told["classes"]["c"] == {"precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3), "texts": 1}
    assert told["confusion"][0] == [2, 1, 0, 0] and told["texts"] == 6
