"""What cutting batches costs: process time of a batch, with labels and without, for one of several processes.

python benchmarks/batches.py --batch 1024 --ranks 8
"""

import argparse
import time

import numpy as np

from lyricgen.training.dataset import WindowDataset

TOKENS = 10_000_000


def main() -> None:
    """Prints two lines."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--ranks", type=int, default=8)
    parser.add_argument("--window", type=int, default=64)
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    ids = rng.integers(3, 8000, TOKENS, dtype=np.uint16)
    labels = rng.integers(0, 13, (TOKENS, 5), dtype=np.uint8)
    for name, beside in (("with labels", labels), ("without", None)):
        data = WindowDataset(ids, window=given.window, labels=beside)
        batches = data.streams(given.batch, rank=0, ranks=given.ranks)
        times = []
        for _ in range(40):
            began = time.process_time()
            next(batches)
            times.append(time.process_time() - began)
        rows = given.batch // given.ranks
        print(f"{rows} rows of {given.window}, {name}: {1000 * float(np.median(times)):.1f} ms")


if __name__ == "__main__":
    main()
