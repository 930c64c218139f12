"""How long recurrent layers take forwards and backwards: torch's own kernels against lyricgen's, by turns.

    python benchmarks/recurrent_kernels.py                         # 2 layers, 64 steps, two threads
    python benchmarks/recurrent_kernels.py --threads 1
    python benchmarks/recurrent_kernels.py --sizes 128x16 --busy 1  # beside a process that keeps one core busy
    python benchmarks/recurrent_kernels.py --forward                # without gradients, as in measuring a text

Medians over runs that take turns in one process; on a machine that does other work only their ratios count. LSTM is
torch's, with oneDNN's fused kernel. "all threads" leaves small steps to as many threads as large ones.
"""

import argparse
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable

CELLS = ("rnn", "gru")


def spin() -> None:
    """Keeps a core busy."""
    while True:
        pass


def by_turns(steps: dict[str, Callable[[], object]], *, runs: int) -> dict[str, float]:
    """The median seconds of each step, the first two rounds not counted."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(runs + 2):
        for name, step in steps.items():
            began = time.perf_counter()
            step()
            times[name].append(time.perf_counter() - began)
    return {name: statistics.median(found[2:]) for name, found in times.items()}


def steps_of(given: argparse.Namespace, *, hidden: int, batch: int) -> dict[str, Callable[[], object]]:
    """What is measured, by name."""
    import torch
    from torch import Tensor, nn

    from lyricgen.model import recurrence

    small = recurrence.ALONE
    x = torch.randn(given.steps, batch, hidden, requires_grad=not given.forward)
    slopes = torch.randn(given.steps, batch, hidden)

    def step_of(cell: str, kernel: Callable[..., tuple[Tensor, Tensor]] | None, *, alone: int) -> Callable[[], None]:
        layers = [{"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[cell](hidden, hidden) for _ in range(given.layers)]

        def step() -> None:
            recurrence.ALONE = alone
            y = x
            for layer in layers:
                weights = list(layer.parameters())
                y = layer(y)[0] if kernel is None else kernel(y, y.new_zeros(batch, hidden), *weights)[0]
            if not given.forward:
                torch.autograd.backward(y, slopes)

        def step_forwards() -> None:
            with torch.no_grad():
                step()

        return step_forwards if given.forward else step

    steps = {"lstm": step_of("lstm", None, alone=small)}
    for cell in CELLS:
        steps[f"{cell} torch"] = step_of(cell, None, alone=small)
        steps[f"{cell} own"] = step_of(cell, recurrence.OWN[cell], alone=small)
        steps[f"{cell} all threads"] = step_of(cell, recurrence.OWN[cell], alone=0)
    return steps


def main() -> None:
    """Measures and prints a table, a line for each size and cell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    for name, default in (("layers", 2), ("steps", 64), ("threads", 2), ("runs", 15), ("busy", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--sizes", nargs="+", default=["64x16", "128x16", "256x32", "512x32", "512x8"])
    parser.add_argument("--forward", action="store_true")
    given = parser.parse_args()
    os.environ["GOMP_SPINCOUNT"] = "1000"  # before torch is loaded, as the command line has it

    import torch

    from lyricgen.model.device import prepare_torch

    prepare_torch()
    torch.set_num_threads(given.threads)
    others = [multiprocessing.Process(target=spin, daemon=True) for _ in range(given.busy)]
    for other in others:
        other.start()
    print("width x batch  cell  torch, ms  own, ms  torch / own  all threads / own  LSTM / torch  LSTM / own")
    for size in given.sizes:
        hidden, batch = map(int, size.split("x"))
        found = by_turns(steps_of(given, hidden=hidden, batch=batch), runs=given.runs)
        for cell in CELLS:
            torchs, own, lstm = found[f"{cell} torch"], found[f"{cell} own"], found["lstm"]
            kept = found[f"{cell} all threads"]
            print(f"{size:>13}  {cell:>4}  {1000 * torchs:9.1f}  {1000 * own:7.1f}  {torchs / own:11.2f}  "
                  f"{kept / own:17.2f}  {lstm / torchs:12.2f}  {lstm / own:10.2f}")  # fmt: skip
    for other in others:
        other.terminate()


if __name__ == "__main__":
    main()
