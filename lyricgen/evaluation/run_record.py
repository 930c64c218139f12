"""What one run of a comparison leaves behind beside its model, and how it is read back."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from lyricgen.errors import CheckpointError, TrainingError
from lyricgen.evaluation.gradients import ContextUse
from lyricgen.model.checkpoint import HISTORY, VOCAB, read_card, write_text, write_whole
from lyricgen.model.config import ModelConfig
from lyricgen.text.vocab import Ids
from lyricgen.training.prepare import load_ids
from lyricgen.training.run_folder import DATA, STATE

RECORD, TEXT = "compare.json", "measured.npy"
MEASURED = 1 << 18  # at most so many tokens of the held-out text are kept for measuring
SHORTEST = 8  # a held-out text of fewer tokens says nothing of distances


@dataclass(frozen=True)
class RunRecord:
    """The measurements of a run. `measured` is False until it has ended and they are complete.

    `wishes` are the settings it was started with, `ready` the seconds before its first step, `speed` tokens a
    second, `fading_before` and `fading` what `gradient_by_distance` gave before and after training, `held_out` says
    whether they are of held-out text, `failed` why the run ended without a model.
    """

    wishes: dict[str, Any]
    ready: float
    held_out: bool
    fading_before: tuple[float, ...]
    fading: tuple[float, ...] = ()
    context: ContextUse = field(default_factory=ContextUse)
    speed: float = 0.0
    measured: bool = False
    failed: str = ""

    def save(self, folder: Path) -> None:
        """Writes it into the run's folder."""
        write_text(folder / RECORD, json.dumps(asdict(self), ensure_ascii=False) + "\n")

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """What a run's folder holds; None where the run was never begun. Raises CheckpointError for nonsense."""
        path = folder / RECORD
        if not path.is_file():
            return None
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            for name in ("fading_before", "fading"):
                data[name] = tuple(map(float, data[name]))
            context = {name: tuple(values) for name, values in data["context"].items()}
            return cls(**{**data, "context": ContextUse(**context)})
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise CheckpointError(f"{path} is damaged; remove {folder} to make that run anew") from error


@dataclass(frozen=True)
class Point:
    """One evaluation of a run: when, after how many tokens, and the held-out loss in nats per character."""

    seconds: float
    tokens: int
    nats: float


@dataclass(frozen=True)
class RunResult:
    """A finished run: its model's shape, its curve, its measurements. `nats` is the best of the curve.

    `held_out` says whether these losses are of held-out text; where there was none they are those of training.
    """

    name: str
    seed: int
    folder: Path
    network: ModelConfig
    nats: float
    curve: tuple[Point, ...]
    record: RunRecord
    held_out: bool = True


def read_result(folder: Path, record: RunRecord, *, name: str, seed: int) -> RunResult:
    """The result of a run that ended. Raises CheckpointError where its files are damaged."""
    card = read_card(folder)
    try:
        lines = (folder / HISTORY).read_text(encoding="utf-8").splitlines()
        points = [json.loads(line) for line in lines]
        if not points and not record.failed:
            raise ValueError("a run that ended well was measured once at least")
        curve = tuple(Point(max(0.0, p["seconds"] - record.ready), p["tokens"], p["held_out"]) for p in points)
        nats = float("nan") if record.failed else float(card.results["held_out"])
        held_out = int(card.corpus["valid_tokens"]) > 0
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{folder} is damaged; remove it to make that run anew") from error
    return RunResult(name, seed, folder, card.model, nats, curve, record, held_out)


def is_finished(folder: Path) -> bool:
    """Whether a run that was begun has nothing more to train."""
    return not (folder / STATE).is_file()


def keep_text(folder: Path) -> bool:
    """Keeps a copy of the text that a run is measured on; a finished run has none. Whether it is held out."""
    corpus = read_card(folder).corpus
    held_out = int(corpus["valid_tokens"]) >= SHORTEST
    name, tokens = (DATA[1], corpus["valid_tokens"]) if held_out else (DATA[0], corpus["train_tokens"])
    size = len(json.loads((folder / VOCAB).read_text(encoding="utf-8"))["tokens"])
    ids = load_ids(folder / name, tokens=int(tokens), vocab_size=size)[:MEASURED]

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            np.save(file, ids)

    write_whole(folder / TEXT, write)
    return held_out


def load_text(folder: Path, *, vocab_size: int) -> Ids:
    """The text that `keep_text` kept. Raises TrainingError where it is damaged."""
    try:
        ids: Ids = np.load(folder / TEXT)
    except (OSError, ValueError, EOFError) as error:
        raise TrainingError(f"{folder / TEXT} is damaged; remove {folder} to make that run anew") from error
    if ids.ndim != 1 or ids.dtype.kind != "u" or not len(ids) or int(ids.max()) >= vocab_size:
        raise TrainingError(f"{folder / TEXT} is damaged; remove {folder} to make that run anew")
    return ids
