"""A classifier's folder: JSON and safetensors, written whole or not at all, read without running anything."""

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from lyricgen.errors import CheckpointError, LyricgenError
from lyricgen.model.checkpoint import (
    CONFIG,
    KINDS,
    VOCAB,
    WEIGHTS,
    disk_errors,
    read_vocab,
    save_weights,
    write_text,
)
from lyricgen.model.config import ModelConfig
from lyricgen.mood.classifier import Classifier
from lyricgen.mood.network import MoodModel
from lyricgen.mood.ngrams import MOST
from lyricgen.mood.preparation import Preparation

FORMAT = 1
KIND = "mood"


@dataclass(frozen=True)
class Notes:
    """What a classifier's folder tells beside what it takes to run it."""

    training: dict[str, Any] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)
    corpus: dict[str, Any] = field(default_factory=dict)
    command: str = ""
    lyricgen: str = ""


def check_new_folder(path: Path) -> None:
    """Raises CheckpointError where `path` exists or cannot be made: nothing is ever written over."""
    if path.exists():
        raise CheckpointError(f"{path} exists already; choose another --out, or remove it first")
    with disk_errors(path), _parents(path):
        if not os.access(path.parent, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


@contextmanager
def _parents(path: Path) -> Iterator[None]:
    """The folders that `path` stands in, made where they are missing; those that then hold nothing are gone again."""
    made = [each for each in path.parents if not each.exists()]  # the innermost first
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        for each in made:
            with suppress(OSError):
                each.rmdir()


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder to write to that becomes `path` when all is written, and nothing where that fails."""
    check_new_folder(path)
    part = path.with_name(f".{path.name}.part")
    with ExitStack() as stack:
        with disk_errors(path):
            stack.enter_context(_parents(path))
            stack.callback(shutil.rmtree, part, ignore_errors=True)
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
        yield part
        with disk_errors(path):
            part.rename(path)


def save(folder: Path, classifier: Classifier, notes: Notes) -> None:
    """Writes a classifier into a folder that exists."""
    model = classifier.model
    data = {
        "format": FORMAT,
        "kind": KIND,
        "labels": list(classifier.labels),
        "encoder": asdict(model.config),
        "ngrams": len(model.keys),
        "length": classifier.length,
        "preparation": classifier.preparation.to_json(),
        **asdict(notes),
    }
    write_text(folder / VOCAB, classifier.vocab.dumps())
    save_weights(folder / WEIGHTS, model.state_dict())
    write_text(folder / CONFIG, json.dumps(data, ensure_ascii=False, indent=2) + "\n")


def load(path: str | Path, *, device: str = "cpu") -> Classifier:
    """Reads a classifier's folder; names, shapes and sizes are checked before memory is taken.

    Raises CheckpointError for anything missing, damaged, newer than this version, or no classifier at all.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise CheckpointError(f"no classifier at {folder}: expected a folder that `lyricgen mood train` wrote")
    data = _read_config(folder)
    vocab = read_vocab(folder)
    try:
        labels, length, ngrams = data["labels"], data["length"], data["ngrams"]
        config = ModelConfig.from_json(data["encoder"])
        preparation = Preparation.from_json(data["preparation"])
        sound = (
            isinstance(labels, list)
            and len(set(labels)) == len(labels) >= 2
            and all(isinstance(label, str) for label in labels)
            and type(length) is type(ngrams) is int
            and 1 <= length <= 65_536
            and 0 <= ngrams <= MOST
        )
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"{folder / CONFIG} lacks what a classifier needs; take an intact copy") from error
    except LyricgenError as error:
        raise CheckpointError(f"{folder / CONFIG}: {error}") from error
    if not sound or len(vocab) != config.vocab_size:
        raise CheckpointError(f"{folder / CONFIG} does not fit its classifier; take an intact copy")
    with torch.device("meta"):
        model = MoodModel(config, classes=len(labels), ngrams=ngrams)
    model.load_state_dict(_read_weights(folder / WEIGHTS, model.state_dict()), assign=True)
    return Classifier(model.to(device).eval(), vocab, tuple(labels), length, preparation)


def _read_config(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(f"{folder} has no {CONFIG}: it is not a classifier's folder") from error
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is damaged; take an intact copy of the classifier") from error
    if not isinstance(data, dict) or data.get("kind") != KIND:
        raise CheckpointError(
            f"{folder} is no classifier (a language model writes, it tells no moods); train one with "
            "`lyricgen mood train`"
        )
    if not isinstance(data.get("format"), int):
        raise CheckpointError(f"{path} is damaged; take an intact copy of the classifier")
    if data["format"] > FORMAT:
        raise CheckpointError(
            f"{folder} was written by a newer lyricgen ({data.get('lyricgen', '?')}); install that or a newer one"
        )
    return data


def _read_weights(path: Path, expected: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a file that has just the names, shapes and kinds that are expected."""
    if not path.is_file():
        raise CheckpointError(f"{path.parent} has no {path.name}: take an intact copy of the classifier")
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            if set(file.keys()) != set(expected):
                odd = ", ".join(sorted(set(file.keys()) ^ set(expected))[:3])
                raise CheckpointError(f"{path} does not hold the weights of this classifier ({odd})")
            for name, like in expected.items():
                part = file.get_slice(name)
                whole = part.get_dtype() == "I64"
                if part.get_shape() != list(like.shape) or whole == like.is_floating_point():
                    raise CheckpointError(f"{path}: {name} is not what the configuration asks for")
                if not whole and part.get_dtype() not in KINDS:
                    raise CheckpointError(f"{path}: {name} holds numbers of an unknown kind")
            weights = {name: cast(Tensor, file.get_tensor(name)).to(like.dtype) for name, like in expected.items()}
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path} is not a safetensors file, or only half of one; take an intact copy of the classifier"
        ) from error
    if not all(bool(weight.isfinite().all()) for weight in weights.values()):
        raise CheckpointError(f"{path} holds numbers that are not finite; take an intact copy of the classifier")
    if bool((weights["keys"].diff() <= 0).any()):
        raise CheckpointError(f"{path} is damaged: its n-grams are not in order; take an intact copy")
    return weights
