"""The search for a minimum, and a model that is twice too sure of itself."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from lyricgen.errors import InputError
from lyricgen.evaluation.held_out import document_nats, evaluate_documents
from lyricgen.evaluation.temperature import TOLERANCE, fit_temperature, minimum
from lyricgen.model.checkpoint import Card, Checkpoint
from lyricgen.model.config import ModelConfig
from lyricgen.model.network import LyricModel
from lyricgen.text.documents import Document
from lyricgen.text.tokenizer import Tokenizer
from lyricgen.text.vocab import SPECIALS, Vocab


@pytest.mark.parametrize("lowest", [-2.5, -0.3, -0.04, 0.0, 0.001, 0.07, 0.9, 2.2])
@pytest.mark.parametrize(
    "valley",
    [lambda d: d * d, lambda d: math.exp(d) - d, lambda d: abs(d), lambda d: d * d * (3 if d > 0 else 1)],
)
def test_a_minimum_is_found_in_few_steps(lowest: float, valley: Callable[[float], float]) -> None:
    tried: list[float] = []

    def cost(x: float) -> float:
        tried.append(x)
        return 5 + valley(x - lowest)

    x, value = minimum(cost, at_start=cost(0.0))
    assert abs(x - lowest) <= 1.5 * TOLERANCE
    assert value == 5 + valley(x - lowest)
    assert len(tried) <= 30


def test_a_slope_ends_at_the_last_point_that_is_tried() -> None:
    x, _ = minimum(lambda x: x, at_start=0.0)
    assert -6 < x <= -3


def test_a_plain_stays_where_it_is() -> None:
    assert minimum(lambda x: 1.0, at_start=1.0)[0] == pytest.approx(0, abs=TOLERANCE)


SHARES = {"<end>": 1 / 8, "\n": 1 / 8, "星": 1 / 2, "月": 1 / 4}
TEXT = Document("星星星月星月\n", 7, ended=True)


def loud(times: float) -> Checkpoint:
    """A model whose odds are the shares above to some power, whatever it has read."""
    vocab = Vocab((*SPECIALS, "\n", "星", "月"), Tokenizer("char"), unseen=0.1)
    model = LyricModel(ModelConfig(len(vocab), embedding=4, hidden=4))
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
        model.bias[:] = times * torch.tensor(list(SHARES.values())).log()
    return Checkpoint(Path("none"), Card(model.config), vocab, model.eval())


@pytest.mark.parametrize("times", [2.0, 1.0, 0.4])
def test_a_model_that_is_too_sure_is_told_by_how_much(times: float) -> None:
    found = fit_temperature(loud(times), [TEXT])
    assert found.temperature == pytest.approx(times, rel=0.01)
    total = sum(share**times for share in SHARES.values())
    before = -8 * sum(share * math.log(share**times / total) for share in SHARES.values())
    best = -8 * sum(share * math.log(share) for share in SHARES.values())
    assert found.nats == pytest.approx(before - best, abs=1e-3)
    assert found.to_json()["gain_nats_per_char"] == found.nats / 7
    assert f"{found.temperature:.3f}" in found.line()


def test_the_model_is_left_as_it_was() -> None:
    checkpoint = loud(2)
    before = evaluate_documents(checkpoint, [TEXT]).nats
    fit_temperature(checkpoint, [TEXT])
    assert evaluate_documents(checkpoint, [TEXT]).nats == before
    assert not checkpoint.model._forward_hooks


def test_unknown_characters_change_nothing() -> None:
    checkpoint = loud(2)
    strict = replace(checkpoint, vocab=replace(checkpoint.vocab, unseen=0.0))  # to which they cost infinitely much
    assert fit_temperature(strict, [TEXT, Document("鲲", 1, ended=False)]).temperature == pytest.approx(2, rel=0.01)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
def test_probabilities_sum_to_one_at_any_temperature(temperature: float) -> None:
    checkpoint = loud(2)
    texts = [Document("星" + end, 1 + len(end), ended=not end) for end in ("", "\n", "星", "月", "鲲")]
    total = 0.0
    for text, (_, _, nats) in zip(texts, document_nats(checkpoint, texts, temperature=temperature), strict=True):
        unknown = checkpoint.vocab.unseen_characters if "鲲" in text.text else 1
        total += unknown * math.exp(-nats[1])
    assert total == pytest.approx(1, abs=1e-6)


def test_nothing_cannot_be_fitted() -> None:
    with pytest.raises(InputError, match="no text"):
        fit_temperature(loud(2), [])


def test_a_text_of_unknown_characters_alone_fits_none() -> None:
    with pytest.raises(InputError, match="the model knows none of its characters"):
        fit_temperature(loud(2), [Document("鲲", 1, ended=False)])
