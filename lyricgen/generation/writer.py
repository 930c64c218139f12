"""The writing loop, for many songs side by side: what was told, the model's step, the next token."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lyricgen.errors import OptionError
from lyricgen.generation.constraints import Form, FormRules
from lyricgen.generation.course import SLACK, Course, Line
from lyricgen.generation.engine import ROWS, Engine, Step
from lyricgen.generation.next_token import NextToken
from lyricgen.generation.opening import Opening, weigh
from lyricgen.generation.request import Piece, Request, Row, draw_names
from lyricgen.generation.sampler import SamplingConfig, song_stream, warpers
from lyricgen.generation.syllable_tokens import tokens_of
from lyricgen.generation.tokens import Mask
from lyricgen.model.likelihood import Masks
from lyricgen.text.labels import LENGTHS, MORE, Labeler
from lyricgen.text.vocab import END, FIRST, START

TOGETHER = 64  # songs written side by side


class Writer:
    """Writes songs with one engine. Song k under a seed is the same whatever songs are written beside it."""

    def __init__(self, engine: Engine, labeler: Labeler) -> None:
        self._engine = engine
        self._labeler = labeler
        self._vocab = labeler.vocab
        self._tokens = tokens_of(labeler)
        self.masks = Masks(labeler, engine.device)
        self._break = labeler.line_break
        self.next_token = NextToken(self._vocab, self._tokens, line_break=self._break)

    @property
    def counts(self) -> bool:
        """Whether most of what can be written has characters or syllables that can be counted."""
        return self._tokens.counts

    @torch.inference_mode()
    def write(self, request: Request, *, songs: Sequence[int]) -> Iterator[Piece]:
        """Pieces of text as they are made, the start text first. Raises OptionError where that breaks the plan."""
        rules, warp = self.rules(request), warpers(request.sampling)
        rows = [self.row(request, number) for number in songs]
        step = self.read(request, rows)
        if request.start:
            yield from (Piece(row.number, request.start) for row in rows)
        while rows:
            done = [self.finished(row, rules) for row in rows]
            yield from (self.closed(row) for row, end in zip(rows, done, strict=True) if end)
            going = [k for k, end in enumerate(done) if not end]
            if len(going) < len(rows):
                rows = [rows[k] for k in going]
                if not rows:
                    return
                step = self.keep(step, going)
            ids = self.next_token.choose(step.logits[: len(rows)], rows, rules, request.sampling, warp)
            for row, number in zip(rows, ids, strict=True):
                if piece := self.take(row, number):
                    yield Piece(row.number, piece)
            breaks = [k for k, number in enumerate(ids) if self.ends_line(number)]
            breaks = [k for k in breaks if not rows[k].course.finished(rows[k].draft)]
            self._open(rows, breaks, step.features, request.sampling)
            step = self.feed(rows, ids, step)

    # --- what a song is made of, for those who write otherwise than from its first token to its last

    def rules(self, request: Request) -> FormRules:
        """The rules of the song's form."""
        form = Form(lines=len(request.plan.lines)) if request.plan.lines else request.form
        return FormRules(form, self._vocab, also=request.also)

    def course(self, request: Request) -> Course:
        """The way of one song through its plan."""
        return Course(request.plan, request.form, self._tokens)

    def row(self, request: Request, number: int, version: int = 0) -> Row:
        """A song that is not begun; its version 0 is song `number` under the seed."""
        stream = song_stream(request.seed, number, version)
        return Row(number, self.course(request), stream,
                   draw_names(request.named, request.usual, seed=request.seed, number=number))  # fmt: skip

    def finished(self, row: Row, rules: FormRules) -> bool:
        """Whether a song is complete."""
        return row.course.finished(row.draft) or rules.finished(row.draft)

    def ends_line(self, number: int) -> bool:
        """Whether an id is the line break."""
        return number == self._break

    def closed(self, row: Row) -> Piece:
        """The last piece of a song: all of it."""
        row.course.finish(row.draft)
        row.draft.relaxed = tuple(row.course.relaxed)
        return Piece(row.number, "", row.draft)

    def keep(self, step: Step, rows: list[int]) -> Step:
        """The step of some rows only."""
        return self._engine.keep(step, torch.tensor(_padded(rows), device=step.logits.device))

    def join(self, steps: Sequence[Step]) -> Step:
        """The first rows of several steps side by side."""
        height = -(-len(steps) // ROWS) * ROWS
        steps = [*steps, *[steps[-1]] * (height - len(steps))]
        state = [
            tuple(torch.cat([step.state[layer][part][:1] for step in steps]) for part in range(len(parts)))
            for layer, parts in enumerate(steps[0].state)
        ]
        return Step(torch.cat([s.logits[:1] for s in steps]), torch.cat([s.features[:1] for s in steps]), state)

    def next_line(self, rows: Sequence[Row], step: Step, request: Request) -> Step:
        """Begins the next line of rows that stand before their line break."""
        self._open(rows, range(len(rows)), step.features, request.sampling)
        return self.feed(rows, [self._break] * len(rows), step)

    @torch.inference_mode()
    def opening(self, text: str) -> Opening | None:
        """What a text that opens a song leads to, for each plan of its last line; None for a model without plans.

        The plans' weights are in float32 here, and where the logits are that they weigh.
        """
        if self._engine.model.planner is None:
            return None
        request = Request(text)
        row = self.row(request, 0)
        before, opener, begun = self._read_lines(request, [row])
        found = self._weigh(row, before, opener, begun, request.named, lengths=np.ones(LENGTHS, dtype=bool))
        return replace(found, weights=found.weights.float().to(self._engine.device))

    def take(self, row: Row, number: int) -> str:
        """Adds a token to a draft; gives its text."""
        draft = row.draft
        if row.course.line.copy:
            _, piece = row.course.copied(draft)
        else:
            piece = self._vocab.tokens[number] if number >= FIRST else ""
        draft.ids.append(number)
        draft.written += 1
        draft.add(piece)
        draft.ended = number == END
        if number == self._break and draft.breaks == 1:
            row.course.close(draft)
        return piece

    def feed(self, rows: Sequence[Row], ids: Sequence[int | None], step: Step) -> Step:
        """The step after each row's id; after None a row's numbers mean nothing."""
        device, height = step.logits.device, len(step.logits)
        known = [END if number is None else number for number in ids]
        padded = torch.tensor([*known, *[END] * (height - len(ids))], device=device)
        if self._engine.model.planner is None:
            return self._engine.step(padded, step.state)
        told = [
            (0, 0, 0, 0) if number is None else (*row.course.label(row.draft), *row.named)
            for row, number in zip(rows, ids, strict=True)
        ]
        labels = torch.tensor(told + [(0, 0, 0, 0)] * (height - len(ids)), device=device)
        return self._engine.step(padded, step.state, labels)

    # --- the start of a song

    def read(self, request: Request, rows: list[Row]) -> Step:
        """Reads the start text into every row: the step after it."""
        step, opener, begun = self._read_lines(request, rows)
        row = rows[0]
        text = request.start.rpartition("\n")[2]
        self._check_begun(row, text)
        if not len(begun):
            self._open(rows, range(len(rows)), step.features, request.sampling)
            return self.feed(rows, [opener] * len(rows), step)
        if self._engine.model.planner is None:
            for row in rows:
                self._open_unlabelled(row)
            step = self.feed(rows, [opener] * len(rows), step)
            for number in begun.tolist():
                step = self.feed(rows, [number] * len(rows), step)
        else:
            found_for: dict[tuple[int, int], Opening] = {}
            begins = []
            for k, row in enumerate(rows):
                if (found := found_for.get(row.named)) is None:
                    lengths = row.course.lengths(row.draft)
                    found = self._weigh(row, self.keep(step, [k]), opener, begun, row.named, lengths=lengths)
                    found_for[row.named] = found
                sums = found.weights.cumsum(0).numpy()
                at = min(int(np.searchsorted(sums, row.stream.random() * sums[-1], side="right")), len(sums) - 1)
                extra = int(row.stream.random() * SLACK)
                row.course.open(row.draft, int(found.lengths[at]), int(found.rhymes[at]), extra=extra)
                begins.append(self.keep(found.step, [at]))
            step = self.join(begins)
        for row in rows:
            row.draft.add(text)
            row.draft.ids += begun.tolist()
        return step

    def _read_lines(self, request: Request, rows: list[Row]) -> tuple[Step, int, npt.NDArray[np.int32]]:
        """Reads the start text's whole lines: the step before the id that opens the next, that id, what begins it."""
        whole, found, _ = request.start.rpartition("\n")
        whole += found
        ids = self._vocab.encode(request.start)
        closes = np.flatnonzero(ids == self._break) if self._break >= 0 else np.zeros(0, dtype=int)
        cut = int(closes[-1]) + 1 if len(closes) else 0
        feed = np.append(np.int32(START), ids[:cut]).astype(np.int32)
        labels = self._labeler.of(feed) if self._engine.model.planner is not None and cut else None
        step = self._engine.begin(len(rows))
        height = len(step.logits)
        for k, number in enumerate(feed[:-1].tolist()):
            told = None
            if self._engine.model.planner is not None:
                assert labels is not None
                names = [row.named for row in rows] + [(0, 0)] * (height - len(rows))
                told = torch.tensor([(*labels[k].tolist(), *named) for named in names], device=step.logits.device)
            step = self._engine.step(torch.full((height,), number, device=step.logits.device), step.state, told)
        for row in rows:
            for line in whole.split("\n")[:-1]:
                wish = row.course.next_wish(row.draft)
                self._check_begun(row, line)
                if line and wish.repeats is not None and line != row.draft.lines[wish.repeats]:
                    raise OptionError(_other_repeat(len(row.draft.lines), wish.repeats))
                if line and wish.length is not None and self._tokens.count(line) != wish.length:
                    raise OptionError(
                        f"line {len(row.draft.lines) + 1} shall have {wish.length} characters, and in the start text "
                        f"it has {self._tokens.count(line)}"
                    )
                row.course.line = Line(wish, given=True)
                row.draft.add(line + "\n")
                if line:
                    row.course.close(row.draft)
            row.draft.ids += ids[:cut].tolist()
        return step, int(feed[-1]), ids[cut:]

    def _weigh(
        self,
        row: Row,
        before: Step,
        opener: int,
        begun: npt.NDArray[np.int32],
        named: tuple[int, int],
        *,
        lengths: Mask,
    ) -> Opening:
        if len(begun):
            count = int(self._labeler.count(begun).sum())  # an unknown character counts as one
            fits = lengths.copy()
            fits[: min(max(1, count), MORE)] = False
            fits[-1] = False
            lengths = fits if fits.any() else lengths
        return weigh(self._engine, self.masks, self._labeler, before, opener=opener, begun=begun, lengths=lengths,
                     rhymes=lambda length: row.course.rhymes(row.draft, length), named=named)  # fmt: skip

    def _check_begun(self, row: Row, text: str) -> None:
        wish, number = row.course.next_wish(row.draft), len(row.draft.lines) + 1
        if wish.length is not None and self._tokens.count(text) > wish.length:
            raise OptionError(f"line {number} shall have {wish.length} characters, and the start text has more")
        if wish.repeats is not None and not row.draft.lines[wish.repeats].startswith(text):
            raise OptionError(_other_repeat(number - 1, wish.repeats))
        begun, head = text.casefold(), wish.head.casefold()
        if begun and head and not head.startswith(begun) and not begun.startswith(head):
            raise OptionError(f"line {number} shall begin with {wish.head}, and the start text does not")

    # --- the start of a line

    def _open(self, rows: Sequence[Row], which: Sequence[int], features: Tensor, sampling: SamplingConfig) -> None:
        """Decides the next line of some rows, from the features `(B, width)` before its line break."""
        planner = self._engine.model.planner
        if planner is None or not len(which):
            for k in which:
                self._open_unlabelled(rows[k])
            return
        lengths = torch.zeros(len(features), dtype=torch.long, device=features.device)
        odds = planner(features, lengths)[0].cpu().double().numpy()  # (B, L)
        for k in which:
            lengths[k] = _pick(odds[k], rows[k].course.lengths(rows[k].draft), rows[k].stream, sampling)
        odds = planner(features, lengths)[1].cpu().double().numpy()  # (B, R)
        for k in which:
            row, length = rows[k], int(lengths[k])
            rhyme = _pick(odds[k], row.course.rhymes(row.draft, length), row.stream, sampling)
            row.course.open(row.draft, length, rhyme, extra=int(row.stream.random() * SLACK))

    def _open_unlabelled(self, row: Row) -> None:
        allowed = row.course.lengths(row.draft)
        row.course.open(row.draft, 0 if allowed[0] and allowed.sum() == 1 else None, 0)


def _other_repeat(number: int, first: int) -> str:
    return f"line {number + 1} repeats line {first + 1}, and the start text has another"


def _pick(odds: npt.NDArray[np.float64], allowed: Mask, stream: np.random.Generator, sampling: SamplingConfig) -> int:
    """A label from log-odds `(n,)`, among those allowed."""
    scores = np.where(allowed, odds, -np.inf)
    if sampling.greedy:
        return int(scores.argmax())
    scores = np.exp((scores - scores.max()) / min(1.0, sampling.temperature))
    sums = scores.cumsum()
    return min(int(np.searchsorted(sums, stream.random() * sums[-1], side="right")), len(sums) - 1)


def _padded(rows: list[int]) -> list[int]:
    """Row numbers made up to a multiple of the engine's height, by repeating the last."""
    return rows + [rows[-1]] * (-len(rows) % ROWS)
