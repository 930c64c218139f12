"""What a model keeps from one update to the next: the hidden state of each turn of its streams."""

import math

import torch

from lyricgen.model.config import ModelConfig, TrainConfig
from lyricgen.model.network import LyricModel
from lyricgen.training.dataset import Batch
from lyricgen.training.learner import FRESH, Learner

CPU = torch.device("cpu")
MODEL = ModelConfig(9, embedding=4, hidden=6, layers=2, dropout=0.0)


def learner(turns: int) -> Learner:
    torch.manual_seed(1)
    return Learner(LyricModel(MODEL), TrainConfig(window=5, batch=2, turns=turns, epochs=1), device=CPU)


def windows(count: int) -> list[Batch]:
    ids = torch.randint(3, 9, (count, 6, 2), generator=torch.Generator().manual_seed(2))
    return [Batch(window[:-1], window[1:] - 2) for window in ids]


def test_each_turn_goes_on_from_its_own_last_window() -> None:
    assert FRESH < 0.1  # so rarely that no row of these six steps is emptied
    taking_turns, data = learner(2), windows(6)
    for step, batch in enumerate(data, 1):
        taking_turns.learn(batch, lr=1e-9, step=step, fresh=step <= 2)
    for turn in (0, 1):
        x = torch.cat([batch.x for batch in data[turn::2]])
        _, expected = taking_turns.model.features(x, taking_turns.model.initial_state(2))
        for found, part in zip(sum(taking_turns.states[turn], ()), sum(expected, ()), strict=True):
            assert torch.allclose(found, part, atol=1e-5)


def test_an_infinite_gradient_shows_in_the_losses() -> None:
    spoiled = learner(1)
    (batch,) = windows(1)
    next(iter(spoiled.model.layers.parameters())).register_hook(lambda gradient: gradient * torch.inf)
    spoiled.learn(batch, lr=0.01, step=1, fresh=True)
    (loss,) = spoiled.losses()
    assert math.isnan(loss)  # though that of the step itself was a number: what follows it cannot be


def test_what_is_saved_goes_on_with_every_turn_and_a_run_of_before_with_its_one() -> None:
    one, data = learner(2), windows(2)
    for step, batch in enumerate(data, 1):
        one.learn(batch, lr=1e-9, step=step, fresh=True)
    saved, other = one.own_state(), learner(2)
    other.load_own(saved)
    assert all(
        torch.equal(found, part)
        for turn in (0, 1)
        for found, part in zip(sum(other.states[turn], ()), sum(one.states[turn], ()), strict=True)
    )
    older = {"state": saved["states"][1], "generator": saved["generator"]}
    single = learner(1)
    single.load_own(older)
    assert torch.equal(single.states[0][1][0], one.states[1][1][0])
