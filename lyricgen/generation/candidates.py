"""A song line by line: several versions of each line side by side, of which the best is kept."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from lyricgen.generation.engine import Step
from lyricgen.generation.request import Piece, Request, Row
from lyricgen.generation.sampler import warpers
from lyricgen.generation.writer import Writer
from lyricgen.model.network import FIRST_CLASS
from lyricgen.text.novelty import COPY

FAULT = 3.0  # nats per token that a line is held to cost more for each rule that gave way, for a copy, for a repeat

Copies = Callable[[str], int]  # how many characters of a text are copied


@dataclass
class _Version:
    """One version of the line at hand: its row, what it cost so far, and the step before its line break."""

    row: Row
    nats: float = 0.0
    tokens: int = 0
    before: int = 0  # rules that had given way when the line began
    held: Step | None = None
    pieces: list[str] = field(default_factory=list)


class Chooser:
    """Writes songs with as many versions of each line in one batch as are asked for.

    A version is judged by its likelihood, nats per token, by the rules of the plan that gave way in it, and by what
    it copies, from the training songs or from the song itself. A song is the same whatever is written beside it.
    """

    def __init__(self, writer: Writer, *, copies: Copies) -> None:
        self._writer = writer
        self._copies = copies

    @torch.inference_mode()
    def write(self, request: Request, *, songs: Sequence[int]) -> Iterator[Piece]:
        """Whole lines as they are chosen, the start text first. Raises OptionError where that breaks the plan."""
        writer, warp, count = self._writer, warpers(request.sampling), request.candidates
        rules = writer.rules(request)
        rows = [writer.row(request, number, version) for number in songs for version in range(count)]
        step = writer.read(request, rows)
        if request.start:
            yield from (Piece(number, request.start) for number in songs)
        if writer.finished(rows[0], rules):  # the start text is the whole song
            yield from (writer.closed(row) for row in rows[::count])
            return
        while rows:
            versions = [_Version(row, before=len(row.course.relaxed)) for row in rows]
            while open_rows := [k for k, version in enumerate(versions) if version.held is None]:
                at = torch.tensor(open_rows, device=step.logits.device)
                ids = writer.next_token.choose(
                    step.logits[at], [rows[k] for k in open_rows], rules, request.sampling, warp
                )
                costs = _costs(step.logits[at], ids)
                fed: list[int | None] = [None] * len(rows)  # a version that is at its end waits for the others
                for k, number, cost in zip(open_rows, ids, costs, strict=True):
                    version = versions[k]
                    version.pieces.append(writer.take(rows[k], number))
                    version.nats += cost
                    version.tokens += 1
                    if writer.ends_line(number) or writer.finished(rows[k], rules):
                        version.held = writer.keep(step, [k])
                    else:
                        fed[k] = number
                step = writer.feed(rows, fed, step)
            groups = [versions[k : k + count] for k in range(0, len(versions), count)]
            chosen = [self._best(group) for group in groups]
            for version in chosen:
                yield Piece(version.row.number, "".join(version.pieces))
            yield from (writer.closed(version.row) for version in chosen if writer.finished(version.row, rules))
            chosen = [version for version in chosen if not writer.finished(version.row, rules)]
            rows = [self._twin(version.row, k) for version in chosen for k in range(count)]
            if rows:
                held = [version.held for version in chosen for _ in range(count) if version.held is not None]
                step = writer.next_line(rows, writer.join(held), request)

    def _best(self, versions: list[_Version]) -> _Version:
        """The version to keep. Whether a line comes at all, a song's end or an empty line, is left to the first."""
        first = versions[0]
        if not _is_sung(first):
            return first
        known = self._copies("\n".join(first.row.draft.lines[-COPY:-1]))  # what every version has before its line
        return min((version for version in versions if _is_sung(version)), key=lambda each: self._fault(each, known))

    def _fault(self, version: _Version, known: int) -> float:
        """What a version costs, nats per token; the lower, the better. So many copied characters stand before it."""
        draft, course = version.row.draft, version.row.course
        faults = len(course.relaxed) - version.before
        line = draft.lines[-1] if draft.lines else ""
        faults += line in draft.lines[:-1] and course.line.plan.repeats is None
        faults += self._copies("\n".join(draft.lines[-COPY:])) > known
        return version.nats / max(1, version.tokens) + FAULT * faults

    @staticmethod
    def _twin(row: Row, version: int) -> Row:
        """The chosen row once more; every version goes on with a random stream of its own."""
        seed = np.random.SeedSequence((int(row.stream.integers(1 << 62)), version))
        draft = replace(row.draft, lines=list(row.draft.lines), ids=list(row.draft.ids))
        return Row(row.number, row.course.twin(), np.random.Generator(np.random.Philox(seed)), row.named, draft)


def _is_sung(version: _Version) -> bool:
    return any(piece.strip() for piece in version.pieces)


def _costs(logits: Tensor, ids: Sequence[int]) -> list[float]:
    """Nats of ids under the bare model's logits `(B, C)`."""
    at = torch.tensor(ids, device=logits.device).sub(FIRST_CLASS).clamp_min(0).unsqueeze(1)
    found: list[float] = (logits.logsumexp(dim=-1) - logits.gather(1, at).squeeze(1)).tolist()
    return found
