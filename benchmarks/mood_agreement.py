"""Whether songs written with --mood X are called X by the classifier of moods, against songs written without.

    python benchmarks/mood_agreement.py                      # the starter, 40 songs for each mood

The classifier is trained on the songbook, as `lyricgen mood train` makes it; with scikit-learn
(`pip install '.[benchmarks]'`) a second one, TF-IDF of characters with logistic regression, tells them too. Songs are
as long as the model makes them, at the default temperature.
"""

import argparse
import importlib.util
from collections.abc import Callable

import numpy as np
from mood import baseline

import lyricgen
from lyricgen.generation import lyricist
from lyricgen.model.device import prepare_torch
from lyricgen.mood.config import MoodWishes
from lyricgen.mood.data import LEAST, Example, Labelled, hold_out, read_labelled
from lyricgen.mood.data import Parts as Split
from lyricgen.mood.preparation import Preparation
from lyricgen.mood.training import MoodTrainer
from lyricgen.text.resources import songbook

Judge = Callable[[list[str]], list[str]]  # the labels of texts


def classifier(data: Labelled, *, epochs: int | None) -> Judge:
    """The classifier, of all songs but those that it stops by."""
    everything = np.arange(len(data.examples))
    learned, valid = hold_out(data, everything, share=0.1, seed=0, least=LEAST)
    trainer = MoodTrainer(data, Split(learned, valid, everything[:0]), wishes=MoodWishes(epochs=epochs),
                          preparation=Preparation())  # fmt: skip
    for _ in trainer.run():
        pass
    return lambda texts: [data.labels[n] for n in trainer.classifier.probabilities(texts).argmax(axis=1)]


def logistic(data: Labelled) -> Judge:
    """TF-IDF and logistic regression, learned anew for every question (it is quick)."""
    tell = baseline(strength=10, sublinear=True)

    def judge(texts: list[str]) -> list[str]:
        known = len(data.examples)
        asked = Labelled((*data.examples, *(Example(text, data.labels[0]) for text in texts)), data.labels)
        told = tell(asked, np.arange(known), np.arange(known, known + len(texts)))
        return [data.labels[number] for number in told]

    return judge


def main() -> None:
    """Writes songs and prints the shares."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", default="starter")
    parser.add_argument("--songs", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, help="of the classifier's encoder; 0: n-grams alone")
    parser.add_argument("--emphasis", type=float, default=lyricist.EMPHASIS, help="of a mood that is asked for")
    given = parser.parse_args()
    lyricist.EMPHASIS = given.emphasis
    prepare_torch()
    data = read_labelled(songbook())
    judges = {"classifier": classifier(data, epochs=given.epochs)}
    if importlib.util.find_spec("sklearn"):
        judges["logistic"] = logistic(data)
    writer = lyricgen.load(given.model)
    moods = writer.checkpoint.card.moods

    def write(mood: str) -> list[str]:
        songs = writer.write(count=given.songs, seed=given.seed, plan=lyricgen.Plan(mood=mood))
        return [song.text for song in songs]

    free = write("")
    texts = {mood: write(mood) for mood in moods}
    print("| mood | judge | with --mood | without |\n|---|---|---|---|")
    for name, judge in judges.items():
        told = judge([*free, *(text for mood in moods for text in texts[mood])])
        open_told, rest = told[: len(free)], told[len(free) :]
        shares = []
        for number, mood in enumerate(moods):
            own = rest[number * given.songs : (number + 1) * given.songs]
            shares.append((own.count(mood) / len(own), open_told.count(mood) / len(free)))
            print(f"| {mood} | {name} | {shares[-1][0]:.0%} | {shares[-1][1]:.0%} |")
        means = np.mean(shares, axis=0)
        print(f"| all | {name} | {means[0]:.1%} | {means[1]:.1%} |", flush=True)


if __name__ == "__main__":
    main()
