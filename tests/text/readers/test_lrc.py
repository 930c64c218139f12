"""LRC: time tags, metadata, and songs made of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricgen.text.readers.lrc import TimedLine, is_lrc, parse_lrc
from lyricgen.text.song import Section

SHEET = """[ti: 星光 ]
[ar:某人]
[AL:专辑]
[by:anyone]
[offset:0]
[00:01.00]作词：某人
[00:21.10][00:45.10]你来了
[00:12.00]第一行
[00:17.20]<00:17.20>第<00:17.60>二<00:18.00>行
[00:20.00]
[00:23.50]你[00:24.00]走[00:24.50]了
"""


def test_a_sheet() -> None:
    sheet = parse_lrc(SHEET)
    assert sheet.metadata == {"ti": "星光", "ar": "某人", "al": "专辑", "by": "anyone", "offset": "0"}
    assert sheet.lines == (
        TimedLine(1.0, "作词：某人"),
        TimedLine(12.0, "第一行"),
        TimedLine(17.2, "第二行"),
        TimedLine(20.0, ""),
        TimedLine(21.1, "你来了"),
        TimedLine(23.5, "你走了"),
        TimedLine(45.1, "你来了"),
    )


def test_rows_stand_as_in_the_file() -> None:
    rows = parse_lrc(SHEET).rows
    assert "".join(row.raw + "\n" for row in rows) == SHEET + "\n"
    assert (rows[0].tags, rows[0].text) == ((), "")
    assert (rows[6].tags, rows[6].text) == (("[00:21.10]", "[00:45.10]"), "你来了")
    assert (rows[8].tags, rows[8].text) == (("[00:17.20]",), "第二行")
    assert (rows[9].tags, rows[9].text) == (("[00:20.00]",), "")


def test_the_song_of_a_sheet() -> None:
    song = parse_lrc(SHEET).song(title="file")
    assert (song.title, song.artist) == ("星光", "某人")
    assert song.sections == (
        Section(("作词：某人", "第一行", "第二行")),
        Section(("你来了", "你走了", "你来了")),
    )
    assert parse_lrc("[00:01]a").song(title="file").title == "file"


@pytest.mark.parametrize(
    ("tag", "seconds"),
    [
        ("[01:02]", 62.0),
        ("[1:2]", 62.0),
        ("[01:02.5]", 62.5),
        ("[01:02.05]", 62.05),
        ("[01:02.345]", 62.345),
        ("[01:02:34]", 62.34),
        ("[100:00.00]", 6000.0),
        ("[ 01:02.50 ]", 62.5),
    ],
)
def test_time_tags(tag: str, seconds: float) -> None:
    assert parse_lrc(f"{tag} 啊").lines == (TimedLine(seconds, "啊"),)


@pytest.mark.parametrize(
    ("offset", "seconds"), [("500", 9.5), ("+500", 9.5), ("-500", 10.5), ("99999", 0.0), ("x", 10.0)]
)
def test_a_positive_offset_shifts_lines_earlier(offset: str, seconds: float) -> None:
    assert parse_lrc(f"[offset:{offset}]\n[00:10.00]a").lines == (TimedLine(seconds, "a"),)


def test_lines_sung_at_one_time_keep_their_order() -> None:
    sheet = parse_lrc("[00:02.00]b\n[00:01.00]星星\n[00:01.00]stars\n")
    assert [line.text for line in sheet.lines] == ["星星", "stars", "b"]


def test_a_line_without_a_tag_belongs_to_the_line_before() -> None:
    sheet = parse_lrc("[00:01.00]a\n[00:05.00]c\nd\n\n[00:03.00]b")
    assert [line.text for line in sheet.lines] == ["a", "b", "c", "d"]


def test_headings_in_a_sheet_are_no_lines() -> None:
    song = parse_lrc("[00:01.00]副歌：\n[00:02.00]a\n[Chorus]\n[00:03.00]b").song()
    assert song.sections == (Section(("a",), "副歌"), Section(("b",), "Chorus"))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (SHEET, True),
        ("[00:01.00]a", True),
        ("[ti:x]\n[ar:y]\n", False),
        ("[主歌]\na\n", False),
        ("a\nb\n[00:01.00]\nc\nd\n", False),
        ("[Verse 1: Name]\na\n", False),
        ("", False),
    ],
)
def test_is_lrc(text: str, answer: bool) -> None:
    assert is_lrc(text) is answer


@given(st.text(st.sampled_from("[]<>:.0123 ab\n爱"), max_size=80))
def test_any_text_reads_to_lines_in_order_of_time(text: str) -> None:
    times = [line.seconds for line in parse_lrc(text).lines]
    assert times == sorted(times)
