"""Trains the model that ships with lyricgen, on the songbook.

    python benchmarks/starter.py                                      # into checkpoints/starter
    python benchmarks/starter.py --leave-out 民谣 --out folder         # without a style, for tests of fine-tuning

The weights are stored in half precision.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from safetensors.torch import load_file

from lyricgen.cli.cores import share_cores

share_cores()

from lyricgen.cli.display import follow  # noqa: E402
from lyricgen.model.checkpoint import NOVELTY, WEIGHTS, read_card, save_weights  # noqa: E402
from lyricgen.model.device import pick_device, prepare_torch  # noqa: E402
from lyricgen.text.corpus import Corpus, write_songbook  # noqa: E402
from lyricgen.text.resources import songbook  # noqa: E402
from lyricgen.training.recipe import Wishes  # noqa: E402
from lyricgen.training.session import RunOptions, start_session  # noqa: E402

SHAPE = Wishes(hidden=480, embedding=360)  # wider than by rule: the index is to be a fifth of its size
KEPT = ("vocab.json", "history.jsonl", NOVELTY)


def main() -> None:
    """Parses the command line and trains."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path("checkpoints/starter"))
    parser.add_argument("--leave-out", action="append", default=[], metavar="STYLE")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    prepare_torch()
    with TemporaryDirectory() as work:
        songs = Path(work, "songbook.txt")
        write_songbook((song for song in Corpus([songbook()]) if song.style not in given.leave_out), songs)
        wishes = replace(SHAPE, minutes=given.minutes, seed=given.seed)
        options = RunOptions((str(songs),), Path(work, "trained"), wishes=wishes)
        session = start_session(options, device=pick_device("cpu"), began=time.monotonic())
        print("\n".join(session.lines))
        follow(session)
        command = f"python benchmarks/starter.py --minutes {given.minutes:g}"
        finish(session.folder, given.out, command=command, names=[] if given.leave_out else ["songbook"])


def finish(trained: Path, out: Path, *, command: str, names: list[str]) -> None:
    """Copies a model, its weights in half precision; `names` are those of the texts that it learned."""
    out.mkdir(parents=True, exist_ok=True)
    weights = load_file(trained / WEIGHTS)
    save_weights(out / WEIGHTS, {name: tensor.to(torch.float16) for name, tensor in weights.items()})
    card = read_card(trained)
    replace(card, command=command, corpus={**card.corpus, "names": names}).save(out)
    for name in KEPT:
        (out / name).write_bytes((trained / name).read_bytes())


if __name__ == "__main__":
    main()
