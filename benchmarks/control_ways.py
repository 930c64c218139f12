"""Ways to keep a plan, side by side, each trained alike on the songbook's training songs.

    python benchmarks/control_ways.py --judge judge    # the judge: control.py --train-judge

- masks: a model without plans; lengths and rhymes by masks alone
- hidden: the plan as input, some of it unknown in training, and in writing whatever the user leaves open
- tokens: each line's length and rhyme as two tokens at its head, in the ordinary softmax
- predicted: the plan as input, always; the model predicts what is left open (what lyricgen does)
- reversed: each line written from its last character, which is chosen to rhyme; lengths by masks

Every way keeps lengths and rhymes by masks, and none is told a song's mood or style. Prints held-out nats per
character of free text (the plan's own terms counted in, where the plan is not unknown), and for each scheme what
rhyming costs under the judge, as benchmarks/control.py weighs it.
"""

import argparse
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from control import WEIGHED, distinct, must_rhyme, weigh
from torch import Tensor

from lyricgen.evaluation.held_out import evaluate_documents
from lyricgen.generation.constraints import Draft
from lyricgen.generation.course import Course
from lyricgen.generation.lyricist import Lyricist, Written, load
from lyricgen.generation.plan import LinePlan, Plan
from lyricgen.generation.request import Request, Row
from lyricgen.generation.sampler import SamplingConfig
from lyricgen.generation.writer import Writer
from lyricgen.model.checkpoint import Card, Checkpoint
from lyricgen.model.config import SCHEDULES, ModelConfig
from lyricgen.model.device import prepare_torch
from lyricgen.model.network import LyricModel
from lyricgen.text.corpus import Corpus, write_songbook
from lyricgen.text.documents import read_documents
from lyricgen.text.labels import CLASSES, LENGTHS, MORE, RHYMES
from lyricgen.text.phonetics import count_units, is_han, line_rhyme, rhyme_class
from lyricgen.text.resources import songbook
from lyricgen.text.song import Section, Song
from lyricgen.text.tokenizer import Tokenizer
from lyricgen.training.prepare import prepare
from lyricgen.training.recipe import Wishes, choose
from lyricgen.training.run_folder import RunFolder
from lyricgen.training.trainer import Trainer

CPU = torch.device("cpu")
RICH = 20  # a rhyme is begun only with a class that more tokens than that have


class Way:
    """Masks alone: what the ways have in common, and the first of them."""

    plans: ClassVar[bool] = False  # whether the model has labels
    model: ClassVar[type[LyricModel]] = LyricModel
    more: ClassVar[int] = 0  # values of each label beside those of lyricgen's own

    def line(self, line: str) -> str:
        """A line as the model reads it."""
        return line

    def song(self, line: str) -> str:
        """A line that the model wrote, as it is sung."""
        return line

    def train(self, book: Sequence[Song], folder: Path, wishes: Wishes) -> None:
        """Trains a model in a folder."""
        torch.manual_seed(wishes.seed or 0)
        run = RunFolder.create(folder)
        prepared = prepare(map(self._read, book), run.path, tokenizer=Tokenizer.of_level("char"), min_count=1,
                           plan=self.plans)  # fmt: skip
        recipe = choose(wishes, tokens=prepared.train.tokens, vocab_size=len(prepared.vocab), device=CPU)
        labels = {"lengths": LENGTHS + self.more, "rhymes": RHYMES + self.more} if self.plans else {}
        config = replace(recipe.model, vocab_size=len(prepared.vocab), **labels)
        trainer = Trainer.start(self.model(config), prepared, recipe.training, run, Card(config), device=CPU)
        for _ in trainer.run():
            pass

    def _read(self, song: Song) -> Song:
        parts = tuple(Section(tuple(map(self.line, part.lines)), part.name) for part in song.sections)
        return replace(song, sections=parts, mood="", style="")

    def held_out(self, loaded: Checkpoint, book: Iterable[Song], work: Path) -> float:
        """Nats of free text for each of its characters as it is sung."""
        songs = [song for song in book if song.split == "valid"]
        write_songbook(map(self._read, songs), work)
        found = evaluate_documents(loaded, read_documents([work]))
        return found.nats / (found.chars - sum(len(self.line(x)) - len(x) for song in songs for x in song.lines))

    def write(self, loaded: Checkpoint, plan: Plan, *, count: int, seed: int) -> list[Written]:
        """Songs to a plan."""
        return Lyricist(loaded).write(plan=plan, count=count, seed=seed)


class Predicted(Way):
    """What lyricgen does."""

    plans = True


class HidingModel(LyricModel):
    """A model to which the last value of each label says that it is unknown; learning from lines, some of it is.

    In a third of the rows of each batch all is unknown, as in free writing; in the others half the lines' rhymes.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        assert self.planner is not None  # the trainer wants one; nothing is learned for it, and nobody asks it
        self.planner.register_forward_pre_hook(lambda _, given: (given[0].detach(), given[1]))

    def features(
        self, ids: Tensor, state: list[tuple[Tensor, ...]], labels: Tensor | None = None
    ) -> tuple[Tensor, list[tuple[Tensor, ...]]]:
        """See LyricModel; without labels `(T, B, 4)` all is unknown."""
        unknown = torch.tensor([self.config.lengths - 1, self.config.rhymes - 1, 0, 0])
        if labels is None:
            labels = unknown.expand(*ids.shape, 4)
        elif self.training:
            left = labels[..., 0]
            line = (left[1:] > left[:-1]).cumsum(dim=0)  # the units that are left rise where a line begins
            line = torch.cat((torch.zeros_like(line[:1]), line))
            open_rhyme = torch.rand(line.shape, generator=self.generator).gather(0, line) < 0.5
            all_open = torch.rand(line.shape[1], generator=self.generator) < 1 / 3
            hidden = torch.stack((all_open.expand_as(line), open_rhyme | all_open), dim=-1)
            labels = torch.cat((torch.where(hidden, unknown[:2], labels[..., :2]), labels[..., 2:]), dim=-1)
        return super().features(ids, state, labels)


class OpenCourse(Course):
    """A song whose model is told what the user wants, and nothing of the rest."""

    def label(self, draft: Draft) -> tuple[int, int]:
        """What the model is told beside the id that came last: left and rhyme."""
        wish, classes = self.line.plan, self.line.classes
        left, _ = super().label(draft)
        rhyme = CLASSES.index(next(iter(classes))) if len(classes) == 1 else RHYMES
        return (left if wish.length is not None else LENGTHS), rhyme


class OpenWriter(Writer):
    """A writer whose model decides nothing about a line before it is written."""

    def course(self, request: Request) -> Course:
        """The way of one song through its plan."""
        return OpenCourse(request.plan, request.form, self._tokens)

    def _open(self, rows: Sequence[Row], which: Sequence[int], features: Tensor, sampling: SamplingConfig) -> None:
        for k in which:
            self._open_unlabelled(rows[k])


class Hidden(Way):
    """The plan as input, unknown in some lines of the training text and wherever it is open in writing."""

    plans = True
    model = HidingModel
    more = 1

    def held_out(self, loaded: Checkpoint, book: Iterable[Song], work: Path) -> float:
        """Nats of free text, of which all is unknown."""
        model = HidingModel(loaded.card.model)
        model.load_state_dict(loaded.model.state_dict())
        model.planner = None
        return super().held_out(replace(loaded, model=model), book, work)

    def write(self, loaded: Checkpoint, plan: Plan, *, count: int, seed: int) -> list[Written]:
        """Songs to a plan."""
        return Lyricist(loaded, OpenWriter).write(plan=plan, count=count, seed=seed)


@dataclass(frozen=True)
class Asked:
    """What a plan asks of the line at hand, for rules that know more than lengths and rhymes at a line's end."""

    plan: Plan
    tokens: Sequence[str]

    def line(self, draft: Draft) -> LinePlan | None:
        """What is asked of the line at hand; None after the last, and where a blank line stands first."""
        if len(draft.lines) >= len(self.plan.lines):
            return None
        wish = self.plan.lines[len(draft.lines)]
        return None if wish.opens and draft.breaks == 1 else wish

    def fellows(self, draft: Draft, wish: LinePlan) -> list[str]:
        """The lines that stand and rhyme with it."""
        return [line for line, other in zip(draft.lines, self.plan.lines, strict=False) if other.rhyme == wish.rhyme]

    @cached_property
    def sounds(self) -> dict[int, frozenset[str]]:
        """The rhymes of each token that ends in a Chinese character."""
        return {number: rhyme_class(text) for number, text in enumerate(self.tokens) if is_han(text[-1:])}

    @cached_property
    def rich(self) -> frozenset[str]:
        """The rhymes that many tokens have."""
        counts = Counter(name for found in self.sounds.values() for name in found)
        return frozenset(name for name, count in counts.items() if count > RICH)


def write_by_rule(
    way: Way, loaded: Checkpoint, plan: Plan, rule: Callable[[Draft], Sequence[int]], *, count: int, seed: int
) -> list[Written]:
    """Songs to a plan of which some is kept by a rule of the way's own."""
    writer = Lyricist(loaded)
    request = Request(plan=plan, seed=seed, also=(("rhyme", lambda draft: tuple(rule(draft))),))
    done = {piece.song: piece.finished for piece in writer._run(request, list(range(count))) if piece.finished}
    songs = writer._weighed([done[number] for number in range(count)])
    return [replace(each, lines=tuple(map(way.song, each.lines))) for each in songs]


class Tokens(Way):
    """Two marks at the head of each line: its length and its rhyme."""

    LENGTH, RHYME, LAST = 0xE000, 0xE100, 0xE200  # private characters, which no song has

    def line(self, line: str) -> str:
        """The line after its marks."""
        return chr(self.LENGTH + min(MORE, count_units(line))) + self._rhyme(line) + line

    def _rhyme(self, line: str) -> str:
        names = line_rhyme(line)
        return chr(self.RHYME + next((number for number, name in enumerate(CLASSES) if name in names), 0))

    def song(self, line: str) -> str:
        """The line without its marks, which must stand at its head and nowhere else."""
        kinds = [(ord(c) >= self.LENGTH) + (ord(c) >= self.RHYME) for c in line if self.LENGTH <= ord(c) < self.LAST]
        if kinds != [1, 2] or not self.RHYME <= ord(line[1]) < self.LAST:
            raise AssertionError(f"not a line with two marks at its head: {line!r}")
        return line[2:]

    def write(self, loaded: Checkpoint, plan: Plan, *, count: int, seed: int) -> list[Written]:
        """Songs to a plan, whose marks are written first."""
        asked = Asked(plan, loaded.vocab.tokens)
        marks = {text: n for n, text in enumerate(asked.tokens) if self.LENGTH <= ord(text[0]) < self.LAST}

        def fits(draft: Draft, wish: LinePlan) -> set[str]:
            """The marks that may come where one must."""
            if not draft.line:
                lengths = {mark for mark in marks if ord(mark) < self.RHYME}
                return lengths if wish.length is None else {chr(self.LENGTH + min(MORE, wish.length))}
            rhymes = {mark for mark in marks if ord(mark) >= self.RHYME}
            if wish.rhyme is None:
                return rhymes
            if fellows := asked.fellows(draft, wish):
                return {self._rhyme(fellows[0][2:])}
            return {mark for mark in rhymes if CLASSES[ord(mark) - self.RHYME] in asked.rich}

        def rule(draft: Draft) -> Sequence[int]:
            wish = asked.line(draft)
            if wish is None or len(draft.line) >= 2:
                return [] if wish is None else list(marks.values())
            kept = {marks[mark] for mark in fits(draft, wish)}
            return [n for n in range(len(asked.tokens)) if n not in kept]

        return write_by_rule(self, loaded, plan, rule, count=count, seed=seed)


class Reversed(Way):
    """Lines from their last character to their first."""

    def line(self, line: str) -> str:
        """The line backwards."""
        return line[::-1]

    song = line

    def write(self, loaded: Checkpoint, plan: Plan, *, count: int, seed: int) -> list[Written]:
        """Songs to a plan; the first character of each line is the rhyme."""
        asked = Asked(plan, loaded.vocab.tokens)
        loose = replace(plan, lines=tuple(replace(line, rhyme=None) for line in plan.lines))

        def rule(draft: Draft) -> Sequence[int]:
            wish = asked.line(draft)
            if draft.line or wish is None or wish.rhyme is None:
                return []
            ends = [line[0] for line in asked.fellows(draft, wish)]
            names = frozenset.intersection(*map(rhyme_class, ends)) if ends else asked.rich
            return [n for n, text in enumerate(asked.tokens)
                    if not (asked.sounds.get(n, frozenset()) & names) or text in ends]  # fmt: skip

        return write_by_rule(self, loaded, loose, rule, count=count, seed=seed)


WAYS = {"masks": Way(), "hidden": Hidden(), "tokens": Tokens(), "predicted": Predicted(), "reversed": Reversed()}


def main() -> None:
    """Trains, writes, weighs and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--judge", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--hidden", type=int, default=192)
    parser.add_argument("--dropout", type=float, default=0.3)
    parser.add_argument("--lr", type=float, help="default: what width and number of steps suggest")
    parser.add_argument("--turns", type=int, help="of the streams; default: what the text suggests")
    parser.add_argument("--schedule", choices=SCHEDULES)
    parser.add_argument("--weight-decay", type=float, help="default: what the number of epochs suggests")
    parser.add_argument("--songs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--way", action="append", choices=tuple(WAYS))
    given = parser.parse_args()
    prepare_torch()
    judge, book = load(given.judge), list(Corpus([songbook()]))
    wishes = Wishes(hidden=given.hidden, dropout=given.dropout, epochs=given.epochs, lr=given.lr, turns=given.turns,
                    schedule=given.schedule, weight_decay=given.weight_decay, seed=given.seed,
                    patience=0)  # fmt: skip
    print("| way | held out | " + " | ".join(f"{w['pattern']} {w['rhyme']}" for w in WEIGHED) + " | distinct kept |")
    print("|---|---|" + "---|" * len(WEIGHED) + "---|")
    for name in given.way or WAYS:
        way = WAYS[name]
        with tempfile.TemporaryDirectory() as work:
            way.train(book, Path(work, "model"), wishes)
            loaded = load(Path(work, "model")).checkpoint
            best = way.held_out(loaded, book, Path(work, "valid.txt"))
        costs, shares = [], []
        for asked in WEIGHED:
            plan = Plan.parse(**asked)  # type: ignore[arg-type]
            loose = Plan.parse(**{**asked, "rhyme": ""})  # type: ignore[arg-type]
            ends = must_rhyme(plan)
            pair = [way.write(loaded, each, count=given.songs, seed=given.seed) for each in (plan, loose)]
            a, b = (weigh(judge, songs, ends) for songs in pair)
            rates = [x[:, 0].sum() / x[:, 1].sum() for x in (a, b)]
            errors = [np.std(x[:, 0] - r * x[:, 1]) * len(x) ** 0.5 / x[:, 1].sum()
                      for x, r in zip((a, b), rates, strict=True)]  # fmt: skip
            costs.append(f"{rates[1]:.2f}, {rates[0] - rates[1]:+.3f} ± {float(np.hypot(*errors)):.3f}")
            shares.append(100 * distinct(pair[0]) / distinct(pair[1]))
        kept = f"{min(shares):.0f} to {max(shares):.0f} %"
        print(f"| {name} | {best:.3f} | " + " | ".join(costs) + f" | {kept} |", flush=True)


if __name__ == "__main__":
    main()
