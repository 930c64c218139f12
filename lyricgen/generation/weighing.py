"""What a line costs in its place: by itself, and together with the lines that follow it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lyricgen.generation.lyricist import Lyricist
from lyricgen.model.likelihood import Unseen, token_nats
from lyricgen.text.novelty import Run


@dataclass(frozen=True)
class Candidate:
    """A line that could stand in a song.

    `cost` is nats per character of the line, given what stands before it; `mean` is nats per character, and `total`
    nats, of the line and of all lines after it. `copied` are the runs that stand in the training songs, as they lie
    in the line; `relaxed` are the rules that gave way.
    """

    line: str
    cost: float
    mean: float
    total: float
    copied: tuple[Run, ...] = ()
    relaxed: tuple[str, ...] = ()


class Scale:
    """Weighs lines by a model."""

    def __init__(self, lyricist: Lyricist) -> None:
        self._lyricist = lyricist
        self._checkpoint = lyricist.checkpoint
        # A model that plans its lines pays at a line's break for the plan of the next one, which may not be there.
        self._closing = "" if self._checkpoint.labeler else "\n"

    def weigh(self, lines: Sequence[str], *, before: str, after: str = "") -> list[Candidate]:
        """The lines as candidates for one place, between two texts of whole lines.

        The break before a line is counted with it: a model that plans pays for the line's plan there. Of a model
        without plans the break after it counts too, for it tells whether the line is complete.
        """
        vocab = self._checkpoint.vocab
        stem = len(vocab.encode(before.rstrip("\n")))
        rest = "\n" + after.rstrip("\n") + self._closing if after else self._closing
        texts = [vocab.encode(before + line + rest) for line in lines]
        ends = [len(vocab.encode(before + line + self._closing)) for line in lines]
        found = token_nats(self._checkpoint.model, texts, unseen=Unseen.of(vocab), labeler=self._checkpoint.labeler)
        breaks = len(before) - len(before.rstrip("\n"))
        weighed = []
        for line, end, nats in zip(lines, ends, found, strict=True):
            cost, total = float(nats[stem:end].sum()), float(nats[stem:].sum())
            own, all_of_it = breaks + len(line + self._closing), breaks + len(line + rest)
            weighed.append(Candidate(line, cost / own, total / all_of_it, total, self._copied(line, before, after)))
        return weighed

    def _copied(self, line: str, before: str, after: str) -> tuple[Run, ...]:
        """What is copied with a part in the line, its places clipped to the line."""
        start, stop = len(before), len(before) + len(line)
        runs = self._lyricist.copied(before + line + "\n" + after)
        return tuple(
            replace(run, start=max(run.start, start) - start, end=min(run.end, stop) - start)
            for run in runs
            if run.start < stop and run.end > start
        )
