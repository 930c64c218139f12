"""Sliding windows over a text of ids: x, and y one step later, each epoch from a new offset."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset

from lyricgen.errors import OptionError
from lyricgen.model.device import send
from lyricgen.model.likelihood import IGNORED, to_classes
from lyricgen.text.labels import MOOD, STYLE
from lyricgen.text.vocab import START

STRIDE = 101  # odd, so that over 256 epochs each song is hidden in just half of them
NAMED = torch.tensor([place in (MOOD, STYLE) for place in range(4)])


Parts = tuple[Tensor, ...]  # of one window, `(T, …)`: what a Batch has of several


class Batch(NamedTuple):
    """B windows side by side, `(T, B)`.

    `x` ids and `y` the classes one step later (see `likelihood.to_classes`). Where lines are planned, `labels`
    `(…, 4)` stand at x, and `plan` `(…, 2)` is the length and the rhyme of the line that begins one step later
    (IGNORED where none does).
    """

    x: Tensor
    y: Tensor
    labels: Tensor | None = None
    plan: Tensor | None = None

    def to(self, device: torch.device) -> "Batch":
        """The same on a device."""
        labels, plan = (part if part is None else send(part, device) for part in (self.labels, self.plan))
        return Batch(send(self.x, device), send(self.y, device), labels, plan)


class WindowDataset(Dataset[Parts]):
    """Windows of `window` tokens that together cover a text once, as a ring read from `offset` on.

    Item k begins at position offset + k·T and is x and y of a Batch, `(T,)`, and where there are labels also labels
    and plan. A last window that would come round to where the first began has the targets past that point ignored,
    so every token is predicted once an epoch, whatever the offset.

    `labels` `(n, 5)` belong to the ids `(n,)`: left, rhyme, mood, style, and a number by which a song's mood and
    style are hidden, those of half the songs in each epoch, so that a model also learns to write without them. A
    line begins after `line_break`.
    """

    def __init__(
        self,
        ids: npt.NDArray[np.integer],
        *,
        window: int,
        offset: int = 0,
        labels: npt.NDArray[np.integer] | None = None,
        line_break: int = -1,
        epoch: int = 0,
    ) -> None:
        if window < 1 or not len(ids):
            raise OptionError(f"window must be at least 1 over a text of at least one token, got {window}")
        self.ids = ids
        self.window = window
        self.offset = offset % len(ids)
        self.labels = labels
        self.line_break = line_break
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-len(self.ids) // self.window)

    def __getitem__(self, index: int) -> Parts:
        if not 0 <= index < len(self):
            raise IndexError(index)
        return tuple(
            part[:, 0] for part in self._windows([index * self.window], stops=[len(self.ids)]) if part is not None
        )

    def _windows(self, starts: Sequence[int], *, stops: Sequence[int]) -> Batch:
        """The windows that begin so many steps after the offset, each one's targets ignored from its stop on."""
        begin = torch.tensor(starts)
        steps = torch.arange(self.window + 1).unsqueeze(1)  # (T + 1, 1)
        places = ((self.offset + begin + steps) % len(self.ids)).numpy()  # (T + 1, B)
        run = torch.from_numpy(self.ids[places].astype(np.int64))
        past = steps[:-1] >= torch.tensor(stops) - begin  # (T, B)
        y = to_classes(run[1:]).masked_fill_(past, IGNORED)
        if self.labels is None:
            return Batch(run[:-1], y)
        labels = torch.from_numpy(self.labels[places].astype(np.int64))  # (T + 1, B, 5)
        hidden = (labels[..., 4] + STRIDE * self.epoch) % 256 < 128
        labels = labels[..., :4].masked_fill_(hidden.unsqueeze(-1) & NAMED, 0)
        opens = ((run[1:] == self.line_break) | (run[1:] == START)) & ~past
        plan = torch.where(opens.unsqueeze(-1), labels[1:, :, :2], IGNORED)
        return Batch(run[:-1], y, labels[:-1], plan)

    def batches(self, size: int, *, first: int = 0, seed: int = 0, rank: int = 0, ranks: int = 1) -> Iterator[Batch]:
        """Windows in random order, `(T, B)`; `first` leaves out batches that are done.

        Where several ranks share each batch, they take its rows in turn. A rank that the last batch leaves without
        any reads the first window of the epoch again, to take part in the step as all do, and predicts nothing in it.
        """
        order = torch.randperm(len(self), generator=torch.Generator().manual_seed(seed)).tolist()
        for k in range(first * size, len(order), size):
            own = order[k : k + size][rank::ranks]
            rows, stop = (own, len(self.ids)) if own else (order[:1], 0)
            yield self._windows([index * self.window for index in rows], stops=[stop] * len(rows))

    def streams(self, size: int, *, turns: int = 1, first: int = 0, rank: int = 0, ranks: int = 1) -> Iterator[Batch]:
        """Windows of parallel streams, `(T, B)`, which take turns: `size` at a time of `size`·`turns`.

        Each stream covers its own share of the text and goes on, `turns` batches later, where it was, so a hidden
        state can be carried along it. The streams of one turn are spread over the whole text. Where several ranks
        share them, each has as many as the others.
        """
        share = -(-len(self.ids) // (size * turns))
        rows = range(rank * size // ranks, (rank + 1) * size // ranks)
        for k in range(first, stream_steps(len(self.ids), window=self.window, size=size, turns=turns)):
            at, turn = divmod(k, turns)
            starts = [(b * turns + turn) * share for b in rows]
            yield self._windows(
                [start + at * self.window for start in starts],
                stops=[min(start + share, len(self.ids)) for start in starts],
            )


def stream_steps(tokens: int, *, window: int, size: int, turns: int = 1) -> int:
    """How many batches of parallel streams make an epoch."""
    share = -(-tokens // (size * turns))
    return turns * -(-share // window)
