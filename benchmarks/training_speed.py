"""How fast a training step is, against the machine's matrix rate and against a plain loop, all in one run.

    python benchmarks/training_speed.py                          # 2×LSTM 512, batch 32, 64 steps, 4,000 classes
    python benchmarks/training_speed.py --hidden 128 --embedding 128 --batch 64 --vocab 2090 --tied
    python benchmarks/training_speed.py --optimizer adamw        # without Muon's part of a step
    python benchmarks/training_speed.py --spins 30000000000      # threads that wait spin on, as GNU's OpenMP does
    python benchmarks/training_speed.py --plain-malloc           # large blocks go back to the system each time
    python benchmarks/training_speed.py --busy 1                 # beside a process that keeps one core busy

The plain loop is the usual one of tutorials with the same sizes: nn.Embedding, nn.LSTM (or RNN, GRU) with its layers
in one, nn.Linear, Adam, float32. Both sides take turns; medians. Model FLOPs are 6 × tokens × (recurrent + output
weights).
"""

import argparse
import multiprocessing
import os
import statistics
import time


def spin() -> None:
    """Keeps a core busy."""
    while True:
        pass


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    for name, default in (("hidden", 512), ("embedding", 256), ("layers", 2), ("batch", 32), ("window", 64),
                          ("vocab", 4000), ("runs", 12), ("busy", 0), ("spins", 1000)):  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--cell", default="lstm")
    parser.add_argument("--optimizer", default="muon")
    parser.add_argument("--tied", action="store_true")
    parser.add_argument("--plain-malloc", action="store_true")
    given = parser.parse_args()
    os.environ["GOMP_SPINCOUNT"] = str(given.spins)  # before torch is loaded

    import torch
    from torch import nn

    from lyricgen.model import device
    from lyricgen.model.config import ModelConfig, TrainConfig
    from lyricgen.model.likelihood import to_classes
    from lyricgen.model.network import LyricModel
    from lyricgen.training.dataset import Batch
    from lyricgen.training.learner import Learner
    from lyricgen.training.recipe import matrix_rate

    if not given.plain_malloc:
        device.prepare_torch()
    cpu = torch.device("cpu")
    shape = {"cell": given.cell, "embedding": given.embedding, "hidden": given.hidden, "layers": given.layers}
    config = TrainConfig(window=given.window, batch=given.batch, epochs=1, optimizer=given.optimizer)
    learner = Learner(LyricModel(ModelConfig(given.vocab, tied=given.tied, **shape)), config, device=cpu)
    ids = torch.randint(3, given.vocab, (given.window + 1, given.batch))
    batch = Batch(ids[:-1], to_classes(ids[1:]))

    class Plain(nn.Module):
        """What a tutorial would write."""

        def __init__(self) -> None:
            super().__init__()
            kind = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[given.cell]
            self.embedding = nn.Embedding(given.vocab, given.embedding)
            self.cell = kind(given.embedding, given.hidden, given.layers)
            self.output = nn.Linear(given.hidden, given.vocab)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            """Logits `(T, B, V)`."""
            features, _ = self.cell(self.embedding(x))
            return self.output(features)

    plain = Plain()
    adam = torch.optim.Adam(plain.parameters())

    def plain_step() -> None:
        loss = nn.functional.cross_entropy(plain(ids[:-1]).flatten(0, 1), ids[1:].flatten())
        adam.zero_grad()
        torch.autograd.backward(loss)
        adam.step()

    def step() -> None:
        learner.learn(batch, lr=1e-4, step=1, fresh=False)
        learner.losses()

    others = [multiprocessing.Process(target=spin, daemon=True) for _ in range(given.busy)]
    for other in others:
        other.start()
    seconds: dict[str, list[float]] = {"lyricgen": [], "plain": [], "rate": []}
    for turn in range(given.runs + 2):
        for name, run in (("lyricgen", step), ("plain", plain_step)):
            began = time.perf_counter()
            run()
            if turn > 1:
                seconds[name].append(time.perf_counter() - began)
        if turn % 4 == 2:
            seconds["rate"].append(matrix_rate(cpu))
    for other in others:
        other.terminate()
    tokens = given.window * given.batch
    weights = learner.model.recurrent_weights() + learner.model.embed_output().numel()
    rate = statistics.median(seconds.pop("rate"))
    print(f"{given.layers}×{given.cell} {given.hidden}, {given.vocab:,} tokens, batch {given.batch}×{given.window}; "
          f"a matrix product: {rate / 1e9:.0f} GFLOP/s")  # fmt: skip
    for name, times in seconds.items():
        median = statistics.median(times)
        flops = 6 * tokens * weights / median
        spread = f"{1000 * min(times):.0f} to {1000 * max(times):.0f}"
        print(f"{name}: {1000 * median:.0f} ms a step ({spread}), {tokens / median:,.0f} tokens/s, "
              f"{flops / 1e9:.0f} GFLOP/s, {flops / rate:.0%} of the rate")  # fmt: skip
    ratio = statistics.median(b / a for a, b in zip(seconds["lyricgen"], seconds["plain"], strict=True))
    print(f"lyricgen makes {ratio:.2f} steps in the time of a plain one")


if __name__ == "__main__":
    main()
