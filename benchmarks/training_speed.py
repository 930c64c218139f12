"""How fast a training step is, against the machine's matrix rate and against a plain loop, all in one run.

    python benchmarks/training_speed.py                          # 2×LSTM 512, batch 32, 64 steps, 4,000 classes
    python benchmarks/training_speed.py --hidden 128 --embedding 128 --batch 64 --vocab 2090 --tied
    python benchmarks/training_speed.py --defaults train.txt --minutes 5    # what the defaults choose for that text
    python benchmarks/training_speed.py --optimizer adamw        # without Muon's part of a step
    python benchmarks/training_speed.py --spins 30000000000      # threads that wait spin on, as GNU's OpenMP does
    python benchmarks/training_speed.py --plain-malloc           # large blocks go back to the system each time
    python benchmarks/training_speed.py --busy 1                 # beside a process that keeps one core busy
    python benchmarks/training_speed.py --device cuda --hidden 1024 --embedding 512 --batch 128 --vocab 8000 --tied

The plain loop is the usual one of tutorials with the same sizes: nn.Embedding, nn.LSTM (or RNN, GRU) with its layers
in one, nn.Linear, Adam, float32 (TF32 on a card that has it). Both sides take turns; medians. Model FLOPs are
6 × tokens × (recurrent + output weights); the matrix rate is that of a 2048³ product (8192³ on a card) in the
precision of training. With `--defaults` the model, its dropout, the optimizer and the batch are those of `lyricgen
train FILE --minutes M`, and the sizes given are not used.
"""

import argparse
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # torch is loaded when its threads have been told how to wait
    import torch

    from lyricgen.model.config import ModelConfig, TrainConfig
    from lyricgen.training.dataset import Batch

SIZES = {"cpu": 2048, "cuda": 8192, "mps": 8192}  # of a product that takes longer than its start


def spin() -> None:
    """Keeps a core busy."""
    while True:
        pass


def matrix_rate(device: "torch.device") -> float:
    """Floating-point operations a second of a matrix product in the precision of training, the best of three."""
    import torch

    from lyricgen.model.device import half_precision, synchronize

    size = SIZES[device.type]
    a = torch.ones(size, size, dtype=half_precision(device) or torch.float32, device=device)
    times = []
    for _ in range(4):
        synchronize(device)
        began = time.perf_counter()
        a @ a
        synchronize(device)
        times.append(time.perf_counter() - began)
    return 2 * size**3 / min(times[1:])


def by_sizes(given: argparse.Namespace) -> "tuple[ModelConfig, TrainConfig, Batch]":
    """The model and the training that the command line names, and a batch of made-up text."""
    import torch

    from lyricgen.model.config import ModelConfig, TrainConfig
    from lyricgen.model.likelihood import to_classes
    from lyricgen.training.dataset import Batch

    model = ModelConfig(given.vocab, cell=given.cell, embedding=given.embedding, hidden=given.hidden,
                        layers=given.layers, tied=given.tied)  # fmt: skip
    training = TrainConfig(window=given.window, batch=given.batch, epochs=1, optimizer=given.optimizer)
    ids = torch.randint(3, given.vocab, (given.window + 1, given.batch))
    return model, training, Batch(ids[:-1], to_classes(ids[1:]))


def by_defaults(
    text: Path, minutes: float | None, device: "torch.device"
) -> "tuple[ModelConfig, TrainConfig, Batch]":
    """What `lyricgen train` chooses for a text and a time, and the first batch of that text."""
    from lyricgen.training.epochs import Epochs
    from lyricgen.training.recipe import Wishes
    from lyricgen.training.session import RunOptions, start_session

    with TemporaryDirectory() as work:
        options = RunOptions((str(text),), Path(work, "run"), wishes=Wishes(minutes=minutes))
        session = start_session(options, device=device, began=time.monotonic())
        print(*session.lines, sep="\n")
        trainer = session.trainer
        model, tokens = trainer.model.config, trainer.card.corpus["train_tokens"]
        epochs = Epochs(session.folder, trainer.config, trainer.vocab, tokens=tokens, planned=bool(model.lengths),
                        rank=0, ranks=1)  # fmt: skip
        return model, trainer.config, next(epochs.batches(0, first=0))


def plain_loop(shape: "ModelConfig", batch: "Batch", device: "torch.device") -> Callable[[], None]:
    """A step of what a tutorial would write."""
    import torch
    from torch import nn

    from lyricgen.model.likelihood import IGNORED

    kind = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[shape.cell]
    embedding = nn.Embedding(shape.vocab_size, shape.embedding).to(device)
    cell = kind(shape.embedding, shape.hidden, shape.layers).to(device)
    output = nn.Linear(shape.hidden, shape.vocab_size).to(device)
    adam = torch.optim.Adam(nn.ModuleList((embedding, cell, output)).parameters())

    def step() -> None:
        x, y = batch.x.to(device), batch.y.to(device)
        features, _ = cell(embedding(x))
        logits = output(features)  # (T, B, V)
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), y.flatten(), ignore_index=IGNORED)
        adam.zero_grad()
        torch.autograd.backward(loss)
        adam.step()

    return step


def measure(
    steps: dict[str, Callable[[], None]], *, runs: int, busy: int, device: "torch.device"
) -> tuple[dict[str, list[float]], float]:
    """The seconds of each kind of step, taken in turns, and the matrix rate between them."""
    from lyricgen.model.device import synchronize

    others = [multiprocessing.Process(target=spin, daemon=True) for _ in range(busy)]
    for other in others:
        other.start()
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    rates = []
    for turn in range(runs + 2):
        for name, run in steps.items():
            synchronize(device)
            began = time.perf_counter()
            run()
            synchronize(device)
            if turn > 1:
                seconds[name].append(time.perf_counter() - began)
        if turn % 4 == 2:
            rates.append(matrix_rate(device))
    for other in others:
        other.terminate()
    return seconds, statistics.median(rates)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    for name, default in (("hidden", 512), ("embedding", 256), ("layers", 2), ("batch", 32), ("window", 64),
                          ("vocab", 4000), ("runs", 12), ("busy", 0), ("spins", 1000)):  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--cell", default="lstm")
    parser.add_argument("--optimizer", default="muon")
    parser.add_argument("--tied", action="store_true")
    parser.add_argument("--defaults", type=Path, metavar="FILE")
    parser.add_argument("--minutes", type=float, help="for --defaults; without it the default of `lyricgen train`")
    parser.add_argument("--plain-malloc", action="store_true")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="cpu")
    given = parser.parse_args()
    if given.minutes and not given.defaults:
        parser.error("--minutes is for --defaults FILE; give both, or leave it out")
    os.environ["GOMP_SPINCOUNT"] = str(given.spins)  # before torch is loaded

    from lyricgen.model.device import pick_device, prepare_torch
    from lyricgen.model.network import LyricModel
    from lyricgen.training.learner import Learner

    device = pick_device(given.device)
    if not given.plain_malloc:
        prepare_torch()
    shape, training, batch = by_defaults(given.defaults, given.minutes, device) if given.defaults else by_sizes(given)
    learner = Learner(LyricModel(shape), training, device=device)

    def step() -> None:
        learner.learn(batch, lr=1e-4, step=1, fresh=False)
        learner.losses()

    steps = {"lyricgen": step, "plain": plain_loop(shape, batch, device)}
    seconds, rate = measure(steps, runs=given.runs, busy=given.busy, device=device)
    weights = learner.model.recurrent_weights() + learner.model.embed_output().numel()
    print(f"{shape.layers}×{shape.cell} {shape.hidden}, {shape.vocab_size:,} tokens, "
          f"batch {training.batch}×{training.window}; "
          f"a {SIZES[device.type]}³ product: {rate / 1e9:.0f} GFLOP/s")  # fmt: skip
    for name, times in seconds.items():
        median = statistics.median(times)
        tokens = batch.x.numel()
        flops = 6 * tokens * weights / median
        spread = f"{1000 * min(times):.1f} to {1000 * max(times):.1f}"
        print(f"{name}: {1000 * median:.1f} ms a step ({spread}), {tokens / median:,.0f} tokens/s, "
              f"{flops / 1e9:.0f} GFLOP/s, {flops / rate:.0%} of the rate")  # fmt: skip
    ratio = statistics.median(b / a for a, b in zip(seconds["lyricgen"], seconds["plain"], strict=True))
    print(f"lyricgen makes {ratio:.2f} steps in the time of a plain one")


if __name__ == "__main__":
    main()
