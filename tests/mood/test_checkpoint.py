"""A classifier's folder: read back exactly, written whole or not at all, refused in one line when it is not sound."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from lyricgen.errors import CheckpointError
from lyricgen.model import checkpoint as language_models
from lyricgen.model.checkpoint import Card, save_weights, write_text
from lyricgen.model.config import ModelConfig
from lyricgen.model.locate import find_model
from lyricgen.model.network import LyricModel
from lyricgen.mood import checkpoint
from lyricgen.mood.checkpoint import Notes, check_new_folder, load, new_folder, save
from lyricgen.mood.classifier import Classifier
from lyricgen.mood.config import MoodWishes
from lyricgen.mood.data import Labelled, part
from lyricgen.mood.preparation import Preparation
from lyricgen.mood.training import MoodTrainer

TEXTS = ["今天我们开心", "的眼泪", "x" * 300]


@pytest.fixture(scope="module")
def classifier(data: Labelled) -> Classifier:
    prepare = Preparation(clean=True, stop_words=("的",))
    trainer = MoodTrainer(data, part(data, seed=0), wishes=MoodWishes(hidden=4, epochs=1), preparation=prepare)
    list(trainer.run())
    trainer.model.mix.fill_(0.7)
    return trainer.classifier


@pytest.fixture
def folder(classifier: Classifier, tmp_path: Path) -> Path:
    with new_folder(tmp_path / "moods") as part:
        save(part, classifier, Notes(command="lyricgen mood train", lyricgen="9"))
    return tmp_path / "moods"


def change(folder: Path, **changes: Any) -> None:
    """Overwrites fields of config.json; None takes one out."""
    path = folder / "config.json"
    data = {**json.loads(path.read_text(encoding="utf-8")), **changes}
    path.write_text(json.dumps({k: v for k, v in data.items() if v is not None}), encoding="utf-8")


def reweigh(folder: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors")


def refusal(folder: Path) -> str:
    with pytest.raises(CheckpointError) as refused:
        load(folder)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_what_was_saved_is_loaded_exactly(folder: Path, classifier: Classifier) -> None:
    loaded = load(folder)
    assert (loaded.labels, loaded.length, loaded.preparation) == (
        classifier.labels, classifier.length, classifier.preparation,
    )  # fmt: skip
    np.testing.assert_array_equal(loaded.probabilities(TEXTS), classifier.probabilities(TEXTS))
    assert not list(folder.parent.glob(".*"))


def test_a_classifier_without_n_grams_is_loaded_exactly(data: Labelled, tmp_path: Path) -> None:
    wishes = MoodWishes(hidden=4, epochs=1, ngrams=False)
    trainer = MoodTrainer(data, part(data, seed=0), wishes=wishes, preparation=Preparation())
    list(trainer.run())
    with new_folder(tmp_path / "alone") as folder:
        save(folder, trainer.classifier, Notes())
    loaded = load(tmp_path / "alone")
    assert loaded.model.mix.tolist() == [1, 0] and len(loaded.model.keys) == 0
    np.testing.assert_array_equal(loaded.probabilities(TEXTS), trainer.classifier.probabilities(TEXTS))


def test_a_folder_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), new_folder(tmp_path / "a") as part:
        (part / "x").write_text("x")
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())
    (tmp_path / "a").mkdir()
    with pytest.raises(CheckpointError, match="exists already"), new_folder(tmp_path / "a"):
        pass


def test_folders_around_it_are_made_when_it_is_and_not_before(tmp_path: Path) -> None:
    for path in (tmp_path / "a" / "b" / "m", tmp_path / "a" / ".." / "b" / "m"):
        check_new_folder(path)
        assert not list(tmp_path.iterdir())
        with pytest.raises(ZeroDivisionError), new_folder(path) as part:
            (part / "x").write_text("x")
            raise ZeroDivisionError
        assert not list(tmp_path.iterdir())
    with new_folder(tmp_path / "a" / "b" / "m"):
        pass
    with pytest.raises(CheckpointError, match="exists already"):
        check_new_folder(tmp_path / "a" / "b" / "m")
    check_new_folder(tmp_path / "a" / "b" / "n")
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "b", "m"]
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="cannot write"):
        check_new_folder(tmp_path / "file" / "b" / "m")


@pytest.mark.parametrize("name", ["config.json", "vocab.json", "model.safetensors"])
def test_a_file_that_is_missing_or_nonsense(folder: Path, name: str) -> None:
    for data in (b"", b"{}", b"[1]", b"\xff\xfe", b'{"kind": "mood"}', b'{"kind": "mood", "format": 1}'):
        (folder / name).write_bytes(data)
        refusal(folder)
    (folder / name).unlink()
    assert name in refusal(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": ["a"]}, {"labels": ["a", "a", "b"]}, {"labels": [1, 2, 3]}, {"labels": "abc"}, {"length": 0},
        {"length": True}, {"ngrams": -1}, {"ngrams": 10**12}, {"encoder": {"vocab_size": 9}}, {"encoder": None},
        {"preparation": {"clean": True, "stop_words": [3]}}, {"preparation": None}, {"format": "1"},
    ],
)  # fmt: skip
def test_a_configuration_that_does_not_fit(folder: Path, changes: dict[str, Any]) -> None:
    change(folder, **changes)
    refusal(folder)


def test_a_newer_one(folder: Path) -> None:
    change(folder, format=2)
    assert "newer lyricgen (9)" in refusal(folder)


def test_weights_that_do_not_fit(folder: Path) -> None:
    reweigh(folder, lambda weights: weights.update({"head.bias": torch.zeros(7)}))
    assert "head.bias" in refusal(folder)
    reweigh(folder, lambda weights: weights.update({"more": torch.zeros(1)}))
    assert "(more)" in refusal(folder)


def test_weights_that_are_damaged(folder: Path) -> None:
    reweigh(folder, lambda weights: weights.update({"keys": weights["keys"].flip(0)}))
    assert "not in order" in refusal(folder)
    reweigh(folder, lambda weights: weights["bias"].fill_(torch.nan))
    assert "not finite" in refusal(folder)


def test_a_pickle_in_disguise(folder: Path, tmp_path: Path) -> None:
    trap = tmp_path / "sprung"

    class Trap:
        def __reduce__(self) -> tuple[object, tuple[Path]]:
            return Path.touch, (trap,)

    (folder / "model.safetensors").write_bytes(pickle.dumps(Trap()))
    assert "not a safetensors file" in refusal(folder)
    assert not trap.exists()


class TestOfTheOtherKind:
    """A language model is no classifier, and the other way about; each says so and names the remedy."""

    @pytest.fixture
    def language_model(self, classifier: Classifier, tmp_path: Path) -> Path:
        folder = tmp_path / "checkpoints" / "writer"
        folder.mkdir(parents=True)
        model = LyricModel(ModelConfig(len(classifier.vocab), embedding=2, hidden=2, layers=1))
        Card(model.config).save(folder)
        write_text(folder / "vocab.json", classifier.vocab.dumps())
        save_weights(folder / "model.safetensors", model.state_dict())
        return folder

    def test_each_is_refused_as_the_other(self, folder: Path, language_model: Path) -> None:
        assert "train one with `lyricgen mood train`" in refusal(language_model)
        with pytest.raises(CheckpointError, match="use it by `lyricgen mood predict --model`"):
            language_models.load(folder)

    def test_a_classifier_is_not_taken_for_the_newest_model(
        self, classifier: Classifier, language_model: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.chdir(tmp_path)
        with new_folder(tmp_path / "checkpoints" / "moods") as part:
            save(part, classifier, Notes())
        assert find_model(None) == Path("checkpoints", "writer")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none").startswith("no classifier at ")


def test_a_disk_that_is_full_leaves_nothing(
    classifier: Classifier, tmp_path: Path, full_disk: Callable[[int], Any]
) -> None:
    with pytest.raises(CheckpointError, match="cannot write"), full_disk(2000), new_folder(tmp_path / "m") as part:
        save(part, classifier, Notes())
    assert not list(tmp_path.iterdir())


def test_the_format_is_written(folder: Path) -> None:
    data = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert (data["kind"], data["format"], data["command"]) == ("mood", checkpoint.FORMAT, "lyricgen mood train")
