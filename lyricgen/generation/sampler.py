"""From logits to one token: the soft rules that reshape a distribution, and the draw."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lyricgen.model.config import check_range

RECENT = 64  # tokens that the repetition penalty looks back on


@dataclass(frozen=True)
class SamplingConfig:
    """How tokens are drawn. `greedy` takes the likeliest and leaves all else aside; 0 switches top-k and min-p off.

    `top_k` keeps the k likeliest tokens; `top_p` the fewest that hold the share p of the probability (Holtzman et
    al. 2020, arXiv:1904.09751); `min_p` those at least p times as likely as the likeliest (Nguyen et al. 2024,
    arXiv:2407.01082); `repetition_penalty` weakens recent tokens (Keskar et al. 2019, arXiv:1909.05858, section 4.1).
    """

    temperature: float = 0.8
    top_k: int = 0
    top_p: float = 0.95
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    greedy: bool = False

    def __post_init__(self) -> None:
        check_range("temperature", self.temperature, 0.01, 100)
        check_range("top-k", self.top_k, 0, 10_000_000)
        check_range("top-p", self.top_p, 1e-6, 1)
        check_range("min-p", self.min_p, 0, 1)
        check_range("repetition-penalty", self.repetition_penalty, 0.01, 100)


Warper = Callable[[Tensor], Tensor]  # logits (B, C) → logits (B, C), never changing what it was given


def top_k(logits: Tensor, k: int) -> Tensor:
    """Leaves the k likeliest of each row of `(B, C)`."""
    threshold = logits.topk(min(k, logits.shape[-1]), dim=-1).values[:, -1:]
    return logits.masked_fill(logits < threshold, -math.inf)


def top_p(logits: Tensor, p: float) -> Tensor:
    """Leaves the fewest tokens of each row of `(B, C)` that together hold at least the share p."""
    values, order = logits.sort(dim=-1, descending=True)
    before = values.softmax(dim=-1).cumsum(dim=-1).roll(1, dims=-1)
    before[:, 0] = 0  # the likeliest always stays
    cut = values.masked_fill(before >= p, -math.inf)
    return torch.empty_like(cut).scatter_(-1, order, cut)


def min_p(logits: Tensor, p: float) -> Tensor:
    """Leaves the tokens of each row of `(B, C)` that are at least p times as likely as the likeliest."""
    return logits.masked_fill(logits < logits.amax(dim=-1, keepdim=True) + math.log(p), -math.inf)


def penalize(logits: Tensor, recent: Sequence[Sequence[int]], penalty: float) -> Tensor:
    """Weakens the classes in `recent` of each row of `(B, C)`: positive logits are divided, others multiplied."""
    out = logits.clone()
    for row, classes in enumerate(recent):
        if classes:
            at = torch.tensor(sorted(set(classes)), device=logits.device)
            picked = out[row, at]
            out[row, at] = torch.where(picked > 0, picked / penalty, picked * penalty)
    return out


def warpers(config: SamplingConfig) -> list[Warper]:
    """The rules that are in use, in the order in which they apply."""
    rules: list[Warper] = []
    if config.temperature != 1:
        rules.append(lambda logits: logits / config.temperature)
    if config.top_k:
        rules.append(lambda logits: top_k(logits, config.top_k))
    if config.top_p < 1:
        rules.append(lambda logits: top_p(logits, config.top_p))
    if config.min_p:
        rules.append(lambda logits: min_p(logits, config.min_p))
    return rules


def song_stream(seed: int, number: int, version: int = 0) -> np.random.Generator:
    """The random stream of a version of song `number` under a seed: its own, whatever is written beside it."""
    key = (seed, number, version) if version else (seed, number)
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))


def draw(logits: Tensor, uniforms: Tensor) -> Tensor:
    """Classes `(B,)` from logits `(B, C)` by inverting the cumulative distribution at uniforms `(B,)` in [0, 1).

    The sums are made on the CPU, and the classes are there: Apple's MPS has no float64.
    """
    cumulative = logits.softmax(dim=-1).cpu().double().cumsum(dim=-1)
    # The last sum stands in for 1, so that no draw falls past the last token that has any probability.
    point = uniforms.cpu().double().unsqueeze(1) * cumulative[:, -1:]
    return torch.searchsorted(cumulative, point, right=True).squeeze(1).clamp_(max=logits.shape[-1] - 1)
