"""Sliding windows over a text of ids: x, and y one step later, each epoch from a new offset."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset

from lyricgen.errors import OptionError
from lyricgen.model.likelihood import IGNORED, to_classes
from lyricgen.text.vocab import START

STRIDE = 101  # odd, so that over 256 epochs each song is hidden in just half of them
NAMED = torch.tensor([False, False, True, True])


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
        labels, plan = (
            part if part is None else part.to(device, non_blocking=True) for part in (self.labels, self.plan)
        )
        return Batch(self.x.to(device, non_blocking=True), self.y.to(device, non_blocking=True), labels, plan)


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
        return self._cut(index * self.window, stop=len(self.ids))

    def _cut(self, start: int, *, stop: int) -> Parts:
        """The window from `start` steps after the offset, its targets ignored from the step `stop` on."""
        at = (self.offset + start) % len(self.ids)
        run = self._read(self.ids, at)  # (T + 1,)
        y = to_classes(run[1:])
        y[max(0, stop - start) :] = IGNORED
        if self.labels is None:
            return run[:-1], y
        labels = self._read(self.labels, at)  # (T + 1, 5)
        hidden = (labels[:, 4] + STRIDE * self.epoch) % 256 < 128
        labels = labels[:, :4].masked_fill_(hidden.unsqueeze(1) & NAMED, 0)
        opens = (run[1:] == self.line_break) | (run[1:] == START)
        opens[max(0, stop - start) :] = False
        plan = torch.where(opens.unsqueeze(1), labels[1:, :2], IGNORED)
        return run[:-1], y, labels[:-1], plan

    def _read(self, array: npt.NDArray[np.integer], at: int) -> Tensor:
        """A window and one more from a position on, round the end of the text."""
        stop = at + self.window + 1
        run = array[at:stop] if stop <= len(array) else np.take(array, range(at, stop), axis=0, mode="wrap")
        return torch.from_numpy(run.astype(np.int64))

    def batches(self, size: int, *, first: int = 0, seed: int = 0, rank: int = 0, ranks: int = 1) -> Iterator[Batch]:
        """Windows in random order, `(T, B)`; `first` leaves out batches that are done.

        Where several ranks share each batch, they take its rows in turn. A rank that the last batch leaves without
        any reads the first window of the epoch again, so that all have something to do in every step.
        """
        order = torch.randperm(len(self), generator=torch.Generator().manual_seed(seed)).tolist()
        for k in range(first * size, len(order), size):
            yield _stack([self[index] for index in order[k : k + size][rank::ranks] or order[:1]])

    def streams(self, size: int, *, first: int = 0, rank: int = 0, ranks: int = 1) -> Iterator[Batch]:
        """Windows of `size` parallel streams, `(T, B)`: each row goes on where it was in the last batch.

        Stream b covers its own share of the text, so a hidden state can be carried along it. Where several ranks
        share the streams, each has as many neighbouring ones as the others.
        """
        share = -(-len(self.ids) // size)
        for k in range(first, stream_steps(len(self.ids), window=self.window, size=size)):
            rows = []
            for b in range(rank * size // ranks, (rank + 1) * size // ranks):
                start = b * share
                stop = min(start + share, len(self.ids))
                rows.append(self._cut(start + k * self.window, stop=stop))
            yield _stack(rows)


def stream_steps(tokens: int, *, window: int, size: int) -> int:
    """How many batches of parallel streams make an epoch."""
    share = -(-tokens // size)
    return -(-share // window)


def _stack(rows: list[Parts]) -> Batch:
    """Windows `(T, …)` side by side, `(T, B, …)`."""
    return Batch(*(torch.stack(parts, dim=1) for parts in zip(*rows, strict=True)))
