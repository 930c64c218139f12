"""The output layer and its loss in one, a block of positions at a time: for vocabularies with too many logits."""

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

BLOCK = 1 << 22  # logits at a time, 16 MB of float32: with fewer, the sum of the weights' gradients costs too much
IGNORED = -1


def linear_cross_entropy(features: Tensor, weight: Tensor, bias: Tensor, targets: Tensor) -> Tensor:
    """Nats of targets `(N,)`, summed, under softmax(features · weightᵀ + bias); ignored targets do not count.

    `features` `(N, D)`, `weight` `(C, D)`, `bias` `(C,)`. The same number as `cross_entropy` of all the logits, but
    of each block the gradient is taken while its logits are at hand, so that no more than a block of them exists;
    the matrix products are made in the precision of autocast.
    """
    apply = cast(Callable[..., Tensor], _LinearCrossEntropy.apply)
    return apply(features, weight, bias, targets)


class _LinearCrossEntropy(torch.autograd.Function):
    """See `linear_cross_entropy`. What autograd would keep of every block is used up at once."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor, bias: Tensor, targets: Tensor) -> Tensor:
        device = features.device.type
        kind = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else weight.dtype
        with torch.autocast(device, enabled=False):
            x, w = features.to(kind), weight.to(kind)
            wide = bias if kind == weight.dtype else None
            total = bias.new_zeros(())
            dx = torch.empty_like(features, dtype=kind)
            dw, db = torch.zeros_like(weight), torch.zeros_like(bias)
            rows = max(1, BLOCK // len(weight))
            for a in range(0, len(x), rows):
                part, target = x[a : a + rows], targets[a : a + rows]
                logits = torch.addmm(wide, part, w.t()) if wide is not None else (part @ w.t()).float().add_(bias)
                kept = (target != IGNORED).unsqueeze(1)
                at = target.clamp_min(0).unsqueeze(1)
                torch.log_softmax(logits, dim=1, out=logits)
                total -= (logits.gather(1, at) * kept).sum()
                # The gradient of the logits: the probabilities, less one at the target.
                logits.exp_().scatter_add_(1, at, logits.new_full((1, 1), -1.0).expand_as(at)).mul_(kept)
                db += logits.sum(dim=0)
                slope = logits.to(kind)
                torch.mm(slope, w, out=dx[a : a + rows])
                dw.addmm_(slope.t(), part) if kind == dw.dtype else dw.add_(slope.t() @ part)
        ctx.save_for_backward(dx, dw, db)
        ctx.kind = features.dtype
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        dx, dw, db = ctx.saved_tensors
        (scale,) = grads
        return (dx * scale).to(ctx.kind), dw * scale, db * scale, None
