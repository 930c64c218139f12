"""One step of writing for many songs at once, faster than the module that trained: folded weights, plain products."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from lyricgen.model.network import LyricModel
from lyricgen.text.vocab import END, START

ROWS = 8  # songs are padded to a multiple: matrix kernels give a row the same bits at any such height
FOLDED_BYTES = 128 << 20  # the largest table of embedding × input weights that is worth its memory

State = list[tuple[Tensor, ...]]  # of each layer: (h,) or (h, c), each (B, H)


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
    """A model frozen for writing. In float32 a song's numbers are the same alone and among others."""

    @torch.inference_mode()
    def __init__(self, model: LyricModel) -> None:
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
        self._output = model.embed_output().t().contiguous()  # (width, V - 2)

    def _fold(self, layer: torch.nn.RNNBase) -> _Layer:
        """Transposed weights without the column for the end of a song: nothing is written after it."""
        w_ih, w_hh, b_ih, b_hh = (cast(Tensor, getattr(layer, f"{name}_l0")) for name in
                                  ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))  # fmt: skip
        gru = self.model.config.cell == "gru"
        bias = b_ih if gru else b_ih + b_hh
        return _Layer(w_ih[:, :-1].t().contiguous(), w_hh.t().contiguous(), bias.clone(), b_hh.clone())

    @torch.inference_mode()
    def start(self, songs: int) -> tuple[Tensor, State]:
        """Logits of a song's first token, `(B, V - 2)`, and the state there; B is `songs` made a multiple of 8."""
        rows = -(-songs // ROWS) * ROWS
        ids = torch.tensor([[END], [START]], device=self.device)
        logits, state = self.model(ids, self.model.initial_state(1))
        return logits[-1].expand(rows, -1), [tuple(part[0].repeat(rows, 1) for part in layer) for layer in state]

    @torch.inference_mode()
    def step(self, ids: Tensor, state: State) -> tuple[Tensor, State]:
        """Logits `(B, V - 2)` of what follows ids `(B,)`, and the state after them."""
        weight = self.model.embedding.weight
        x = weight[ids] if self._residual or self._table is None else None  # (B,) → (B, E)
        after: State = []
        for number, (layer, before) in enumerate(zip(self._layers, state, strict=True)):
            if number == 0 and self._table is not None:
                gates = self._table[ids]  # (B,) → (B, G·H)
            else:
                gates = torch.addmm(layer.bias, cast(Tensor, x), layer.inputs)
            new = self._step(gates, layer, before)
            after.append(new)
            y = new[0]
            x = x + y if self._residual and x is not None and x.shape == y.shape else y
        assert x is not None
        features = self.model.projection(x) if self.model.projection is not None else x
        return torch.addmm(self.model.bias, features, self._output), after

    @torch.inference_mode()
    def keep(self, state: State, rows: Tensor) -> State:
        """The state of some songs only, by row number `(B',)`."""
        return [tuple(part[rows] for part in layer) for layer in state]
