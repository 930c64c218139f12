"""Muon moves matrices by orthogonal steps; all else moves as AdamW moves it."""

import pytest
import torch

from lyricgen.model.config import ModelConfig, TrainConfig
from lyricgen.model.network import LyricModel
from lyricgen.training.optimizer import RMS, Muon, make_optimizer, orthogonal


@pytest.mark.parametrize("shape", [(40, 10), (10, 40), (16, 16), (1, 5)])
def test_all_singular_values_come_close_to_one_and_the_directions_stay(shape: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(1)
    k = min(shape)
    left, right = (torch.linalg.qr(torch.randn(n, k, generator=generator))[0] for n in shape)
    values = torch.logspace(1, -1, k)  # one direction a hundred times as strong as another
    found = left.T @ orthogonal(left @ torch.diag(values) @ right.T) @ right
    assert ((found.diagonal() > 0.6) & (found.diagonal() < 1.25)).all()
    assert (found - torch.diag(found.diagonal())).abs().max() < 1e-4


def test_no_gradient_no_step() -> None:
    assert not orthogonal(torch.zeros(3, 5)).any()


def test_a_step_has_the_length_that_is_asked_and_goes_down() -> None:
    weight = torch.nn.Parameter(torch.randn(30, 20, generator=torch.Generator().manual_seed(2)))
    target = torch.zeros(30, 20)
    optimizer = Muon([{"params": [weight]}], lr=0.01, weight_decay=0.0)
    for _ in range(3):
        before, loss = weight.detach().clone(), (weight - target).square().sum()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        weight_now = weight.detach()
        assert (weight_now - target).square().sum() < loss
        size = (weight_now - before).square().mean().sqrt() / 0.01
        # 20 directions of length one, times the square root of 30, over 600 numbers: RMS again.
        assert size == pytest.approx(RMS, rel=0.25)


def test_a_pinned_column_stands_still_and_decay_shrinks_the_rest() -> None:
    weight = torch.nn.Parameter(torch.ones(4, 3))
    weight.grad = torch.zeros(4, 3)
    weight.grad[:, 2] = 1e6
    Muon([{"params": [weight], "pinned": True}], lr=0.1, weight_decay=0.5).step()
    assert weight[:, 2].tolist() == [1, 1, 1, 1]
    assert torch.allclose(weight[:, :2], torch.full((4, 2), 0.95))


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_every_weight_moves_once(cell: str) -> None:
    model = LyricModel(ModelConfig(20, cell=cell, embedding=6, hidden=5, lengths=33, rhymes=14))
    optimizer = make_optimizer(model, TrainConfig(epochs=1, weight_decay=0.0))
    optimizer.set_rate(0.01)
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    for weight in model.parameters():
        weight.grad = torch.randn(weight.shape, generator=torch.Generator().manual_seed(3))
    optimizer.step()
    for name, weight in model.named_parameters():
        change = (weight - before[name])[:, :-1] if "weight_ih" in name else weight - before[name]
        rms = change.detach().square().mean().sqrt() / 0.01
        if name.startswith("layers") and weight.dim() > 1:  # Muon
            assert rms == pytest.approx(RMS, rel=0.35), name
        else:  # AdamW's first step has the length of its rate
            assert rms == pytest.approx(1, rel=0.01), name


def test_what_was_saved_goes_on() -> None:
    def run(stop: int) -> list[float]:
        model = torch.manual_seed(1) and LyricModel(ModelConfig(20, embedding=6, hidden=5))
        config = TrainConfig(epochs=1)
        optimizer = make_optimizer(model, config)
        for step in range(4):
            if step == stop:
                saved = optimizer.state_dict()
                optimizer = make_optimizer(model, config)
                optimizer.load_state_dict(saved)
            for number, weight in enumerate(model.parameters()):
                weight.grad = torch.randn(weight.shape, generator=torch.Generator().manual_seed(step + 9 * number))
            optimizer.step()
        return [weight.sum().item() for weight in model.parameters()]

    assert run(stop=2) == run(stop=9)
    with pytest.raises(ValueError, match="optimizer"):
        model = LyricModel(ModelConfig(20))
        plain = make_optimizer(model, TrainConfig(epochs=1, optimizer="adam"))
        plain.load_state_dict(make_optimizer(model, TrainConfig(epochs=1)).state_dict())
