"""What a hostile user tries: damaged runs, closed streams, names that cannot be, settings that contradict."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from lyricgen.training.recipe import Wishes
from lyricgen.training.session import RunOptions, start_session

from .conftest import Run
from .test_bad_input import refused


@pytest.fixture
def stopped(songs: Path, tmp_path: Path) -> Path:
    """A run that was stopped in the middle."""
    options = RunOptions((str(songs),), tmp_path / "stopped", wishes=Wishes(epochs=2, hidden=8, embedding=4))
    session = start_session(options, device=torch.device("cpu"), began=0.0)
    for _ in session.trainer.run():
        session.trainer.stop()
    return session.folder


@pytest.mark.parametrize("name", ["train.npy", "valid.npy", "training.pt"])
@pytest.mark.parametrize("damage", ["empty", "half", "nonsense", "flipped"])
def test_a_damaged_run_is_told_in_one_line(run: Run, stopped: Path, name: str, damage: str) -> None:
    if (name, damage) == ("training.pt", "flipped"):
        damage = "half"  # one byte of a zip's header may be of no consequence
    path = stopped / name
    data = path.read_bytes()
    flipped = data[:30] + bytes([data[30] ^ 0xFF]) + data[31:]
    path.write_bytes(
        {"empty": b"", "half": data[: len(data) // 2], "nonsense": b"x" * 99, "flipped": flipped}[damage]
    )
    refused(run, "train", "--resume", stopped)


@pytest.mark.parametrize("key", ["position", "model", "optimizer", "states", "history", "generator"])
@pytest.mark.parametrize("value", [None, "x", [1], {"step": -1}])
def test_a_state_of_another_kind_is_told_in_one_line(run: Run, stopped: Path, key: str, value: object) -> None:
    state = torch.load(stopped / "training.pt", weights_only=True)
    torch.save({**state, key: value}, stopped / "training.pt")
    refused(run, "train", "--resume", stopped)


def test_ids_past_the_vocabulary_are_told_in_one_line(run: Run, stopped: Path) -> None:
    data = bytearray((stopped / "train.npy").read_bytes())
    data[-1] = 255
    (stopped / "train.npy").write_bytes(bytes(data))
    assert "is damaged" in refused(run, "train", "--resume", stopped)


def test_weights_that_are_no_numbers(run: Run, model: Path, tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    for name in ("config.json", "vocab.json"):
        (tmp_path / "m" / name).write_bytes((model / name).read_bytes())
    weights = load_file(model / "model.safetensors")
    weights["bias"][0] = float("nan")
    save_file(weights, tmp_path / "m" / "model.safetensors")
    assert "not finite" in refused(run, "generate", "--model", tmp_path / "m", "--lines", 2)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--seed", -1], "seed must be"),
        (["--lr", "nan"], "lr must be"),
        (["--dropout", 2], "dropout must be"),
        (["--songs", "foo"], "songs must be"),
        (["--out", "n" * 300], "choose another"),
    ],
)
def test_settings_are_checked_before_a_song_is_read(
    run: Run, tmp_path: Path, arguments: list[object], says: str
) -> None:
    assert says in refused(run, "train", tmp_path / "nowhere", *arguments)


def test_settings_that_contradict_each_other_are_refused(run: Run, songs: Path, model: Path, stopped: Path) -> None:
    assert "keeps its level" in refused(run, "train", songs, "--init-from", model, "--level", "word")
    assert "keeps its own settings" in refused(run, "train", songs, "--resume", stopped)
    assert "keeps its own settings" in refused(run, "train", "--resume", stopped, "--hidden", 9)
    long = ["--start", "一\n二\n三\n四\n", "--lines", 3]
    assert "has 4 lines already" in refused(run, "generate", "--model", model, *long)
    for command in ("vocab", "corpus"):
        assert "songs must be" in refused(run, command, songs, "--songs", "foo")
    assert "min-count" in refused(run, "vocab", songs, "--min-count", -5)


def test_names_that_cannot_be(run: Run, songs: Path, tmp_path: Path) -> None:
    refused(run, "generate", "--model", tmp_path / ("n" * 300))
    refused(run, "corpus", songs, "--out", tmp_path / ("n" * 300))
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    refused(run, "train", loop)


def test_a_full_output_is_told_in_one_line(model: Path) -> None:
    for arguments in (["info", str(model)], ["next", "--model", str(model)]):
        command = [sys.executable, "-m", "lyricgen", *arguments]
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, encoding="utf-8", timeout=60)
        lines = [line for line in done.stderr.splitlines() if not line.startswith("model: ")]
        assert done.returncode == 1
        assert len(lines) == 1 and "No space left" in lines[0], done.stderr


def test_nothing_goes_to_standard_output_when_standard_error_is_closed(model: Path) -> None:
    command = f"{sys.executable} -m lyricgen generate --lines 1 --json --model {model} 2>&-"
    done = subprocess.run(["bash", "-c", command], stdout=subprocess.PIPE, encoding="utf-8", timeout=60)
    assert done.stdout.startswith("{")


def test_a_models_folder_is_not_read_as_songs(run: Run, songs: Path, model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "song.txt").write_text("星星\n月亮\n", encoding="utf-8")
    (folder / "checkpoints").symlink_to(model.parent, target_is_directory=True)
    (folder / "mine").mkdir()
    for name in ("config.json", "vocab.json", "history.jsonl"):
        (folder / "mine" / name).write_bytes((model / name).read_bytes())
    done = run("corpus", folder)
    assert "1 song from 1 file" in done.out
    assert "skipped" not in done.out


def test_a_short_row_does_not_cost_the_rest_of_its_table(run: Run, tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    table.write_text("id,title,lyrics,year\n1,a,星星,1\n2\n3,c,月亮,3\n", encoding="utf-8")
    done = run("corpus", table)
    assert done.code == 0
    assert "2 songs" in done.out and "line 3" in done.out


def test_lists_within_lists_are_refused(run: Run, tmp_path: Path) -> None:
    deep = tmp_path / "deep.json"
    deep.write_text('{"lyrics": "a", "title": ' + "[" * 700 + "]" * 700 + "}", encoding="utf-8")
    refused(run, "corpus", deep)
