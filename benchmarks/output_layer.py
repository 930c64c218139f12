"""What an output layer and its loss cost, forwards and backwards, by the size of the vocabulary.

    python benchmarks/output_layer.py
    python benchmarks/output_layer.py --classes 20000 --width 256 --rows 2048 --rounds 15
    python benchmarks/output_layer.py --device cuda --rows 8192 --width 1024

- whole: all logits at once, torch's linear layer and cross entropy
- blocks: lyricgen's (`lyricgen/model/output_loss.py`): the same numbers, a block of logits at a time
- adaptive: torch's adaptive softmax, another model: a head of 2,000 classes, tails of a quarter and a sixteenth of
  the width (Grave et al. 2017, arXiv:1609.04309)

Targets are drawn as words are: the k-th commonest 1/k as often as the first. Times are medians, all ways in turn.
"""

import argparse
import statistics
import time
from collections.abc import Callable

from lyricgen.cli.cores import share_cores

share_cores()

import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from lyricgen.model.device import mixed_precision, pick_device, prepare_torch, synchronize  # noqa: E402
from lyricgen.model.output_loss import linear_cross_entropy  # noqa: E402

HEAD = 2000

Loss = Callable[[Tensor, Tensor], Tensor]


def ways(classes: int, width: int, device: torch.device) -> dict[str, tuple[Loss, list[nn.Parameter]]]:
    """Each way's loss of features `(N, D)` and targets `(N,)`, and its weights."""
    weight = nn.Parameter((torch.randn(classes, width) / width**0.5).to(device))
    bias = nn.Parameter(torch.zeros(classes, device=device))
    cutoffs = [cut for cut in (HEAD, 5 * HEAD) if cut < classes]
    adaptive = nn.AdaptiveLogSoftmaxWithLoss(width, classes, cutoffs).to(device)
    return {
        "whole": (lambda x, y: F.cross_entropy(F.linear(x, weight, bias).float(), y), [weight, bias]),
        "blocks": (lambda x, y: linear_cross_entropy(x, weight, bias, y) / len(y), [weight, bias]),
        "adaptive": (lambda x, y: adaptive(x, y).loss, list(adaptive.parameters())),
    }


def main() -> None:
    """Prints a row for each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--classes", type=int, nargs="+", default=[4000, 8192, 20_000, 50_000])
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--rows", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="cpu")
    given = parser.parse_args()
    device = pick_device(given.device)
    prepare_torch()
    torch.manual_seed(0)
    print("| classes | all logits | whole | blocks | adaptive |\n|---|---|---|---|---|")
    for classes in given.classes:
        x = torch.randn(given.rows, given.width).to(device).requires_grad_()
        y = torch.multinomial(1 / torch.arange(1.0, classes + 1), given.rows, replacement=True).to(device)
        known = ways(classes, given.width, device)
        times: dict[str, list[float]] = {name: [] for name in known}
        losses = {}
        for _ in range(given.rounds + 1):
            for name, (loss, weights) in known.items():
                synchronize(device)
                began = time.perf_counter()
                with mixed_precision(device):
                    found = loss(x, y)
                torch.autograd.grad(found, [x, *weights])
                synchronize(device)
                times[name].append(time.perf_counter() - began)
                losses[name] = float(found.detach())
        if abs(losses["whole"] - losses["blocks"]) > 1e-2:
            raise AssertionError(f"blocks cost {losses['blocks']}, whole {losses['whole']}")
        medians = (f"{1000 * statistics.median(found[1:]):.1f} ms" for found in times.values())
        print(f"| {classes:,} | {given.rows * classes * 4 / 1e6:.0f} MB | {' | '.join(medians)} |", flush=True)


if __name__ == "__main__":
    main()
