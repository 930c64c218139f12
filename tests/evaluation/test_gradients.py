"""Fading gradients and the use of context, against values worked out by hand and by central differences."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from lyricgen.evaluation import gradients
from lyricgen.evaluation.gradients import ContextUse, context_use, gradient_by_distance
from lyricgen.model.likelihood import Unseen
from lyricgen.model.network import CELLS, LyricModel
from lyricgen.text.tokenizer import Tokenizer
from lyricgen.text.vocab import SPECIALS, Ids, Vocab

Make = Callable[..., LyricModel]
VOCAB = Vocab((*SPECIALS, "\n", "星", "月", "星星", "月月"), Tokenizer("word", "jieba", "0"), unseen=0.2)


def text(*ids: int) -> Ids:
    return np.array(ids, dtype=np.int32)


@pytest.fixture
def linear(make_model: Make) -> LyricModel:
    """One unit of an RNN that only sees zeros, where tanh is the identity; 0.7 inwards, 0.5 from step to step."""
    model = make_model("rnn", embedding=1, hidden=1, layers=1, residual=False)
    with torch.no_grad():
        model.embedding.weight.zero_()
        for name, weight in model.layers[0].named_parameters():
            if name.startswith("bias"):
                weight.zero_()
        model.layers[0].weight_ih_l0[0, 0] = 0.7
        model.layers[0].weight_hh_l0[0, 0] = 0.5
    return model


def slope(model: LyricModel, target: int, *, hidden: float = 0.0) -> float:
    """|∂L/∂h| of the linear model at a state: the output weights times what the softmax is off by."""
    assert model.output is not None
    bias, weights = model.bias.detach().double().numpy(), model.output.weight.detach().double().numpy()[:, 0]
    odds = np.exp(bias + weights * hidden)
    odds /= odds.sum()
    odds[target - 2] -= 1
    return abs(float(odds @ weights))


def test_the_gradient_of_a_linear_unit_halves_with_every_step(linear: LyricModel) -> None:
    found = gradient_by_distance(linear, text(*[4] * 12), reach=5)
    assert found == pytest.approx([slope(linear, 4) * 0.7 * 0.5**k for k in range(6)])


def test_the_norms_of_all_places_are_averaged(linear: LyricModel) -> None:
    found = gradient_by_distance(linear, text(4, 4, 4, 5, 6, 7), reach=2)  # the targets are 5, 6 and 7
    mean = sum(slope(linear, target) for target in (5, 6, 7)) / 3
    assert found == pytest.approx([mean * 0.7 * 0.5**k for k in range(3)])


def test_no_gradient_is_counted_across_an_end_of_song(linear: LyricModel) -> None:
    ids = text(4, 4, 4, 4, 4, 4, 2, 4, 4, 4, 4, 4)
    # Of the targets from place 4 on, those one to four steps past the end do not see four inputs of their song.
    sums, counts = np.zeros(4), np.zeros(4)
    for target in range(4, 12):
        states = [0.0]
        for token in ids[target - 4 : target]:  # an end of song saturates the unit
            states.append(1.0 if token == 2 else math.tanh(0.5 * states[-1]))
        carried = slope(linear, int(ids[target]), hidden=states[-1])
        for k in range(4):
            if ids[target - 1 - k] == 2:
                break
            carried *= 1 - states[-1 - k] ** 2
            sums[k] += 0.7 * carried
            counts[k] += 1
            carried *= 0.5
    assert counts.tolist() == [7, 6, 5, 4]
    assert gradient_by_distance(linear, ids, reach=3) == pytest.approx(sums / counts, rel=1e-5)
    only = gradient_by_distance(linear, text(4, 4, 4, 4, 2, 4, 4), reach=3, positions=10)
    assert len(only) == 4
    assert len(gradient_by_distance(linear, text(4, 2, 4, 2, 4, 2, 4, 2), reach=3)) == 1


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_are_those_of_central_differences(cell: str, make_model: Make) -> None:
    model = make_model(cell).double()
    ids = text(3, 4, 5, 6, 7, 3, 4)
    found = gradient_by_distance(model, ids, reach=3, positions=1)  # of 7 after 3, 4, 5, 6

    def loss() -> float:
        with torch.no_grad():
            logits, _ = model(torch.tensor([[3], [4], [5], [6]]), model.initial_state(1))
        return -float(logits[-1, 0].log_softmax(0)[7 - 2])

    rows = model.embedding.weight.detach()
    expected = []
    for row in (6, 5, 4, 3):  # each stands once, so its row of the embedding is the one input
        slopes = []
        for column in range(rows.shape[1]):
            kept = float(rows[row, column])
            rows[row, column] = kept + 1e-5
            high = loss()
            rows[row, column] = kept - 1e-5
            slopes.append((high - loss()) / 2e-5)
            rows[row, column] = kept
        expected.append(math.hypot(*slopes))
    assert found == pytest.approx(expected, rel=1e-5)


def test_measuring_leaves_no_trace(make_model: Make) -> None:
    model = make_model("lstm")
    gradient_by_distance(model, text(*[3, 4, 5, 6, 7] * 4))
    assert all(weight.grad is None for weight in model.parameters())
    assert not model.embedding._forward_hooks


def test_groups_change_nothing(make_model: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    model, ids = make_model("gru"), text(*[3, 4, 5, 2, 1, 6, 7, 3, 6, 4] * 6)
    whole = gradient_by_distance(model, ids, reach=4), context_use(model, ids, vocab=VOCAB)
    monkeypatch.setattr(gradients, "LOGITS", 200)
    parts = gradient_by_distance(model, ids, reach=4), context_use(model, ids, vocab=VOCAB)
    assert parts[0] == pytest.approx(whole[0], rel=1e-5)
    assert parts[1].nats == pytest.approx(whole[1].nats, rel=1e-6)


@pytest.mark.parametrize("ids", [(), (3,), (3, 4)])
def test_too_little_text_gives_no_figures(make_model: Make, ids: tuple[int, ...]) -> None:
    assert gradient_by_distance(make_model(), text(*ids)) == ()
    assert context_use(make_model(), text(*ids[:1]), vocab=VOCAB) == ContextUse()


def test_a_model_that_ignores_its_state_gains_nothing_from_context(make_model: Make) -> None:
    model = make_model("gru")
    assert model.output is not None
    with torch.no_grad():
        model.output.weight.zero_()
    ids = text(3, 4, 5, 6, 7, 3, 4, 6, 4)
    found = context_use(model, ids, vocab=VOCAB)
    assert found.lengths == (1, 2, 4)
    nats = -model.bias.detach().double().log_softmax(0).numpy() - math.log(0.8)
    by_hand = sum(nats[i - 2] for i in ids[4:]) / (2 + 1 + 1 + 2 + 1)  # characters of the last five tokens
    assert found.nats == pytest.approx([by_hand] * 3)


def test_a_context_is_what_the_model_reads_from_a_fresh_state(make_model: Make) -> None:
    model = make_model("lstm")
    ids = text(*[3, 4, 5, 6, 7, 4, 0, 3, 1, 5, 7, 4])
    found = context_use(model, ids, vocab=VOCAB)
    for length, nats in zip(found.lengths, found.nats, strict=True):
        total, characters = 0.0, 0
        for place in (4, 5, 6, 7, 9, 10, 11):  # the eighth is a start of song, which nobody predicts
            with torch.no_grad():
                read = torch.from_numpy(ids[place - length : place].astype(np.int64))[:, None]
                logits, _ = model(read, model.initial_state(1))
            known = math.log1p(-0.2) + logits[-1, 0].log_softmax(0)
            total += Unseen.of(VOCAB).nats if ids[place] == 0 else -float(known[ids[place] - 2])
            characters += int(VOCAB.lengths[ids[place]])
        assert nats == pytest.approx(total / characters, rel=1e-5), length


def test_a_model_that_remembers_one_token_needs_a_context_of_two(make_model: Make) -> None:
    """The first layer of an RNN copies what stands before; the loss falls from one token read to two, not further."""
    model = make_model("rnn", embedding=1, hidden=2, layers=1, residual=False)
    assert model.output is not None
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
        model.embedding.weight[4], model.embedding.weight[5] = 1.0, -1.0
        model.layers[0].weight_ih_l0[0, 0] = 5.0  # unit 0: the token at hand
        model.layers[0].weight_hh_l0[1, 0] = 5.0  # unit 1: the one before it
        model.output.weight[4 - 2, 1], model.output.weight[5 - 2, 1] = 9.0, -9.0
        model.pin_resets()
        model.layers[0].weight_ih_l0[:, -1] = 0
    ids = text(*[4, 4, 5, 5] * 6)[:-1]  # what comes is the opposite of what stood two places before
    with torch.no_grad():
        model.output.weight.neg_()
    found = context_use(model, ids, vocab=VOCAB)
    assert found.nats[0] - found.nats[1] > 1
    assert found.nats[2:] == pytest.approx([found.nats[1]] * len(found.nats[2:]), abs=1e-3)
