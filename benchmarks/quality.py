"""Held-out loss for time with the defaults: the whole command's minutes, in nats per character.

    python benchmarks/quality.py train.txt valid.txt --minutes 5
    python benchmarks/quality.py songs.txt valid.txt --minutes 10 --songs blank
    python benchmarks/quality.py --minutes 5                              # the songbook, on its own valid songs
    python benchmarks/quality.py --minutes 5 --grid                       # and a grid of sizes, dropouts and levels
    python benchmarks/quality.py train.txt valid.txt --minutes 5 --device cuda

Prints for each run what `lyricgen evaluate --json` says of the held-out text, the rate of a 2048³ matrix product just
before and just after it, in the precision of training, and the line in which the run says what it chose. Where the
machine was slower than `--least` before or after, its figure is to be taken again. The time is that of
`lyricgen train`, from its start to its end.
"""

import argparse
import itertools
import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from lyricgen.model.device import half_precision, pick_device
from lyricgen.text.resources import songbook

SIZE = 2048


def rate(device: torch.device) -> float:
    """GFLOP/s of a matrix product in the precision of training, the best of six."""
    a = torch.ones(SIZE, SIZE, dtype=half_precision(device) or torch.float32, device=device)
    times = []
    for _ in range(7):
        began = time.perf_counter()
        (a @ a)[0, 0].item()  # waits for the device
        times.append(time.perf_counter() - began)
    return 2 * SIZE**3 / min(times[1:]) / 1e9


def rates(before: float, after: float, *, least: float) -> str:
    """The rates around a run (GFLOP/s), and whether the machine was too slow for its figure to count."""
    slow = f" (below {least:g}: repeat)" if min(before, after) < least else ""
    return f"{before:.0f} GFLOP/s before, {after:.0f} after{slow}"


def lyricgen(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a command of the program; its errors end this one too."""
    return subprocess.run([sys.executable, "-m", "lyricgen", *arguments], check=True, capture_output=True,
                          text=True, encoding="utf-8")  # fmt: skip


def measure(given: argparse.Namespace, *flags: str) -> tuple[float, float, str]:
    """Held-out nats per character, the seconds that training took, and the line that says what was chosen."""
    with TemporaryDirectory() as work:
        model = str(Path(work, "model"))
        text = [str(given.text)] if given.text else []
        valid = ["--valid", str(given.valid)] if given.valid else []
        songs = ["--songs", given.songs] if given.songs else []
        began = time.perf_counter()
        told = lyricgen("train", *text, *valid, *songs, "--minutes", f"{given.minutes:g}", "--out", model,
                        "--device", given.device, "--seed", str(given.seed), *flags)  # fmt: skip
        seconds = time.perf_counter() - began
        chosen = next((line for line in told.stderr.splitlines() if " weights for about " in line), "")
        held_out = [str(given.valid)] if given.valid else [str(songbook()), "--split", "valid"]
        found = lyricgen("evaluate", *held_out, *songs, "--model", model, "--json")
    return float(json.loads(found.stdout)["nats_per_char"]), seconds, chosen


def main() -> None:
    """Parses the command line, measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("text", type=Path, nargs="?")
    parser.add_argument("valid", type=Path, nargs="?")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--songs", choices=("file", "blank"))
    parser.add_argument("--level", default="char")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--grid", action="store_true")
    parser.add_argument("--least", type=float, default=350, help="GFLOP/s of a machine that is not disturbed")
    given = parser.parse_args()
    device = pick_device(given.device)
    runs: list[tuple[str, ...]] = [("--level", given.level)]
    if given.grid:
        runs += [
            ("--level", level, "--hidden", str(hidden), "--dropout", f"{dropout:g}")
            for hidden, dropout, level in itertools.product((192, 384), (0.2, 0.5), ("char", "word"))
        ]
    for flags in runs:
        before = rate(device)
        nats, seconds, chosen = measure(given, *flags)
        around = rates(before, rate(device), least=given.least)
        print(f"{nats:.4f} nats per character after {seconds:.1f} s, {around}: {' '.join(flags)}\n    {chosen}",
              flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
