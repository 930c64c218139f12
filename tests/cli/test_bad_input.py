"""Bad input gets one clear line and exit 1 (2 for wrong usage), no traceback, and nothing is lost or half made."""

import json
import os
import pickle
import shutil
from pathlib import Path

import pytest

from .conftest import Run


def refused(run: Run, *arguments: object, code: int = 1) -> str:
    done = run(*arguments)
    assert done.code == code, done.err
    assert "Traceback" not in done.err
    assert done.out == ""
    lines = [line for line in done.err.splitlines() if not line.startswith("model: ")]
    if code == 1:
        assert len(lines) == 1, done.err
        assert lines[0].startswith("lyricgen: ")
    return done.err


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("empty.txt", b"", "empty.txt is empty"),
        ("binary.txt", bytes(range(256)) * 9, "binary.txt"),
        ("one.txt", "啊\n啊\n啊\n".encode(), "fewer than"),
        ("bad.json", b"{", "bad.json"),
    ],
)
def test_a_corpus_that_is_none(run: Run, tmp_path: Path, name: str, data: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(data)
    assert says in refused(run, "train", tmp_path / name, "--out", tmp_path / "m", "--epochs", 1)
    assert not (tmp_path / "m").exists()


def test_a_corpus_of_one_character(run: Run, tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("啊", encoding="utf-8")
    refused(run, "train", tmp_path / "one.txt", "--out", tmp_path / "m", "--epochs", 1)
    assert not (tmp_path / "m").exists()


def test_an_empty_folder_and_a_missing_one(run: Run, tmp_path: Path) -> None:
    (tmp_path / "lyrics").mkdir()
    said = refused(run, "train", tmp_path / "lyrics", "--out", tmp_path / "m")
    assert "expected .txt, .lrc, .json, .jsonl or .csv files" in said
    assert "nowhere" in refused(run, "train", tmp_path / "nowhere", "--out", tmp_path / "m")


def test_one_bad_file_does_not_stop_the_others(run: Run, songs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "songs"
    shutil.copytree(songs, folder)
    (folder / "bad.txt").write_bytes(bytes(range(256)) * 9)
    done = run("corpus", folder)
    assert done.code == 0
    assert "14 songs" in done.out
    assert "bad.txt" in done.out


def test_an_output_folder_that_exists_is_not_touched(run: Run, songs: Path, model: Path) -> None:
    before = {path: path.read_bytes() for path in model.iterdir()}
    assert "--resume" in refused(run, "train", songs, "--out", model, "--epochs", 1)
    assert {path: path.read_bytes() for path in model.iterdir()} == before


def test_a_run_that_cannot_be_resumed(run: Run, model: Path, tmp_path: Path) -> None:
    assert "is finished" in refused(run, "train", "--resume", model)
    assert "no run at" in refused(run, "train", "--resume", tmp_path / "none")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--start", "  "], "only white space"),
        (["--top-p", 2], "top-p must be from 1e-06 to 1, got 2"),
        (["--temperature", 0], "temperature"),
        (["--lines", -1], "lines"),
        (["--lines", 2, "--length", 2], "give one of the two"),
        (["--count", 0], "count"),
        (["--seed", -1], "seed"),
        (["--device", "tpu"], "device must be one of"),
        (["--out", "/nowhere/at/all.txt"], "no folder"),
    ],
)
def test_settings_that_cannot_be(run: Run, model: Path, arguments: list[object], says: str) -> None:
    assert says in refused(run, "generate", "--model", model, *arguments)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--cell", "elman"], "cell must be one of"),
        (["--level", "byte"], "level must be one of"),
        (["--hidden", 0], "hidden"),
        (["--dropout", 1], "dropout"),
        (["--epochs", 2, "--minutes", 2], "give one of the two"),
        (["--epochs", -2], "epochs"),
        (["--minutes", "nan"], "minutes"),
        (["--preset", "modern"], "preset"),
        (["--valid", "nowhere.txt"], "nowhere.txt"),
        (["--valid", os.devnull], "is empty"),
        (["--vectors", "nowhere.vec"], "nowhere.vec"),
        (["--init-from", "nowhere"], "no model at"),
    ],
)
def test_training_settings_that_cannot_be(
    run: Run, songs: Path, tmp_path: Path, arguments: list[object], says: str
) -> None:
    assert says in refused(run, "train", songs, "--out", tmp_path / "m", *arguments)
    assert not (tmp_path / "m").exists()


def test_wrong_usage_exits_with_two(run: Run) -> None:
    refused(run, "generate", "--no-such-option", code=2)
    refused(run, "generate", "--lines", "many", code=2)
    refused(run, "sing", code=2)
    refused(run, "evaluate", code=2)


class TestCheckpoints:
    """Folders that are no models."""

    @pytest.fixture
    def copy(self, model: Path, tmp_path: Path) -> Path:
        return Path(shutil.copytree(model, tmp_path / "copy"))

    def test_missing(self, run: Run, tmp_path: Path) -> None:
        assert "no model at" in refused(run, "generate", "--model", tmp_path / "none")

    def test_none_at_all(self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("lyricgen.model.locate.starter_folder", lambda: None)
        assert "train one with" in refused(run, "generate")

    def test_half_written(self, run: Run, copy: Path) -> None:
        data = (copy / "model.safetensors").read_bytes()
        (copy / "model.safetensors").write_bytes(data[: len(data) // 2])
        assert "half of one" in refused(run, "generate", "--model", copy)

    def test_newer(self, run: Run, copy: Path) -> None:
        card = json.loads((copy / "config.json").read_text(encoding="utf-8"))
        (copy / "config.json").write_text(json.dumps({**card, "format": 99}), encoding="utf-8")
        assert "newer lyricgen" in refused(run, "generate", "--model", copy)

    def test_other_shapes(self, run: Run, copy: Path) -> None:
        card = json.loads((copy / "config.json").read_text(encoding="utf-8"))
        card["model"]["hidden"] = 31
        (copy / "config.json").write_text(json.dumps(card), encoding="utf-8")
        assert "shape" in refused(run, "generate", "--model", copy)

    def test_a_pickle_in_disguise(self, run: Run, copy: Path, tmp_path: Path) -> None:
        trap = tmp_path / "sprung"

        class Trap:
            def __reduce__(self) -> tuple[object, tuple[Path]]:
                return Path.touch, (trap,)

        (copy / "model.safetensors").write_bytes(pickle.dumps(Trap()))
        assert "not a safetensors file" in refused(run, "generate", "--model", copy)
        assert not trap.exists()

    @pytest.mark.parametrize("name", ["config.json", "vocab.json", "model.safetensors"])
    def test_a_file_that_is_gone(self, run: Run, copy: Path, name: str) -> None:
        (copy / name).unlink()
        assert name in refused(run, "generate", "--model", copy)

    @pytest.mark.parametrize("name", ["config.json", "vocab.json"])
    @pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b"\xff\xfe", b'{"format": 1}'])
    def test_a_file_of_nonsense(self, run: Run, copy: Path, name: str, data: bytes) -> None:
        (copy / name).write_bytes(data)
        refused(run, "generate", "--model", copy)


def test_a_full_disk_says_so_and_keeps_the_last_save(
    run: Run, songs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno
    import os

    real = os.fsync
    syncs = iter(range(8))  # the eight files of a first save

    def full(number: int) -> None:
        if next(syncs, None) is None:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(number)

    monkeypatch.setattr(os, "fsync", full)
    done = run("train", songs, "--out", tmp_path / "m", "--epochs", 3, "--hidden", 8)
    assert done.code == 1
    assert "No space left on device" in done.err
    assert "Traceback" not in done.err
    monkeypatch.undo()
    assert not list((tmp_path / "m").glob(".*-*"))  # no half file
    assert run("train", "--resume", tmp_path / "m").code == 0  # and it goes on from the last save


def test_a_want_of_memory_is_told_in_one_line_by_any_command(
    run: Run, model: Path, songs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: not enough memory: you tried …")

    monkeypatch.setattr("lyricgen.model.network.LyricModel.features", full)
    for command in (["evaluate", songs], ["next", "星"], ["generate"]):
        assert "there is not enough memory; close other programs" in refused(run, *command, "--model", model)
