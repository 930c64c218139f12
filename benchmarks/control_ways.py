"""Ways to keep a plan, side by side, each trained alike on the songbook's training songs.

    python benchmarks/control_ways.py --judge judge --epochs 3    # the judge: control.py --train-judge

- masks: a model without plans; lengths and rhymes by masks alone
- hidden: the plan as input, unknown in a share of the lines (0.15) in training and wherever it is open in writing
- predicted: the plan as input, always; the model predicts what is left open (what lyricgen does)
- reversed: each line written from its last character, which is chosen to rhyme; lengths by masks

Prints held-out nats per character of free text (the plan's own terms counted in), and for each scheme what rhyming
costs under the judge, as benchmarks/control.py weighs it.
"""

import argparse
import tempfile
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from control import WEIGHED, distinct, must_rhyme, weigh

from lyricgen.generation.constraints import Draft
from lyricgen.generation.course import Course
from lyricgen.generation.lyricist import Lyricist, Written, load
from lyricgen.generation.plan import Plan
from lyricgen.generation.writer import Request, Writer
from lyricgen.model.device import prepare_torch
from lyricgen.text.corpus import Corpus, write_songbook
from lyricgen.text.labels import MORE
from lyricgen.text.phonetics import is_han, rhyme_class
from lyricgen.text.resources import songbook
from lyricgen.text.song import Section, Song
from lyricgen.training.recipe import Wishes
from lyricgen.training.run_folder import LABELS
from lyricgen.training.session import RunOptions, start_session

HIDDEN = 0.15


def hide(folder: Path, share: float) -> None:
    """Makes the plans of a share of the lines unknown: as a line of open length without a rhyme is told."""
    labels = np.load(folder / LABELS, mmap_mode="r+")
    new_line = np.diff(labels[:, 0].astype(int), prepend=0) > 0  # the units that are left rise
    line = np.cumsum(new_line)
    unknown = np.random.default_rng(0).random(int(line[-1]) + 1) < share
    labels[unknown[line], 0], labels[unknown[line], 1] = MORE, 0
    labels.flush()


class UnknownCourse(Course):
    """A song whose model is told nothing of lines that are left open, and does not choose for them."""

    def label(self, draft: Draft) -> tuple[int, int]:
        """What the model is told: all of a line that must rhyme, nothing of another."""
        return super().label(draft) if self.line.plan.rhyme is not None or self.line.ends else (MORE, 0)


class UnknownWriter(Writer):
    """A writer that tells its model as much."""

    def course(self, request: Request) -> Course:
        """The way of one song through its plan."""
        return UnknownCourse(request.plan, request.form, self._tokens)


def backwards(songs: Iterable[Song]) -> Iterable[Song]:
    """The songs with every line from its last character to its first."""
    for song in songs:
        sections = tuple(Section(tuple(line[::-1] for line in part.lines), part.name) for part in song.sections)
        yield replace(song, sections=sections)


def train(way: str, folder: Path, given: argparse.Namespace) -> float:
    """Trains one way's model; its best held-out loss."""
    with tempfile.TemporaryDirectory() as work:
        songs, book = Path(work, "songs.txt"), Corpus([songbook()])
        write_songbook(backwards(book) if way == "reversed" else book, songs)
        wishes = Wishes(hidden=given.hidden, dropout=given.dropout, epochs=given.epochs, seed=given.seed, patience=0)
        options = RunOptions((str(songs),), folder, plan=way in ("hidden", "predicted"), wishes=wishes)
        session = start_session(options, device=torch.device("cpu"), began=time.monotonic())
        if way == "hidden":
            hide(folder, HIDDEN)  # the trainer reads the same file, mapped
        for _ in session.trainer.run():
            pass
        return session.trainer.best


def write_backwards(lyricist: Lyricist, plan: Plan, *, count: int, seed: int) -> list[Written]:
    """Songs of a model of reversed lines: the first character of each line is the rhyme."""
    tokens = lyricist.vocab.tokens
    sounds = {number: rhyme_class(text) for number, text in enumerate(tokens) if is_han(text[-1:])}
    numbers = {name: sum(name in found for found in sounds.values()) for found in sounds.values() for name in found}
    loose = replace(plan, lines=tuple(replace(line, rhyme=None) for line in plan.lines))

    def rule(draft: Draft) -> tuple[int, ...]:
        wish = plan.lines[len(draft.lines)] if len(draft.lines) < len(plan.lines) else None
        if draft.line or wish is None or wish.rhyme is None or (wish.opens and draft.breaks == 1):
            return ()
        ends = [line[0] for line, other in zip(draft.lines, plan.lines, strict=False) if other.rhyme == wish.rhyme]
        names = frozenset.intersection(*map(rhyme_class, ends)) if ends else {n for n, c in numbers.items() if c > 20}
        return tuple(n for n in range(len(tokens)) if not (sounds.get(n, frozenset()) & names) or tokens[n] in ends)

    request = Request(plan=loose, seed=seed, also=(("rhyme", rule),))
    done = {piece.song: piece.finished for piece in lyricist._run(request, range(count)) if piece.finished}
    songs = lyricist._weighed([done[number] for number in range(count)])
    return [replace(song, lines=tuple(line[::-1] for line in song.lines)) for song in songs]


def main() -> None:
    """Trains, writes, weighs and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--judge", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--hidden", type=int, default=192)
    parser.add_argument("--dropout", type=float, default=0.3)
    parser.add_argument("--songs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--way", action="append", choices=("masks", "hidden", "predicted", "reversed"))
    given = parser.parse_args()
    prepare_torch()
    judge = load(given.judge)
    print("| way | held out | " + " | ".join(f"{w['pattern']} {w['rhyme']}" for w in WEIGHED) + " | distinct kept |")
    print("|---|---|" + "---|" * len(WEIGHED) + "---|")
    for way in given.way or ("masks", "hidden", "predicted", "reversed"):
        with tempfile.TemporaryDirectory() as work:
            best = train(way, Path(work, "model"), given)
            loaded = load(Path(work, "model")).checkpoint
            writer = Lyricist(loaded, UnknownWriter if way == "hidden" else Writer)
        costs, shares = [], []
        for wishes in WEIGHED:
            plan = Plan.parse(**wishes)  # type: ignore[arg-type]
            loose = Plan.parse(**{**wishes, "rhyme": ""})  # type: ignore[arg-type]
            ends, pair = must_rhyme(plan), []
            for each in (plan, loose):
                if way == "reversed":
                    pair.append(write_backwards(writer, each, count=given.songs, seed=given.seed))
                else:
                    pair.append(writer.write(plan=each, count=given.songs, seed=given.seed))
            a, b = (weigh(judge, songs, ends) for songs in pair)
            rates = [x[:, 0].sum() / x[:, 1].sum() for x in (a, b)]
            errors = [np.std(x[:, 0] - r * x[:, 1]) * len(x) ** 0.5 / x[:, 1].sum()
                      for x, r in zip((a, b), rates, strict=True)]  # fmt: skip
            costs.append(f"{rates[1]:.2f}, {rates[0] - rates[1]:+.3f} ± {float(np.hypot(*errors)):.3f}")
            shares.append(100 * distinct(pair[0]) / distinct(pair[1]))
        kept = f"{min(shares):.0f} to {max(shares):.0f} %"
        print(f"| {way} | {best:.3f} | " + " | ".join(costs) + f" | {kept} |", flush=True)


if __name__ == "__main__":
    main()
