"""One step of writing for many songs at once, faster than the module that trained: folded weights, plain products."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from lyricgen.model.network import LyricModel
from lyricgen.text.labels import MOOD, STYLE
from lyricgen.text.vocab import END

ROWS = 8  # songs are padded to a multiple: matrix kernels give a row the same bits at any such height
FOLDED_BYTES = 128 << 20  # the largest table of embedding × input weights that is worth its memory

State = list[tuple[Tensor, ...]]  # of each layer: (h,) or (h, c), each (B, H)


@dataclass(frozen=True)
class Step:
    """After an id: logits `(B, V - 2)`, the features that they and a plan come from, `(B, width)`, and the state."""

    logits: Tensor
    features: Tensor
    state: State


@dataclass(frozen=True)
class _Layer:
    """One cell's weights, ready for row vectors."""

    inputs: Tensor  # (I, G·H)
    recurrent: Tensor  # (H, G·H)
    bias: Tensor  # (G·H,) of both biases, but for a GRU's recurrent one
    recurrent_bias: Tensor  # (G·H,), a GRU's


def _rnn(gates: Tensor, layer: _Layer, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return (torch.addmm(gates, state[0], layer.recurrent).tanh_(),)


def _lstm(gates: Tensor, layer: _Layer, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    h, c = state
    i, f, g, o = torch.addmm(gates, h, layer.recurrent).chunk(4, dim=1)  # (B, 4H) → 4 × (B, H)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def _gru(gates: Tensor, layer: _Layer, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    (h,) = state
    r, z, n = gates.chunk(3, dim=1)  # (B, 3H) → 3 × (B, H)
    hr, hz, hn = torch.addmm(layer.recurrent_bias, h, layer.recurrent).chunk(3, dim=1)
    z = (z + hz).sigmoid()
    n = (n + (r + hr).sigmoid() * hn).tanh()
    return (n + z * (h - n),)


STEPS: dict[str, Callable[[Tensor, _Layer, tuple[Tensor, ...]], tuple[Tensor, ...]]] = {
    "rnn": _rnn,
    "lstm": _lstm,
    "gru": _gru,
}


class Engine:
    """A model frozen for writing. In float32 a song's numbers are the same alone and among others.

    A song's mood and style move the model `emphasis` times as far from what it does where they are unknown as they
    did in training: guidance (Ho and Salimans 2022, arXiv:2207.12598) by the label's embedding alone, at no cost.
    """

    @torch.inference_mode()
    def __init__(self, model: LyricModel, *, emphasis: float = 1.0) -> None:
        self.model = model.eval()
        self.device = model.bias.device
        config = model.config
        self._step = STEPS[config.cell]
        self._residual = config.residual
        self._layers = [self._fold(cast(torch.nn.RNNBase, layer)) for layer in model.layers]
        first = self._layers[0]
        wide = config.vocab_size * first.inputs.shape[1] * first.inputs.element_size() <= FOLDED_BYTES
        weight = model.embedding.weight
        self._table = torch.addmm(first.bias, weight, first.inputs) if wide else None  # (V, G·H)
        self._named = [number for number, size in enumerate(config.labels) if size]
        tables = [cast(Tensor, label.weight) for label in model.labels]  # (L, E) each, row 0 for unknown
        self._labels = [
            table[0] + emphasis * (table - table[0]) if number in (MOOD, STYLE) else table
            for number, table in zip(self._named, tables, strict=True)
        ]
        self._label_gates = [label @ first.inputs for label in self._labels]  # (L, G·H) each
        self._output = model.embed_output().t().contiguous()  # (width, V - 2)

    def _fold(self, layer: torch.nn.RNNBase) -> _Layer:
        """Transposed weights without the column for the end of a song: nothing is written after it."""
        w_ih, w_hh, b_ih, b_hh = (cast(Tensor, getattr(layer, f"{name}_l0")) for name in
                                  ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))  # fmt: skip
        gru = self.model.config.cell == "gru"
        bias = b_ih if gru else b_ih + b_hh
        return _Layer(w_ih[:, :-1].t().contiguous(), w_hh.t().contiguous(), bias.clone(), b_hh.clone())

    @torch.inference_mode()
    def begin(self, songs: int) -> Step:
        """What stands before a song's first id, `<start>`; B is `songs` made a multiple of 8."""
        rows = -(-songs // ROWS) * ROWS
        labels = torch.zeros(1, 1, 4, dtype=torch.long, device=self.device) if self._labels else None
        ids = torch.full((1, 1), END, device=self.device)
        features, state = self.model.features(ids, self.model.initial_state(1), labels)
        return Step(
            self.model.logits(features[-1]).expand(rows, -1),
            features[-1].expand(rows, -1),
            [tuple(part[0].repeat(rows, 1) for part in layer) for layer in state],
        )

    @torch.inference_mode()
    def step(self, ids: Tensor, state: State, labels: Tensor | None = None) -> Step:
        """What follows ids `(B,)` under labels `(B, 4)`, which a model that has labels needs."""
        weight = self.model.embedding.weight
        x = weight[ids] if self._residual or self._table is None else None  # (B,) → (B, E)
        if x is not None and labels is not None:
            x = x + self._sum(self._labels, labels)
        after: State = []
        for number, (layer, before) in enumerate(zip(self._layers, state, strict=True)):
            if number == 0 and self._table is not None:
                gates = self._table[ids]  # (B,) → (B, G·H)
                if labels is not None:
                    gates = gates + self._sum(self._label_gates, labels)
            else:
                gates = torch.addmm(layer.bias, cast(Tensor, x), layer.inputs)
            new = self._step(gates, layer, before)
            after.append(new)
            y = new[0]
            x = x + y if self._residual and x is not None and x.shape == y.shape else y
        assert x is not None
        features = self.model.projection(x) if self.model.projection is not None else x
        return Step(torch.addmm(self.model.bias, features, self._output), features, after)

    def _sum(self, tables: list[Tensor], labels: Tensor) -> Tensor:
        """The sum over the labels `(B, 4)` of their rows in tables `(L, D)`: `(B, D)`."""
        first, *rest = (table[labels[:, number]] for number, table in zip(self._named, tables, strict=True))
        for part in rest:
            first = first + part
        return first

    @torch.inference_mode()
    def keep(self, step: Step, rows: Tensor) -> Step:
        """The step of some songs only, by row number `(B',)`."""
        state = [tuple(part[rows] for part in layer) for layer in step.state]
        return Step(step.logits[rows], step.features[rows], state)
