"""Which model is meant: the one named, the newest of this folder, or the one that lyricgen brings along."""

import json
from pathlib import Path

from lyricgen.errors import CheckpointError
from lyricgen.model.checkpoint import CONFIG, WEIGHTS
from lyricgen.text.resources import resource

RUNS = Path("checkpoints")
STARTER = "starter"


def find_model(name: str | Path | None) -> Path:
    """The folder of a model: `name`, else the newest run in ./checkpoints, else the starter.

    Raises CheckpointError where there is none.
    """
    if name is not None:
        named = Path(name)
        return starter_folder() or named if str(name) == STARTER and not named.exists() else named
    runs = [path.parent for path in RUNS.glob(f"*/{WEIGHTS}") if (path.parent / CONFIG).is_file()]
    runs = [run for run in runs if run.name != STARTER and writes(run)]
    if runs:
        return max(runs, key=lambda run: (run / WEIGHTS).stat().st_mtime)
    starter = starter_folder()
    if starter is None:
        raise CheckpointError("there is no model yet; train one with `lyricgen train`, or name one with --model")
    return starter


def writes(folder: Path) -> bool:
    """Whether a folder's configuration is that of a language model, or too damaged to tell, and no classifier's."""
    try:
        return "kind" not in json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError, RecursionError):
        return True  # reading it says what is wrong


def starter_folder() -> Path | None:
    """Where the model lies that comes with lyricgen, if one does."""
    folder = resource("checkpoints/starter")
    return folder if (folder / WEIGHTS).is_file() else None
