"""Averaged weights: what is measured and kept is the mean of the last share of the steps."""

import random
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from lyricgen.training.recipe import Wishes
from lyricgen.training.session import RunOptions, Session, start_session

CPU = torch.device("cpu")
Weights = dict[str, torch.Tensor]


def begin(tmp_path: Path, average: float) -> Session:
    rng = random.Random(1)
    lines = ["".join(rng.choices("星月雨风山海人来去我你", k=5)) for _ in range(30)]
    (tmp_path / "text.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    wishes = Wishes(hidden=8, embedding=6, window=8, batch=4, epochs=1, lr=0.05, average=average, seed=5)
    options = RunOptions((str(tmp_path / "text.txt"),), tmp_path / "run", wishes=wishes)
    return start_session(options, device=CPU, began=time.monotonic())


def copied(state: Weights) -> Weights:
    return {name: weight.clone() for name, weight in state.items()}


@pytest.mark.parametrize("average", [0.25, 1.0])
def test_what_is_kept_is_a_running_average_over_the_steps(
    average: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = begin(tmp_path, average)
    trainer = session.trainer
    assert trainer.config.average == average
    seen = [copied(trainer.model.state_dict())]
    step = trainer._step

    def watched(batch: object) -> None:
        step(batch)  # type: ignore[arg-type]
        seen.append(copied(trainer.model.state_dict()))

    monkeypatch.setattr(trainer, "_step", watched)
    reports = list(trainer.run())
    assert len(seen) == reports[-1].step + 1 >= 5
    for name, kept in trainer.kept.state_dict().items():
        expected = seen[0][name].double()
        for number, weights in enumerate(seen[1:], 1):
            expected += (weights[name].double() - expected) / (1 + average * number)
        torch.testing.assert_close(kept.double(), expected, rtol=1e-4, atol=1e-6)
    last = load_file(session.folder / "last.safetensors")
    assert all(torch.equal(last[name], kept) for name, kept in trainer.kept.state_dict().items())
    assert not torch.equal(last["bias"], trainer.model.bias)


def test_an_average_over_all_steps_is_near_their_mean(tmp_path: Path) -> None:
    """With a share of 1 step n moves the average by 1 / (1 + n): the mean of the start and of all steps."""
    trainer = begin(tmp_path, 1.0).trainer
    total, count = trainer.model.bias.detach().clone(), 1
    for batch in trainer._epochs.batches(0, first=0):
        trainer._step(batch)
        total += trainer.model.bias.detach()
        count += 1
    torch.testing.assert_close(trainer.kept.bias, total / count)


def test_the_averaged_weights_are_those_measured_and_the_best_of_them_kept(tmp_path: Path) -> None:
    session = begin(tmp_path, 0.5)
    trainer = session.trainer
    measured: dict[float, Weights] = {}
    for report in trainer.run():
        if report.held_out is not None:
            measured[report.held_out] = copied(trainer.kept.state_dict())
            assert trainer.held_out() == report.held_out
    best = load_file(session.folder / "model.safetensors")
    assert best.keys() == measured[min(measured)].keys()
    assert all(torch.equal(best[name], weight) for name, weight in measured[min(measured)].items())


def test_without_an_average_the_weights_are_those_of_the_last_step(tmp_path: Path) -> None:
    session = begin(tmp_path, 0.0)
    list(session.trainer.run())
    assert session.trainer.kept is session.trainer.model
    last = load_file(session.folder / "last.safetensors")
    assert torch.equal(last["bias"], session.trainer.model.bias)
