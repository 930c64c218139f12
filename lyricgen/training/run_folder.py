"""The folder of a training run: who may write there, and what a run that goes on finds in it."""

import io
import json
import pickle
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from lyricgen.errors import TrainingError
from lyricgen.model.checkpoint import (
    HISTORY,
    LAST,
    NOVELTY,
    VOCAB,
    WEIGHTS,
    Card,
    disk_errors,
    read_card,
    save_weights,
    write_bytes,
    write_text,
)
from lyricgen.text.novelty import NoveltyIndex
from lyricgen.text.vocab import Vocab

STATE = "training.pt"
DATA = ("train.npy", "valid.npy")
LABELS = "labels.npy"


class RunFolder:
    """A folder held by one run at a time. Raises TrainingError where another run holds it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = FileLock(path / ".lock")
        with disk_errors(path):
            try:
                self._lock.acquire(timeout=0)
            except Timeout:
                message = f"another run is writing to {path}; wait for it or choose another --out"
                raise TrainingError(message) from None

    @classmethod
    def create(cls, path: Path) -> "RunFolder":
        """A new folder. Raises TrainingError where there is one already: nothing is ever written over."""
        try:
            with disk_errors(path):
                path.mkdir(parents=True)
        except Exception as error:
            if isinstance(error.__cause__, FileExistsError):
                raise TrainingError(
                    f"{path} exists already; go on with it by --resume {path}, or choose another --out"
                ) from error
            raise
        return cls(path)

    @classmethod
    def reopen(cls, path: Path) -> "RunFolder":
        """The folder of a run that stopped before its end. Raises TrainingError where there is none to go on with."""
        if not path.is_dir():
            raise TrainingError(f"no run at {path} to resume; `lyricgen train CORPUS --out {path}` starts one")
        if not (path / STATE).is_file():
            if (path / WEIGHTS).is_file():
                raise TrainingError(f"the run in {path} is finished; train on from it by --init-from {path}")
            raise TrainingError(f"the run in {path} stopped before its first save; remove the folder and start again")
        folder = cls(path)
        for name in (STATE, WEIGHTS, LAST, VOCAB, HISTORY, NOVELTY, "config.json"):
            for leftover in path.glob(f".{name}-*"):  # of a save that was cut short
                leftover.unlink(missing_ok=True)
        return folder

    def release(self) -> None:
        """Lets others write here."""
        if not self._lock.is_locked:
            return
        with suppress(OSError):  # Windows removes no open file
            (self.path / ".lock").unlink(missing_ok=True)  # while it is held: once released it may be another run's
        self._lock.release()

    def describe(self, card: Card, vocab: Vocab) -> None:
        """Writes what the model is and what its ids mean."""
        card.save(self.path)
        write_text(self.path / VOCAB, vocab.dumps())

    def save_novelty(self, index: NoveltyIndex) -> None:
        """Writes what stands in the training songs."""
        write_bytes(self.path / NOVELTY, index.to_bytes())

    def card(self) -> Card:
        """What `describe` wrote."""
        return read_card(self.path)

    def save_best(self, state: dict[str, torch.Tensor]) -> None:
        """Writes the weights that did best on the held-out text."""
        save_weights(self.path / WEIGHTS, state)

    def save_history(self, records: list[dict[str, Any]]) -> None:
        """Writes one line of JSON for each evaluation."""
        write_text(self.path / HISTORY, "".join(json.dumps(record) + "\n" for record in records))

    def save_state(self, state: dict[str, Any]) -> None:
        """Writes all that a run needs to go on as if it had never stopped."""
        data = io.BytesIO()
        torch.save(state, data)  # not into the file: torch tells no OSError when the disk is full

        write_bytes(self.path / STATE, data.getbuffer())

    def load_state(self) -> dict[str, Any]:
        """What `save_state` wrote; code in the file is not run."""
        try:
            state = torch.load(self.path / STATE, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, pickle.UnpicklingError, EOFError, ValueError, LookupError, TypeError,
                AttributeError) as error:  # fmt: skip
            raise TrainingError(f"{self.path / STATE} is damaged; start the run again") from error
        if not isinstance(state, dict):
            raise TrainingError(f"{self.path / STATE} is no saved run; start the run again")
        return state

    def finish(self, card: Card, state: dict[str, torch.Tensor]) -> None:
        """Writes what came of the run, keeps the last weights, and drops what only an unfinished run needs."""
        card.save(self.path)
        save_weights(self.path / LAST, state)
        (self.path / STATE).unlink(missing_ok=True)
        for name in (LABELS, *DATA):
            with suppress(OSError):  # on Windows a file stays that another process reads
                (self.path / name).unlink(missing_ok=True)


class BorrowedFolder(RunFolder):
    """The folder of a run that another process writes to: all can be read from it, and nothing is written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def release(self) -> None:
        """It was never held."""

    def save_best(self, state: dict[str, torch.Tensor]) -> None:
        """The other process does."""

    def save_history(self, records: list[dict[str, Any]]) -> None:
        """The other process does."""

    def save_state(self, state: dict[str, Any]) -> None:
        """The other process does."""

    def finish(self, card: Card, state: dict[str, torch.Tensor]) -> None:
        """The other process does."""
