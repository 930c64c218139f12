"""The losses of finished and running trainings, as they stand in their folders."""

import json
import math
from collections.abc import Sequence
from pathlib import Path

from lyricgen.errors import CheckpointError
from lyricgen.model.checkpoint import CONFIG, HISTORY, read_card

Curve = list[tuple[float, float]]


def read_curve(folder: Path, *, what: str) -> Curve:
    """Tokens read and a loss (`held_out` or `loss`, nats per character) at each evaluation of a run.

    Where nothing was held out (see `has_held_out`) both are the training loss. Raises CheckpointError where there is
    no history, or it is damaged.
    """
    path = folder / HISTORY
    try:
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        points = [(float(record["tokens"]), float(record[what])) for record in records]
    except (FileNotFoundError, NotADirectoryError):
        raise CheckpointError(f"{folder} has no {HISTORY}: name the folder of a training run") from None
    except (KeyError, TypeError, ValueError, RecursionError):
        raise CheckpointError(f"{path} is damaged; take an intact copy of the run") from None
    if not any(math.isfinite(y) for _, y in points):
        raise CheckpointError(f"{path} holds no loss yet: wait for the run's first evaluation")
    return points


def has_held_out(folder: Path) -> bool:
    """Whether a run's `held_out` losses are of held-out text. Raises CheckpointError where its card is damaged."""
    return not (folder / CONFIG).is_file() or read_card(folder).corpus.get("valid_tokens") != 0


def short_names(paths: Sequence[Path]) -> list[str]:
    """A name for each path: its last part, or as many parts as tell it from the others."""
    parts = [path.absolute().parts for path in paths]
    for size in range(1, max(map(len, parts), default=1) + 1):
        names = ["/".join(each[-size:]) for each in parts]
        if len(set(names)) == len(set(parts)):
            return names
    return [str(path) for path in paths]
