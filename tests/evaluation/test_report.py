"""The page: well-formed, complete, of nothing but itself, and safe from what songs say."""

import math
import re
import sys
from base64 import b64decode
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import pytest

from lyricgen.evaluation.copies import Comparison
from lyricgen.evaluation.held_out import HeldOut, LineScore, SongScore
from lyricgen.evaluation.metrics import Style
from lyricgen.evaluation.report import Subject, positions, render, underlined
from lyricgen.evaluation.samples import Samples
from lyricgen.evaluation.temperature import TemperatureFit
from lyricgen.evaluation.wording import MEANINGS
from lyricgen.generation.lyricist import Written
from lyricgen.generation.sampler import SamplingConfig
from lyricgen.model.checkpoint import Card
from lyricgen.model.config import ModelConfig
from lyricgen.text.resources import FONT, resource

from .conftest import song

EVIL = "<script>alert('星')</script>&\""
VOID = {"meta", "br", "line", "circle", "polygon", "polyline", "rect"}


class Checker(HTMLParser):
    """Follows a page's tags; collects its text, its tags and what its attributes refer to."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [f"{name}={value}" for name, value in attrs if name in ("src", "href", "srcset", "action")]
        self.links += [name for name, _ in attrs if name.startswith("on")]
        if tag not in VOID - {"line", "circle", "rect"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, (tag, self.open)
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.text += data


def checked(page: str) -> Checker:
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert checker.open == []
    return checker


def score(title: str, nats: float, lines: int = 3) -> SongScore:
    parts = tuple(LineScore(f"行{k}", nats / lines, 4) for k in range(lines))
    return SongScore(title, nats, 4 * lines, 4 * lines, 1, parts)


FOUND = HeldOut(tuple(score(f"歌{k}" if k else EVIL, 30 + 2.5 * k) for k in range(12)), bound=False)
SUBJECT = Subject(f"checkpoints/{EVIL}", Card(ModelConfig(99), corpus={"names": [EVIL]}), "char", (EVIL,))
EMBEDDED = r'url\("data:font/otf;base64,([^"]*)"\)'
SUNG = song(f"一二三四五六{EVIL}/星光", "在路上")


def own_font(page: str) -> bytes:
    """The font that a page brings along."""
    (data,) = re.findall(EMBEDDED, page)
    return b64decode(data)


@pytest.fixture
def samples() -> Samples:
    text = "".join(line + "\n" for line in SUNG.lines)
    comparison = Comparison([SUNG])
    comparison.look_through([song("一二三四五六七")])
    return Samples((Written(text, SUNG.lines, 1.25),), Style((SUNG,)), 7, SamplingConfig(), comparison)


@pytest.mark.parametrize("chinese", [False, True])
def test_the_page_is_whole_and_refers_to_nothing(samples: Samples, chinese: bool) -> None:
    fit = TemperatureFit(1.234, 6.0, FOUND.chars)
    page = render(SUBJECT, FOUND, fit=fit, samples=samples, chinese=chinese)
    found = checked(page)
    assert found.links == []
    assert not {"script", "link", "img", "iframe", "object", "embed", "base", "form", "image", "use"} & found.tags
    (own,) = re.findall(EMBEDDED, page)
    rest = page.replace(own, "").replace("alert('星')</", "").replace('url("data:font/otf;base64,")', "")
    assert not re.search(r"https?:|//|url\(|@import", rest)
    assert f'lang="{"zh-Hans" if chinese else "en"}"' in page
    assert "prefers-color-scheme: dark" in page and "width=device-width" in page
    assert all(line.isprintable() for line in page.split("\n"))


def test_the_page_says_every_figure(samples: Samples) -> None:
    fit = TemperatureFit(1.234, 6.0, FOUND.chars)
    page = render(SUBJECT, FOUND, fit=fit, samples=samples, chinese=False)
    text = checked(page).text
    error = FOUND.standard_error
    assert error is not None
    for shown in (
        f"{FOUND.nats_per_char:.4f}",
        f"± {error:.4f}",
        "1.234",
        f"{6 / FOUND.chars:.4f}",
        "144",
        "12 songs",
    ):
        assert shown in text, shown
    rows = re.findall(
        r'<tr><td>([^<]*)<small>.*?</small></td><td class="n">(.*?)</td><td class="n">(.*?)</td></tr>', page
    )
    names = [MEANINGS[measure.name].name(chinese=False) for measure in samples.measures]
    assert [row for row in rows if row[0] in names] == [
        (name, *measure.shown()) for name, measure in zip(names, samples.measures, strict=True)
    ]
    assert "1.25 nats per character" in text
    assert "歌11" in text  # the one that is predicted worst


def test_the_page_lists_every_song_and_every_line_where_they_are_asked_for() -> None:
    plain, songs, lines = (
        checked(
            render(SUBJECT, FOUND, fit=None, samples=None, chinese=False, per_song=per_song, per_line=per_line)
        ).text
        for per_song, per_line in ((False, False), (True, False), (True, True))
    )
    assert "Song by song" not in plain and "行1" not in plain
    assert f"歌512{42.5 / 12:.4f}" in songs and "行1" not in songs
    assert f"歌5{42.5 / 12:.4f}" in lines and f"行14{42.5 / 3 / 4:.4f}" in lines


def test_what_songs_say_stays_text(samples: Samples) -> None:
    page = render(SUBJECT, FOUND, fit=None, samples=samples, chinese=False)
    found = checked(page)
    assert "<script" not in page
    assert found.text.count("<script>alert('星')</script>&\"") >= 4  # model, corpus, text, songs


def test_copied_runs_are_underlined(samples: Samples) -> None:
    page = render(SUBJECT, FOUND, fit=None, samples=samples, chinese=False)
    assert "<u>一二三四五六</u>&lt;script" in page
    assert underlined("a<b>c", [False, True, True, False, False]) == "a<u>&lt;b</u>&gt;c"


def test_without_samples_the_page_says_how_to_get_them() -> None:
    page = render(SUBJECT, FOUND, fit=None, samples=None, chinese=False)
    assert "--samples N" in checked(page).text
    assert "The songs" not in page


@pytest.mark.parametrize("songs", [(score("", 5),), (SongScore("", 5, 4, 4, 0),), (score("", float("inf")),) * 12])
def test_a_text_of_little_makes_a_page_too(songs: tuple[SongScore, ...]) -> None:
    found = HeldOut(songs, bound=True)
    page = render(SUBJECT, found, fit=None, samples=None, chinese=False)
    checked(page)
    assert ("<h3>Perplexity per token</h3><b>–</b>" in page) == math.isinf(found.nats)


def test_a_model_that_writes_nothing_makes_a_page_too() -> None:
    samples = Samples((Written("", (), 0.0),), Style(()), 0, SamplingConfig(), None)
    text = checked(render(SUBJECT, FOUND, fit=None, samples=samples, chinese=False)).text
    assert "–" in text and "--train" in text


def test_loss_by_line_position_by_hand() -> None:
    def lines(*costs: float) -> SongScore:
        sung = [LineScore("行", cost, 2) for cost in costs]
        parts = (sung[0], LineScore("", 9.0, 1), *sung[1:], LineScore("", 9.0, 0, end=True))
        return SongScore("", 1, 1, 1, 0, parts)

    spots = positions([lines(2, 4), lines(2, 4), lines(2, 6), lines(2, 6), lines(2, 5, 99)])
    assert [(spot.x, spot.y) for spot in spots] == [(1, 1.0), (2, 2.5)]  # too few songs have a third line
    assert spots[0].error == 0
    # Songs are off by −1, −1, 1, 1 and 0 nats: √(5/4 · 4) / 10.
    assert spots[1].error == pytest.approx(5**0.5 / 10)


def test_the_font_stack_has_chinese_fonts_of_every_system() -> None:
    page = render(SUBJECT, FOUND, fit=None, samples=None, chinese=False)
    for family in ("PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC"):
        assert family in page


@pytest.mark.parametrize("chinese", [False, True])
def test_the_font_in_the_page_has_the_characters_that_the_page_shows(samples: Samples, chinese: bool) -> None:
    fonts = pytest.importorskip("fontTools.ttLib")
    page = render(SUBJECT, FOUND, fit=None, samples=samples, chinese=chinese)
    font = fonts.TTFont(BytesIO(own_font(page)))
    known = "".join(map(chr, font.getBestCmap()))
    shown = set(re.findall("[\u2e80-\u9fff\uff00-\uffef]", page))
    assert set(known) == shown > set("一二三四五六星光")
    assert "SIL Open Font License" in font["name"].getDebugName(13)
    assert own_font(render(SUBJECT, FOUND, fit=None, samples=samples, chinese=chinese)) == own_font(page)
    assert len(own_font(page)) < resource(FONT).stat().st_size / 5


def test_where_the_font_cannot_be_cut_it_is_there_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fontTools.subset", None)
    page = render(SUBJECT, FOUND, fit=None, samples=None, chinese=False)
    assert own_font(page) == resource(FONT).read_bytes()


def test_the_page_is_one_file(samples: Samples, tmp_path: Path) -> None:
    page = render(SUBJECT, FOUND, fit=None, samples=samples, chinese=True)
    (tmp_path / "r.html").write_text(page, encoding="utf-8")
    assert '<meta charset="utf-8">' in page.split("<title>")[0]
