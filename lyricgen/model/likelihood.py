"""The log-probability of ids under a model: the one definition that training, scoring and evaluation share."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from lyricgen.model.network import FIRST_CLASS, LyricModel
from lyricgen.text.vocab import END, START, UNKNOWN, Ids, Vocab

IGNORED = -1
WINDOW = 256  # tokens of each stream scored at a time
STREAMS = 32  # texts scored side by side


@dataclass(frozen=True)
class Unseen:
    """What a model expects of characters outside its vocabulary: their probability, and how many they could be."""

    probability: float
    choices: int

    @classmethod
    def of(cls, vocab: Vocab) -> "Unseen":
        """What a vocabulary's model expects."""
        return cls(vocab.unseen, vocab.unseen_characters)

    @property
    def nats(self) -> float:
        """The price of one unseen character."""
        if not self.probability:
            return math.inf
        return math.log(self.choices) - math.log(self.probability)

    @property
    def seen_nats(self) -> float:
        """What every other token pays for the chance that it could have been an unseen one."""
        return -math.log1p(-self.probability)


def to_classes(ids: Tensor) -> Tensor:
    """Targets for the softmax: class numbers, or IGNORED for what is never written (`<start>`, unseen)."""
    return torch.where(ids >= FIRST_CLASS, ids - FIRST_CLASS, IGNORED)


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean nats per target, of logits `(T, B, C)` and classes `(T, B)`; ignored targets do not count.

    Where all are ignored (a last window that holds nothing but a start of song) it is 0.
    """
    total = F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), ignore_index=IGNORED, reduction="sum")
    return total / (targets != IGNORED).sum().clamp_min(1)


@torch.inference_mode()
def token_nats(model: LyricModel, texts: Iterable[Ids], *, unseen: Unseen) -> Iterator[npt.NDArray[np.float64]]:
    """Nats of every token of each text, `(n,)`, in order; each text is ids that a song starts with.

    Texts are laid end to end in parallel streams with an end of song between them; since that resets the state,
    each gets the probability that it has alone.
    """
    model.eval()
    group: list[Ids] = []
    size = 0
    for text in texts:
        group.append(text)
        size += len(text)
        if size > STREAMS * WINDOW * 32:
            yield from _group_nats(model, group, unseen=unseen)
            group, size = [], 0
    yield from _group_nats(model, group, unseen=unseen)


def _group_nats(model: LyricModel, texts: Sequence[Ids], *, unseen: Unseen) -> Iterator[npt.NDArray[np.float64]]:
    streams: list[list[int]] = [[] for _ in range(min(STREAMS, len(texts)))]
    loads = [0] * len(streams)
    for k in sorted(range(len(texts)), key=lambda k: -len(texts[k])):
        least = loads.index(min(loads))
        streams[least].append(k)
        loads[least] += len(texts[k]) + 2
    found: dict[int, npt.NDArray[np.float64]] = {}
    rows = [np.concatenate([np.concatenate(([END, START], texts[k])) for k in row]) for row in streams]
    for row, nats in zip(streams, stream_nats(model, rows, unseen=unseen), strict=True):
        at = 1  # nats[i] is the price of id i + 1: the first text's first token has index 2
        for k in row:
            found[k] = nats[at : at + len(texts[k])]
            at += len(texts[k]) + 2
    yield from (found[k] for k in range(len(texts)))


@torch.inference_mode()
def stream_nats(
    model: LyricModel, rows: Sequence[npt.NDArray[np.int64]], *, unseen: Unseen
) -> list[npt.NDArray[np.float64]]:
    """Nats of every id but the first of each of B rows, read side by side; a start of song costs nothing."""
    if not rows:
        return []
    length = max(map(len, rows))
    ids = np.full((length, len(rows)), END, dtype=np.int64)  # (T, B)
    for b, row in enumerate(rows):
        ids[: len(row), b] = row
    device = model.bias.device
    state = model.initial_state(len(rows))
    parts = []
    for t in range(0, length - 1, WINDOW):
        window = torch.from_numpy(ids[t : t + WINDOW + 1]).to(device)
        logits, state = model(window[:-1], state)
        nats = F.cross_entropy(
            logits.flatten(0, 1).float(), to_classes(window[1:]).flatten(), ignore_index=IGNORED, reduction="none"
        )
        parts.append(nats.view(-1, len(rows)).double().cpu().numpy() + unseen.seen_nats)
    total = np.concatenate(parts)
    total[ids[1:] == UNKNOWN] = unseen.nats
    total[ids[1:] == START] = 0
    return [total[: len(row) - 1, b] for b, row in enumerate(rows)]
