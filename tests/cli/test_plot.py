"""`lyricgen plot` on a real run."""

import shutil
from pathlib import Path

import pytest

from .conftest import Run
from .test_bad_input import refused

pytest.importorskip("matplotlib")


def test_losses_of_one_run_and_of_two(run: Run, model: Path, tmp_path: Path) -> None:
    done = run("plot", model, "--out", tmp_path / "one.svg")
    assert done.code == 0 and done.out == "" and "wrote" in done.err
    text = (tmp_path / "one.svg").read_text(encoding="utf-8")
    assert "<!-- held-out -->" in text and "<!-- training -->" in text
    other = Path(shutil.copytree(model, tmp_path / "other"))
    assert run("plot", model, other, "--out", tmp_path / "two.svg").code == 0
    text = (tmp_path / "two.svg").read_text(encoding="utf-8")
    assert "<!-- small -->" in text and "<!-- other -->" in text


@pytest.mark.parametrize(("kind", "shows"), [("lengths", "8"), ("rhymes", "江阳")])
def test_what_a_run_writes_beside_songs(
    run: Run, model: Path, songs: Path, tmp_path: Path, kind: str, shows: str
) -> None:
    out = tmp_path / "a.svg"
    done = run("plot", model, songs / "song0.txt", "--kind", kind, "--samples", 3, "--out", out)
    assert done.code == 0, done.err
    text = out.read_text(encoding="utf-8")
    assert all(f"<!-- {name} -->" in text for name in (shows, "small", "song0.txt"))


def test_words_near_a_word(run: Run, model: Path, tmp_path: Path) -> None:
    done = run("plot", model, "--kind", "neighbours", "--word", "星星", "--out", tmp_path / "a.png")
    assert done.code == 0, done.err
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--kind", "pie"], "kind must be one of"),
        (["--kind", "neighbours"], "--word"),
        (["--kind", "neighbours", "--word", "鲲"], "does not know"),
        (["--kind", "lengths", "--samples", -1], "samples must be"),
        (["nowhere"], "name the folder of a training run"),
        (["nowhere", "--kind", "rhymes"], "nowhere"),
    ],
)
def test_what_cannot_be_drawn(run: Run, model: Path, tmp_path: Path, arguments: list[object], says: str) -> None:
    assert says in refused(run, "plot", model, *arguments, "--out", tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()


def test_a_picture_is_png_or_svg_and_written_once(run: Run, model: Path, tmp_path: Path) -> None:
    assert ".png or .svg" in refused(run, "plot", model, "--out", tmp_path / "a.gif")
    (tmp_path / "a.png").touch()
    assert "exists already" in refused(run, "plot", model, "--out", tmp_path / "a.png")
