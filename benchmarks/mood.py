"""How well the classifier tells labels, by folds, beside TF-IDF with logistic regression; and how fast.

    python benchmarks/mood.py                                 the songbook's moods
    python benchmarks/mood.py reviews.csv --init-from MODEL
    python benchmarks/mood.py --way both --seeds 5            five classifiers as one, by their mean log-probabilities
    python benchmarks/mood.py --speed                         texts a second, on lines of the songbook

Needs scikit-learn (`pip install '.[benchmarks]'`). Each fold is told by models that have not seen its labels; a model
named by --init-from may have seen its texts.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from lyricgen.model import checkpoint
from lyricgen.model.checkpoint import Checkpoint
from lyricgen.model.device import prepare_torch
from lyricgen.model.locate import find_model
from lyricgen.mood.classifier import Odds
from lyricgen.mood.config import MoodWishes
from lyricgen.mood.data import LEAST, Indices, Labelled, Parts, folds, hold_out, read_labelled
from lyricgen.mood.metrics import Scores
from lyricgen.mood.preparation import Preparation
from lyricgen.mood.training import MoodTrainer
from lyricgen.text.resources import songbook

Way = Callable[[Labelled, Indices, Indices], list[int]]
WAYS = ("plain", "tuned", "n-grams", "encoder", "both", "init")


def baseline(*, strength: float, sublinear: bool) -> Way:
    """TF-IDF of runs of one to three characters, then logistic regression."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    def tell(data: Labelled, train: Indices, test: Indices) -> list[int]:
        pipeline = make_pipeline(
            TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=sublinear, min_df=2),
            LogisticRegression(C=strength, max_iter=1000, class_weight="balanced"),
        )
        pipeline.fit(data.texts(train), data.numbers(train))
        told: list[int] = pipeline.predict(data.texts(test)).tolist()
        return told

    return tell


def ours(wishes: MoodWishes, *, source: Checkpoint | None = None, seeds: int = 1) -> Way:
    """The classifier as `lyricgen mood train` makes it, or several as one, by the mean of their log-probabilities.

    Each has its own seed, from the one wished for on, and with it its own texts held out to stop by.
    """

    def tell(data: Labelled, train: Indices, test: Indices) -> list[int]:
        probabilities = []
        for seed in range(wishes.seed, wishes.seed + seeds):
            learned, valid = hold_out(data, train, share=0.1, seed=seed, least=LEAST)
            parts, own = Parts(learned, valid, test), replace(wishes, seed=seed)
            trainer = MoodTrainer(data, parts, wishes=own, preparation=Preparation(), source=source)
            for _ in trainer.run():
                pass
            probabilities.append(trainer.classifier.probabilities(data.texts(test)))
        told: list[int] = mean_logs(probabilities).argmax(axis=1).tolist()
        return told

    return tell


def mean_logs(probabilities: Sequence[Odds]) -> npt.NDArray[np.float64]:
    """The mean over classifiers of their log-probabilities, `(n, C)`, from the probabilities of each, `(n, C)`."""
    least = np.finfo(np.float32).tiny  # a probability of 0, too small to be stored, has no logarithm
    mean: npt.NDArray[np.float64] = np.log(np.maximum(np.array(probabilities, np.float64), least)).mean(axis=0)
    return mean


def choose_ways(given: argparse.Namespace) -> dict[str, Way]:
    """The ways that are asked for, by the names they are shown under. Raises LyricgenError for what cannot be."""
    wishes = MoodWishes(epochs=given.epochs, hidden=given.hidden, seed=given.seed)
    together = f", {given.seeds} seeds" if given.seeds > 1 else ""
    ways: dict[str, tuple[str, Callable[[], Way]]] = {
        "plain": ("TF-IDF of 1 to 3 characters, C = 1", lambda: baseline(strength=1, sublinear=False)),
        "tuned": ("TF-IDF of 1 to 3 characters, ln tf, C = 10", lambda: baseline(strength=10, sublinear=True)),
        "n-grams": ("n-grams alone (--epochs 0)", lambda: ours(MoodWishes(epochs=0, seed=given.seed))),
        "encoder": (f"encoder alone (--no-ngrams){together}",
                    lambda: ours(replace(wishes, ngrams=False), seeds=given.seeds)),
        "both": (f"n-grams and encoder{together}", lambda: ours(wishes, seeds=given.seeds)),
        "init": (f"n-grams and encoder, from a language model{together}", lambda: ours(
            replace(wishes, hidden=None), source=checkpoint.load(find_model(given.init_from)), seeds=given.seeds)),
    }  # fmt: skip
    usual = [way for way in WAYS if (way != "init" or given.init_from) and (way != "encoder" or given.epochs != 0)]
    return {name: make() for name, make in (ways[way] for way in WAYS if way in (given.way or usual))}


def measure(data: Labelled, ways: dict[str, Way], *, count: int, seed: int) -> None:
    """Prints the scores of each way over all folds."""
    parts = folds(data, count, seed=seed)
    everything = np.arange(len(data.examples))
    for name, tell in ways.items():
        start, told = time.perf_counter(), np.zeros(len(everything), np.int64)
        by_fold = []
        for test in parts:
            told[test] = tell(data, np.setdiff1d(everything, test), test)
            by_fold.append(Scores.of(data.labels, data.numbers(test), told[test]).macro_f1)
        scores = Scores.of(data.labels, data.numbers(everything), told)
        shown = " ".join(f"{score:.3f}" for score in by_fold)
        took = time.perf_counter() - start
        print(
            f"{name}: macro-F1 {scores.macro_f1:.3f} ({shown}), accuracy {scores.accuracy:.3f}, {took:.0f} s",
            flush=True,
        )


def speed(data: Labelled, wishes: MoodWishes) -> None:
    """Prints how many short lines and whole songs a second the classifier reads."""
    everything = np.arange(len(data.examples))
    parts = Parts(everything, everything[:0], everything[:0])
    quick = MoodWishes(epochs=1, hidden=wishes.hidden, seed=wishes.seed)
    trainer = MoodTrainer(data, parts, wishes=quick, preparation=Preparation())
    for _ in trainer.run():
        pass
    whole = data.texts(everything)
    lines = [line for text in whole for line in text.split("\n") if line.strip()]
    for name, texts in (("lines", lines[:20_000]), ("whole texts", whole)):
        trainer.classifier.predict(texts[:100])
        start = time.perf_counter()
        trainer.classifier.predict(texts)
        took = time.perf_counter() - start
        size = sum(map(len, texts)) / len(texts)
        print(f"{len(texts):,} {name} of {size:.0f} characters: {len(texts) / took:,.0f} a second")


def main() -> None:
    """Measures what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", nargs="?", type=Path, default=songbook())
    parser.add_argument("--text-column")
    parser.add_argument("--label-column")
    parser.add_argument("--init-from", type=Path)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--hidden", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--seeds", type=int, default=1, help="classifiers that decide as one, of --seed and those after"
    )
    parser.add_argument("--way", action="append", choices=WAYS, default=None)
    parser.add_argument("--speed", action="store_true")
    given = parser.parse_args()
    if given.seeds < 1:
        parser.error(f"--seeds must be at least 1, got {given.seeds}")
    if not given.init_from and "init" in (given.way or ()):
        parser.error("--way init starts from a language model: name it by --init-from")
    prepare_torch()
    data = read_labelled(given.data, text_column=given.text_column, label_column=given.label_column)
    print(f"{len(data.examples):,} texts of {len(data.labels)} classes, {torch.get_num_threads()} threads")
    if given.speed:
        speed(data, MoodWishes(hidden=given.hidden, seed=given.seed))
        return
    measure(data, choose_ways(given), count=given.folds, seed=given.seed)


if __name__ == "__main__":
    main()
