"""Which lines of a lyric sheet are headings."""

import io

import pytest

from lyricgen.text.readers.sheet import heading_name, sheet_sections
from lyricgen.text.song import Section


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("[主歌]", "主歌"),
        ("【副歌】", "副歌"),
        ("[Verse 1: Some Name]", "Verse 1: Some Name"),
        ("[Verse 2 - Some Name & Other]", "Verse 2 - Some Name & Other"),
        ("(Chorus)", "Chorus"),
        ("（副歌）", "副歌"),
        ("[Chorus] x2", "Chorus"),
        ("[Chorus x2]", "Chorus"),
        ("[Repeat Chorus]", "Chorus"),
        ("[副歌×2]", "副歌"),
        ("[PRE-CHORUS]", "PRE-CHORUS"),
        ("[Pre Chorus 2]", "Pre Chorus 2"),
        ("[Guitar Solo]", "Guitar Solo"),
        ("主歌:", "主歌"),
        ("副歌：", "副歌"),
        ("主歌A：", "主歌A"),
        ("導歌：", "導歌"),
        ("Chorus:", "Chorus"),
        ("Verse II:", "Verse II"),
        ("副歌", "副歌"),
        ("主歌二", "主歌二"),
        ("Verse 2", "Verse 2"),
        ("[间奏]", "间奏"),
    ],
)
def test_headings(line: str, name: str) -> None:
    assert heading_name(line) == name


@pytest.mark.parametrize(
    "line",
    [
        "副歌唱到一半",
        "在副歌里等你：",
        "Chorus of the wind",
        "(la la la)",
        "[Exit ROMEO]",
        "(这是小蕙的事)",
        "ROMEO:",
        "All:",
        "Bridge over water:",
        "hook",
        "男：你在哪里",
        "合唱：我们都在",
        "",
        "[" + "副歌" * 50 + "]",
    ],
)
def test_sung_lines(line: str) -> None:
    assert heading_name(line) == ""


def test_sections() -> None:
    sheet = "[Verse 1]\na\n\n\nb\n[Chorus]\n\nc\nd\n\n[Interlude]\n\n(chorus) x2\n\n副歌：\n"
    assert sheet_sections(io.StringIO(sheet)) == (
        Section(("a",), "Verse 1"),
        Section(("b",)),
        Section(("c", "d"), "Chorus"),
        Section(("c", "d"), "chorus"),
    )
