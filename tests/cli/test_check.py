"""Copies on the command line: named, underlined, forbidden, and looked for in any file."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from lyricgen.cli.copies import by_lines, can_underline, naming, underlined
from lyricgen.generation.lyricist import Lyricist, load
from lyricgen.text import novelty
from lyricgen.text.novelty import NoveltyIndex, Run
from lyricgen.training.recipe import Wishes
from lyricgen.training.session import RunOptions, resume_session, start_session

from .conftest import Run as RunCommand
from .conftest import write_songs


def copy_model(model: Path, folder: Path) -> Path:
    return Path(shutil.copytree(model, folder))


@pytest.fixture
def copied(songs: Path, model: Path) -> str:
    """A line of eight characters that the model was trained on, and only in one song."""
    index = NoveltyIndex.from_bytes((model / "novelty.bin").read_bytes())
    lines = [line for path in sorted(songs.glob("*.txt")) for line in path.read_text(encoding="utf-8").split()]
    return next(line for line in lines if len(line) == 8 and index.runs(line))


def test_check_names_runs_lines_and_share(run: RunCommand, model: Path, copied: str, tmp_path: Path) -> None:
    text = tmp_path / "mine.txt"
    text.write_text(f"鲸落万物\n我说{copied[:3]}，{copied[3:]}\n", encoding="utf-8")
    done = run("check", text, "--model", model)
    assert done.code == 0
    assert done.out.splitlines() == [
        f"{text}:2: {copied[:3]}，{copied[3:]}",
        f"{text}: characters that stand in copied runs: 8/14 (57.1%)",
    ]
    data = json.loads(run("check", text, "--model", model, "--json").out)
    assert data["at_least"] == 8 and data["partial"] is False
    (found,) = data["files"]
    assert found["runs"] == [{"title": "", "line": 2, "text": f"{copied[:3]}，{copied[3:]}", "characters": 8}]
    assert (found["characters"], found["copied_characters"], found["share"]) == (14, 8, pytest.approx(8 / 14))
    nothing = run("check", text, "--model", model, "--at-least", 9)
    assert nothing.code == 0
    assert nothing.out == f"{text}: no run of 9 characters or more stands in the training songs\n"


def test_check_reads_tables_and_standard_input(model: Path, copied: str, tmp_path: Path) -> None:
    table = tmp_path / "songs.jsonl"
    table.write_text(json.dumps({"title": "鲸", "lyrics": f"一\n{copied}"}) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "lyricgen", "check", str(table), "-", "--model", str(model)]
    done = subprocess.run(command, input=copied, capture_output=True, encoding="utf-8")
    assert done.stdout.splitlines()[0] == f"{table}: 鲸:2: {copied}"
    assert done.stdout.splitlines()[2] == f"standard input:1: {copied}"


def test_an_index_is_of_the_training_songs_alone(run: RunCommand, model: Path, songs: Path) -> None:
    index = NoveltyIndex.from_bytes((model / "novelty.bin").read_bytes())
    assert index.songs == 13 and not index.partial
    found = json.loads(run("check", *sorted(songs.glob("*.txt")), "--model", model, "--json").out)["files"]
    assert sorted(each["share"] for each in found)[0] < 1 == sorted(each["share"] for each in found)[1]


def test_a_model_without_an_index_says_so(run: RunCommand, model: Path, tmp_path: Path) -> None:
    folder = copy_model(model, tmp_path / "m")
    (folder / "novelty.bin").unlink()
    text = tmp_path / "mine.txt"
    text.write_text("星星\n", encoding="utf-8")
    for arguments in (["check", text], ["generate", "--novel", 8]):
        done = run(*arguments, "--model", folder)
        assert (done.code, done.out) == (1, "")
        assert "has no novelty.bin, the index of its training songs" in done.err
    done = run("generate", "--model", folder, "--lines", 2, "--json")
    assert done.code == 0 and "copies are not told" in done.err
    assert json.loads(done.out)["songs"][0]["copied"] == []


@pytest.mark.parametrize("damage", ["empty", "half", "nonsense", "folder"])
def test_a_damaged_index_is_told_in_one_line(run: RunCommand, model: Path, tmp_path: Path, damage: str) -> None:
    folder = copy_model(model, tmp_path / "m")
    path = folder / "novelty.bin"
    data = path.read_bytes()
    if damage == "folder":
        path.unlink()
        path.mkdir()
    else:
        path.write_bytes({"empty": b"", "half": data[: len(data) // 2], "nonsense": b"x" * 99}[damage])
    for arguments in (["check", model / "config.json"], ["generate", "--lines", 2]):
        done = run(*arguments, "--model", folder)
        assert (done.code, done.out) == (1, "")
        assert "novelty.bin" in done.err and "Traceback" not in done.err


def test_generate_names_what_it_copied(run: RunCommand, model: Path, copied: str) -> None:
    done = run("generate", "--model", model, "--start", copied, "--lines", 2, "--seed", 1)
    assert done.out.startswith(copied) and "copied from the training songs: 「" in done.err
    data = json.loads(run("generate", "--model", model, "--start", copied, "--lines", 2, "--seed", 1, "--json").out)
    assert any(copied in each for each in data["songs"][0]["copied"])
    assert "copied from" not in run("generate", "--model", model, "--start", "鲸", "--lines", 1, "--seed", 1).err


def test_novel_songs_hold_no_copy(run: RunCommand, tmp_path: Path) -> None:
    songs, model, out = write_songs(tmp_path / "two", count=2), tmp_path / "m", tmp_path / "songs.txt"
    learned = ["--valid", songs / "song0.txt", "--epochs", 100, "--hidden", 48, "--lr", 0.02]  # by heart
    assert run("train", songs, "--out", model, *learned).code == 0
    for more, copies in ((), True), (("--novel", 6), False):
        common = ["generate", "--model", model, "--count", 8, "--lines", 6, "--seed", 3, "--out", out]
        assert run(*common, *more).code == 0
        checked = run("check", out, "--model", model, "--at-least", 6).out
        assert ("no run of 6 characters" not in checked) is copies
        out.unlink()


@pytest.mark.parametrize("length", [5, 13, -8])
def test_lengths_that_cannot_be_forbidden(run: RunCommand, model: Path, length: int) -> None:
    done = run("generate", "--model", model, "--novel", length)
    assert (done.code, done.out) == (1, "")
    assert f"novel must be from 6 to 12 characters, got {length}" in done.err
    assert "at least 6 characters, got 5" in run("check", model, "--model", model, "--at-least", 5).err


# On a terminal


def test_runs_are_underlined_line_by_line() -> None:
    text = "一二三四\n五六七八"
    runs = [Run(1, 4, "二三四", 3), Run(3, 6, "四\n五", 2)]
    assert underlined(text, runs) == "一\x1b[4m二三四\x1b[24m\n\x1b[4m五\x1b[24m六七八"
    assert underlined(text, runs, start=5) == "\x1b[4m五\x1b[24m六七八"
    assert underlined(text, []) == text


def test_lines_are_shown_once_nothing_can_change_them(model: Path, copied: str) -> None:
    lyricist = load(model, device="cpu")
    text = f"鲸\n{copied[:2]}\n{copied[2:4]}\n{copied[4:]}\n鲸落万物生长成海\n鲸"
    written: list[str] = []
    shown = ""
    for part in by_lines((written.append(piece) or piece for piece in text), lyricist):  # type: ignore[func-returns-value]
        shown += part
        plain = shown.replace("\x1b[4m", "").replace("\x1b[24m", "")
        assert text.startswith(plain) and len(written) - len(plain) < 16  # at most two short lines behind
    assert shown == underlined(text, lyricist.copied(text))
    assert shown.count("\x1b[4m") == 3


@pytest.mark.parametrize(
    ("environment", "expected"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_terminals_that_cannot_and_users_who_will_not(
    environment: dict[str, str], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("WT_SESSION", "1")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert not can_underline()
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert can_underline() is expected


def test_a_terminal_gets_underlines(model: Path, copied: str) -> None:
    pty = pytest.importorskip("pty")
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "lyricgen", "generate", "--model", str(model), "--start", copied, "--lines", "2"]
    environment = {**os.environ, "TERM": "xterm"}
    environment.pop("NO_COLOR", None)
    subprocess.run(command, stdout=child, stderr=subprocess.DEVNULL, check=True, env=environment)
    os.close(child)
    assert os.read(parent, 4096).decode("utf-8").startswith("\x1b[4m" + copied)
    os.close(parent)


def test_a_note_names_a_few_runs_each_once() -> None:
    assert naming([]) == ""
    assert naming(["一二\n三", "四", "四"]) == "copied from the training songs: 「一二 / 三」「四」"
    many = naming([str(n) for n in range(7)])
    assert many.endswith("「4」 and 2 more")
    assert len(naming(["一" * 500])) < 100


# What becomes of an index


def test_a_model_that_goes_on_learning_knows_the_songs_of_both(
    run: RunCommand, model: Path, copied: str, tmp_path: Path
) -> None:
    fresh = write_songs(tmp_path / "fresh", count=12, seed=5)
    text = tmp_path / "old.txt"
    text.write_text(copied, encoding="utf-8")
    for name, parent in (("both", model), ("third", tmp_path / "both")):
        arguments = ["train", fresh, "--init-from", parent, "--out", tmp_path / name, "--epochs", 1]
        assert run(*arguments).code == 0
        assert f"{copied}\n" in run("check", text, "--model", tmp_path / name).out
    sizes = [(folder / "novelty.bin").stat().st_size for folder in (model, tmp_path / "both", tmp_path / "third")]
    assert sizes[0] < sizes[1] == sizes[2]


def test_a_parent_without_an_index_is_told(run: RunCommand, songs: Path, model: Path, tmp_path: Path) -> None:
    folder = copy_model(model, tmp_path / "m")
    (folder / "novelty.bin").unlink()
    done = run("train", songs, "--init-from", folder, "--out", tmp_path / "n", "--epochs", 1)
    assert "has no full index of its songs" in done.err
    text = tmp_path / "x.txt"
    text.write_text("星星\n", encoding="utf-8")
    assert "the index lacks the songs" in run("check", text, "--model", tmp_path / "n").err
    assert "the index lacks the songs" in run("generate", "--lines", 4, "--model", tmp_path / "n").err


def test_a_run_that_goes_on_keeps_its_index(songs: Path, tmp_path: Path) -> None:
    options = RunOptions((str(songs),), tmp_path / "m", wishes=Wishes(epochs=2, hidden=8, embedding=4))
    session = start_session(options, device=torch.device("cpu"), began=0.0)
    path = session.folder / "novelty.bin"
    before = path.read_bytes()
    for _ in session.trainer.run():
        session.trainer.stop()
    (session.folder / ".novelty.bin-cut-short").write_bytes(b"x")
    session = resume_session(session.folder, device=torch.device("cpu"))
    for _ in session.trainer.run():
        pass
    assert path.read_bytes() == before
    assert [each.name for each in session.folder.glob("*novelty*")] == ["novelty.bin"]


def test_a_corpus_too_large_for_an_index_is_told(
    run: RunCommand, songs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(novelty, "MOST", 100)
    done = run("train", songs, "--out", tmp_path / "m", "--epochs", 1, "--hidden", 8)
    assert done.code == 0 and "too much text for an index" in done.err
    assert not (tmp_path / "m" / "novelty.bin").exists()


def test_the_index_is_read_only_when_it_is_asked_for(model: Path, tmp_path: Path) -> None:
    folder = copy_model(model, tmp_path / "m")
    lyricist: Lyricist = load(folder, device="cpu")
    (folder / "novelty.bin").unlink()
    assert lyricist.checkpoint.novelty is None
    assert lyricist.copied("星星") == []
