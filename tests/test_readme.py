"""The commands of both READMEs run as they stand, but for the time that they are given."""

import re
import shlex
import shutil
import time
from pathlib import Path

import pytest
import torch

from lyricgen.training.recipe import Wishes
from lyricgen.training.session import RunOptions, start_session

from .cli.conftest import Run, run, write_songs

__all__ = ["run"]
ROOT = Path(__file__).parent.parent
READMES = ("README.md", "README.zh-CN.md")
COMMANDS = {
    "train", "generate", "rhymes", "check", "vocab", "corpus", "evaluate", "compare", "plot", "next", "info", "mood",
}  # fmt: skip


def blocks(readme: str, language: str) -> list[str]:
    text = (ROOT / readme).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def commands(readme: str) -> list[list[str]]:
    """The arguments of each `lyricgen` command, comments and redirections left out."""
    lines = [line for block in blocks(readme, "sh") for line in block.splitlines()]
    found = [shlex.split(line.split(">")[0], comments=True) for line in lines if line.startswith("lyricgen ")]
    return [words[1:] for words in found]


def hurried(words: list[str]) -> list[str]:
    """The same command with little time."""
    words = list(words)
    for option, little in (("--minutes", "0.02"), ("--epochs", "1")):
        if option in words:
            words[words.index(option) + 1] = little
    free = words[0] == "train" and not {"--minutes", "--epochs", "--resume"} & set(words)
    return [*words, "--epochs", "1"] if free else words


def unfinished_run(folder: Path) -> None:
    """A run that was stopped, where the commands before left a finished one."""
    shutil.rmtree(folder, ignore_errors=True)
    options = RunOptions(("my-songs",), folder, wishes=Wishes(epochs=2, hidden=8))
    session = start_session(options, device=torch.device("cpu"), began=time.monotonic())
    for _ in session.trainer.run():
        session.trainer.stop()


@pytest.mark.parametrize("readme", READMES)
def test_the_commands_of_the_readme_run(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, readme: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_songs(tmp_path / "my-songs")
    shutil.copy(tmp_path / "my-songs" / "song0.txt", tmp_path / "held-out.txt")
    (tmp_path / "old.lrc").write_text("[00:01.00]星星在天上\n[00:05.00]我在路灯旁\n", encoding="utf-8")
    rows = [f"{'天晴了真好' if k % 2 else '下雨了真糟'}{k},{k % 2}" for k in range(40)]
    (tmp_path / "reviews.csv").write_text("\n".join(["text,label", *rows]) + "\n", encoding="utf-8")
    found = commands(readme)
    assert {words[0] for words in found} == COMMANDS
    for words in found:
        if "--resume" in words:
            unfinished_run(tmp_path / words[-1])
        done = run(*hurried(words))
        assert done.code == 0, (words, done.err)


@pytest.mark.parametrize("readme", READMES)
def test_the_python_of_the_readme_runs(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, readme: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("train", write_songs(tmp_path / "songs"), "--epochs", 1, "--hidden", 8).code == 0
    for block in blocks(readme, "python"):
        names: dict[str, object] = {}
        exec(block, names)  # noqa: S102
        assert len(names["songs"]) == 8  # type: ignore[arg-type]
        assert names["score"].chars == 5  # type: ignore[attr-defined]
