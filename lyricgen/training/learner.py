"""A model while it learns: one update of its weights from one batch, and all that an update changes."""

import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lyricgen.errors import DeviceError
from lyricgen.model.config import TrainConfig
from lyricgen.model.device import half_precision, mixed_precision, send
from lyricgen.model.likelihood import count_targets, feature_nats, plan_nats
from lyricgen.model.network import LyricModel, State, detached
from lyricgen.training.dataset import Batch
from lyricgen.training.distributed import ALONE, Ranks
from lyricgen.training.loss_scale import LossScale
from lyricgen.training.optimizer import make_optimizer

FRESH = 0.02  # of the rows begin each window from an empty state, as a text does that is read from its middle on


class Learner:
    """Weights, their average, the optimizer, the hidden state that is carried along, and dropout's randomness.

    `kept` is the model that is measured and saved: the averaged one, where the weights are averaged. Each of several
    `ranks` has a learner; their weights are the same, bit for bit, since all apply the same mean of gradients.
    """

    def __init__(self, model: LyricModel, config: TrainConfig, *, device: torch.device, ranks: Ranks = ALONE) -> None:
        self.model = model.to(device)
        self.config = config
        self.device = device
        self.ranks = ranks
        self.generator = torch.Generator(device).manual_seed(config.seed + ranks.rank)
        self.model.generator = self.generator
        self.kept = copy.deepcopy(self.model) if config.average else self.model
        rows = config.batch // ranks.size
        self.states: list[list[State]] = [self.model.initial_state(rows) for _ in range(config.turns)]
        self._optimizer = make_optimizer(self.model, config)
        self._scale = LossScale(needed=half_precision(device) == torch.float16)
        self._losses: list[Tensor] = []

    def learn(self, batch: Batch, *, lr: float, step: int, fresh: bool) -> int:
        """Update number `step` from windows `(T, B)`, which all ranks make together from the windows of each.

        `fresh`: they do not go on from the hidden state of the last ones of their turn. Gives the number of tokens,
        of all ranks.
        """
        model, ranks = self.model, self.ranks
        # Nats are divided by the mean over the ranks of how many targets they have: so the mean of all gradients is
        # that of the whole batch, whatever the share of each rank.
        counts = torch.stack((count_targets(batch.y), torch.tensor(batch.y.numel()))).float()
        ranks.mean([counts])
        targets = send(counts[0].clamp_min(1 / ranks.size), self.device)
        batch = batch.to(self.device)
        turn = (step - 1) % self.config.turns
        state = model.initial_state(batch.x.shape[1]) if fresh else self._emptied(self.states[turn], step)
        self._optimizer.set_rate(lr)
        model.train()
        with mixed_precision(self.device):
            features, state = model.features(batch.x, state, batch.labels)
            loss = feature_nats(model, features, batch.y, count=targets)
            if batch.plan is not None:
                loss = loss + plan_nats(model, features, batch.plan).sum() / targets
        self._optimizer.zero_grad()
        torch.autograd.backward(self._scale.scaled(loss))
        loss = loss.detach()
        gradients = [weight.grad for weight in model.parameters() if weight.grad is not None]
        ranks.mean([*gradients, loss])
        if self._scale.unscale(gradients):  # after the mean: what overflows in one rank does in all
            norm = nn.utils.clip_grad_norm_(model.parameters(), self.config.clip)
            loss = loss + 0 * norm  # an infinite gradient spoils all weights: told with the losses, without waiting
            self._optimizer.step()
            model.pin_resets()
        if self.config.carry:
            self.states[turn] = detached(state)
        self._average(step)
        self._losses.append(loss)
        return round(float(counts[1]) * ranks.size)

    def losses(self) -> list[float]:
        """Mean nats per token of each update since this was asked last; here the host waits for the device."""
        losses = torch.stack(self._losses).tolist() if self._losses else []
        self._losses.clear()
        return losses

    def _emptied(self, state: list[State], step: int) -> list[State]:
        """The carried state with a few rows emptied.

        A text without ends of songs has one start only. A model that saw no other can fall into states that training
        never reached when it starts anywhere else, and not find out of them again, at 8 nats a character.
        """
        draws = np.random.default_rng((self.config.seed, step - 1)).random(self.config.batch)
        kept = send(torch.from_numpy(draws >= FRESH).chunk(self.ranks.size)[self.ranks.rank], self.device)
        return [tuple(part * kept.view(1, -1, 1) for part in layer) for layer in state]

    @torch.no_grad()
    def _average(self, step: int) -> None:
        """Moves the averaged weights towards those of this step, so that they cover the last share of all steps."""
        if self.kept is self.model:
            return
        share = 1 / (1 + self.config.average * step)
        torch._foreach_lerp_(list(self.kept.parameters()), list(self.model.parameters()), share)

    def shared_state(self) -> dict[str, Any]:
        """What is to be saved and is the same in all ranks."""
        return {
            "model": self.model.state_dict(),
            "average": self.kept.state_dict() if self.config.average else None,
            "optimizer": self._optimizer.state_dict(),
            "scale": self._scale.state(),
        }

    def own_state(self) -> dict[str, Any]:
        """What is to be saved and no other rank has: the hidden state of its rows, and its randomness."""
        states = [[[part.cpu() for part in layer] for layer in state] for state in self.states]
        return {"states": states, "generator": self.generator.get_state(), "device": self.device.type}

    def load_shared(self, saved: dict[str, Any]) -> None:
        """Takes in what `shared_state` gave."""
        self.model.load_state_dict(saved["model"])
        self._optimizer.load_state_dict(saved["optimizer"])
        if "scale" in saved:
            self._scale.load(saved["scale"])
        if (average := saved.get("average")) is not None:
            self.kept.load_state_dict(average)

    def load_own(self, saved: dict[str, Any]) -> None:
        """Takes in what `own_state` gave.

        Raises DeviceError for that of another kind of device, whose randomness cannot go on here; ValueError where
        the shapes are not those of this model's state.
        """
        if (begun_on := saved.get("device", self.device.type)) != self.device.type:
            raise DeviceError(f"this run was begun on {begun_on}; resume it there, by --device {begun_on}")
        states = saved["states"] if "states" in saved else [saved["state"]]
        if _shapes(states) != _shapes(self.states):
            raise ValueError("state")
        # In half precision it is what a machine saved that multiplies so; this one may not.
        kind = None if half_precision(self.device) else torch.float32
        self.states = [[tuple(part.to(self.device, kind) for part in layer) for layer in state] for state in states]
        self.generator.set_state(saved["generator"])


def _shapes(states: list[list[State]]) -> list[list[list[torch.Size]]]:
    """Those of each part of each layer of each turn, whatever the number of rows."""
    return [[[part.shape[::2] for part in layer] for layer in state] for state in states]
