"""What each part of a training run gives: the same run with one thing changed, counted in tokens and not in time.

    python benchmarks/ablation.py train.txt --valid valid.txt --base hidden=256 --variants "" optimizer=adamw fresh=0
    python benchmarks/ablation.py --epochs 6 --base hidden=192 dropout=0.4 --variants "" optimizer=adamw average=0.05
    python benchmarks/ablation.py --work 2e13 --base dropout=0.1 batch=32 lr=0.01 --variants hidden=128 hidden=256

Each variant is a list of changes `name=value,name=value` of `lyricgen.training.recipe.Wishes`, and of what has no
setting: `fresh` is the share of the carried rows that begin a window from an empty state; `locked=False` draws
dropout's mask for each step of a window instead of once; with `jitter=16` windows are up to 16 tokens longer or
shorter than the usual, drawn anew for each; `level` and `plan` are those of the run. With `--work` variants of
different sizes get the same number of floating-point operations instead of the same number of tokens, as on a
machine that is equally quick with all of them; `hidden`, `dropout`, `batch` and `lr` must be given there, since the
rule would choose them for the machine at hand. Prints the best held-out loss on the way, in nats per character, and
the seconds of training (which say little on a busy machine).
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from lyricgen.cli.cores import share_cores

share_cores()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from lyricgen.model.device import pick_device, prepare_torch  # noqa: E402
from lyricgen.model.network import LyricModel  # noqa: E402
from lyricgen.training import epochs, learner  # noqa: E402
from lyricgen.training.dataset import Batch, WindowDataset  # noqa: E402
from lyricgen.training.recipe import Wishes  # noqa: E402
from lyricgen.training.session import RunOptions, start_session  # noqa: E402
from lyricgen.training.trainer import Trainer  # noqa: E402


def read(changes: str) -> dict[str, float | str | bool]:
    """`hidden=256,optimizer=adamw` as values."""
    values: dict[str, float | str | bool] = {}
    for item in filter(None, changes.split(",")):
        name, _, text = item.partition("=")
        if text in ("True", "False"):
            values[name] = text == "True"
        else:
            number = text.replace(".", "", 1).isdigit()
            values[name] = (float(text) if "." in text else int(text)) if number else text
    return values


class JitteredWindows(WindowDataset):
    """Windows of parallel streams that are up to `jitter` tokens longer or shorter, all of a batch alike."""

    jitter = 0

    def streams(self, size: int, *, turns: int = 1, first: int = 0, rank: int = 0, ranks: int = 1) -> Iterator[Batch]:
        """See WindowDataset; a run that goes on in the middle of an epoch is not made for this."""
        assert not first and ranks == 1
        share, usual, at = -(-len(self.ids) // (size * turns)), self.window, 0
        lengths = np.random.default_rng((self.offset, self.epoch))
        while at < share:
            self.window = usual + int(lengths.integers(-self.jitter, self.jitter + 1))
            for turn in range(turns):
                starts = [(b * turns + turn) * share for b in range(size)]
                yield self._windows([s + at for s in starts], stops=[min(s + share, len(self.ids)) for s in starts])
            at += self.window


class LooseModel(LyricModel):
    """A model whose dropout draws a mask for each step."""

    def _dropout(self, x: torch.Tensor) -> torch.Tensor:
        return F.dropout(x, self.config.dropout, self.training)


class WorkClock:
    """A clock that counts a trainer's operations, 10⁹ a second: 6 for each weight and token, and Muon's own."""

    trainer: Trainer | None = None

    def __call__(self) -> float:
        """Seconds since the first step."""
        if self.trainer is None:
            return 0.0
        model, config = self.trainer.model, self.trainer.config
        projection = model.projection.weight.numel() if model.projection is not None else 0
        weights = model.recurrent_weights() + projection + model.embed_output().numel()
        muon = 50 * model.config.hidden**3 * 2 * model.config.layers if config.optimizer == "muon" else 0
        return self.trainer.steps * (6 * weights * config.batch * config.window + muon) / 1e9


def run(given: argparse.Namespace, changes: str) -> tuple[float, int, float, int]:
    """The best held-out loss, the tokens, the seconds and the number of weights."""
    values = read(",".join(given.base)) | read(changes)
    learner.FRESH = float(values.pop("fresh", FRESH))
    JitteredWindows.jitter = int(values.pop("jitter", 0))
    epochs.WindowDataset = JitteredWindows if JitteredWindows.jitter else WindowDataset  # type: ignore[misc]
    locked = bool(values.pop("locked", True))
    plan = bool(values.pop("plan")) if "plan" in values else None
    level = str(values.pop("level", "char"))
    end: dict[str, float | str | bool] = {"minutes": given.work / 6e10} if given.work else {"epochs": given.epochs}
    wishes = Wishes(**{**end, "patience": 0, "seed": given.seed, **values})  # type: ignore[arg-type]
    clock = WorkClock() if given.work else time.monotonic
    with TemporaryDirectory() as work:
        options = RunOptions((given.text,) if given.text else (), Path(work, "run"), valid=given.valid, plan=plan,
                             level=level, songs=given.songs, wishes=wishes)  # fmt: skip
        session = start_session(options, device=pick_device(given.device), began=clock(), clock=clock)
        session.trainer.config = replace(session.trainer.config, evaluations=given.evaluations)
        session.trainer.model.__class__ = LyricModel if locked else LooseModel
        began = time.monotonic()
        if isinstance(clock, WorkClock):
            clock.trainer = session.trainer
        for report in session.trainer.run():
            if report.held_out is not None and given.curve:
                print(f"    {report.tokens:,} tokens: {report.loss:.4f}, held-out {report.held_out:.4f}", flush=True)
        weights = sum(weight.numel() for weight in session.trainer.model.parameters())
        return session.trainer.best, report.tokens, time.monotonic() - began, weights


FRESH = learner.FRESH
NEEDED = ("hidden", "dropout", "batch", "lr")  # of a run that is counted in operations


def main() -> None:
    """Parses the command line and runs every variant."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("text", nargs="?")
    parser.add_argument("--valid")
    parser.add_argument("--songs", choices=("file", "blank"), default="file")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--work", type=float, help="floating-point operations, instead of epochs")
    parser.add_argument("--evaluations", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--curve", action="store_true")
    parser.add_argument("--base", nargs="*", default=[])
    parser.add_argument("--variants", nargs="+", default=[""])
    given = parser.parse_args()
    prepare_torch()
    torch.manual_seed(given.seed)
    for changes in given.variants:
        if given.work and (missing := {*NEEDED} - {*read(",".join([*given.base, changes]))}):
            parser.error(f"--work needs {', '.join(sorted(missing))} too")
        best, tokens, seconds, weights = run(given, changes)
        print(
            f"{best:.4f} nats per character, {tokens:,} tokens, {seconds:.0f} s, {weights:,} weights: "
            f"{changes or 'as it is'}",
            flush=True,
        )


if __name__ == "__main__":
    main()
