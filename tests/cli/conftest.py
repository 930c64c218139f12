"""Runs the command line in this process, and trains one small model that the tests share."""

import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from lyricgen.cli.app import main


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """A function that runs `lyricgen` with some arguments."""

    def call(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["lyricgen", *map(str, arguments)])
        capfd.readouterr()
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capfd.readouterr()
        return Result(code, out, err)

    yield call
    torch.set_flush_denormal(False)  # a setting for processes that train, not for the tests after this one


def write_songs(folder: Path, *, count: int = 14, seed: int = 1) -> Path:
    """Small songs of words that mean something, each line its own."""
    rng = random.Random(seed)
    words = ["星星", "月亮", "大海", "火车", "回来", "唱歌", "我们", "你的", "早晨", "下雨", "走过", "听见"]
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        verses = ["".join(rng.choices(words, k=rng.randint(2, 4))) for _ in range(10)]
        text = "\n".join([*verses[:5], "", *verses[5:]])
        (folder / f"song{number}.txt").write_text(text + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of songs."""
    return write_songs(tmp_path_factory.mktemp("corpus") / "songs")


@pytest.fixture(scope="session")
def model(songs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model trained on them by the command line."""
    folder = tmp_path_factory.mktemp("models") / "small"
    before = sys.argv
    sys.argv = ["lyricgen", "train", str(songs), "--out", str(folder), "--epochs", "20", "--hidden", "32"]
    try:
        main()
    except SystemExit as end:
        assert not end.code
    finally:
        sys.argv = before
        torch.set_flush_denormal(False)
    return folder
