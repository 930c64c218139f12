"""Pictures: that they are written whole, hold what they are given, and show Chinese on any system."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lyricgen.errors import InputError, OptionError
from lyricgen.evaluation import plots
from lyricgen.evaluation.neighbours import Neighbours
from lyricgen.text.corpus import Corpus
from lyricgen.text.phonetics import FOURTEEN, THIRTEEN
from lyricgen.text.resources import resource, songbook

pytest.importorskip("matplotlib")

SERIES = {"循环网络": [(0, 3.0), (1, 2.0), (2, 1.5)], "LSTM": [(0, 2.0), (1, float("nan")), (2, 0.0)]}
NAMES = {"title": r"损失 $\frac$", "x": "读过的词元", "y": "每字奈特"}


@pytest.fixture
def no_system_font(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(plots, "FONTS", ())
    plots.font_families.cache_clear()
    yield
    plots.font_families.cache_clear()


def vertices(svg: str) -> list[int]:
    """How many points each drawn line has."""
    lines = re.findall(r'<path d="([^"]*)" clip-path="[^"]*" style="fill: none; stroke: #(?!e2dfd9)', svg)
    return [len(re.findall("[ML]", line)) for line in lines]


def test_curves_hold_the_points_that_are_numbers(tmp_path: Path) -> None:
    plots.curves(SERIES, **NAMES, path=tmp_path / "a.svg")
    assert vertices((tmp_path / "a.svg").read_text(encoding="utf-8")) == [3, 2]
    plots.curves(SERIES, **NAMES, path=tmp_path / "log.svg", log_y=True)
    assert vertices((tmp_path / "log.svg").read_text(encoding="utf-8")) == [3, 1]  # nothing has no logarithm


def test_a_picture_is_what_its_name_says(tmp_path: Path) -> None:
    plots.curves(SERIES, **NAMES, path=tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    plots.curves(SERIES, **NAMES, path=tmp_path / "a.SVG")
    text = (tmp_path / "a.SVG").read_text(encoding="utf-8")
    assert text.startswith("<?xml") and "<!-- 损失 $\\frac$ -->" in text and "<!-- 循环网络 -->" in text
    assert "<text" not in text  # letters are outlines: no font is needed to look at it
    assert not list(tmp_path.glob(".*"))


def test_the_same_points_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg", "a.png", "b.png"):
        plots.curves(SERIES, **NAMES, path=tmp_path / name)
    for kind in ("svg", "png"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()


def test_how_gradients_fade_is_drawn_by_powers(tmp_path: Path) -> None:
    norms = {"rnn": [1, 1e-3, 1e-6], "lstm": [1, 0.5, 0.2]}
    series = {name: list(enumerate(sizes)) for name, sizes in norms.items()}
    plots.curves(series, **NAMES, path=tmp_path / "a.svg", log_y=True)
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert vertices(text) == [3, 3]
    assert "<!-- 0.001 -->" in text or "<!-- 0.01 -->" in text


def test_shares_are_bars_of_each_name(tmp_path: Path) -> None:
    counts = {"甲": {"发花": 1, "梭坡": 3}, "乙": {"梭坡": 1}}
    plots.shares(counts, places={"发花": "发花", "梭坡": "梭坡+"}, **NAMES, path=tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    bars = re.findall(r'<path d="M (\S+) (\S+) \nL \S+ \S+ \nL \S+ (\S+) [^"]*" clip-path[^>]*style="fill: #', text)
    heights = sorted(round(float(low) - float(high), 3) for _, low, high in bars)
    assert heights[:2] == [0, pytest.approx(heights[3] / 4, abs=0.01)]
    assert heights[2] == pytest.approx(heights[3] * 3 / 4, abs=0.01)
    assert "<!-- 发花 -->" in text and "<!-- 梭坡+ -->" in text


def test_neighbours_are_all_named(tmp_path: Path) -> None:
    points = np.array([[0, 0], [0, 0], [1, 1], [0.01, 0.01]])  # on top of each other: the names part
    found = Neighbours("星星", ("月", "雨", "风"), (0.9, 0.5, 0.1), points, 0.5)
    plots.neighbours(found, title="近邻", path=tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert all(f"<!-- {name} -->" in text for name in ("星星", "月", "雨", "风"))
    places = re.findall(r"<!-- (?:星星|月|雨|风) -->\s*<g[^>]*transform=\"translate\((\S+) (\S+)\)", text)
    assert len(set(places)) == 4


@pytest.mark.parametrize(
    ("series", "name", "error", "says"),
    [
        (SERIES, "a.jpg", OptionError, ".png or .svg"),
        ({}, "a.png", InputError, "nothing to draw"),
        ({"a": [(0, float("inf"))]}, "a.png", InputError, "nothing to draw"),
    ],
)
def test_what_cannot_be_drawn(tmp_path: Path, series: object, name: str, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        plots.curves(series, **NAMES, path=tmp_path / name)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_no_counts_are_no_picture(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing was counted"):
        plots.shares({"甲": {}}, places={"发花": "发花"}, **NAMES, path=tmp_path / "a.png")


def test_a_missing_package_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(OptionError, match=r"pip install 'lyricgen\[plots\]'"):
        plots.curves(SERIES, **NAMES, path=tmp_path / "a.png")


def test_without_a_chinese_font_the_own_one_shows_every_label(no_system_font: None, tmp_path: Path) -> None:
    assert plots.font_families() == ("Lyricgen CJK", "DejaVu Sans")
    labels = {label for song in Corpus([songbook()]) for label in (song.mood, song.style)}
    package = Path(plots.__file__).parent.parent
    source = "".join(path.read_text(encoding="utf-8") for path in (package / "evaluation").glob("*.py"))
    source += (package / "cli" / "plot.py").read_text(encoding="utf-8")
    axes = set(re.findall("[\u4e00-\u9fff]", source))
    assert plots.missing("".join([*THIRTEEN, *FOURTEEN, *labels, *axes])) == ""
    assert plots.missing("星鲲𪚥𪚥") == "鲲𪚥"
    plots.curves(SERIES, title="鲲", x="", y="", path=tmp_path / "a.png")  # a gap, no warning and no error
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_the_own_font_has_every_character_of_the_songbook_and_of_the_starter(no_system_font: None) -> None:
    book = "".join(path.read_text(encoding="utf-8") for path in songbook().glob("*.txt"))
    vocab = json.loads(resource("checkpoints/starter/vocab.json").read_text(encoding="utf-8"))
    assert len(set(re.findall("[\u4e00-\u9fff]", book))) > 3000
    assert plots.missing("".join([book, *vocab["tokens"]]).replace("\n", "")) == ""


def test_the_own_font_carries_its_licence() -> None:
    folder = Path(plots.__file__).parent.parent / "resources" / "fonts"
    assert "SIL OPEN FONT LICENSE Version 1.1" in (folder / "OFL.txt").read_text(encoding="utf-8")
    assert (folder / "lyricgen-cjk.otf").stat().st_size < 1_000_000
