"""Fits weights of n-grams: multinomial logistic regression, to its optimum."""

import torch
from torch import Tensor
from torch.nn import functional as F

from lyricgen.mood.ngrams import Rows

STEPS = 100
STRENGTH = 10.0
"""How much the texts count against small weights: C of ½‖W‖² + C · Σ nats, where every text has length 1."""


def sparse(rows: Rows, *, width: int) -> Tensor:
    """Rows as a sparse matrix `(n, width)`."""
    texts = torch.repeat_interleave(torch.from_numpy(rows.starts).diff())
    places = torch.stack((texts, torch.from_numpy(rows.columns)))
    size = (len(rows.starts) - 1, width)
    return torch.sparse_coo_tensor(
        places, torch.from_numpy(rows.values), size, is_coalesced=True, check_invariants=False
    )


def fit(
    x: Tensor, classes: Tensor, *, importance: Tensor, strength: float = STRENGTH, start: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Weights `(N, C)` and biases `(C,)` for sparse texts x `(n, N)` of classes `(n,)`, by L-BFGS.

    `importance` `(C,)` is how much a text of each class counts.
    """
    n, width = x.shape
    weight = torch.zeros(width, len(importance)) if start is None else start.clone()
    bias = torch.zeros(len(importance))
    turned = x.t().coalesce()
    share = importance[classes] / importance[classes].sum()  # (n,)
    target = F.one_hot(classes, len(importance)).to(weight.dtype)
    decay = 1 / (strength * n)
    optimizer = torch.optim.LBFGS(
        (weight, bias), max_iter=STEPS, history_size=8, line_search_fn="strong_wolfe", tolerance_grad=1e-6
    )

    @torch.no_grad()
    def closure() -> Tensor:
        odds = (torch.sparse.mm(x, weight) + bias).log_softmax(dim=1)  # (n, C)
        pull = (odds.exp() - target) * share[:, None]
        weight.grad = torch.sparse.mm(turned, pull) + decay * weight
        bias.grad = pull.sum(dim=0)
        cost: Tensor = 0.5 * decay * weight.square().sum() - (odds * target).sum(dim=1) @ share
        return cost

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return weight, bias
