"""Cleaning drops what is not sung and counts it."""

from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricgen.text.cleaning import Cleaner, CleaningReport
from lyricgen.text.corpus import Corpus
from lyricgen.text.song import Section, Song


def song(*lines: str, title: str = "", continues: bool = False) -> Song:
    return Song((Section(lines),), title=title, continues=continues)


def cleaned(*lines: str, title: str = "") -> tuple[tuple[str, ...], CleaningReport]:
    cleaner = Cleaner()
    result = cleaner.clean(song(*lines, title=title))
    return (result.lines if result else ()), cleaner.report


@pytest.mark.parametrize(
    ("line", "expected", "report"),
    [
        ("ＡＢＣ１２３　ｚ", "ABC123 z", CleaningReport(full_width=8)),
        ("你好，世界！“真的？”（是）《歌》：；。", "你好，世界！“真的？”（是）《歌》：；。", CleaningReport()),
        ("星\u200b光\ufeff在\u200e天\x00上", "星光在天上", CleaningReport(control=4)),
        ("星\t光\u00a0在\u2028天", "星 光 在 天", CleaningReport(control=3)),
        ("café naïve 한국 かな 😀", "café naïve 한국 かな 😀", CleaningReport()),
        ("　星光　", "星光", CleaningReport(full_width=2)),
    ],
)
def test_characters(line: str, expected: str, report: CleaningReport) -> None:
    assert cleaned(line) == ((expected,), report)


@pytest.mark.parametrize(
    "line", ["http://x.com/a?b=1", "更多歌词请访问 www.x.com", "歌词来自x.com", "见https://x.cn/a。"]
)
def test_addresses_take_their_line_with_them(line: str) -> None:
    assert cleaned(line, "a") == (("a",), CleaningReport(urls=1))


def test_a_long_line_only_loses_the_address() -> None:
    prose = "这是一段很长的散文，写了很多很多的字，说的是夜里的星星和天上的月亮，还有一条河，"
    assert cleaned(f"{prose}见 http://x.com/a，后来呢")[0] == (f"{prose}见 ，后来呢",)


def test_credits_notices_and_title_lines() -> None:
    lines = ("星光 - 某人", "作词：某人", "Ｌyrics by: someone", "纯音乐，请欣赏", "我在作词的夜里")
    found, report = cleaned(*lines, title="星光")
    assert found == ("我在作词的夜里",)
    assert report == CleaningReport(full_width=1, credits=3, instrumental=1)


def test_labels_and_headings_stay() -> None:
    dirty = Song((Section(("作词：某人",), "前奏"), Section(("ａ",), "主歌")), title="星", mood="静")
    assert Cleaner().clean(dirty) == Song((Section(("a",), "主歌"),), title="星", mood="静")


def test_prose_is_left_as_it_is() -> None:
    lines = ("ROMEO:", "But, soft! what light through yonder window breaks?", "[Exit ROMEO]", "O, speak again!")
    assert cleaned(*lines) == (lines, CleaningReport())


@pytest.mark.parametrize("lines", [(), ("纯音乐，请欣赏",), ("……", "~~~")])
def test_songs_left_empty(lines: tuple[str, ...]) -> None:
    found, report = cleaned(*lines)
    assert (found, report.empty) == ((), 1)


def test_a_song_counts_once_whatever_its_title_and_punctuation() -> None:
    cleaner = Cleaner()
    assert cleaner.clean(song("星星，在天上！", "Hello", title="a"))
    assert cleaner.clean(song("星星在天上", "hello…", title="b")) is None
    assert cleaner.clean(song("星星在天下", "hello"))
    assert cleaner.report == CleaningReport(duplicates=1)


def test_parts_of_a_long_text_are_no_duplicates() -> None:
    cleaner = Cleaner()
    assert cleaner.clean(song("a"))
    assert [cleaner.clean(song("a", continues=True)) for _ in range(2)] == [song("a", continues=True)] * 2


def test_the_parts_of_a_long_text_that_comes_twice_are_duplicates() -> None:
    cleaner = Cleaner()
    text = [song("a"), song("b", continues=True), song("c", continues=True)]
    assert all(cleaner.clean(part) for part in text)
    assert [cleaner.clean(part) for part in text] == [None] * 3


def test_what_follows_a_dropped_part_does_not_continue_another_song() -> None:
    cleaner = Cleaner()
    assert cleaner.clean(song("a"))
    assert cleaner.clean(song("a")) is None
    assert cleaner.clean(song("b", continues=True)) == song("b")
    assert cleaner.clean(song("c", continues=True)) == song("c", continues=True)


def test_a_report_reads_in_the_order_of_the_steps() -> None:
    assert CleaningReport(full_width=1, credits=2000, duplicates=1).lines() == [
        "full-width letters, digits and spaces made half-width: 1 character",
        "credits removed: 2,000 lines",
        "duplicates dropped: 1 song",
    ]


@given(st.lists(st.text(st.characters(exclude_characters="\r\n"), max_size=30), max_size=5))
def test_cleaning_twice_is_cleaning_once(lines: list[str]) -> None:
    once = Cleaner().clean(song(*lines))
    if once:
        again = Cleaner()
        assert again.clean(once) == once
        assert again.report == CleaningReport()
        assert all(line == line.strip() != "" and line.splitlines() == [line] for line in once.lines)


@pytest.mark.parametrize(
    ("text", "songs", "folded"),
    [("a\n\nb\n", "file", 0), ("\n\na\n\n\n\nb\n[副歌]\n\nc\n\n\n", "file", 4), ("a\n\n\n\nb\n\nc\n", "blank", 2)],
)
def test_repeated_empty_lines_are_counted(
    tmp_path: Path, text: str, songs: Literal["file", "blank"], folded: int
) -> None:
    (tmp_path / "song.txt").write_text(text, encoding="utf-8")
    corpus = Corpus([tmp_path / "song.txt"], songs=songs)
    assert "".join(song.text() for song in corpus).count("\n\n") <= 2
    assert corpus.report.cleaning.blank == folded
