"""Training on a CUDA device: what the CPU learns, without waiting for the device, and exactly again after a stop."""

import math
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from lyricgen.model.config import CELL_NAMES, ModelConfig, TrainConfig
from lyricgen.model.device import half_precision
from lyricgen.model.network import LyricModel
from lyricgen.training.dataset import Batch, WindowDataset
from lyricgen.training.learner import Learner
from lyricgen.training.recipe import Wishes
from lyricgen.training.session import RunOptions, Session, resume_session, start_session

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
if torch.cuda.is_available():
    # What recurrent layers need to repeat exactly (torch's page on nn.LSTM). It is read at the first product of the
    # process, which may be another test's.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":16:8")

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
LABELS = {"lengths": 5, "rhymes": 5, "moods": 5, "styles": 5}
NOISE = {"dropout": 0.3, "weight_drop": 0.3, "token_drop": 0.2}


def learner(device: torch.device, batch: Batch, *, vocab: int = 40, turns: int = 1, average: float = 0.0,
            **changes: Any) -> Learner:  # fmt: skip
    """A small model with labels, its weights the same whatever the device, for batches of this size."""
    torch.manual_seed(1)
    model = LyricModel(ModelConfig(vocab, embedding=8, hidden=12, layers=2, **{"dropout": 0.0, **LABELS, **changes}))
    window, rows = batch.x.shape
    config = TrainConfig(window=window, batch=rows, epochs=1, turns=turns, average=average)
    return Learner(model, config, device=device)


def batches(count: int, *, vocab: int = 40, window: int = 6, rows: int = 4) -> list[Batch]:
    """Made-up songs, with labels."""
    rng = np.random.default_rng(0)
    ids, labels = rng.integers(1, vocab, count * window * rows), rng.integers(0, 5, (count * window * rows, 5))
    return list(WindowDataset(ids, window=window, labels=labels, line_break=3).streams(rows))


def losses(one: Learner, data: list[Batch]) -> list[float]:
    for step, batch in enumerate(data, 1):
        one.learn(batch, lr=0.01, step=step, fresh=step == 1)
    return one.losses()


@pytest.fixture
def full_precision(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Products in float32 everywhere, without TF32."""
    for module in ("lyricgen.training.learner", "lyricgen.model.device"):
        monkeypatch.setattr(f"{module}.half_precision", lambda device: None)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield
    torch.set_float32_matmul_precision(before)


@pytest.mark.usefixtures("full_precision")
@pytest.mark.parametrize("cell", CELL_NAMES)
def test_a_step_is_that_of_the_cpu(cell: str) -> None:
    (batch,) = batches(1)
    host, card = (learner(device, batch, cell=cell) for device in (CPU, CUDA))
    assert losses(card, [batch]) == pytest.approx(losses(host, [batch]), rel=1e-5)
    for expected, found in zip(host.model.parameters(), card.model.parameters(), strict=True):
        assert expected.grad is not None and found.grad is not None and found.device.type == "cuda"
        torch.testing.assert_close(found.grad.cpu(), expected.grad, rtol=1e-3, atol=1e-6)
        torch.testing.assert_close(found.cpu(), expected, rtol=1e-3, atol=1e-4)
    for state, other in zip(host.states[0], card.states[0], strict=True):
        for part, found in zip(state, other, strict=True):
            torch.testing.assert_close(found.cpu(), part, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_weights_of_which_none_is_dropped_learn_like_whole_ones(cell: str) -> None:
    """Their way through torch is another one: masked weights are no parameters, nor side by side in memory."""
    data = batches(3)
    whole, none, some = (
        losses(learner(CUDA, data[0], cell=cell, weight_drop=share), data) for share in (0, 1e-9, 0.5)
    )
    assert none == pytest.approx(whole, rel=1e-3)
    assert some != pytest.approx(whole, rel=1e-3) and all(map(math.isfinite, some))


@pytest.mark.filterwarnings("ignore:Synchronization debug mode is a prototype")
@pytest.mark.parametrize("vocab", [40, 5000])  # all logits at once, and a block of them at a time
@pytest.mark.parametrize("cell", CELL_NAMES)
def test_steps_never_wait_for_the_device(cell: str, vocab: int) -> None:
    if half_precision(CUDA) != torch.bfloat16:
        pytest.skip("in float16 each update asks whether a gradient overflowed")
    first, *others = batches(5, vocab=vocab, window=64, rows=64)
    one = learner(CUDA, first, vocab=vocab, cell=cell, turns=2, average=0.1, **NOISE)
    one.learn(first, lr=0.01, step=1, fresh=True)  # libraries are loaded
    torch.cuda.set_sync_debug_mode("error")
    try:
        for step, batch in enumerate(others, 2):
            one.learn(batch, lr=0.01, step=step, fresh=step == 2)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert all(map(math.isfinite, one.losses()))


def begin(songs: Path, out: Path) -> Session:
    shape = {"hidden": 16, "layers": 2, "embedding": 8, "window": 8, "batch": 4, "epochs": 2, "average": 0.3}
    options = RunOptions((str(songs),), out, wishes=Wishes(**shape, **NOISE))  # type: ignore[arg-type]
    return start_session(options, device=CUDA, began=time.monotonic())


def finish(session: Session) -> dict[str, Tensor]:
    """The weights at the end of a run, and the best."""
    for _ in session.trainer.run():
        pass
    best = load_file(session.folder / "model.safetensors")
    return load_file(session.folder / "last.safetensors") | {f"best.{name}": tensor for name, tensor in best.items()}


def test_a_stopped_run_goes_on_exactly(tmp_path: Path) -> None:
    rng, songs = random.Random(2), tmp_path / "book.txt"
    with songs.open("w", encoding="utf-8") as file:
        for number in range(9):
            lines = ["".join(rng.choices("星月雨风山海人来去我你", k=rng.randint(3, 8))) for _ in range(8)]
            file.write(f"=== {number}\nmood: {rng.choice('喜怒哀')}\n\n" + "\n".join(lines) + "\n\n")
    alone, session = finish(begin(songs, tmp_path / "alone")), begin(songs, tmp_path / "stopped")
    for stop_after in (1, 3):
        for number, _ in enumerate(session.trainer.run(), 1):
            if number == stop_after:
                session.trainer.stop()
        session = resume_session(session.folder, device=CUDA)
    found = finish(session)
    assert alone.keys() == found.keys() >= {"planner.length.weight", "best.bias"}
    assert all(torch.equal(weight, found[name]) for name, weight in alone.items())
