"""Pages: what is sung on them, what stays, and what a model reads before and after a line."""

from pathlib import Path

import pytest

from lyricgen.errors import InputError
from lyricgen.generation.manuscript import Manuscript

SHEET = "[主歌]\n  星星月亮\n我们唱歌\n\n\n[副歌]\n下雨火车\n……\n词：某人\n"
LRC = "[ti:歌]\n[00:01.00][00:09.00]星<00:01.50>星\n[00:02.00]\n[00:03.00]月亮\n"
BOOK = "=== 歌名\nartist: 某人\n\n[第一段]\n星星: 月亮\n\\=== 唱\n"


def read(tmp_path: Path, text: str, name: str = "song.txt") -> Manuscript:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return Manuscript.read(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "lines", "sections", "changed"),
    [
        (SHEET, ("星星月亮", "我们唱歌", "下雨火车"), (0, 0, 1, 1), SHEET.replace("星星月亮", "山")),
        (LRC, ("星星", "月亮"), (0, 1, 1), LRC.replace("星<00:01.50>星", "山")),
        (BOOK, ("星星: 月亮", "=== 唱"), (0, 0, 0), BOOK.replace("星星: 月亮", "山")),
        ("一\n\n二", ("一", "二"), (0, 1, 1), "山\n\n二\n"),
    ],
)
def test_only_the_words_of_a_line_change(
    tmp_path: Path, text: str, lines: tuple[str, ...], sections: tuple[int, ...], changed: str
) -> None:
    page = read(tmp_path, text)
    assert page.lines == lines
    assert page.sections == sections
    assert page.page() == text.rstrip("\n") + "\n"
    assert page.sing(0, "山").page() == changed


def test_an_escaped_line_keeps_its_escape(tmp_path: Path) -> None:
    assert read(tmp_path, BOOK).sing(1, "山").page() == BOOK.replace("=== 唱", "山")


def test_what_is_sung_around_a_line(tmp_path: Path) -> None:
    page = read(tmp_path, SHEET)
    assert page.around(0) == ("", "我们唱歌\n\n下雨火车\n")
    assert page.around(1) == ("星星月亮\n", "\n下雨火车\n")
    assert page.around(2) == ("星星月亮\n我们唱歌\n\n", "")
    assert page.around(3) == ("星星月亮\n我们唱歌\n\n下雨火车\n", "")
    assert page.part().around(3)[0].endswith("火车\n\n")


def test_a_page_grows() -> None:
    page = Manuscript.of("一\n").part().sing(1, "二")
    assert page.page() == "一\n\n二\n" == Manuscript.of("一\n\n二\n").page()
    assert Manuscript.of("").page() == Manuscript().page() == ""


@pytest.mark.parametrize(
    ("text", "name", "says"),
    [
        ("", "song.txt", "is empty"),
        (" \n\n", "song.txt", "is empty"),
        ("[副歌]\n", "song.txt", "has no lyrics"),
        ("=== 一\n山\n\n=== 二\n海\n", "song.txt", "more than one song"),
        ("山\n" * 1001, "song.txt", "more than one song"),
        ('{"lyrics": "山"}', "song.json", ".txt or .lrc"),
    ],
)
def test_what_is_no_page(tmp_path: Path, text: str, name: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read(tmp_path, text, name)


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        Manuscript.read(tmp_path / "none.txt")
    with pytest.raises(InputError, match="standard input"):
        Manuscript.read(Path("-"))
