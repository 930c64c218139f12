"""Checkpoints: a folder of safetensors and JSON, written whole or not at all, read without running anything."""

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_safetensors
from torch import Tensor

from lyricgen.errors import CheckpointError, LyricgenError
from lyricgen.model.config import ModelConfig
from lyricgen.model.network import LyricModel
from lyricgen.text.labels import Labeler
from lyricgen.text.novelty import MOST, NoveltyIndex
from lyricgen.text.vocab import Vocab

FORMAT = 1
CONFIG, VOCAB, WEIGHTS, LAST, HISTORY, NOVELTY = (
    "config.json", "vocab.json", "model.safetensors", "last.safetensors", "history.jsonl", "novelty.bin",
)  # fmt: skip
CARD_KINDS = {
    "training": dict, "results": dict, "corpus": dict, "moods": tuple, "styles": tuple, "songs": str,
    "command": str, "lyricgen": str,
}  # fmt: skip
KINDS = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


@contextmanager
def disk_errors(what: Path) -> Iterator[None]:
    """Turns the system's errors about a file (no space, no permission) into one line."""
    try:
        yield
    except OSError as error:
        raise CheckpointError(
            f"cannot write {what}: {error.strerror or error}; make room or choose another place"
        ) from error


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Lets `write` fill a temporary file beside `path`, syncs it and renames it: the file is whole or not there."""
    with disk_errors(path):
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        os.close(handle)
        temporary = Path(name)
        try:
            write(temporary)
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_text(path: Path, text: str) -> None:
    """Writes a UTF-8 text file whole."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, data: bytes | memoryview) -> None:
    """Writes a binary file whole."""

    def write(temporary: Path) -> None:
        temporary.write_bytes(data)

    write_whole(path, write)


def save_weights(path: Path, state: dict[str, Tensor]) -> None:
    """Writes tensors as safetensors."""
    write_bytes(path, to_safetensors({name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}))


@dataclass(frozen=True)
class Card:
    """What a checkpoint says of itself in `config.json`.

    `training` is the TrainConfig as JSON, `results` figures of the best evaluation, `command` trains it again.
    `songs`: whether a file of its corpus was one song ("file") or many parted by empty lines ("blank"). `moods` and
    `styles` name the values of those labels from 1 on; 0 is unknown.
    """

    model: ModelConfig
    training: dict[str, Any] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)
    corpus: dict[str, Any] = field(default_factory=dict)
    moods: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    songs: str = "file"
    command: str = ""
    lyricgen: str = ""

    def save(self, folder: Path) -> None:
        """Writes `config.json`."""
        data = {"format": FORMAT, **asdict(self)}
        write_text(folder / CONFIG, json.dumps(data, ensure_ascii=False, indent=2) + "\n")


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A trained model with everything that is needed to read and write texts with it."""

    folder: Path
    card: Card
    vocab: Vocab
    model: LyricModel

    @cached_property
    def labeler(self) -> Labeler | None:
        """What reads a text's plan, where the model knows plans."""
        return Labeler(self.vocab) if self.model.planner else None

    @cached_property
    def novelty(self) -> NoveltyIndex | None:
        """What stands in the training songs, read when it is first asked for; None where nobody kept that."""
        return read_novelty(self.folder)


def load(path: str | Path, *, device: str = "cpu") -> Checkpoint:
    """Reads a checkpoint folder (its best weights), or one .safetensors file inside such a folder.

    Names, shapes and sizes are checked before memory is taken. Raises CheckpointError for anything missing,
    damaged, newer than this version, or not a checkpoint at all.
    """
    path = Path(path)
    folder, weights = (path.parent, path.name) if path.suffix == ".safetensors" else (path, WEIGHTS)
    if not folder.is_dir():
        raise CheckpointError(f"no model at {path}: expected a folder that `lyricgen train` wrote")
    card = read_card(folder)
    vocab = read_vocab(folder)
    if len(vocab) != card.model.vocab_size:
        raise CheckpointError(
            f"{folder}: the vocabulary has {len(vocab)} tokens, the model {card.model.vocab_size}; the two files do "
            "not belong together"
        )
    with torch.device("meta"):
        model = LyricModel(card.model)
    model.load_state_dict(_read_weights(folder / weights, model.state_dict()), assign=True)
    return Checkpoint(folder, card, vocab, model.to(device).eval())


def read_card(folder: Path) -> Card:
    """The contents of `config.json`."""
    data = _read_json(folder / CONFIG)
    if not isinstance(data, dict) or not isinstance(data.get("format"), int):
        raise CheckpointError(f"{folder / CONFIG} is not a model's configuration; take an intact copy of the model")
    if "kind" in data:
        raise CheckpointError(
            f"{folder} is a classifier of moods, not a language model; use it by `lyricgen mood predict --model`"
        )
    if data["format"] > FORMAT:
        raise CheckpointError(
            f"{folder} was written by a newer lyricgen ({data.get('lyricgen', '?')}); install that or a newer one"
        )
    try:
        fields = {name: data[name] for name in Card.__dataclass_fields__ if name in data}
        names = {name: tuple(fields.get(name, ())) for name in ("moods", "styles")}
        card = Card(**{**fields, **names, "model": ModelConfig.from_json(fields["model"])})
        if not all(isinstance(getattr(card, name), kind) for name, kind in CARD_KINDS.items()):
            raise TypeError
        for found, size in ((card.moods, card.model.moods), (card.styles, card.model.styles)):
            if len(found) != max(0, size - 1) or not all(isinstance(name, str) for name in found):
                raise TypeError
        return card
    except (KeyError, TypeError) as error:
        raise CheckpointError(
            f"{folder / CONFIG} lacks what a model needs; take an intact copy of the model"
        ) from error
    except LyricgenError as error:
        raise CheckpointError(f"{folder / CONFIG}: {error}") from error


def read_vocab(folder: Path) -> Vocab:
    """The contents of `vocab.json`."""
    return Vocab.from_json(_read_json(folder / VOCAB))


def read_novelty(folder: Path) -> NoveltyIndex | None:
    """The contents of `novelty.bin`; None where there is none. Raises CheckpointError where it is damaged."""
    path = folder / NOVELTY
    try:
        if not path.exists():
            return None
        if path.stat().st_size > 4 * MOST:
            raise CheckpointError(f"{path} is far too large; take an intact copy of the model, or remove that file")
        return NoveltyIndex.from_bytes(path.read_bytes())
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror}") from error


def no_novelty(folder: Path) -> CheckpointError:
    """The error for a model that cannot tell copies, where that is needed."""
    return CheckpointError(
        f"{folder} has no {NOVELTY}, the index of its training songs, so it cannot tell copies; train the model anew "
        f"(an index is made for at most {MOST:,} characters)"
    )


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{path.parent} has no {path.name}: it is not a model, or its training never saved one"
        ) from error
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is damaged; take an intact copy of the model") from error


def _read_weights(path: Path, expected: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a file that has just the names and shapes that are expected, as float32."""
    if not path.is_file():
        raise CheckpointError(f"{path.parent} has no {path.name}: its training never saved one")
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            names = set(file.keys())
            if names != set(expected):
                odd = ", ".join(sorted(names ^ set(expected))[:3])
                raise CheckpointError(f"{path} does not hold the weights of this model ({odd})")
            for name, like in expected.items():
                part = file.get_slice(name)
                if part.get_shape() != list(like.shape) or part.get_dtype() not in KINDS:
                    raise CheckpointError(
                        f"{path}: {name} has shape {part.get_shape()}, the configuration asks for "
                        f"{list(like.shape)}; take an intact copy of the model"
                    )
            weights = {name: cast(Tensor, file.get_tensor(name)).float() for name in expected}
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path} is not a safetensors file, or only half of one; take an intact copy of the model"
        ) from error
    if not all(bool(weight.isfinite().all()) for weight in weights.values()):
        raise CheckpointError(f"{path} holds numbers that are not finite; take an intact copy of the model")
    return weights


def describe(folder: Path) -> dict[str, Any]:
    """What there is to know of a checkpoint without loading its weights."""
    card, vocab = read_card(folder), read_vocab(folder)
    with torch.device("meta"):
        parameters = sum(weight.numel() for weight in LyricModel(card.model).parameters())
    weights, novelty = folder / WEIGHTS, folder / NOVELTY
    return {
        "model": str(folder),
        "network": asdict(card.model),
        "parameters": parameters,
        "bytes": weights.stat().st_size if weights.is_file() else 0,
        "novelty_bytes": novelty.stat().st_size if novelty.is_file() else 0,
        "level": vocab.tokenizer.level,
        "segmenter": f"{vocab.tokenizer.segmenter} {vocab.tokenizer.version}".strip(),
        "corpus": card.corpus,
        "moods": list(card.moods),
        "styles": list(card.styles),
        "training": card.training,
        "results": card.results,
        "command": card.command,
        "lyricgen": card.lyricgen,
    }
