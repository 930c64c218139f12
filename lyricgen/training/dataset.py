"""Sliding windows over a text of ids: x, and y one step later, each epoch from a new offset."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset

from lyricgen.errors import OptionError
from lyricgen.model.likelihood import to_classes

Pair = tuple[Tensor, Tensor]


class WindowDataset(Dataset[Pair]):
    """Windows of `window` tokens that together cover a text once, as a ring read from `offset` on.

    Item k is x `(T,)`, ids from position offset + k·T, and y `(T,)`, the classes one step later (see
    `likelihood.to_classes`). A last window that would come round to where the first began has the targets past
    that point ignored, so every token is predicted once an epoch, whatever the offset.
    """

    def __init__(self, ids: npt.NDArray[np.integer], *, window: int, offset: int = 0) -> None:
        if window < 1 or not len(ids):
            raise OptionError(f"window must be at least 1 over a text of at least one token, got {window}")
        self.ids = ids
        self.window = window
        self.offset = offset % len(ids)

    def __len__(self) -> int:
        return -(-len(self.ids) // self.window)

    def __getitem__(self, index: int) -> Pair:
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self._cut(index * self.window, stop=len(self.ids))

    def _cut(self, start: int, *, stop: int) -> Pair:
        """The window from `start` steps after the offset, its targets ignored from the step `stop` on."""
        n, window = len(self.ids), self.window
        at = (self.offset + start) % n
        if at + window < n:
            run = torch.from_numpy(self.ids[at : at + window + 1].astype(np.int64))  # (T + 1,)
        else:
            run = torch.from_numpy(np.take(self.ids, range(at, at + window + 1), mode="wrap").astype(np.int64))
        y = to_classes(run[1:])
        if start + window > stop:
            y[max(0, stop - start) :] = -1
        return run[:-1], y

    def batches(self, size: int, *, first: int = 0, seed: int = 0) -> Iterator[Pair]:
        """Windows in random order, x and y `(T, B)` each; `first` leaves out batches that are done."""
        order = torch.randperm(len(self), generator=torch.Generator().manual_seed(seed)).tolist()
        for k in range(first * size, len(order), size):
            yield _stack([self[index] for index in order[k : k + size]])

    def streams(self, size: int, *, first: int = 0) -> Iterator[Pair]:
        """Windows of `size` parallel streams, x and y `(T, B)`: each row goes on where it was in the last batch.

        Stream b covers its own share of the text, so a hidden state can be carried along it.
        """
        share = -(-len(self.ids) // size)
        for k in range(first, stream_steps(len(self.ids), window=self.window, size=size)):
            rows = []
            for b in range(size):
                start = b * share
                stop = min(start + share, len(self.ids))
                rows.append(self._cut(start + k * self.window, stop=stop))
            yield _stack(rows)


def stream_steps(tokens: int, *, window: int, size: int) -> int:
    """How many batches of parallel streams make an epoch."""
    share = -(-tokens // size)
    return -(-share // window)


def _stack(rows: list[Pair]) -> Pair:
    xs, ys = zip(*rows, strict=True)
    return torch.stack(xs, dim=1), torch.stack(ys, dim=1)  # (T,) each → (T, B)
