"""Each soft rule by its exact result on a few tokens, worked out by hand."""

import math

import numpy as np
import pytest
import torch

from lyricgen.errors import OptionError
from lyricgen.generation.sampler import (
    SamplingConfig,
    draw,
    min_p,
    penalize,
    song_stream,
    top_k,
    top_p,
    warpers,
)
from tests.narrow import DEVICE, NarrowDevice

LOGITS = torch.tensor([[0.5, 0.2, 0.2, 0.1], [0.1, 0.1, 0.1, 0.7]]).log()
NONE = -math.inf


def kept(logits: torch.Tensor) -> list[list[bool]]:
    return logits.isfinite().tolist()


def test_top_k_keeps_the_likeliest() -> None:
    assert kept(top_k(LOGITS, 1)) == [[True, False, False, False], [False, False, False, True]]
    assert kept(top_k(LOGITS, 9)) == [[True] * 4] * 2


def test_top_p_keeps_the_fewest_that_hold_the_share() -> None:
    assert kept(top_p(LOGITS, 0.69)) == [[True, True, False, False], [False, False, False, True]]
    assert kept(top_p(LOGITS, 0.71))[0] == [True, True, True, False]
    assert kept(top_p(LOGITS, 1e-6)) == [[True, False, False, False], [False, False, False, True]]


def test_min_p_keeps_what_is_near_the_likeliest() -> None:
    assert kept(min_p(LOGITS, 0.39)) == [[True, True, True, False], [False, False, False, True]]
    assert kept(min_p(LOGITS, 0.1)) == [[True] * 4] * 2


def test_the_penalty_weakens_recent_tokens_on_both_sides_of_zero() -> None:
    logits = torch.tensor([[2.0, -2.0, 1.0, 0.0]])
    assert penalize(logits, [[0, 1, 1]], 2.0).tolist() == [[1.0, -4.0, 1.0, 0.0]]


def test_no_rule_changes_what_it_is_given() -> None:
    before = LOGITS.clone()
    for rule in warpers(SamplingConfig(temperature=0.5, top_k=2, top_p=0.5, min_p=0.5)):
        rule(LOGITS)
    penalize(LOGITS, [[0], [1]], 3.0)
    draw(LOGITS, torch.tensor([0.5, 0.5]))
    assert torch.equal(before, LOGITS)


def test_only_rules_in_use_are_built() -> None:
    assert warpers(SamplingConfig(temperature=1.0, top_p=1.0)) == []
    assert len(warpers(SamplingConfig(temperature=0.5, top_k=3, top_p=0.9, min_p=0.1))) == 4


def test_temperature_divides() -> None:
    (rule,) = warpers(SamplingConfig(temperature=0.5, top_p=1.0))
    assert torch.equal(rule(LOGITS), LOGITS / 0.5)


def test_a_draw_inverts_the_cumulative_distribution() -> None:
    points = [0.0, 0.49, 0.51, 0.69, 0.71, 0.91, 1 - 2**-53]
    logits = LOGITS[:1].expand(len(points), -1)
    assert draw(logits, torch.tensor(points, dtype=torch.float64)).tolist() == [0, 0, 1, 1, 2, 3, 3]


def test_a_draw_never_takes_what_is_forbidden() -> None:
    logits = torch.tensor([[NONE, 0.0, NONE, 0.0, NONE]]).expand(3, -1)
    assert draw(logits, torch.tensor([0.0, 0.5, 1 - 2**-53], dtype=torch.float64)).tolist() == [1, 3, 3]


def test_a_draw_is_the_same_on_a_device_without_float64() -> None:
    points = torch.tensor(np.random.default_rng(0).random(100))
    logits = LOGITS[:1].expand(100, -1)
    expected = draw(logits, points)
    with NarrowDevice():
        assert torch.equal(draw(logits.to(DEVICE), points), expected)


def test_draws_follow_the_distribution() -> None:
    uniforms = torch.tensor(np.random.default_rng(0).random(20_000))
    counts = torch.bincount(draw(LOGITS[:1].expand(20_000, -1), uniforms), minlength=4) / 20_000
    torch.testing.assert_close(counts, LOGITS[0].exp(), atol=0.012, rtol=0)  # three standard errors


def test_each_song_has_a_stream_of_its_own() -> None:
    first, again, other, seed = (song_stream(*k).random() for k in ((1, 0), (1, 0), (1, 1), (2, 0)))
    assert first == again
    assert len({first, other, seed}) == 3


@pytest.mark.parametrize(
    "bad",
    [{"top_p": 2}, {"top_p": 0}, {"top_k": -1}, {"temperature": 0}, {"min_p": 1.5}, {"repetition_penalty": 0},
     {"temperature": math.nan}],
)  # fmt: skip
def test_settings_out_of_range_are_quoted(bad: dict[str, float]) -> None:
    name, value = next(iter(bad.items()))
    with pytest.raises(OptionError, match=f"{name.replace('_', '-')} must be from .* got {value:g}"):
        SamplingConfig(**bad)  # type: ignore[arg-type]
