"""What the benchmark of the classifier decides by itself: which ways it measures, and how several seeds are one."""

import runpy
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lyricgen.mood.config import MoodWishes
from lyricgen.mood.data import Labelled, Parts, hold_out
from lyricgen.mood.preparation import Preparation
from lyricgen.mood.training import MoodTrainer

SMALL = MoodWishes(hidden=2, epochs=1, lr=0.02, ngrams=False)  # so little that seeds differ in what they tell


@pytest.fixture(scope="module")
def benchmark() -> dict[str, Any]:
    return runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "mood.py"))


def given(**changes: Any) -> Namespace:
    return Namespace(**{"epochs": 1, "hidden": 2, "seed": 0, "seeds": 1, "init_from": None, "way": None, **changes})


def test_log_probabilities_are_averaged_and_none_is_endless(benchmark: dict[str, Any]) -> None:
    """By hand: 0.99 · 0.2 · 0.3 is more than 0.01 · 0.8 · 0.7, though the probabilities sum to less."""
    rows = [np.array([row], np.float32) for row in ([0.99, 0.01], [0.2, 0.8], [0.3, 0.7])]
    means = benchmark["mean_logs"](rows)
    np.testing.assert_allclose(np.exp(3 * means), [[0.99 * 0.2 * 0.3, 0.01 * 0.8 * 0.7]], rtol=1e-5)
    assert np.isfinite(benchmark["mean_logs"]([np.array([[1.0, 0.0]], np.float32)])).all()


def test_several_seeds_decide_as_one(benchmark: dict[str, Any], data: Labelled) -> None:
    everything = np.arange(len(data.examples))
    train, test = everything[:60], everything[60:]
    logs = []
    for seed in range(3):
        learned, valid = hold_out(data, train, share=0.1, seed=seed, least=3)
        wishes, parts = replace(SMALL, seed=seed), Parts(learned, valid, test)
        trainer = MoodTrainer(data, parts, wishes=wishes, preparation=Preparation())
        list(trainer.run())
        logs.append(np.log(trainer.classifier.probabilities(data.texts(test))))
    expected = np.mean(logs, axis=0).argmax(axis=1).tolist()
    assert expected != logs[0].argmax(axis=1).tolist()
    assert benchmark["ours"](SMALL, seeds=3)(data, train, test) == expected
    assert benchmark["ours"](SMALL)(data, train, test) == logs[0].argmax(axis=1).tolist()


def test_the_ways_are_named_by_what_they_are(benchmark: dict[str, Any]) -> None:
    choose = benchmark["choose_ways"]
    ways = ["both", "encoder", "n-grams"]
    assert list(choose(given(way=ways, seeds=3))) == [
        "n-grams alone (--epochs 0)", "encoder alone (--no-ngrams), 3 seeds", "n-grams and encoder, 3 seeds",
    ]  # fmt: skip
    assert list(choose(given(way=ways)))[1:] == ["encoder alone (--no-ngrams)", "n-grams and encoder"]
    pytest.importorskip("sklearn")
    assert [name.split(" (")[0] for name in choose(given())][2:] == [
        "n-grams alone", "encoder alone", "n-grams and encoder",
    ]  # fmt: skip
    assert "encoder alone (--no-ngrams)" not in choose(given(epochs=0))


def test_the_way_encoder_has_no_n_grams(
    benchmark: dict[str, Any], data: Labelled, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes: list[tuple[int, list[float]]] = []
    run = MoodTrainer.run

    def watched(trainer: MoodTrainer) -> Any:
        yield from run(trainer)
        shapes.append((len(trainer.model.keys), trainer.model.mix.tolist()))

    monkeypatch.setattr(MoodTrainer, "run", watched)
    everything = np.arange(len(data.examples))
    for way in ("encoder", "n-grams"):
        [tell] = benchmark["choose_ways"](given(way=[way])).values()
        assert len(tell(data, everything[:60], everything[60:])) == 30
    (alone, mix), (ngrams, other) = shapes
    assert (alone, mix) == (0, [1, 0])
    assert ngrams > 0 and other[0] == 0
