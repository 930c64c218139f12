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
from lyricgen.text.vocab import START
from lyricgen.training import epochs as epochs_module
from lyricgen.training.dataset import WindowDataset
from lyricgen.training.recipe import Wishes
from lyricgen.training.session import RunOptions, start_session

HIDDEN = 0.15


class HidingDataset(WindowDataset):
    """Windows in which some lines' plans are unknown: as a line of open length without a rhyme is told."""

    def __init__(self, ids, *, labels=None, line_break=-1, epoch=0, **options) -> None:  # type: ignore[no-untyped-def]
        if labels is not None:
            labels = np.array(labels)
            opens = np.concatenate(([True], (ids[1:] == line_break) | (ids[1:] == START)))
            line = np.cumsum(opens)
            unknown = np.random.default_rng(epoch).random(int(line[-1]) + 1) < HIDDEN
            labels[unknown[line], 0], labels[unknown[line], 1] = MORE, 0
        super().__init__(ids, labels=labels, line_break=line_break, epoch=epoch, **options)


class UnknownCourse(Course):
    """A song whose model is told nothing of lines that are left open, and does not choose for them."""

    def label(self, draft: Draft) -> tuple[int, int]:
        """What the model is told: all of a line that must rhyme, nothing of another."""
        return super().label(draft) if self.line.plan.rhyme is not None or self.line.ends else (MORE, 0)


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
        epochs_module.WindowDataset = HidingDataset if way == "hidden" else WindowDataset  # type: ignore[misc]
        session = start_session(options, device=torch.device("cpu"), began=time.monotonic())
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

    request = Request(plan=loose, seed=seed, also=(rule,))
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
    judge, course = load(given.judge), Writer._course
    print("| way | held out | " + " | ".join(f"{w['pattern']} {w['rhyme']}" for w in WEIGHED) + " | distinct kept |")
    print("|---|---|" + "---|" * len(WEIGHED) + "---|")
    for way in given.way or ("masks", "hidden", "predicted", "reversed"):
        with tempfile.TemporaryDirectory() as work:
            best = train(way, Path(work, "model"), given)
            writer = load(Path(work, "model"))
        costs, shares = [], []
        for wishes in WEIGHED:
            plan = Plan.parse(**wishes)  # type: ignore[arg-type]
            loose = Plan.parse(**{**wishes, "rhyme": ""})  # type: ignore[arg-type]
            ends, pair = must_rhyme(plan), []
            for each in (plan, loose):
                Writer._course = _unknown if way == "hidden" else course  # type: ignore[method-assign]
                if way == "reversed":
                    pair.append(write_backwards(writer, each, count=given.songs, seed=given.seed))
                else:
                    pair.append(writer.write(plan=each, count=given.songs, seed=given.seed))
                Writer._course = course  # type: ignore[method-assign]
            a, b = (weigh(judge, songs, ends) for songs in pair)
            rates = [x[:, 0].sum() / x[:, 1].sum() for x in (a, b)]
            errors = [np.std(x[:, 0] - r * x[:, 1]) * len(x) ** 0.5 / x[:, 1].sum()
                      for x, r in zip((a, b), rates, strict=True)]  # fmt: skip
            costs.append(f"{rates[1]:.2f}, {rates[0] - rates[1]:+.3f} ± {float(np.hypot(*errors)):.3f}")
            shares.append(100 * distinct(pair[0]) / distinct(pair[1]))
        kept = f"{min(shares):.0f} to {max(shares):.0f} %"
        print(f"| {way} | {best:.3f} | " + " | ".join(costs) + f" | {kept} |", flush=True)


def _unknown(writer, request):  # type: ignore[no-untyped-def]
    return UnknownCourse(request.plan, request.form, writer._tokens)


if __name__ == "__main__":
    main()
