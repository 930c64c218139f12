"""`lyricgen plot` on a real run."""

import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from lyricgen.model import locate

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


def without_held_out(model: Path, to: Path) -> Path:
    """A copy of a run as one leaves it whose text was too short to hold any out."""
    shutil.copytree(model, to)
    card = json.loads((to / "config.json").read_text(encoding="utf-8"))
    card["corpus"]["valid_tokens"] = 0
    (to / "config.json").write_text(json.dumps(card), encoding="utf-8")
    return to


def test_a_training_loss_is_not_called_held_out(run: Run, model: Path, tmp_path: Path) -> None:
    alone, other = (without_held_out(model, tmp_path / name) for name in ("alone", "other"))
    shown = {}
    for number, runs in enumerate([(alone,), (alone, other), (model, alone)]):
        out = tmp_path / f"{number}.svg"
        assert run("plot", *runs, "--out", out).code == 0
        shown[number] = re.findall("<!-- (.*) -->", out.read_text(encoding="utf-8"))
    assert "held-out" not in shown[0] and "alone" in shown[0]
    assert {"Training loss", "alone", "other"} <= set(shown[1])
    assert {"Loss", "small", "alone (training)"} <= set(shown[2])


def test_the_starter_has_losses_and_writes_songs(
    run: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locate, "starter_folder", lambda: model)
    monkeypatch.chdir(tmp_path)
    for kind in ("loss", "lengths"):
        out = tmp_path / f"{kind}.svg"
        done = run("plot", "starter", model, "--kind", kind, "--samples", 2, "--out", out)
        assert done.code == 0, done.err
        assert {"starter", "small"} <= set(re.findall("<!-- (.*) -->", out.read_text(encoding="utf-8")))


def bars(svg: str) -> list[float]:
    """The heights of the bars in a picture of one name."""
    found = re.findall(r'<path d="M \S+ (\S+) \nL \S+ \S+ \nL \S+ (\S+) [^"]*" clip-path[^>]*style="fill: #', svg)
    return [float(low) - float(high) for low, high in found]


def test_long_lines_share_the_last_bar(run: Run, tmp_path: Path) -> None:
    text, out = tmp_path / "long.txt", tmp_path / "a.svg"
    text.write_text("星" * 29 + "\n" + "星" * 30 + "\n" + "星" * 31 + "\n" + "月" * 80 + "\n", encoding="utf-8")
    assert run("plot", text, "--kind", "lengths", "--out", out).code == 0
    shown = out.read_text(encoding="utf-8")
    assert "<!-- 30+ -->" in shown and "<!-- 30 -->" not in shown
    heights = bars(shown)
    assert len(heights) == 30 and heights[:28] == [0] * 28
    assert heights[28] == pytest.approx(heights[29] / 3, rel=1e-3)
    text.write_text("星" * 31 + "\n", encoding="utf-8")  # a file of only such lines
    assert run("plot", text, "--kind", "lengths", "--out", tmp_path / "b.svg").code == 0


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
        (["--kind", "gradients"], "holds no comparison"),
        (["nowhere", "--kind", "gradients"], "name its folder alone"),
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
    # Told before any song is written: here, before the model that would write them is looked for.
    assert ".png or .svg" in refused(run, "plot", "nowhere", "--kind", "lengths", "--out", tmp_path / "a.gif")
    (tmp_path / "a.png").touch()
    assert "exists already" in refused(run, "plot", model, "--out", tmp_path / "a.png")


def test_a_missing_package_is_told_before_any_song_is_written(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    said = refused(run, "plot", "nowhere", "--kind", "rhymes", "--out", tmp_path / "a.png")
    assert "pip install 'lyricgen[plots]'" in said
