"""A comparison as a whole: one split for all, interruption at any point, what is refused."""

import json
import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from lyricgen.errors import CheckpointError, InputError, LyricgenError, OptionError, TrainingError
from lyricgen.evaluation.compare import Comparison, Step
from lyricgen.evaluation.comparison_setup import CompareOptions
from lyricgen.evaluation.contenders import count_parameters, model_config
from lyricgen.evaluation.run_record import RECORD, TEXT, RunRecord, RunResult, load_text
from lyricgen.evaluation.standings import rank, read_standings
from lyricgen.model import checkpoint
from lyricgen.model.config import ModelConfig
from lyricgen.model.network import LyricModel
from lyricgen.text.labels import Labeler

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> CompareOptions:
    """Two small cells on a dozen small songs, two seeds each, trained."""
    rng = random.Random(1)
    folder = tmp_path_factory.mktemp("corpus") / "songs"
    folder.mkdir()
    for number in range(12):
        lines = ["".join(rng.choices("星月雨风山海人来去我你", k=rng.randint(3, 8))) for _ in range(6)]
        (folder / f"{number}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    options = CompareOptions(
        (str(folder),), folder.parent / "out", cells=("rnn", "gru"), epochs=3, seeds=2, hidden=12, embedding=4
    )
    results(options)
    return options


@pytest.fixture
def copy(done: CompareOptions, tmp_path: Path) -> CompareOptions:
    """A copy of it, to do what one likes with."""
    assert done.out is not None
    shutil.copytree(done.out, tmp_path / "copy")
    return replace(done, out=tmp_path / "copy")


def steps(options: CompareOptions) -> Iterator[Step]:
    with Comparison.open(options, device=CPU) as comparison:
        yield from comparison.run()


def results(options: CompareOptions) -> list[RunResult]:
    return [step.result for step in steps(options) if step.result]


def weights(results: list[RunResult]) -> dict[str, torch.Tensor]:
    return {f"{run.folder.name} {name}": tensor for run in results
            for name, tensor in load_file(run.folder / "last.safetensors").items()}  # fmt: skip


def assert_equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> None:
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_every_contender_is_trained_with_every_seed_on_one_split(done: CompareOptions) -> None:
    found = results(done)
    assert [(run.name, run.seed) for run in found] == [("rnn", 0), ("gru", 0), ("rnn", 1), ("gru", 1)]
    texts = {(run.folder / TEXT).read_bytes() for run in found}
    assert len(texts) == 1
    for run in found:
        assert run.nats == min(point.nats for point in run.curve)
        assert run.curve[-1].tokens == found[0].curve[-1].tokens
        assert len(run.record.fading) == len(run.record.fading_before) > 1
        assert run.record.context.lengths[0] == 1 and run.record.speed > 0
    assert found[0].nats != found[2].nats
    assert found[0].record.fading != found[0].record.fading_before


def test_cells_are_compared_without_planners_even_on_sung_chinese(done: CompareOptions) -> None:
    with Comparison.open(done, device=CPU) as comparison:
        found = [step.result for step in comparison.run() if step.result]
        told = {each.name: count_parameters(model_config(each.wishes, comparison.plan.vocab_size))
                for each in comparison.contenders}  # fmt: skip
    for run in found:
        loaded = checkpoint.load(run.folder)
        text = load_text(run.folder, vocab_size=len(loaded.vocab))
        assert Labeler(loaded.vocab).fits(text)  # a text on which `train` makes a model that plans
        assert loaded.model.config.labels == (0, 0, 0, 0) and not loaded.card.moods
        assert sum(weight.numel() for weight in loaded.model.parameters()) == told[run.name]
    assert {each.name: each.parameters for each in rank(found)} == told


def test_other_songs_are_another_comparison(
    done: CompareOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    songs = Path(shutil.copytree(done.paths[0], tmp_path / "songs"))
    options = replace(done, paths=("songs",), out=None)
    comparisons = tmp_path / "comparisons"

    def opened(options: CompareOptions) -> tuple[str, bool]:
        with Comparison.open(options, device=CPU) as comparison:
            return comparison.folder.name, comparison.begun_before

    assert opened(options) == ("songs-1", False)
    assert opened(options) == ("songs-1", True)
    text = (songs / "0.txt").read_text(encoding="utf-8")
    (songs / "0.txt").write_text(text.replace("星", "光"), encoding="utf-8")
    assert opened(options) == ("songs-2", False)
    with pytest.raises(OptionError, match="songs-1 holds a comparison on other songs; choose another --out"):
        opened(replace(options, out=comparisons / "songs-1"))
    (songs / "0.txt").write_text(text, encoding="utf-8")
    assert opened(options) == ("songs-1", True)
    assert sorted(path.name for path in comparisons.iterdir()) == ["songs-1", "songs-2"]
    # What comparisons keep of the songs is not read as songs.
    here = replace(options, paths=(".",))
    (name, _), again = opened(here), opened(here)
    assert again == (name, True)


def test_a_run_that_cannot_begin_does_not_stop_the_others(
    done: CompareOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = LyricModel.__init__

    def full(self: LyricModel, config: ModelConfig) -> None:
        if config.cell == "rnn" and torch.empty(0).device.type != "meta":
            raise RuntimeError("can't allocate memory: you tried to allocate 9 bytes\nand more")
        honest(self, config)

    options = replace(done, out=tmp_path / "out", epochs=1, seeds=1)
    with monkeypatch.context() as small:
        small.setattr(LyricModel, "__init__", full)
        rnn, gru = results(options)
        assert rnn.record.failed == "there is not enough memory for a model of this size; try a lower --hidden"
        assert not gru.record.failed
        assert [each.name for each in rank([rnn, gru])] == ["gru"]
        with pytest.raises(InputError, match="every run failed"):
            rank([rnn])
    rnn, gru = results(options)  # where there is room again it is made
    assert not rnn.record.failed and rnn.nats > 0


def test_a_run_for_which_memory_ends_in_training_does_not_stop_the_others(
    done: CompareOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = LyricModel.logits

    def logits(self: LyricModel, features: torch.Tensor) -> torch.Tensor:
        if self.training and self.config.cell == "rnn":
            raise RuntimeError("can't allocate memory\nat some line")
        return honest(self, features)

    monkeypatch.setattr(LyricModel, "logits", logits)
    rnn, gru = results(replace(done, out=tmp_path / "out", epochs=1, seeds=1))
    assert rnn.record.failed == "can't allocate memory; a lower hidden or batch takes less memory"
    assert not gru.record.failed


def test_only_a_want_of_memory_is_told_as_one(
    done: CompareOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def logits(self: LyricModel, features: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(LyricModel, "logits", logits)
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        results(replace(done, out=tmp_path / "out", epochs=1, seeds=1))


def test_what_a_folder_holds_is_read_back(copy: CompareOptions) -> None:
    assert copy.out is not None
    assert read_standings(copy.out) == rank(results(copy))
    for path in copy.out.glob(f"runs/gru-*/{RECORD}"):
        path.unlink()
    assert [each.name for each in read_standings(copy.out)] == ["rnn"]
    shutil.rmtree(copy.out / "runs")
    with pytest.raises(InputError, match="no finished run yet"):
        read_standings(copy.out)
    with pytest.raises(InputError, match="holds no comparison"):
        read_standings(copy.out.parent)


def test_what_is_done_is_kept_and_only_what_lacks_is_made(done: CompareOptions, copy: CompareOptions) -> None:
    assert copy.out is not None
    runs = copy.out / "runs"
    (runs / "rnn-0" / RECORD).unlink()  # as if killed before the first step
    shutil.rmtree(runs / "gru-1")  # as if one seed had been asked for
    before = {path: path.stat().st_mtime_ns for name in ("gru-0", "rnn-1") for path in (runs / name).iterdir()}
    assert_equal(weights(results(done)), weights(results(copy)))
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_an_interrupted_comparison_goes_on_exactly(done: CompareOptions, tmp_path: Path) -> None:
    options = replace(done, out=tmp_path / "stopped", seeds=1)
    for stop_after in (1, 3, 4):  # before anything, within a run, after some of it was done before
        with Comparison.open(options, device=CPU) as comparison:
            taken = []
            for step in comparison.run():
                taken.append(step)
                if len(taken) == stop_after:
                    comparison.stop()
            assert taken[-1].result is None
    assert_equal(weights(results(replace(done, seeds=1))), weights(results(options)))


def test_a_run_that_was_not_measured_is_measured(copy: CompareOptions) -> None:
    first = results(copy)
    replace(first[0].record, measured=False, fading=(), speed=0.0).save(first[0].folder)
    again = results(copy)[0].record
    assert again == replace(first[0].record, speed=0.0)


def test_a_run_whose_loss_is_no_number_does_not_stop_the_others(
    done: CompareOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = LyricModel.logits

    def logits(self: LyricModel, features: torch.Tensor) -> torch.Tensor:
        broken = self.training and self.config.cell == "rnn"
        return honest(self, features) * (float("nan") if broken else 1)

    monkeypatch.setattr(LyricModel, "logits", logits)
    options = replace(done, out=tmp_path / "out", epochs=1, seeds=1)
    rnn, gru = results(options)
    what, remedy = rnn.record.failed.split("; ")
    assert what.startswith("the loss is nan near step ")
    assert remedy == "give it a lower lr under another name in the TOML file of --configs"
    assert not gru.record.failed
    assert [run.record.failed for run in results(options)] == [rnn.record.failed, ""]
    monkeypatch.undo()
    configs = tmp_path / "c.toml"  # the remedy can be followed
    configs.write_text('[calm]\ncell = "rnn"\nlr = 0.001\n', encoding="utf-8")
    again = results(replace(options, configs=configs))
    assert [(run.name, run.record.failed) for run in again] == [("rnn", rnn.record.failed), ("gru", ""), ("calm", "")]


def test_a_folder_that_holds_something_else_is_left_alone(copy: CompareOptions, tmp_path: Path) -> None:
    other = tmp_path / "mine"
    other.mkdir()
    (other / "song.txt").write_text("星", encoding="utf-8")
    with pytest.raises(InputError, match="holds no comparison"):
        results(replace(copy, out=other))
    assert (other / "song.txt").exists()
    with pytest.raises(OptionError, match=r"other settings \(epochs\)"):
        results(replace(copy, epochs=4))
    with pytest.raises(OptionError, match=r"other settings \(epochs, minutes\)"):
        results(replace(copy, epochs=None, minutes=1))


def test_a_name_with_new_settings_is_refused(copy: CompareOptions, tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text('[gru]\ncell = "gru"\n', encoding="utf-8")
    options = replace(copy, cells=("rnn",), configs=path)
    assert len(results(options)) == 4
    path.write_text('[lstm]\ncell = "lstm"\n[gru]\ncell = "gru"\nlr = 0.02\n', encoding="utf-8")
    with pytest.raises(TrainingError, match="was trained with other settings"):
        results(options)
    assert options.out is not None
    assert not (options.out / "runs" / "lstm-0").exists()  # told before anybody is trained


def test_a_comparison_of_before_goes_on_with_one_learning_rate_for_all(copy: CompareOptions) -> None:
    assert copy.out is not None
    new = [run.record.wishes["lr"] for run in results(copy)]
    assert new[0] < new[1]  # the RNN is wider than the GRU
    path = copy.out / "comparison.json"
    plan = json.loads(path.read_text(encoding="utf-8"))
    assert plan.pop("lr_by_width") is True
    path.write_text(json.dumps(plan), encoding="utf-8")
    rate = plan["base"]["lr"]
    for run in results(done_with(copy, rate)):  # what is finished is known again
        assert run.record.wishes["lr"] == rate
    shutil.rmtree(copy.out / "runs" / "gru-1")
    assert [run.record.wishes["lr"] for run in results(copy)] == [rate] * 4


def done_with(options: CompareOptions, rate: float) -> CompareOptions:
    """A finished comparison, its records as if all had been trained with one learning rate."""
    assert options.out is not None
    for folder in (options.out / "runs").iterdir():
        record = RunRecord.read(folder)
        assert record is not None
        replace(record, wishes={**record.wishes, "lr": rate}).save(folder)
    return options


def test_one_process_at_a_time(copy: CompareOptions) -> None:
    with Comparison.open(copy, device=CPU), pytest.raises(TrainingError, match="another run is writing"):
        results(copy)


NONSENSE = (b"", b"[1]", b'{"asked": 3, "fading": [null]}')


@pytest.mark.parametrize("name", ["comparison.json", f"runs/rnn-0/{RECORD}"])
def test_damage_of_what_was_asked_is_told(copy: CompareOptions, name: str) -> None:
    assert copy.out is not None
    for data in NONSENSE:
        (copy.out / name).write_bytes(data)
        with pytest.raises(LyricgenError, match="is damaged"):
            results(copy)


@pytest.mark.parametrize("name", [TEXT, "config.json", "vocab.json", "model.safetensors"])
def test_a_trained_run_that_is_damaged_does_not_stop_the_others(copy: CompareOptions, name: str) -> None:
    first = results(copy)[0]
    replace(first.record, measured=False).save(first.folder)
    for data in NONSENSE:
        (first.folder / name).write_bytes(data)
        rnn, *others = results(copy)
        assert rnn.record.failed.endswith(f"; remove {first.folder} to make that run anew")
        assert name in rnn.record.failed and rnn.record.failed.count(";") == 1
        assert len(others) == 3 and not any(run.record.failed for run in others)
    shutil.rmtree(first.folder)
    assert not any(run.record.failed for run in results(copy))


@pytest.fixture
def begun(done: CompareOptions, tmp_path: Path) -> CompareOptions:
    """The same with one seed, interrupted in its first run."""
    options = replace(done, out=tmp_path / "begun", seeds=1)
    with Comparison.open(options, device=CPU) as comparison:
        for step in comparison.run():
            if step.report:
                comparison.stop()
    return options


@pytest.mark.parametrize("name", ["training.pt", "train.npy", "valid.npy", "config.json", "vocab.json"])
def test_an_interrupted_run_that_is_damaged_does_not_stop_the_others(begun: CompareOptions, name: str) -> None:
    assert begun.out is not None
    folder = begun.out / "runs" / "rnn-0"
    for data in NONSENSE:
        (folder / name).write_bytes(data)
        rnn, gru = results(begun)
        assert rnn.record.failed.endswith(f"; remove {folder} to make that run anew")
        assert name in rnn.record.failed and rnn.record.failed.count(";") == 1
        assert not gru.record.failed
    shutil.rmtree(folder)
    assert not any(run.record.failed for run in results(begun))


def test_a_run_that_was_begun_elsewhere_is_not_damaged(begun: CompareOptions) -> None:
    assert begun.out is not None
    path = begun.out / "runs" / "rnn-0" / "training.pt"
    torch.save({**torch.load(path, weights_only=True), "device": "cuda"}, path)
    with pytest.raises(TrainingError, match="begun on cuda; resume it there, by --device cuda"):
        results(begun)
    with pytest.raises(TrainingError, match="begun on cuda"):  # and nothing keeps it occupied
        results(begun)


def test_a_run_that_was_never_measured_is_damaged_unless_it_failed(copy: CompareOptions) -> None:
    assert copy.out is not None
    first = results(copy)[0]
    (first.folder / "history.jsonl").write_text("", encoding="utf-8")
    with pytest.raises(CheckpointError, match="rnn-0 is damaged; remove it to make that run anew"):
        read_standings(copy.out)
    replace(first.record, failed="the loss is nan").save(first.folder)
    assert [(each.name, len(each.runs)) for each in read_standings(copy.out)] == [("rnn", 1), ("gru", 2)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[a]\ncell = "elman"', "[a] cell must be one of rnn, lstm, gru, got 'elman'"),
        ('[a]\noptimizer = "sgd"', "[a] optimizer must be one of muon, adamw, adam, got 'sgd'"),
        ('[gru]\ncell = "gru"', "gru is both a cell and a name"),
        ("[a]\nhidden = 3\n[A]\nhidden = 4", "a and A of --configs differ only in case"),
        ("[a]\nembedding = 2000", "a cannot have as many parameters as the others"),
    ],
)
def test_a_contender_that_cannot_be_is_told_before_anything_is_made(
    done: CompareOptions, tmp_path: Path, text: str, says: str
) -> None:
    path = tmp_path / "c.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(OptionError) as error:
        results(replace(done, configs=path, out=tmp_path / "new" / "out"))
    assert says in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["c.toml"]


@pytest.mark.parametrize("text", ["", "啊", "啊\n啊\n"])
def test_a_corpus_that_is_none_leaves_nothing_behind(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    with pytest.raises(LyricgenError):
        results(CompareOptions((str(tmp_path / "a.txt"),), tmp_path / "new" / "out", epochs=1))
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"cells": ("elman",)}, "cells must be some of rnn, lstm, gru, got 'elman'"),
        ({"cells": ()}, "nothing to compare"),
        ({"seeds": 0}, "seeds must be from 1"),
        ({"equal": "luck"}, "equal must be one of parameters, width"),
        ({"level": "byte"}, "level"),
        ({"songs": "line"}, "songs"),
        ({"epochs": 3, "minutes": 1}, "give one of the two"),
        ({"epochs": 0}, "epochs"),
        ({"hidden": 0}, "hidden"),
    ],
)
def test_options_that_cannot_be(changes: dict[str, object], says: str) -> None:
    with pytest.raises(OptionError, match=says):
        CompareOptions(**changes)  # type: ignore[arg-type]
