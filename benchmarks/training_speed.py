"""How fast a training step is, against the machine's matrix rate measured in the same run.

    python benchmarks/training_speed.py                          # 2×LSTM 512, batch 32, 64 steps, 4,000 classes
    python benchmarks/training_speed.py --hidden 128 --embedding 128 --batch 64 --vocab 2090 --tied
    python benchmarks/training_speed.py --spins 30000000000      # threads that wait spin on, as GNU's OpenMP does
    python benchmarks/training_speed.py --plain-malloc           # large blocks go back to the system each time
    python benchmarks/training_speed.py --busy 1                 # beside a process that keeps one core busy

Model FLOPs are 6 × tokens × (recurrent + output weights).
"""

import argparse
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable


def spin() -> None:
    """Keeps a core busy."""
    while True:
        pass


def median_seconds(step: Callable[[], object], *, runs: int) -> float:
    """The median time of a step, the first three not counted."""
    times = []
    for _ in range(runs + 3):
        began = time.perf_counter()
        step()
        times.append(time.perf_counter() - began)
    return statistics.median(times[3:])


def main() -> None:
    """Measures and prints one line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    for name, default in (("hidden", 512), ("embedding", 256), ("layers", 2), ("batch", 32), ("window", 64),
                          ("vocab", 4000), ("runs", 12), ("busy", 0), ("spins", 1000)):  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--cell", default="lstm")
    parser.add_argument("--tied", action="store_true")
    parser.add_argument("--plain-malloc", action="store_true")
    given = parser.parse_args()
    os.environ["GOMP_SPINCOUNT"] = str(given.spins)  # before torch is loaded

    import torch

    from lyricgen.model import device
    from lyricgen.model.config import ModelConfig
    from lyricgen.model.likelihood import cross_entropy, to_classes
    from lyricgen.model.network import LyricModel, detached
    from lyricgen.training.recipe import matrix_rate

    if not given.plain_malloc:
        device.prepare_torch()
    cpu = torch.device("cpu")
    shape = {"cell": given.cell, "embedding": given.embedding, "hidden": given.hidden, "layers": given.layers}
    model = LyricModel(ModelConfig(given.vocab, tied=given.tied, **shape))
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    ids = torch.randint(3, given.vocab, (given.window + 1, given.batch))
    state = model.initial_state(given.batch)

    def step() -> None:
        nonlocal state
        with device.mixed_precision(cpu):
            logits, after = model(ids[:-1], state)
        loss = cross_entropy(logits, to_classes(ids[1:]))
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        model.pin_resets()
        state = detached(after)

    rate = matrix_rate(cpu)
    others = [multiprocessing.Process(target=spin, daemon=True) for _ in range(given.busy)]
    for other in others:
        other.start()
    seconds = median_seconds(step, runs=given.runs)
    for other in others:
        other.terminate()
    tokens = given.window * given.batch
    flops = 6 * tokens * (model.recurrent_weights() + model.embed_output().numel()) / seconds
    print(f"{given.layers}×{given.cell} {given.hidden}, {given.vocab:,} tokens, batch {given.batch}×{given.window}: "
          f"{1000 * seconds:.0f} ms a step, {tokens / seconds:,.0f} tokens/s, {flops / 1e9:.0f} GFLOP/s, "
          f"{flops / rate:.0%} of the matrix rate of {rate / 1e9:.0f} GFLOP/s")  # fmt: skip


if __name__ == "__main__":
    main()
