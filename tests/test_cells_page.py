"""docs/cells.md quotes what `benchmarks/one_step.py` prints, and that is what the equations give."""

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
XING, YUE = 0, 1  # rows of the embedding below


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "benchmarks" / "one_step.py"))


def test_the_page_quotes_the_numbers_of_the_step(script: dict[str, Any]) -> None:
    page = (ROOT / "docs" / "cells.md").read_text(encoding="utf-8")
    printed = "\n".join(script["lines"](script["one_step"]()))
    assert f"```\n{printed}\n```" in page


def test_the_pictures_of_the_page_are_there_and_small() -> None:
    page = (ROOT / "docs" / "cells.md").read_text(encoding="utf-8")
    names = [part.split(")")[0] for part in page.split("](")[1:] if part.split(")")[0].endswith((".png", ".svg"))]
    assert len(names) == 3
    assert all((ROOT / "docs" / name).stat().st_size < 150_000 for name in names)


def loss(w: dict[str, np.ndarray]) -> float:
    """Mean nats of 星 after 星 and 月 after 星星, from the equations."""
    h, nats = np.zeros(2), 0.0
    for expected in (2, 3):
        h = np.tanh(w["W"] @ w["E"][XING] + w["U"] @ h)
        z = w["V"] @ h
        nats -= z[expected] - np.log(np.exp(z).sum())
    return nats / 2


def test_the_numbers_are_those_of_the_equations(script: dict[str, Any]) -> None:
    found = script["one_step"]()
    rows = {"E": (script["E_XING"], script["E_YUE"]), "W": script["W"], "U": script["U"], "V": script["V"]}
    w = {name: np.array(values) for name, values in rows.items()}
    assert found["L"] == pytest.approx(loss(w))
    slopes = {}
    for name, weight in w.items():
        slopes[name] = np.zeros_like(weight)
        for index in np.ndindex(weight.shape):
            kept = weight[index]
            weight[index] = kept + 1e-6
            high = loss(w)
            weight[index] = kept - 1e-6
            slopes[name][index] = (high - loss(w)) / 2e-6
            weight[index] = kept
        shown = found[f"d_{name}"][4:] if name == "E" else found[f"d_{name}"]
        np.testing.assert_allclose(shown, slopes[name], atol=1e-6, err_msg=name)
    h1 = np.tanh(w["W"] @ w["E"][XING])
    h2 = np.tanh(w["W"] @ w["E"][XING] + w["U"] @ h1)
    np.testing.assert_allclose(found["h2"], h2, atol=1e-6)
    np.testing.assert_allclose(found["d_h2"], w["V"].T @ found["d_z2"], atol=1e-6)
    np.testing.assert_allclose(found["d_h1"], w["V"].T @ found["d_z1"], atol=1e-6)
    np.testing.assert_allclose(found["d_s1"], w["U"].T @ ((1 - h2**2) * found["d_h2"]), atol=1e-6)
    after = {name: weight - 0.5 * slopes[name] for name, weight in w.items()}
    assert found["new_L"] == pytest.approx(loss(after), abs=1e-6)
    assert found["new_L"] < found["L"]
