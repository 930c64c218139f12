"""The library's front door: a loaded model that writes songs and weighs texts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lyricgen.errors import InputError, OptionError
from lyricgen.generation.candidates import Chooser
from lyricgen.generation.constraints import Draft, Form
from lyricgen.generation.engine import Engine
from lyricgen.generation.novel import NovelRule
from lyricgen.generation.plan import Plan
from lyricgen.generation.request import Odds, Piece, Request, draw_names
from lyricgen.generation.sampler import SamplingConfig
from lyricgen.generation.syllable_tokens import spells
from lyricgen.generation.writer import TOGETHER, Writer
from lyricgen.model import checkpoint
from lyricgen.model.checkpoint import Checkpoint
from lyricgen.model.config import check_range
from lyricgen.model.device import pick_device
from lyricgen.model.likelihood import Unseen, token_nats
from lyricgen.model.locate import find_model
from lyricgen.model.network import FIRST_CLASS
from lyricgen.text.labels import Labeler
from lyricgen.text.novelty import COPY, Run
from lyricgen.text.vocab import END, START

EMPHASIS = 2.0  # of a mood and a style that are asked for: docs/mood.md has what it gives


@dataclass(frozen=True)
class Written:
    """A song that was written: its text, its sung lines, and its cost under the model, nats per character.

    `copied` are the stretches of it that stand in the training songs, each once, as far as the model knows its songs.
    """

    text: str
    lines: tuple[str, ...]
    nats_per_char: float
    relaxed: tuple[str, ...] = ()
    copied: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The song as a JSON object."""
        return {
            "lines": list(self.lines),
            "nats_per_char": self.nats_per_char,
            "relaxed": list(self.relaxed),
            "copied": list(self.copied),
        }


@dataclass(frozen=True)
class Score:
    """What a text costs under a model. `chars` counts its characters, `tokens` those that the model read."""

    nats: float
    chars: int
    tokens: int

    @property
    def nats_per_char(self) -> float:
        """Nats per character."""
        return self.nats / self.chars

    @property
    def bits_per_char(self) -> float:
        """Bits per character."""
        return self.nats_per_char / log(2)


@dataclass(frozen=True)
class Expected:
    """A token that may come next (`<end>` is the end of the song), and its probability."""

    token: str
    probability: float


class Lyricist:
    """A model that writes. Make one with `lyricgen.load()`. `writer` is the kind of writing loop."""

    def __init__(self, loaded: Checkpoint, writer: type[Writer] = Writer) -> None:
        self.checkpoint = loaded
        self._writer = writer
        self.vocab = loaded.vocab
        self._novel: dict[int, NovelRule] = {}

    def stream(
        self,
        start: str = "",
        *,
        seed: int = 0,
        number: int = 0,
        plan: Plan | None = None,
        form: Form | None = None,
        sampling: SamplingConfig | None = None,
        novel: int = 0,
        candidates: int = 1,
    ) -> Iterator[str]:
        """The pieces of song `number` under a seed, the start text first, each as it is made.

        With `novel` nothing is written that makes a run of so many characters or more copied from the training
        songs (6 to 12; see `Lyricist.copied`). With `candidates`, so many versions of each line are written, and the
        best is kept; then pieces are whole lines. Raises InputError for a start text of nothing but white space,
        OptionError for a plan that cannot be.
        """
        pieces = self.pieces(start, seed=seed, number=number, plan=plan, form=form, sampling=sampling, novel=novel,
                             candidates=candidates)  # fmt: skip
        return (piece.text for piece in pieces)

    def pieces(
        self,
        start: str = "",
        *,
        seed: int = 0,
        number: int = 0,
        plan: Plan | None = None,
        form: Form | None = None,
        sampling: SamplingConfig | None = None,
        novel: int = 0,
        candidates: int = 1,
    ) -> Iterator[Piece]:
        """What `stream` gives, and with the last piece the finished song."""
        request = self._request(start, seed=seed, plan=plan, form=form, sampling=sampling, novel=novel,
                                candidates=candidates)  # fmt: skip
        return self._run(request, [number])

    def write(
        self,
        start: str = "",
        *,
        count: int = 1,
        seed: int = 0,
        plan: Plan | None = None,
        form: Form | None = None,
        sampling: SamplingConfig | None = None,
        novel: int = 0,
        candidates: int = 1,
        progress: Callable[[], object] = lambda: None,
    ) -> list[Written]:
        """`count` songs, written side by side; song k is the one that `stream(number=k)` gives.

        `progress` is called as each song is finished. Raises InputError and OptionError as `stream` does.
        """
        check_range("count", count, 1, 100_000)
        request = self._request(start, seed=seed, plan=plan, form=form, sampling=sampling, novel=novel,
                                candidates=candidates)  # fmt: skip
        songs: list[Written] = []
        together = max(1, TOGETHER // request.candidates)
        for first in range(0, count, together):
            group = list(range(first, min(first + together, count)))
            done: dict[int, Draft] = {}
            for piece in self._run(request, group):
                if piece.finished:
                    done[piece.song] = piece.finished
                    progress()
            songs += self._weighed([done[number] for number in group])
        return songs

    def _weighed(self, drafts: list[Draft]) -> list[Written]:
        """Finished drafts with what they cost under the model."""
        model, unseen = self.checkpoint.model, Unseen.of(self.vocab)
        ids = [np.array(draft.ids, dtype=np.int32) for draft in drafts]
        nats = token_nats(model, ids, unseen=unseen, labeler=self.checkpoint.labeler)
        return [self._written(draft, float(cost.sum())) for draft, cost in zip(drafts, nats, strict=True)]

    def copied(self, text: str, *, at_least: int = COPY) -> list[Run]:
        """The stretches of a text of `at_least` characters or more that stand in one or two training songs.

        Characters are counted as `lyricgen.text.units` does. None are told by a model without an index of its songs
        (`checkpoint.novelty` is None).
        """
        novelty = self.checkpoint.novelty
        return novelty.runs(text, at_least=at_least) if novelty else []

    def score(self, text: str) -> Score:
        """The cost of a text as the beginning of a song, in nats; its end is not predicted. Raises InputError."""
        if not text:
            raise InputError("there is no text to score; give at least one character")
        ids = self.vocab.encode(text)
        (nats,) = token_nats(
            self.checkpoint.model, [ids], unseen=Unseen.of(self.vocab), labeler=self.checkpoint.labeler
        )
        return Score(float(nats.sum()), len(text), len(ids))

    @torch.inference_mode()
    def expect(self, text: str = "", *, top: int = 10) -> list[Expected]:
        """What the model expects after a text that opens a song: the `top` likeliest tokens, the likeliest first.

        A model that plans its lines expects what it would under each plan of the last one, weighed.
        """
        check_range("top", top, 1, 10_000_000)
        model = self.checkpoint.model
        if found := self._pen.opening(text):
            masks = self._pen.masks(found.labels[:, :2])
            logits = found.step.logits[: len(masks)].masked_fill(~masks, -torch.inf)
            odds = found.weights @ logits.softmax(dim=-1).nan_to_num()  # a plan that nothing can keep: nan
            odds = odds / odds.sum()
        else:
            ids = [END, START, *self.vocab.encode(text).tolist()]
            logits, _ = model(torch.tensor(ids, device=model.bias.device).unsqueeze(1), model.initial_state(1))
            odds = logits[-1, 0].softmax(dim=-1)
        odds = odds * (1 - self.vocab.unseen)  # (V - 2,)
        best = odds.topk(min(top, len(odds)))
        found_classes = zip(best.values.tolist(), best.indices.tolist(), strict=True)
        return [
            Expected(self.vocab.tokens[number + FIRST_CLASS], probability) for probability, number in found_classes
        ]

    @cached_property
    def _pen(self) -> Writer:
        labeler = self.checkpoint.labeler or Labeler(self.vocab)
        return self._writer(Engine(self.checkpoint.model, emphasis=EMPHASIS), labeler)

    def _request(
        self,
        start: str,
        *,
        seed: int,
        plan: Plan | None,
        form: Form | None,
        sampling: SamplingConfig | None,
        novel: int,
        candidates: int,
    ) -> Request:
        if start and not start.strip():
            raise InputError("the start text is only white space; give it a word, or leave it out")
        plan, sampling = plan or Plan(), sampling or SamplingConfig()
        form = form or Form(repeats=sampling.greedy)
        if plan.lines and (form.lines or form.length):
            raise OptionError("a plan says itself how many lines there are; leave out --length")
        if plan.lines and not self._pen.counts:
            raise OptionError("this model writes a script whose syllables lyricgen cannot count, nor rhyme; "
                              "leave out the pattern, the rhyme and the acrostic")  # fmt: skip
        if any(line.length or line.rhyme is not None for line in plan.lines) and spells(self.vocab):
            raise OptionError("this model writes letter by letter and cannot count syllables or rhyme; "
                              "for a pattern or a rhyme, train one with --level word")  # fmt: skip
        lines = len(plan.lines) or form.lines
        if lines and (begun := len([line for line in start.split("\n") if line.strip()])) > lines:
            raise InputError(f"the start text has {begun} lines already, and the song shall have {lines}")
        also = ((f"novel {novel}", self._novel_rule(novel).forbidden_ids),) if novel else ()
        return Request(
            plan.parted(start), plan, form, sampling, self._named(plan), seed, also, candidates, self._usual
        )

    @cached_property
    def _usual(self) -> tuple[Odds, Odds]:
        """How usual each mood and each style is among the training songs; nothing where most songs have none.

        A song that is free is one of some mood and style, as each that was learned: what is known of all of them at
        once has less sense.
        """
        card = self.checkpoint.card
        songs = card.corpus.get("train_songs")

        def odds(name: str, size: int) -> Odds:
            counts = card.corpus.get(name)
            if not isinstance(counts, list) or len(counts) != size or not isinstance(songs, int):
                return ()
            if not all(isinstance(n, int) and n >= 0 for n in counts):
                return ()
            whole = sum(counts)
            return tuple(n / whole for n in counts) if 0 < songs <= 2 * whole else ()

        return odds("mood_songs", len(card.moods)), odds("style_songs", len(card.styles))

    def settled(self, plan: Plan, *, seed: int) -> Plan:
        """A plan with the mood and the style that song 0 under a seed draws, where they are open."""
        card = self.checkpoint.card
        mood, style = draw_names(self._named(plan), self._usual, seed=seed, number=0)
        return replace(plan, mood=card.moods[mood - 1] if mood else "", style=card.styles[style - 1] if style else "")

    def _named(self, plan: Plan) -> tuple[int, int]:
        """The labels of a plan's mood and style. Raises OptionError for one that the model does not know."""
        card = self.checkpoint.card
        labels = []
        for kind, name, known in (("mood", plan.mood, card.moods), ("style", plan.style, card.styles)):
            if name and name not in known:
                choose = f"it knows {', '.join(known)}" if known else "it was trained without them"
                raise OptionError(f"the model knows no {kind} {name!r}: {choose}")
            labels.append(known.index(name) + 1 if name else 0)
        return labels[0], labels[1]

    def _run(self, request: Request, songs: list[int]) -> Iterator[Piece]:
        if request.candidates == 1:
            return self._pen.write(request, songs=songs)
        if self.checkpoint.novelty:
            self.checkpoint.novelty.sort()  # it will be asked about every version of every line
        chooser = Chooser(self._pen, copies=lambda text: sum(run.units for run in self.copied(text)))
        return chooser.write(request, songs=songs)

    def _novel_rule(self, at_least: int) -> NovelRule:
        if at_least not in self._novel:
            self._novel[at_least] = NovelRule(self.checkpoint, at_least=at_least)
        return self._novel[at_least]

    def _written(self, draft: Draft, nats: float) -> Written:
        lines = (*draft.lines, draft.line) if draft.line else tuple(draft.lines)
        copied = dict.fromkeys(run.text for run in self.copied(draft.text))
        return Written(draft.text, lines, nats / max(1, len(draft.text)), draft.relaxed, tuple(copied))


def load(model: str | Path | None = None, *, device: str = "auto") -> Lyricist:
    """A lyricist with the model in a folder; without one, the newest in ./checkpoints, else the starter.

    Raises CheckpointError where there is no such model, or it cannot be read.
    """
    return Lyricist(checkpoint.load(find_model(model), device=str(pick_device(device))))
