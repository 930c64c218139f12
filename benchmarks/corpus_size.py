"""Whether a token costs the same whatever the size of the corpus: tokens a second and memory at each size.

    python benchmarks/corpus_size.py                      # 1, 10 and 100 million characters; takes some minutes
    python benchmarks/corpus_size.py --sizes 1 4
    python benchmarks/corpus_size.py --device cuda --steps 1000

Each text is the songbook again and again with every tenth character drawn anew from its own characters, in songs of
the usual length. Each size has a process of its own: it prepares the text and trains for a fixed number of steps, of
which those of the first half second (30 at least) do not count. Nothing is evaluated on the way: a small text would
reach its evaluations within these steps, and a large one none. Memory is what the process holds itself (RssAnon),
without the mapped files and without a card's own memory, and only Linux tells it.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from lyricgen.cli.cores import share_cores

if TYPE_CHECKING:  # torch is loaded where the cores are shared out, in the process of each size
    import torch

    from lyricgen.training.session import Session

SONG = 400  # characters
MILLION = 1_000_000
SHAPE = {"hidden": 256, "embedding": 256, "batch": 32, "tied": True, "dropout": 0.0}
EPOCHS = 20  # more than the steps ever take
WARM_UP = 30  # steps


def write_text(path: Path, characters: int) -> None:
    """A songbook of so many characters, give or take a song."""
    from lyricgen.text.corpus import Corpus
    from lyricgen.text.resources import songbook

    text = np.array(list("".join(song.text() for song in Corpus([songbook()]))))
    letters = text[(text != "\n") & (text != " ")]
    rng = np.random.default_rng(0)

    def songs() -> Iterator[str]:
        for number in range(characters // SONG):
            part = text[(number * SONG) % (len(text) - SONG) :][:SONG].copy()
            anew = (rng.random(SONG) < 0.1) & (part != "\n") & (part != " ")
            part[anew] = rng.choice(letters, int(anew.sum()))
            yield f"=== {number}\n\n{''.join(part).strip()}\n\n"

    with path.open("w", encoding="utf-8") as file:
        file.writelines(songs())


def held() -> float:
    """Megabytes that this process holds itself."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon")) / 1000


def begin(path: Path, *, device: "torch.device", shape: Mapping[str, Any] = SHAPE, epochs: int = EPOCHS) -> "Session":
    """A run on a text that evaluates nothing before its end."""
    from lyricgen.training.recipe import Wishes
    from lyricgen.training.session import RunOptions, start_session

    options = RunOptions((str(path),), path.with_suffix(".run"), wishes=Wishes(**shape, epochs=epochs, patience=0))
    session = start_session(options, device=device, began=time.monotonic())
    session.trainer.config = replace(session.trainer.config, evaluations=1)
    return session


def measure(path: Path, *, steps: int, device: "torch.device") -> dict[str, float]:
    """Prepares and trains in this process."""
    from lyricgen.model.device import prepare_torch, synchronize

    prepare_torch()
    began = time.perf_counter()
    session = begin(path, device=device)
    synchronize(device)
    prepared = time.perf_counter() - began
    memory, first = [], None
    for report in session.trainer.run():  # its seconds are read when the device has given the losses of all steps
        memory.append(held())
        if first is None:
            first = report if report.step >= WARM_UP else None
        elif report.step >= first.step + steps:
            break
    assert first is not None
    speed = (report.tokens - first.tokens) / (report.seconds - first.seconds)
    files = sum(file.stat().st_size for file in session.folder.glob("*.npy")) / MILLION
    return {"prepared": prepared, "speed": speed, "memory": max(memory), "files": files}


def main() -> None:
    """Prints a row for each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sizes", type=float, nargs="+", default=[1, 10, 100], metavar="MILLIONS")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="cpu")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        share_cores()
        from lyricgen.model.device import pick_device

        print(json.dumps(measure(given.measure, steps=given.steps, device=pick_device(given.device))))
        return
    print("| characters | prepared in | tokens/s | own memory | mapped files |\n|---|---|---|---|---|")
    for size in given.sizes:
        with TemporaryDirectory() as work:
            path = Path(work, "songs.txt")
            write_text(path, int(size * MILLION))
            command = [sys.executable, __file__, "--measure", str(path), "--steps", str(given.steps),
                       "--device", given.device]  # fmt: skip
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, encoding="utf-8")
            row = json.loads(done.stdout.splitlines()[-1])
        print(f"| {size:g} M | {row['prepared']:.0f} s | {row['speed']:,.0f} | {row['memory']:.0f} MB "
              f"| {row['files']:,.0f} MB |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
