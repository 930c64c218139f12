"""Learning in float16: gradients keep their size, an overflow costs one update and no weight."""

import pytest
import torch
from torch import Tensor

from lyricgen.model import device
from lyricgen.model.config import ModelConfig, TrainConfig
from lyricgen.model.network import FIRST_CLASS, LyricModel
from lyricgen.training import learner, loss_scale
from lyricgen.training.dataset import Batch
from lyricgen.training.learner import Learner
from lyricgen.training.loss_scale import LossScale

CPU = torch.device("cpu")
IDS = torch.arange(60).reshape(10, 6) % 7 + FIRST_CLASS + 1
BATCH = Batch(IDS[:-1], IDS[1:] - FIRST_CLASS)


def gradients_of(loss: Tensor, weight: Tensor) -> list[Tensor]:
    (gradient,) = torch.autograd.grad(loss, [weight])
    return [gradient]


def test_gradients_come_out_as_they_were() -> None:
    scale, weight = LossScale(needed=True), torch.tensor([3.0, -1.0], requires_grad=True)
    scaled = gradients_of(scale.scaled((weight**2).sum()), weight)
    assert scaled[0].tolist() == [6 * 2.0**15, -2 * 2.0**15]
    assert scale.unscale(scaled)
    assert scaled[0].tolist() == [6.0, -2.0]


@pytest.mark.parametrize("bad", [float("inf"), float("-inf"), float("nan")])
def test_an_overflow_is_told_and_halves_the_factor(bad: float) -> None:
    scale = LossScale(needed=True)
    assert not scale.unscale([torch.ones(3), torch.tensor([1.0, bad])])
    assert scale.factor == 2.0**14
    for _ in range(20):
        scale.unscale([torch.tensor([bad])])
    assert scale.factor == 1


def test_the_factor_doubles_after_many_updates_in_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss_scale, "PATIENCE", 3)
    scale, fine, bad = LossScale(needed=True), torch.ones(1), torch.tensor([torch.inf])
    told = []
    for gradient in (fine, fine, bad, fine, fine, fine, fine):
        scale.unscale([gradient.clone()])
        told.append(scale.factor / 2**15)
    assert told == [1, 1, 0.5, 0.5, 0.5, 1, 1]


def test_where_it_is_not_needed_nothing_is_touched() -> None:
    scale, gradient = LossScale(needed=False), torch.tensor([torch.inf])
    assert scale.scaled(gradient) is gradient
    assert scale.unscale([gradient]) and scale.factor == 1
    scale.load((2.0**15, 7))  # of a run that was begun on a card that needs it
    assert scale.state() == (1, 0)


def make(*, half: bool, monkeypatch: pytest.MonkeyPatch) -> Learner:
    """A learner of a small network, in float16 as on a card without bfloat16."""
    kind = torch.float16 if half else None
    for module in (device, learner):
        monkeypatch.setattr(module, "half_precision", lambda _: kind)
    torch.manual_seed(0)
    config = ModelConfig(10, cell="rnn", embedding=8, hidden=8, dropout=0.0)  # the one with such a kernel on any CPU
    return Learner(LyricModel(config), TrainConfig(batch=6, epochs=1), device=CPU)


def learn(one: Learner, steps: int) -> list[float]:
    for step in range(steps):
        one.learn(BATCH, lr=0.01, step=step + 1, fresh=step == 0)
    return one.losses()


def test_a_model_learns_in_float16_as_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    half = learn(make(half=True, monkeypatch=monkeypatch), 30)
    full = learn(make(half=False, monkeypatch=monkeypatch), 30)
    assert full[-1] < 0.5 * full[0]
    assert half == pytest.approx(full, abs=0.05) and half != full


def test_an_overflow_leaves_the_weights_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    one = make(half=True, monkeypatch=monkeypatch)
    one._scale.factor = 2.0**40
    before = {name: weight.clone() for name, weight in one.model.state_dict().items()}
    learn(one, 1)
    assert all(torch.equal(before[name], weight) for name, weight in one.model.state_dict().items())
    assert one._scale.factor == 2.0**39
    losses = learn(one, 60)  # most of which bring the factor down
    assert one._scale.factor < 2.0**30
    assert losses[-1] < 0.7 * losses[0]


def test_the_factor_is_saved_with_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = (make(half=True, monkeypatch=monkeypatch) for _ in range(2))
    one._scale.factor = 2.0**40
    learn(one, 2)
    other.load_shared(one.shared_state())
    assert other._scale.state() == one._scale.state() == (2.0**38, 0)
    older = {name: part for name, part in one.shared_state().items() if name != "scale"}
    other.load_shared(older)  # of a version that knew no float16
