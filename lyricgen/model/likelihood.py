"""The log-probability of ids under a model: the one definition that training, scoring and evaluation share."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from lyricgen.model.network import FIRST_CLASS, LyricModel, State
from lyricgen.model.output_loss import linear_cross_entropy
from lyricgen.text.labels import ENDS, LENGTHS, RHYMES, Labeler
from lyricgen.text.vocab import END, START, UNKNOWN, Ids, Vocab

IGNORED = -1
WINDOW = 256  # tokens of each stream scored at a time
STREAMS = 32  # texts scored side by side
MOST_LOGITS = 1 << 24  # at a time, 64 MB of float32: a large vocabulary is scored in shorter windows


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


def count_targets(targets: Tensor) -> Tensor:
    """How many targets are not ignored."""
    return (targets != IGNORED).sum()


def cross_entropy(logits: Tensor, targets: Tensor, *, count: Tensor | None = None) -> Tensor:
    """Mean nats per target, of logits `(T, B, C)` and classes `(T, B)`; ignored targets do not count.

    Where all are ignored (a last window that holds nothing but a start of song) it is 0. The sum is divided by
    `count` instead where the targets are a part of a batch.
    """
    total = F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), ignore_index=IGNORED, reduction="sum")
    return total / (count_targets(targets).clamp_min(1) if count is None else count)


def feature_nats(model: LyricModel, features: Tensor, targets: Tensor, *, count: Tensor) -> Tensor:
    """The same of features `(T, B, width)`, in training: of a large vocabulary's logits a block at a time exists."""
    if targets.numel() * len(model.bias) <= MOST_LOGITS:
        return cross_entropy(model.logits(features), targets, count=count)
    return linear_cross_entropy(features.flatten(0, 1), model.embed_output(), model.bias, targets.flatten()) / count


def plan_nats(model: LyricModel, features: Tensor, plan: Tensor) -> Tensor:
    """Nats of the lines that were planned, `(…)`, from features `(…, width)` and their labels `(…, 2)`.

    A label is length and rhyme, IGNORED where no line begins; a line that is not sung has no rhyme to choose.
    """
    assert model.planner is not None
    length, rhyme = plan[..., 0], plan[..., 1]
    lengths, rhymes = model.planner(features, length.clamp_min(0))
    nats = F.cross_entropy(lengths.flatten(0, -2).float(), length.flatten(), ignore_index=IGNORED, reduction="none")
    rhyme = torch.where((length > 0) & (length != ENDS), rhyme, IGNORED)
    more = F.cross_entropy(rhymes.flatten(0, -2).float(), rhyme.flatten(), ignore_index=IGNORED, reduction="none")
    return (nats + more).view(length.shape)


class Masks:
    """Which classes may follow under which labels, as tensors, made when they are first needed."""

    def __init__(self, labeler: Labeler, device: torch.device) -> None:
        self.labeler = labeler
        self._device = device
        self._row = torch.full((LENGTHS * RHYMES,), -1, dtype=torch.long)
        self._rows = torch.zeros(0, len(labeler.vocab) - FIRST_CLASS, dtype=torch.bool, device=device)

    def __call__(self, labels: Tensor) -> Tensor:
        """Classes that may follow, `(…, V - 2)`, under labels `(…, 2)`: left and rhyme."""
        keys = (labels[..., 0] * RHYMES + labels[..., 1]).cpu()
        missing = [key for key in torch.unique(keys).tolist() if self._row[key] < 0]
        if missing:
            rows = [self.labeler.allowed(*divmod(key, RHYMES))[FIRST_CLASS:] for key in missing]
            for number, key in enumerate(missing, len(self._rows)):
                self._row[key] = number
            self._rows = torch.cat((self._rows, torch.from_numpy(np.stack(rows)).to(self._device)))
        return self._rows[self._row[keys].to(self._device)]


@torch.inference_mode()
def token_nats(
    model: LyricModel,
    texts: Iterable[Ids],
    *,
    unseen: Unseen,
    labeler: Labeler | None = None,
    temperature: float = 1.0,
) -> Iterator[npt.NDArray[np.float64]]:
    """Nats of every token of each text, `(n,)`, in order; each text is ids that a song starts with.

    Texts are laid end to end in parallel streams with an end of song between them; since that resets the state,
    each gets the probability that it has alone. A model that plans its lines pays for the plan too: a line's is
    counted with the line break before it, the first line's with the first token. A `labeler` is then needed. The
    log-odds of tokens are divided by the `temperature`.
    """
    model.eval()
    group: list[Ids] = []
    size = 0
    for text in texts:
        group.append(text)
        size += len(text)
        if size > STREAMS * WINDOW * 32:
            yield from _group_nats(model, group, unseen=unseen, labeler=labeler, temperature=temperature)
            group, size = [], 0
    yield from _group_nats(model, group, unseen=unseen, labeler=labeler, temperature=temperature)


def _group_nats(
    model: LyricModel, texts: Sequence[Ids], *, unseen: Unseen, labeler: Labeler | None, temperature: float
) -> Iterator[npt.NDArray[np.float64]]:
    streams: list[list[int]] = [[] for _ in range(min(STREAMS, len(texts)))]
    loads = [0] * len(streams)
    for k in sorted(range(len(texts)), key=lambda k: -len(texts[k])):
        least = loads.index(min(loads))
        streams[least].append(k)
        loads[least] += len(texts[k]) + 2
    found: dict[int, npt.NDArray[np.float64]] = {}
    whole = [np.concatenate(([END, START], text)) for text in texts]
    rows = [np.concatenate([whole[k] for k in row]) for row in streams]
    labels = None
    if labeler and model.planner:
        labels = [np.concatenate([_labels_alone(whole[k], labeler) for k in row]) for row in streams]
    costs = stream_nats(model, rows, unseen=unseen, labeler=labeler, labels=labels, temperature=temperature)
    for row, nats in zip(streams, costs, strict=True):
        at = 1  # nats[i] is the price of id i + 1: the first text's first token has index 2
        for k in row:
            found[k] = nats[at : at + len(texts[k])]
            found[k][:1] += nats[at - 1]  # the plan of the first line, paid at the start of the song
            at += len(texts[k]) + 2
    yield from (found[k] for k in range(len(texts)))


def _labels_alone(ids: npt.NDArray[np.int64], labeler: Labeler) -> npt.NDArray[np.int16]:
    """The labels of one text. Where it stops at a line break, no line is known to follow: that plan is IGNORED."""
    labels = labeler.of(ids).astype(np.int16)
    labels[-1] = IGNORED if ids[-1] == labeler.line_break else labels[-1]
    return labels


@torch.inference_mode()
def stream_nats(
    model: LyricModel,
    rows: Sequence[npt.NDArray[np.int64]],
    *,
    unseen: Unseen,
    labeler: Labeler | None = None,
    labels: Sequence[npt.NDArray[np.integer]] | None = None,
    temperature: float = 1.0,
) -> list[npt.NDArray[np.float64]]:
    """Nats of every id but the first of each of B rows, read side by side.

    A start of song costs nothing but the plan of its first line. See `token_nats`; `labels` are those of the rows,
    where these are cut out of longer texts; IGNORED stands for a line that is not known, which costs nothing.
    """
    masks = Masks(labeler, model.bias.device) if labeler and model.planner else None
    if masks and labels is None:
        labels = [masks.labeler.of(row) for row in rows]
    costs = [np.zeros(len(row) - 1) for row in rows]
    going, state, start = list(range(len(rows))), model.initial_state(len(rows)), 0
    while more := [k for k, b in enumerate(going) if len(rows[b]) - 1 > start]:
        if len(more) < len(going):  # one row may be longer than all others together: those that ended are left
            going = [going[k] for k in more]
            state = [tuple(part[:, more] for part in layer) for layer in state]
        stop = start + max(1, min(WINDOW, MOST_LOGITS // (len(going) * len(model.bias))))
        ids = _side_by_side([rows[b][start : stop + 1] for b in going], past=END)  # (T + 1, B)
        plan = _side_by_side([labels[b][start : stop + 1] for b in going], past=0) if masks and labels else None
        nats, state = _window_nats(model, ids, plan, state, unseen=unseen, masks=masks, temperature=temperature)
        for b, cost in zip(going, nats.T.numpy(), strict=True):
            own = costs[b][start:stop]
            own[:] = cost[: len(own)]
        start = stop
    return costs


def _side_by_side(parts: Sequence[npt.NDArray[np.integer]], *, past: int) -> Tensor:
    """Parts of rows as `(T, B, …)`, `past` their ends where others are longer."""
    return pad_sequence([torch.from_numpy(part.astype(np.int64)) for part in parts], padding_value=past)


def _window_nats(
    model: LyricModel,
    ids: Tensor,
    plan: Tensor | None,
    state: list[State],
    *,
    unseen: Unseen,
    masks: Masks | None,
    temperature: float,
) -> tuple[Tensor, list[State]]:
    """Nats `(T, B)`, float64 on the CPU, of all but the first of ids `(T + 1, B)`, and the state before the last.

    `plan` are the labels of the ids, `(T + 1, B, 2)`, for a model that plans its lines.
    """
    window, following = ids.to(model.bias.device), ids[1:]
    known = None if plan is None else F.pad(plan.to(window.device), (0, 2))  # mood and style unknown
    told = None if known is None else known[:-1].clamp_min(0)
    features, state = model.features(window[:-1], state, told)
    logits = model.logits(features).float() / temperature
    if masks and told is not None:
        logits = logits.masked_fill_(~masks(told[..., :2]), -torch.inf)
    nats = F.cross_entropy(
        logits.flatten(0, 1), to_classes(window[1:]).flatten(), ignore_index=IGNORED, reduction="none"
    )
    nats = nats.view(following.shape).cpu().double() + unseen.seen_nats  # Apple's MPS has no float64
    nats[following == UNKNOWN] = unseen.nats
    nats[following == START] = 0
    if masks and known is not None:
        opens = (window[1:] == masks.labeler.line_break) | (window[1:] == START)
        lines = torch.where(opens.unsqueeze(-1), known[1:, :, :2], IGNORED)
        nats += plan_nats(model, features, lines).cpu().double()
    return nats, state
