"""How fast a model would train here, measured for a moment with made-up text."""

import statistics
import time

import torch

from lyricgen.model.config import ModelConfig, TrainConfig
from lyricgen.model.network import FIRST_CLASS, LyricModel
from lyricgen.training.dataset import Batch
from lyricgen.training.learner import Learner

SECONDS = 0.6  # for one shape, after its first two steps
MOST_STEPS = 5


def tokens_per_second(model: ModelConfig, training: TrainConfig, device: torch.device) -> float:
    """Tokens a second of training steps, by their median time; 0 where there is not memory enough for one."""
    try:
        return _measure(model, training, device)
    except RuntimeError:  # torch's way to say so, on any device
        return 0.0


def _measure(model: ModelConfig, training: TrainConfig, device: torch.device) -> float:
    with torch.random.fork_rng(devices=[]):
        learner = Learner(LyricModel(model), training, device=device)
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(FIRST_CLASS + 1, model.vocab_size, (training.window + 1, training.batch), generator=generator)
    batch = Batch(ids[:-1], ids[1:] - FIRST_CLASS)
    times: list[float] = []
    began = time.perf_counter()
    for step in range(2 + MOST_STEPS):
        start = time.perf_counter()
        learner.learn(batch, lr=0.0, step=step + 1, fresh=False)
        learner.losses()  # waits for the device
        times.append(time.perf_counter() - start)
        if step == 1:
            began = time.perf_counter()
        elif step > 1 and time.perf_counter() - began > SECONDS:
            break
    return batch.x.numel() / statistics.median(times[2:])
