"""How the weights move: Muon for the two matrices of each recurrent layer, AdamW for all the rest."""

import math
from collections.abc import Callable, Iterable
from typing import Any, cast, overload

import torch
from torch import Tensor, nn

from lyricgen.model.config import TrainConfig
from lyricgen.model.network import LyricModel

MOMENTUM = 0.95
RMS = 0.2  # of an update for each unit of learning rate, as AdamW's updates have it
STEPS = 5
POLYNOMIAL = (3.4445, -4.7750, 2.0315)
"""ax + bx³ + cx⁵ takes any singular value from 0 to 1 close to 1 in five steps (Jordan et al. 2024)."""


class Muon(torch.optim.Optimizer):
    """Momentum whose directions all count the same: a matrix moves by the nearest one with equal singular values.

    Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/, scaled as by Liu et al. 2025, arXiv:2502.16982, so
    that one learning rate serves for AdamW too. The last column of a matrix in a group with `pinned` stands still.
    """

    def __init__(self, groups: Iterable[dict[str, Any]], *, lr: float, weight_decay: float) -> None:
        super().__init__(groups, {"lr": lr, "weight_decay": weight_decay, "pinned": False})

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...
    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """One update of every matrix that has a gradient."""
        assert closure is None
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                gradient = weight.grad[:, :-1] if group["pinned"] else weight.grad
                matrix = weight[:, :-1] if group["pinned"] else weight
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(gradient)
                mean = state["momentum"].mul_(MOMENTUM).add_(gradient)
                update = orthogonal(gradient.add(mean, alpha=MOMENTUM))  # Nesterov's look ahead
                matrix.mul_(1 - group["lr"] * group["weight_decay"])
                matrix.add_(update, alpha=-group["lr"] * RMS * math.sqrt(max(update.shape)))
        return None


def orthogonal(matrix: Tensor) -> Tensor:
    """Nearly the closest matrix with orthonormal rows or columns, `(m, n)`, by Newton and Schulz's iteration.

    The polynomials are taken of the small Gram matrix `(k, k)`, k = min(m, n), and the matrix is multiplied once at
    the end: 50·k³ operations at n = 4k where the plain form needs 90·k³.
    """
    wide = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    wide = wide / (wide.norm() * 1.01 + 1e-7)
    a, b, c = POLYNOMIAL
    gram = wide @ wide.T
    product: Tensor | None = None
    for step in range(STEPS):
        factor = torch.addmm(gram, gram, gram, beta=b, alpha=c)
        factor.diagonal().add_(a)
        product = factor if product is None else factor @ product
        if step < STEPS - 1:
            gram = factor @ gram @ factor
    assert product is not None
    found: Tensor = product @ wide
    return found.T if matrix.shape[0] > matrix.shape[1] else found


class Optimizers:
    """Several optimizers, each of its own part of the weights, as one."""

    def __init__(self, parts: Iterable[torch.optim.Optimizer]) -> None:
        self._parts = tuple(parts)

    def set_rate(self, lr: float) -> None:
        """The learning rate of the steps to come."""
        for part in self._parts:
            for group in part.param_groups:
                group["lr"] = lr

    def zero_grad(self) -> None:
        """Forgets the gradients."""
        for part in self._parts:
            part.zero_grad(set_to_none=True)

    def step(self) -> None:
        """One update of every weight."""
        for part in self._parts:
            part.step()

    def state_dict(self) -> list[dict[str, Any]]:
        """What is saved of a run."""
        return [part.state_dict() for part in self._parts]

    def load_state_dict(self, saved: list[dict[str, Any]]) -> None:
        """Takes in what was saved. Raises ValueError where it is of other optimizers."""
        if len(saved) != len(self._parts):
            raise ValueError("optimizer")
        for part, state in zip(self._parts, saved, strict=True):
            part.load_state_dict(state)


def make_optimizer(model: LyricModel, config: TrainConfig) -> Optimizers:
    """The optimizers of a run. Vectors are not decayed."""
    inputs = [cast(nn.Parameter, layer.weight_ih_l0) for layer in model.layers]
    recurrent = [cast(nn.Parameter, layer.weight_hh_l0) for layer in model.layers]
    by_muon = config.optimizer == "muon"
    own = {id(weight) for weight in inputs + recurrent} if by_muon else set()
    rest = [weight for weight in model.parameters() if id(weight) not in own]
    kind = torch.optim.Adam if config.optimizer == "adam" else torch.optim.AdamW
    groups: list[dict[str, Any]] = [
        {"params": [weight for weight in rest if weight.dim() > 1], "weight_decay": config.weight_decay},
        {"params": [weight for weight in rest if weight.dim() <= 1], "weight_decay": 0.0},
    ]
    fused = model.bias.device.type in ("cpu", "cuda")
    parts: list[torch.optim.Optimizer] = [kind(groups, lr=config.lr, fused=fused)]
    if by_muon:
        matrices: list[dict[str, Any]] = [{"params": inputs, "pinned": True}, {"params": recurrent}]
        parts.append(Muon(matrices, lr=config.lr, weight_decay=config.weight_decay))
    return Optimizers(parts)
