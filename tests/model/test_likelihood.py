"""The likelihood: probabilities that sum to one, and to the same whatever stands beside a text."""

import math
import tracemalloc
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from lyricgen.model import likelihood
from lyricgen.model.likelihood import Unseen, cross_entropy, stream_nats, to_classes, token_nats
from lyricgen.model.network import CELLS, LyricModel
from lyricgen.text.vocab import Ids

UNKNOWN, START, END, A, B = range(5)
UNSEEN = Unseen(probability=0.1, choices=7)


def nats_alone(model: LyricModel, text: list[int], unseen: Unseen) -> npt.NDArray[np.float64]:
    """Nats of each id of a text, one by one from the softmax by hand."""
    ids = torch.tensor([END, START, *text])[:, None]
    with torch.no_grad():
        logits = model(ids, model.initial_state(1))[0][:, 0].double().numpy()
    nats = []
    for scores, following in zip(logits[1:], text, strict=False):
        if following == UNKNOWN:
            nats.append(-math.log(unseen.probability / unseen.choices))
        elif following == START:
            nats.append(0.0)
        else:
            share = np.exp(scores) / np.exp(scores).sum()
            nats.append(-math.log(share[following - 2] * (1 - unseen.probability)))
    return np.array(nats)


def as_ids(text: list[int]) -> Ids:
    return np.array(text, dtype=np.int32)


@pytest.mark.parametrize("cell", CELLS)
def test_the_probabilities_of_all_texts_sum_to_one(cell: str, make_model: Callable[..., LyricModel]) -> None:
    model = make_model(cell, vocab_size=5)
    symbols, longest = (A, B, UNKNOWN), 3
    ended = [[*text, END] for n in range(longest + 1) for text in product(symbols, repeat=n)]
    longer = [list(text) for text in product(symbols, repeat=longest + 1)]
    texts = ended + longer
    total = 0.0
    for text, nats in zip(texts, token_nats(model, map(as_ids, texts), unseen=UNSEEN), strict=True):
        # An unknown id stands for any of the characters that it could have been.
        total += UNSEEN.choices ** text.count(UNKNOWN) * math.exp(-nats.sum())
    assert total == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_texts_laid_in_streams_score_as_each_alone(
    cell: str, tied: bool, make_model: Callable[..., LyricModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(likelihood, "WINDOW", 4)
    monkeypatch.setattr(likelihood, "STREAMS", 3)
    model = make_model(cell, tied=tied, embedding=4)
    rng = np.random.default_rng(0)
    # Together more than one group of streams holds (3 × 4 × 32 ids); some empty, some of many windows.
    texts = [rng.choice([0, 1, 2, 3, 4, 5, 6, 7], size=n).tolist() for n in [*range(40), 0, 1, 100, 5, 4, 3]]
    assert sum(map(len, texts)) > 2 * 3 * 4 * 32
    found = list(token_nats(model, map(as_ids, texts), unseen=UNSEEN))
    assert len(found) == len(texts)
    for text, nats in zip(texts, found, strict=True):
        np.testing.assert_allclose(nats, nats_alone(model, text, UNSEEN), atol=1e-5)


def test_the_model_is_set_to_write_and_no_text_is_no_score(make_model: Callable[..., LyricModel]) -> None:
    model = make_model(dropout=0.9).train()
    assert list(token_nats(model, [], unseen=UNSEEN)) == []
    [nats] = token_nats(model, [as_ids([A, B, A])], unseen=UNSEEN)
    np.testing.assert_allclose(nats, nats_alone(model, [A, B, A], UNSEEN), atol=1e-5)


def test_rows_of_different_lengths_are_scored_but_for_their_first_id(make_model: Callable[..., LyricModel]) -> None:
    model = make_model()
    rows = [np.array([END, START, A, B, END]), np.array([END, START, A]), np.array([START])]
    found = stream_nats(model, rows, unseen=UNSEEN)
    assert [len(nats) for nats in found] == [4, 2, 0]
    for row, nats in zip(rows[:2], found, strict=False):
        assert nats[0] == 0  # a start of song costs nothing
        np.testing.assert_allclose(nats[1:], nats_alone(model, row[2:].tolist(), UNSEEN), atol=1e-5)
    assert stream_nats(model, [], unseen=UNSEEN) == []


def test_a_text_as_long_as_all_others_together_costs_no_more_work_and_memory(
    make_model: Callable[..., LyricModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_model("rnn", layers=1)
    rng = np.random.default_rng(0)
    texts = [as_ids(rng.integers(1, 8, size=n).tolist()) for n in (300, 20_000, *range(30))]
    read: list[int] = []
    features = model.features

    def counted(ids: torch.Tensor, *rest: Any) -> Any:
        read.append(ids.numel())
        return features(ids, *rest)

    monkeypatch.setattr(model, "features", counted)
    tracemalloc.start()
    found = list(token_nats(model, texts, unseen=UNSEEN))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    tokens = sum(map(len, texts))
    padded = 20_000 * likelihood.STREAMS
    assert sum(read) < tokens + likelihood.STREAMS * likelihood.WINDOW < padded / 10
    assert peak < 8 * padded / 2  # bytes, of 64-bit ids
    for text, nats in zip(texts, found, strict=True):
        np.testing.assert_allclose(nats, nats_alone(model, text.tolist(), UNSEEN), atol=1e-5)


def test_the_price_of_an_unseen_character() -> None:
    assert math.exp(-UNSEEN.nats) == pytest.approx(0.1 / 7)
    assert math.exp(-UNSEEN.seen_nats) == pytest.approx(0.9)


def test_a_vocabulary_that_expects_nothing_unseen() -> None:
    assert Unseen(probability=0.0, choices=7).nats == math.inf
    assert Unseen(probability=0.0, choices=7).seen_nats == 0


def test_classes_are_what_can_be_written() -> None:
    assert to_classes(torch.tensor([[UNKNOWN, START], [END, A], [B, 7]])).tolist() == [[-1, -1], [0, 1], [2, 5]]


def test_cross_entropy_by_hand() -> None:
    # Odds of 1 : 3 and of 1 : 1; the ignored target between them would cost infinitely much.
    logits = torch.tensor([[[0.0, math.log(3)]], [[0.0, -1e9]], [[5.0, 5.0]]])  # (3, 1, 2)
    mean = cross_entropy(logits, torch.tensor([[0], [-1], [1]]))
    assert mean.item() == pytest.approx((math.log(4) + math.log(2)) / 2)


def test_cross_entropy_of_many_streams_is_the_mean_over_all_their_targets() -> None:
    logits = torch.randn(3, 4, 6, generator=torch.Generator().manual_seed(0))
    targets = torch.tensor([[0, 1, 2, 3], [4, 5, -1, -1], [-1, -1, -1, 0]])
    nats = [
        math.log(sum(math.exp(score) for score in logits[t, b].tolist())) - logits[t, b, targets[t, b]].item()
        for t, b in product(range(3), range(4))
        if targets[t, b] >= 0
    ]
    assert cross_entropy(logits, targets).item() == pytest.approx(sum(nats) / 7)
    assert cross_entropy(logits.bfloat16(), targets).dtype == torch.float32


def test_cross_entropy_where_nothing_counts_is_zero_and_teaches_nothing() -> None:
    logits = torch.randn(2, 1, 6, requires_grad=True)
    loss = cross_entropy(logits, torch.tensor([[-1], [-1]]))
    torch.autograd.backward(loss)
    assert loss.item() == 0
    assert logits.grad is not None and not logits.grad.any()
