"""How far back a model looks: how its gradient fades with distance, and how long a context still helps it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lyricgen.model.likelihood import IGNORED, Unseen, cross_entropy, stream_nats, to_classes
from lyricgen.model.network import LyricModel
from lyricgen.text.vocab import END, START, Ids, Vocab

REACH = 64  # steps back
WARM_UP = 16  # steps that the state gets before the first whose gradient counts
POSITIONS = 512  # of the text, at which a model is asked
TOGETHER = 64  # of them at a time,
LOGITS = 1 << 24  # or fewer, so that the logits of a large vocabulary fit into 64 MB


@dataclass(frozen=True)
class ContextUse:
    """Nats per character of the same places of a text, where the state started afresh `lengths[i]` tokens before."""

    lengths: tuple[int, ...] = ()
    nats: tuple[float, ...] = ()


@contextmanager
def embedded_inputs(model: LyricModel) -> Iterator[list[Tensor]]:
    """Within it, what each call of the model embeds, `(T, B, E)`, joins the list: leaves that ask for gradients."""
    kept: list[Tensor] = []

    def keep(module: torch.nn.Module, arguments: object, output: Tensor) -> Tensor:
        kept.append(output.detach().requires_grad_())
        return kept[-1]

    handle = model.embedding.register_forward_hook(keep)
    try:
        yield kept
    finally:
        handle.remove()


def gradient_by_distance(
    model: LyricModel, ids: Ids, *, reach: int = REACH, positions: int = POSITIONS
) -> tuple[float, ...]:
    """‖∂L(t)/∂x(t−k)‖ for k = 0, 1, … up to `reach`, averaged over places t of a text.

    L(t) is the loss, in nats, of the token after the t-th, x(t−k) the embedded input k steps earlier. A place counts
    for the distances at which its own song has begun: an end of song between the two is no distance that a model
    could bridge. Fewer distances come back where the text is short, none where it has fewer than three tokens.
    After Pascanu, Mikolov and Bengio 2013 (arXiv:1211.5063), section 2.
    """
    reach = min(reach, (len(ids) - 1) // 2)
    if reach < 1:
        return ()
    warm = WARM_UP if len(ids) > 4 * (reach + WARM_UP) else 0
    # Of an unseen character or a start of song the softmax knows nothing.
    known = np.flatnonzero(_classes(ids) != IGNORED)
    targets = _spread(known[known > reach + warm], most=positions)
    sums, counts = np.zeros(reach + 1), np.zeros(reach + 1)
    length = reach + warm + 2
    for group in _groups(targets, each=length * model.config.vocab_size):
        windows = _windows(ids, group, length=length)  # (T + 1, B)
        norms = _gradient_norms(model, windows)[-reach - 1 :][::-1]  # (K + 1, B), from the last step back
        crossed = np.cumsum(windows[:-1][-reach - 1 :][::-1] == END, axis=0) > 0
        sums += np.where(crossed, 0.0, norms).sum(axis=1)
        counts += (~crossed).sum(axis=1)
    far = int(np.argmin(counts > 0)) if (counts == 0).any() else reach + 1
    return tuple((sums[:far] / counts[:far]).tolist())


def _gradient_norms(model: LyricModel, windows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Of windows `(T + 1, B)`: the norms of the last loss's gradient with respect to each input, `(T, B)`."""
    model.eval()
    batch = torch.from_numpy(windows).to(model.bias.device)
    # cuDNN gives no gradients of a network that does not train; the plain kernels do.
    with embedded_inputs(model) as embedded, torch.backends.cudnn.flags(enabled=False):
        logits, _ = model(batch[:-1], model.initial_state(batch.shape[1]))
        # The mean over the batch times its size: each place's loss has its own gradient.
        loss = cross_entropy(logits[-1:], to_classes(batch[-1:])) * batch.shape[1]
        (slopes,) = torch.autograd.grad(loss, embedded)  # (T, B, E)
    # Squares of small gradients vanish in single precision.
    return np.asarray(slopes.cpu().double().norm(dim=-1).numpy())


def context_use(
    model: LyricModel, ids: Ids, *, vocab: Vocab, longest: int = REACH, positions: int = POSITIONS
) -> ContextUse:
    """How well a model predicts places of a text from only the last 1, 2, 4, … tokens before them.

    The places are the same for every length. Nothing comes back where the text has fewer than two tokens.
    """
    longest = min(longest, len(ids) // 2)
    lengths = tuple(2**power for power in range(longest.bit_length()) if 2**power <= longest)
    places = np.flatnonzero(np.asarray(ids) != START)
    targets = _spread(places[places >= max(lengths, default=len(ids))], most=positions)
    characters = int(vocab.lengths[ids[targets]].sum())
    if not characters:
        return ContextUse()
    unseen = Unseen.of(vocab)
    nats = tuple(_nats_after(model, ids, targets, length=length, unseen=unseen) / characters for length in lengths)
    return ContextUse(lengths, nats)


def _nats_after(model: LyricModel, ids: Ids, targets: npt.NDArray[np.int64], *, length: int, unseen: Unseen) -> float:
    """What the targets cost together, each after its own last `length` tokens."""
    model.eval()
    total = 0.0
    for group in _groups(targets, each=(length + 1) * model.config.vocab_size):
        rows = list(_windows(ids, group, length=length + 1).T)  # (B, k + 1)
        total += sum(float(nats[-1]) for nats in stream_nats(model, rows, unseen=unseen))
    return total


def _classes(ids: Ids) -> npt.NDArray[np.int64]:
    return np.asarray(to_classes(torch.from_numpy(np.asarray(ids, dtype=np.int64))))


def _spread(places: npt.NDArray[np.int64], *, most: int) -> npt.NDArray[np.int64]:
    """At most so many of the places, evenly spread."""
    if len(places) <= most:
        return places
    return places[np.linspace(0, len(places) - 1, most).astype(np.int64)]


def _groups(places: npt.NDArray[np.int64], *, each: int) -> Iterator[npt.NDArray[np.int64]]:
    """The places, as many at a time as there is room for the logits of, so many `each`."""
    size = max(1, min(TOGETHER, LOGITS // each))
    yield from (places[a : a + size] for a in range(0, len(places), size))


def _windows(ids: Ids, ends: npt.NDArray[np.int64], *, length: int) -> npt.NDArray[np.int64]:
    """The `length` ids up to each of the ends, it included: `(length, B)`."""
    steps = np.arange(1 - length, 1)[:, None]
    windows: npt.NDArray[np.int64] = np.asarray(ids, dtype=np.int64)[ends[None, :] + steps]
    return windows
