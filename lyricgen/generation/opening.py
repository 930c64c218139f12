"""The line that a start text begins: the plans that it may have, weighed by what they make of its words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lyricgen.generation.engine import ROWS, Engine, Step
from lyricgen.generation.tokens import Mask
from lyricgen.model.likelihood import Masks
from lyricgen.model.network import FIRST_CLASS
from lyricgen.text.labels import LONGEST, Labeler
from lyricgen.text.vocab import Ids

KEPT = 1 - 1e-6  # of the plans' probability; the rest is hardly worth reading the text for
MOST = 512  # plans that are weighed


@dataclass(frozen=True)
class Opening:
    """K plans of a line: length and rhyme labels `(K,)`, weights `(K,)` that sum to 1, and where each leads.

    The weights are float64 and on the CPU, wherever the rest is: Apple's MPS has no float64.
    """

    lengths: Tensor
    rhymes: Tensor
    weights: Tensor
    labels: Tensor  # (K, 4), at the last id that was read
    step: Step


@torch.inference_mode()
def weigh(
    engine: Engine,
    masks: Masks,
    labeler: Labeler,
    before: Step,
    *,
    opener: int,
    begun: Ids,
    lengths: Mask,
    rhymes: Callable[[int], Mask],
    named: Sequence[int],
) -> Opening:
    """Reads the beginning of a line, `begun`, under every plan that it may have.

    `before` stands before the id that opens the line; `lengths` and `rhymes` (of a length) say what is allowed;
    `named` are the song's mood and style.
    """
    planner = engine.model.planner
    assert planner is not None
    every = torch.arange(len(lengths), device=engine.device)
    odds, rhyme_odds = planner(before.features[:1], every)  # (1, L), (L, R)
    allowed = torch.from_numpy(np.stack([rhymes(k) & lengths[k] for k in range(len(lengths))])).to(engine.device)
    odds = odds[0].masked_fill(~torch.from_numpy(lengths).to(engine.device), -torch.inf).log_softmax(dim=-1)
    rhyme_odds = _or_none(rhyme_odds.masked_fill(~allowed, -torch.inf).log_softmax(dim=-1))
    prior = (odds.unsqueeze(1) + rhyme_odds).flatten()  # (L·R,)
    order = prior.argsort(descending=True)[:MOST]
    sums = prior[order].exp().cumsum(0)
    order = order[: int((sums < KEPT).sum()) + 1]
    length, rhyme = order // rhyme_odds.shape[1], order % rhyme_odds.shape[1]
    weights = prior[order].cpu().double()

    rows = -(-len(order) // ROWS) * ROWS
    pad = torch.arange(rows, device=engine.device).clamp_max(len(order) - 1)
    labels = torch.zeros(len(order), 4, dtype=torch.long, device=engine.device)
    labels[:, 0], labels[:, 1], labels[:, 2], labels[:, 3] = length, rhyme, named[0], named[1]
    step = engine.keep(before, torch.zeros(rows, dtype=torch.long, device=engine.device))
    step = engine.step(torch.full((rows,), opener, device=engine.device), step.state, labels[pad])
    for number, units in zip(begun.tolist(), labeler.count(begun).tolist(), strict=True):
        if number >= FIRST_CLASS:  # an unknown character costs the same under every plan
            odds = step.logits[: len(order)].masked_fill(~masks(labels[:, :2]), -torch.inf).log_softmax(dim=-1)
            weights = weights + _or_none(odds[:, number - FIRST_CLASS]).cpu()
        left = labels[:, 0]
        labels[:, 0] = torch.where(left > LONGEST, left, (left - units).clamp_min(0))
        step = engine.step(torch.full((rows,), number, device=engine.device), step.state, labels[pad])
    if not weights.isfinite().any():  # no plan has these words: none is likelier than another
        weights = torch.zeros_like(weights)
    return Opening(length, rhyme, weights.softmax(dim=-1), labels, step)


def _or_none(odds: Tensor) -> Tensor:
    """Log-odds, with no chance at all where nothing was allowed that they could be of."""
    return odds.nan_to_num(nan=-torch.inf, neginf=-torch.inf)
