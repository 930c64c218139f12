"""RNN and GRU layers over time, with gradients by hand where that is faster: in training on a CPU.

Torch has a fused kernel for an LSTM on a CPU and none for these two. Left to autograd, every step back in time is a
dozen small kernels and adds a product of its own to the gradient of the recurrent weights. Here a step is one matrix
product and what cannot wait, either way; all that can wait is done for all steps at once.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

PRECISIONS = (torch.float32, torch.float64)
ALONE = 1 << 21  # a step of fewer multiplications is done before a second thread would be there

Gradients = tuple[Tensor | None, ...]  # of x, the state, w_ih, w_hh, b_ih and b_hh; None where nobody asks
Kernel = Callable[..., tuple[Tensor, Tensor]]


class Tanh(torch.autograd.Function):
    """`h′ = tanh(W_ih x + b_ih + W_hh h + b_hh)` over inputs `(T, B, I)`, from a state `(B, H)`.

    Gives the states `(T, B, H)` and the last of them, `(B, H)`.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, state: Tensor, *weights: Tensor) -> tuple[Tensor, Tensor]:
        w_ih, w_hh, b_ih, b_hh = weights
        y = torch.addmm(b_ih + b_hh, x.flatten(0, 1), w_ih.t()).view(*x.shape[:2], -1)  # (T, B, I) → (T, B, H)
        h, u = state, w_hh.t()
        with _threads_for(state, w_hh):
            for after in y.unbind():
                h = after.addmm_(h, u).tanh_()
        ctx.save_for_backward(x, state, w_ih, w_hh, y)
        return y, h.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor, dh: Tensor) -> Gradients:
        x, state, w_ih, w_hh, y = ctx.saved_tensors
        slopes = torch.addcmul(y.new_ones(()), y, y, value=-1)  # (T, B, H): tanh′, then what is inside the tanh
        dh = dh + dy[-1]
        with _threads_for(state, w_hh):
            for t, slope in reversed([*enumerate(slopes.unbind())]):
                slope.mul_(dh)
                dh = torch.addmm(dy[t - 1], slope, w_hh) if t else slope @ w_hh
        return _gradients(ctx.needs_input_grad, (x, _befores(y, state)), (slopes, slopes), dh, w_ih)


class Gated(torch.autograd.Function):
    """A GRU over inputs `(T, B, I)`, from a state `(B, H)`: the states `(T, B, H)` and the last of them, `(B, H)`.

    `h′ = (1 − z) n + z h` and `n = tanh(W_in x + b_in + r c)`, with the reset gate r, the update gate z and
    `c = W_hn h + b_hn`. A step keeps n, r, z and c side by side, `(B, 4H)`: the first three are made of the input,
    the last three of the state, so that each of both is one product.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, state: Tensor, *weights: Tensor) -> tuple[Tensor, Tensor]:
        w_ih, w_hh, b_ih, b_hh = weights
        (steps, batch, _), width = x.shape, w_hh.shape[1]
        w_ih = w_ih.roll(width, 0)  # the rows of r, z, n → n, r, z
        b_ih = torch.cat((b_ih[2 * width :], b_ih[: 2 * width] + b_hh[: 2 * width]))
        parts = x.new_empty(steps, batch, 4 * width)
        flat = parts.view(-1, 4 * width)
        torch.addmm(b_ih, x.flatten(0, 1), w_ih.t(), out=flat[:, : 3 * width])
        flat[:, 3 * width :] = b_hh[2 * width :]
        y = x.new_empty(steps, batch, width)
        h, u = state, w_hh.t()
        of_state, gates = parts[..., width:].unbind(), parts[..., width : 3 * width].unbind()
        each = (part.unbind() for part in parts.chunk(4, dim=-1))
        with _threads_for(state, w_hh):
            for into, rz, n, r, z, c, after in zip(of_state, gates, *each, y.unbind(), strict=True):
                into.addmm_(h, u)
                rz.sigmoid_()
                n.addcmul_(r, c).tanh_()
                h = torch.lerp(n, h, z, out=after)
        ctx.save_for_backward(x, state, w_ih, w_hh, parts, y)
        return y, h.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor, dh: Tensor) -> Gradients:
        x, state, w_ih, w_hh, parts, y = ctx.saved_tensors
        width = w_hh.shape[1]
        before = _befores(y, state)
        slopes = _gate_slopes(parts, before)  # (T, B, 4, H)
        flat = slopes.flatten(2)
        kept, of_state = parts[..., 2 * width : 3 * width].unbind(), flat[..., width:].unbind()
        dh = dh + dy[-1]
        with _threads_for(state, w_hh):
            for t, slope in reversed([*enumerate(slopes.unbind())]):
                slope.mul_(dh.unsqueeze(1))
                dh = torch.addcmul(dy[t - 1], dh, kept[t]) if t else dh * kept[t]
                dh.addmm_(of_state[t], w_hh)
        parted = flat[..., : 3 * width], flat[..., width:]
        dx, dh_0, dw_ih, dw_hh, db_ih, db_hh = _gradients(ctx.needs_input_grad, (x, before), parted, dh, w_ih)
        back = [None if rolled is None else rolled.roll(-width, 0) for rolled in (dw_ih, db_ih)]
        return dx, dh_0, back[0], dw_hh, back[1], db_hh


OWN: dict[str, Kernel] = {"rnn": Tanh.apply, "gru": Gated.apply}
TORCHS: dict[str, Kernel] = {"rnn": torch.rnn_tanh, "gru": torch.gru}


def recur(cell: str, x: Tensor, state: Tensor, weights: Sequence[Tensor], *, training: bool) -> tuple[Tensor, Tensor]:
    """One layer of an RNN or a GRU over inputs `(T, B, I)`, from a state `(1, B, H)`.

    The weights are w_ih `(GH, I)`, w_hh `(GH, H)`, b_ih and b_hh `(GH,)` of G gates, as torch has them. Gives the
    states `(T, B, H)` and the last of them, `(1, B, H)`.
    """
    if _is_faster(x, state, weights):
        y, last = OWN[cell](x, state[0], *weights)
        return y, last.unsqueeze(0)
    # biases, layers, dropout, training, both directions, batch first
    return TORCHS[cell](x, state, list(weights), True, 1, 0.0, training, False, False)


class TanhLayer(nn.RNN):
    """A layer of `nn.RNN`, by way of `recur`."""

    def forward(self, input: Any, hx: Any = None) -> Any:
        return _by_recur("rnn", self, input, hx)


class GatedLayer(nn.GRU):
    """A layer of `nn.GRU`, by way of `recur`."""

    def forward(self, input: Any, hx: Any = None) -> Any:
        return _by_recur("gru", self, input, hx)


def _by_recur(cell: str, layer: nn.RNNBase, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
    state = x.new_zeros(1, x.shape[1], layer.hidden_size) if state is None else state
    return recur(cell, x, state, layer._flat_weights, training=layer.training)  # type: ignore[arg-type]


def _is_faster(x: Tensor, state: Tensor, weights: Sequence[Tensor]) -> bool:
    """Whether gradients by hand are the faster ones: on a CPU, in full precision, if anybody asks for gradients."""
    used = (x, state, *weights)
    plain = all(part.device.type == "cpu" and part.dtype in PRECISIONS for part in used)
    wanted = torch.is_grad_enabled() and any(part.requires_grad for part in used)
    return plain and wanted and not torch.is_autocast_enabled("cpu")


@contextmanager
def _threads_for(state: Tensor, w_hh: Tensor) -> Iterator[None]:
    """One thread for steps so small that several would mostly wait for each other."""
    threads = torch.get_num_threads()
    alone = threads > 1 and len(state) * w_hh.numel() < ALONE
    if alone:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if alone:
            torch.set_num_threads(threads)


def _befores(y: Tensor, state: Tensor) -> Tensor:
    """The state that each step begins with, `(T, B, H)`."""
    return torch.cat((state.unsqueeze(0), y[:-1]))


def _gate_slopes(parts: Tensor, before: Tensor) -> Tensor:
    """What turns the gradient of h′ into those inside n, r and z and of c, `(T, B, 4, H)`."""
    n, r, z, c = parts.chunk(4, dim=-1)
    slopes = parts.new_empty(*before.shape[:2], 4, before.shape[2])
    of_n = torch.ops.aten.tanh_backward(1 - z, n)
    slopes[:, :, 0] = of_n
    slopes[:, :, 1] = torch.ops.aten.sigmoid_backward(of_n * c, r)
    slopes[:, :, 2] = torch.ops.aten.sigmoid_backward(before - n, z)
    torch.mul(of_n, r, out=slopes[:, :, 3])
    return slopes


def _gradients(
    asked: Sequence[bool], read: tuple[Tensor, Tensor], slopes: tuple[Tensor, Tensor], dh: Tensor, w_ih: Tensor
) -> Gradients:
    """The gradients over all steps: of two linear maps that read the inputs and the states, from those they made."""
    (x, before), (of_input, of_state) = (tuple(part.flatten(0, 1) for part in both) for both in (read, slopes))
    return (
        (of_input @ w_ih).view(read[0].shape) if asked[0] else None,
        dh if asked[1] else None,
        of_input.t() @ x if asked[2] else None,
        of_state.t() @ before if asked[3] else None,
        of_input.sum(0) if asked[4] else None,
        of_state.sum(0) if asked[5] else None,
    )
