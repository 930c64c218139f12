"""Checkpoints: written whole or not at all, read back exactly, and refused in one line when they are not sound."""

import dataclasses
import errno
import json
import os
import pickle
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from lyricgen.errors import CheckpointError, TrainingError
from lyricgen.model.checkpoint import (
    FORMAT,
    Card,
    describe,
    load,
    read_card,
    read_vocab,
    save_weights,
    write_text,
    write_whole,
)
from lyricgen.model.config import ModelConfig
from lyricgen.model.network import CELLS, LyricModel
from lyricgen.text.labels import LENGTHS, RHYMES
from lyricgen.text.tokenizer import Tokenizer
from lyricgen.text.vocab import SPECIALS, Vocab
from lyricgen.training.run_folder import RunFolder

VOCAB = Vocab((*SPECIALS, *"\n星月 a"), Tokenizer(), unseen=0.125)


def write_checkpoint(folder: Path, model: LyricModel) -> Path:
    folder.mkdir()
    Card(model.config, training={"lr": 0.1}, results={"held_out": 2.5}, command="lyricgen train").save(folder)
    write_text(folder / "vocab.json", json.dumps(VOCAB.to_json()))
    save_weights(folder / "model.safetensors", model.state_dict())
    return folder


@pytest.fixture
def folder(tmp_path: Path, make_model: Callable[..., LyricModel]) -> Path:
    """The checkpoint of a tiny LSTM."""
    return write_checkpoint(tmp_path / "model", make_model())


def change(path: Path, **changes: Any) -> None:
    """Overwrites fields of a JSON file; None takes one out."""
    data = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({name: value for name, value in data.items() if value is not None}))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def refusal(read: Callable[[Path], object], path: Path) -> str:
    with pytest.raises(CheckpointError) as refused:
        read(path)
    assert "\n" not in str(refused.value)
    return str(refused.value)


# Round trip


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_what_was_saved_is_loaded_exactly(
    cell: str, tied: bool, tmp_path: Path, make_model: Callable[..., LyricModel]
) -> None:
    model = make_model(cell, tied=tied, dropout=0.5)
    loaded = load(write_checkpoint(tmp_path / "model", model))
    assert loaded.model.config == model.config == loaded.card.model
    assert loaded.card == Card(model.config, {"lr": 0.1}, {"held_out": 2.5}, command="lyricgen train")
    assert (loaded.vocab.tokens, loaded.vocab.tokenizer, loaded.vocab.unseen) == (VOCAB.tokens, Tokenizer(), 0.125)
    weights = model.state_dict()
    assert loaded.model.state_dict().keys() == weights.keys()
    assert all(torch.equal(weight, weights[name]) for name, weight in loaded.model.state_dict().items())
    assert not loaded.model.training
    ids = torch.tensor([[1], [3], [2], [1], [7]])
    assert torch.equal(loaded.model(ids, loaded.model.initial_state(1))[0], model(ids, model.initial_state(1))[0])


def test_a_single_file_of_weights_in_a_checkpoint(folder: Path, make_model: Callable[..., LyricModel]) -> None:
    last = make_model(seed=5)
    save_weights(folder / "last.safetensors", last.state_dict())
    assert torch.equal(load(folder / "last.safetensors").model.bias, last.bias)
    assert not torch.equal(load(folder).model.bias, last.bias)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_weights_in_half_precision_are_read_as_float32(
    kind: torch.dtype, folder: Path, make_model: Callable[..., LyricModel]
) -> None:
    weights = {name: weight.to(kind) for name, weight in make_model().state_dict().items()}
    save_file(weights, folder / "model.safetensors")
    for name, weight in load(folder).model.state_dict().items():
        assert weight.dtype == torch.float32 and torch.equal(weight, weights[name].float())


def test_a_model_goes_to_the_device_that_is_asked_for(folder: Path) -> None:
    assert load(folder, device="meta").model.bias.device.type == "meta"
    assert load(folder).model.bias.device.type == "cpu"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_weights_from_another_device_load_on_the_cpu_and_back(
    tmp_path: Path, make_model: Callable[..., LyricModel]
) -> None:
    model = make_model().cuda()
    folder = write_checkpoint(tmp_path / "model", model)
    assert torch.equal(load(folder).model.bias, model.bias.cpu())
    assert torch.equal(load(folder, device="cuda").model.bias, model.bias)


def test_a_view_of_a_larger_tensor_is_saved_alone(tmp_path: Path) -> None:
    whole = torch.arange(12.0).view(3, 4)
    save_weights(tmp_path / "part.safetensors", {"column": whole[:, 1], "turned": whole.T})
    assert (tmp_path / "part.safetensors").stat().st_size < 400


def test_what_there_is_to_know_of_a_checkpoint(folder: Path) -> None:
    told = describe(folder)
    recurrent = 16 * (3 + 1 + 4 + 2) + 16 * (4 + 1 + 4 + 2)
    assert told["parameters"] == 8 * 3 + recurrent + 6 * 4 + 6
    assert told["bytes"] == (folder / "model.safetensors").stat().st_size
    assert told["results"] == {"held_out": 2.5} and told["level"] == "char" and told["command"] == "lyricgen train"
    assert told["network"]["cell"] == "lstm" and told["model"] == str(folder)


# Labels

LABELLED = {"lengths": LENGTHS, "rhymes": RHYMES, "moods": 3, "styles": 2}


@pytest.fixture
def labelled(tmp_path: Path, make_model: Callable[..., LyricModel]) -> Path:
    """The checkpoint of a model that knows plans, two moods and a style."""
    model = make_model(**LABELLED)
    folder = write_checkpoint(tmp_path / "labelled", model)
    Card(model.config, moods=("忧伤", "欢快"), styles=("民谣",)).save(folder)
    return folder


def test_labels_come_back_with_their_names(labelled: Path, make_model: Callable[..., LyricModel]) -> None:
    loaded, model = load(labelled), make_model(**LABELLED)
    assert (loaded.card.moods, loaded.card.styles) == (("忧伤", "欢快"), ("民谣",))
    assert loaded.labeler is not None and loaded.labeler.vocab is loaded.vocab
    weights = model.state_dict()
    assert {"labels.0.weight", "labels.3.weight", "planner.rhyme_of_length.weight"} <= weights.keys()
    assert all(torch.equal(weight, weights[name]) for name, weight in loaded.model.state_dict().items())
    told = describe(labelled)
    assert (told["moods"], told["styles"]) == (["忧伤", "欢快"], ["民谣"])


def test_a_checkpoint_from_before_labels_still_loads(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    new = ("lengths", "rhymes", "moods", "styles", "weight_drop", "token_drop")
    model = {name: value for name, value in config["model"].items() if name not in new}
    change(folder / "config.json", model=model, moods=None, styles=None)
    assert "moods" not in json.loads((folder / "config.json").read_text())
    loaded = load(folder)
    assert loaded.labeler is None and loaded.model.planner is None
    assert loaded.card.moods == loaded.card.styles == ()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lengths": -1}, "lengths must be from 0 to 256, got -1"),
        ({"rhymes": 10**9}, "rhymes must be from 0 to 256, got 1000000000"),
        ({"moods": -3}, "moods must be from 0 to 256"),
        ({"styles": "2"}, "intact copy"),
        ({"moods": 2.0}, "intact copy"),
        ({"lengths": 0}, "a model with labels has lengths and rhymes among them"),
        ({"rhymes": 0}, "a model with labels has lengths and rhymes among them"),
        ({"moods": 2}, "intact copy"),  # two names for one value
        ({"moods": 0}, "intact copy"),
        ({"styles": 3}, "intact copy"),
        ({"lengths": LENGTHS - 1}, "intact copy"),  # labels that a text can have, and the model not
        ({"rhymes": RHYMES + 1}, "intact copy"),
        ({"weight_drop": 1.5}, "weight_drop must be from 0 to 0.95, got 1.5"),
        ({"token_drop": float("nan")}, "token_drop must be from 0 to 0.95, got nan"),
    ],
)
def test_labels_that_cannot_be(changes: dict[str, Any], message: str, labelled: Path) -> None:
    model = json.loads((labelled / "config.json").read_text())["model"]
    change(labelled / "config.json", model={**model, **changes})
    assert message in refusal(load, labelled)


@pytest.mark.parametrize(
    "changes",
    [
        {"moods": None},
        {"moods": ["忧伤"]},
        {"moods": ["忧伤", "欢快", "平静"]},
        {"moods": ["忧伤", 7]},
        {"moods": ["忧伤", ["欢快"]]},
        {"moods": 2},
        {"moods": {"忧伤": 1}},
        {"styles": []},
        {"styles": [None]},
    ],
)
def test_names_of_labels_that_cannot_be(changes: dict[str, Any], labelled: Path) -> None:
    change(labelled / "config.json", **changes)
    assert "intact copy" in refusal(load, labelled)


# What is refused


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    expected = f"no model at {tmp_path / 'none'}: expected a folder that `lyricgen train` wrote"
    assert refusal(load, tmp_path / "none") == expected
    (tmp_path / "file").write_text("a song")
    assert "expected a folder" in refusal(load, tmp_path / "file")


@pytest.mark.parametrize("name", ["config.json", "vocab.json", "model.safetensors"])
def test_a_file_that_is_missing(name: str, folder: Path) -> None:
    (folder / name).unlink()
    assert f"{folder} has no {name}" in refusal(load, folder)
    (folder / name).mkdir()
    assert name in refusal(load, folder)


@pytest.mark.parametrize("name", ["config.json", "vocab.json"])
@pytest.mark.parametrize("content", [b"", b"{", b"null", b"[]", b"7", b'"text"', b"\xff\xfe", b"[" * 100_000, b"{}"])
def test_json_that_is_damaged_or_something_else(name: str, content: bytes, folder: Path) -> None:
    (folder / name).write_bytes(content)
    assert "take an intact copy of the model" in refusal(load, folder)


def test_a_newer_format(folder: Path) -> None:
    change(folder / "config.json", format=FORMAT + 1, lyricgen="9.1", model={"of": "another kind"})
    assert refusal(load, folder) == f"{folder} was written by a newer lyricgen (9.1); install that or a newer one"


@pytest.mark.parametrize("number", [None, "1", 1.0])
def test_a_configuration_without_a_format(number: Any, folder: Path) -> None:
    change(folder / "config.json", format=number)
    assert "is not a model's configuration" in refusal(load, folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden": 10**9}, "hidden must be from 1 to 16384, got 1000000000"),
        ({"hidden": 10**400}, "hidden must be from 1 to 16384"),
        ({"hidden": "4"}, "intact copy"),
        ({"hidden": 4.5}, "intact copy"),
        ({"layers": -1}, "layers must be from 1 to 64"),
        ({"dropout": float("nan")}, "dropout must be from 0 to 0.95, got nan"),
        ({"hidden": float("nan")}, "intact copy"),
        ({"cell": "os.system"}, "cell must be one of rnn, lstm, gru"),
        ({"attention": True}, "a newer lyricgen"),
    ],
)
def test_a_network_that_cannot_be(changes: dict[str, Any], message: str, folder: Path) -> None:
    model = json.loads((folder / "config.json").read_text())["model"]
    change(folder / "config.json", model={**model, **changes})
    assert message in refusal(load, folder)
    assert message in refusal(read_card, folder)


@pytest.mark.parametrize(
    "changes", [{"model": None}, {"model": 3}, {"training": [1]}, {"results": "good"}, {"corpus": 1}, {"songs": 1}]
)
def test_a_card_with_fields_of_the_wrong_kind(changes: dict[str, Any], folder: Path) -> None:
    change(folder / "config.json", **changes)
    assert "intact copy" in refusal(load, folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"tokens": None},
        {"tokens": 3},
        {"tokens": "<unk><start><end>abcde"},
        {"tokens": [*SPECIALS, *"abcda"]},
        {"tokens": ["<start>", "<unk>", "<end>", *"abcde"]},
        {"tokens": [*SPECIALS, *"abcd", ""]},
        {"tokens": [*SPECIALS, *"abcd", 7]},
        {"tokens": [*SPECIALS, *"abcd", ["e"]]},
        {"unseen": 1.0},
        {"unseen": -0.5},
        {"unseen": float("nan")},
        {"unseen": 10**400},
        {"unseen": "much"},
        {"level": "verse"},
        {"level": ["char"]},
        {"level": "word", "segmenter": ""},
        {"level": "word", "segmenter": "os"},
        {"segmenter": None},
    ],
)
def test_a_vocabulary_that_is_not_sound(changes: dict[str, Any], folder: Path) -> None:
    change(folder / "vocab.json", **changes)
    assert "intact copy" in refusal(read_vocab, folder)
    assert "intact copy" in refusal(load, folder)


def test_a_vocabulary_of_another_model(folder: Path) -> None:
    change(folder / "vocab.json", tokens=[*SPECIALS, *"abcdef"])
    assert "the vocabulary has 9 tokens, the model 8; the two files do not belong together" in refusal(load, folder)


def test_weights_cut_short_anywhere(folder: Path) -> None:
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    for size in (0, 4, 8, 100, len(whole) // 2, len(whole) - 1):
        weights.write_bytes(whole[:size])
        assert "is not a safetensors file, or only half of one; take an intact copy" in refusal(load, folder)


class Payload:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., None], tuple[Path]]:
        return Path.touch, (self.path,)


def write_pickle(content: object, path: Path) -> None:
    path.write_bytes(pickle.dumps(content))


def test_the_payload_works_where_it_is_let(tmp_path: Path) -> None:
    write_pickle(Payload(tmp_path / "ran"), tmp_path / "file")
    pickle.loads((tmp_path / "file").read_bytes())  # noqa: S301
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "vocab.json"])
@pytest.mark.parametrize("write", [write_pickle, torch.save])
def test_code_in_a_file_is_not_run(
    name: str, write: Callable[[object, Path], None], folder: Path, tmp_path: Path
) -> None:
    write(Payload(tmp_path / "ran"), folder / name)
    refusal(load, folder)
    assert not (tmp_path / "ran").exists()


def test_code_in_a_saved_run_is_not_run(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run")
    torch.save(Payload(tmp_path / "ran"), folder.path / "training.pt")
    with pytest.raises(TrainingError, match="is damaged; start the run again"):
        folder.load_state()
    assert not (tmp_path / "ran").exists()
    folder.release()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda weights: weights.pop("bias"),
        lambda weights: weights.update(extra=torch.zeros(1)),
        lambda weights: weights.update(bias=torch.zeros(5)),
        lambda weights: weights.update(bias=torch.zeros(6, 1)),
        lambda weights: weights.update(bias=torch.zeros(6, dtype=torch.int64)),
        lambda weights: weights.update(bias=torch.zeros(6, dtype=torch.float64)),
    ],
)
def test_weights_of_another_model(spoil: Callable[[dict[str, Tensor]], None], folder: Path) -> None:
    weights = load(folder).model.state_dict()
    spoil(weights)
    save_file(weights, folder / "model.safetensors")
    message = refusal(load, folder)
    assert str(folder / "model.safetensors") in message and ("bias" in message or "extra" in message)


class Taken(TorchDispatchMode):
    """Counts the bytes of the tensors that are made outside the meta device."""

    bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for tensor in made if isinstance(made, tuple) else (made,):
            if isinstance(tensor, Tensor) and tensor.device.type != "meta":
                self.bytes += tensor.nbytes
        return made


def test_memory_is_not_taken_before_the_shapes_are_checked(folder: Path) -> None:
    with Taken() as taken:
        LyricModel(ModelConfig(8, hidden=4))
    assert taken.bytes > 0
    model = json.loads((folder / "config.json").read_text())["model"]
    change(folder / "config.json", model={**model, "hidden": 1024})
    with Taken() as taken:
        assert "the configuration asks for" in refusal(load, folder)
    assert taken.bytes == 0


# Writing


def test_a_file_is_written_whole_with_the_permissions_of_the_folders_owner(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "song.txt", "星\n")
    finally:
        os.umask(before)
    assert (tmp_path / "song.txt").read_bytes() == "星\n".encode()
    assert (tmp_path / "song.txt").stat().st_mode & 0o777 == 0o640
    assert names(tmp_path) == ["song.txt"]


class StoppedError(Exception):
    """What a writer meets on its way."""


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "song.txt"
    target.write_text("old")

    def fail(temporary: Path) -> None:
        temporary.write_text("ne")
        raise StoppedError

    with pytest.raises(StoppedError):
        write_whole(target, fail)
    assert target.read_text() == "old" and names(tmp_path) == ["song.txt"]


def test_a_full_disk_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "song.txt"
    target.write_text("old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    message = refusal(lambda path: write_text(path, "new"), target)
    assert message == f"cannot write {target}: No space left on device; make room or choose another place"
    assert target.read_text() == "old" and names(tmp_path) == ["song.txt"]


def test_a_run_that_no_longer_fits_on_the_disk_is_told_in_one_line(
    tmp_path: Path, full_disk: Callable[[int], AbstractContextManager[None]]
) -> None:
    folder = RunFolder.create(tmp_path / "run")
    folder.save_state({"step": 1})
    with full_disk(20_000):
        message = refusal(lambda _: folder.save_state({"step": torch.zeros(9999)}), tmp_path)
        assert message.startswith(f"cannot write {folder.path / 'training.pt'}")
        assert "cannot write" in refusal(lambda _: folder.save_best({"bias": torch.zeros(9999)}), tmp_path)
    assert folder.load_state() == {"step": 1}
    assert names(folder.path) == [".lock", "training.pt"]
    folder.release()


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    assert "cannot write" in refusal(lambda path: write_text(path, "new"), tmp_path / "gone" / "song.txt")


def test_a_card_cannot_be_changed(folder: Path) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        read_card(folder).songs = "blank"  # type: ignore[misc]
