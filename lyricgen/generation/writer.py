"""The writing loop: logits, hard rules, soft rules, a draw, for many songs side by side."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lyricgen.generation.constraints import Draft, Form, FormRules, Rule
from lyricgen.generation.engine import ROWS, Engine
from lyricgen.generation.sampler import RECENT, SamplingConfig, Warper, draw, penalize, song_stream, warpers
from lyricgen.model.likelihood import Unseen
from lyricgen.model.network import FIRST_CLASS
from lyricgen.text.vocab import END, FIRST, Vocab

TOGETHER = 64  # songs written side by side


@dataclass(frozen=True)
class Piece:
    """Text that was just written and the number of its song; `finished` is the whole song, with its last piece."""

    song: int
    text: str
    finished: Draft | None = None


class Writer:
    """Writes songs with one engine. Song k under a seed is the same whatever songs are written beside it."""

    def __init__(self, engine: Engine, vocab: Vocab) -> None:
        self._engine = engine
        self._vocab = vocab
        # How many characters an unseen one could be plays no part here, and counting them takes a while.
        self._seen_nats = Unseen(vocab.unseen, choices=1).seen_nats

    @torch.inference_mode()
    def write(
        self,
        start: str,
        *,
        form: Form,
        sampling: SamplingConfig,
        songs: Sequence[int],
        seed: int,
        also: tuple[Rule, ...] = (),
    ) -> Iterator[Piece]:
        """Pieces of text as they are made, the start text first. `also` are rules beside the form's."""
        rules = FormRules(form, self._vocab, also=also)
        rows = [_Row(number, Draft(), song_stream(seed, number)) for number in songs]
        logits, state = self._engine.start(len(rows))
        for class_id in self._vocab.encode(start).tolist():
            self._charge(rows, logits, [class_id] * len(rows))
            logits, state = self._engine.step(torch.full((len(logits),), class_id, device=logits.device), state)
        for row in rows:
            row.draft.add(start)
            row.draft.ids += self._vocab.encode(start).tolist()
            if start:
                yield Piece(row.number, start)
        warp = warpers(sampling)
        while rows:
            for row in (row for row in rows if rules.finished(row.draft)):
                yield Piece(row.number, "", row.draft)
            going = [k for k, row in enumerate(rows) if not rules.finished(row.draft)]
            if len(going) < len(rows):
                rows = [rows[k] for k in going]
                if not rows:
                    return
                at = torch.tensor(_padded(going), device=logits.device)
                logits, state = logits[at], self._engine.keep(state, at)
            ids = self._choose(logits[: len(rows)], rows, rules, sampling, warp)
            self._charge(rows, logits, ids)
            for row, number in zip(rows, ids, strict=True):
                piece = self._vocab.tokens[number] if number >= FIRST else ""
                row.draft.ids.append(number)
                row.draft.written += 1
                row.draft.add(piece)
                row.draft.ended = number == END
                if piece:
                    yield Piece(row.number, piece)
            padded = ids + [END] * (len(logits) - len(ids))
            logits, state = self._engine.step(torch.tensor(padded, device=logits.device), state)

    def _choose(
        self,
        logits: Tensor,
        rows: Sequence["_Row"],
        rules: FormRules,
        sampling: SamplingConfig,
        warp: Sequence[Warper],
    ) -> list[int]:
        """The next id of each row, from logits `(B, C)`."""
        scores = logits.clone()
        for k, row in enumerate(rows):
            if (only := rules.forced(row.draft)) is not None:
                kept = scores[k, only - FIRST_CLASS].clone()
                scores[k] = -torch.inf
                scores[k, only - FIRST_CLASS] = kept
                continue
            forbidden: set[int] = set()
            for rule in rules.rules:
                more = forbidden | {number - FIRST_CLASS for number in rule(row.draft) if number >= FIRST_CLASS}
                if len(more) < scores.shape[1]:  # a rule that would leave nothing gives way
                    forbidden = more
            scores[k, list(forbidden)] = -torch.inf
        if sampling.greedy:
            return [int(c) + FIRST_CLASS for c in scores.argmax(dim=-1)]
        if sampling.repetition_penalty != 1:
            recent = [self._recent(row.draft) for row in rows]
            scores = penalize(scores, recent, sampling.repetition_penalty)
        for reshape in warp:
            scores = reshape(scores)
        uniforms = torch.tensor([row.stream.random() for row in rows], dtype=torch.float64, device=scores.device)
        return [c + FIRST_CLASS for c in draw(scores, uniforms).tolist()]

    def _recent(self, draft: Draft) -> list[int]:
        """Classes of the last tokens, line breaks left out: lines must be able to end."""
        line_break = self._vocab.ids.get("\n")
        return [n - FIRST_CLASS for n in draft.ids[-RECENT:] if n >= FIRST and n != line_break]

    def _charge(self, rows: Sequence["_Row"], logits: Tensor, ids: Sequence[int]) -> None:
        """Adds what each id costs under the bare model to its draft, in nats."""
        classes = torch.tensor([max(0, n - FIRST_CLASS) for n in ids], device=logits.device)
        chosen = logits[: len(rows)].gather(1, classes.unsqueeze(1)).squeeze(1)
        nats = (logits[: len(rows)].logsumexp(dim=-1) - chosen).tolist()
        for row, number, cost in zip(rows, ids, nats, strict=True):
            known = number >= FIRST_CLASS
            row.draft.nats += cost + self._seen_nats if known else Unseen.of(self._vocab).nats


@dataclass
class _Row:
    """One song while it is written."""

    number: int
    draft: Draft
    stream: np.random.Generator


def _padded(rows: list[int]) -> list[int]:
    """Row numbers made up to a multiple of the engine's height, by repeating the last."""
    return rows + [rows[-1]] * (-len(rows) % ROWS)
