"""Plain text: one song, songs between blank lines, the songbook's form, texts too long to hold."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricgen.text import song as song_module
from lyricgen.text.readers import plain
from lyricgen.text.readers.plain import Songs, read_plain
from lyricgen.text.song import Section, Song


def read(text: str, *, songs: Songs = "file") -> list[Song]:
    return list(read_plain(io.StringIO(text), title="星光", songs=songs))


def test_a_file_is_one_song() -> None:
    assert read("\n  a \nb\n\n\n\n[副歌]\nc\n") == [
        Song((Section(("a", "b")), Section(("c",), "副歌")), title="星光")
    ]


def test_blank_lines_end_songs_when_asked() -> None:
    assert read("\na\nb\n \n\n\nc", songs="blank") == [Song((Section(("a", "b")),)), Song((Section(("c",)),))]


@pytest.mark.parametrize("songs", ["file", "blank"])
def test_the_songbooks_form_is_seen(songs: Songs) -> None:
    read_songs = read("\n=== 月\nmood: 静\n\na\n\nb\n\n=== 风\n\nc\n", songs=songs)
    assert [(song.title, song.mood, song.lines) for song in read_songs] == [
        ("月", "静", ("a", "b")),
        ("风", "", ("c",)),
    ]


def test_time_tags_in_a_plain_text_are_seen() -> None:
    [song] = read("[ti:月]\n[00:01.00]a\n[00:02.00]b\n")
    assert (song.title, song.lines) == ("月", ("a", "b"))


def test_lines_part_at_line_ends_only() -> None:
    assert read("a\u2028b\x0bc\x85d\n")[0].lines == ("a\u2028b\x0bc\x85d",)


def test_nothing_to_sing() -> None:
    assert read(" \n\n") == read("[副歌]\n") == read("\n \n", songs="blank") == []


texts = st.text(st.sampled_from("ab \n"), max_size=80)


@given(texts, st.sampled_from(["file", "blank"]))
def test_parts_are_small_and_hold_the_whole_text(text: str, songs: Songs) -> None:
    whole = read(text, songs=songs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(song_module, "PART_CHARACTERS", 6)
        patch.setattr(song_module, "_LINE", 0)
        parts = read(text, songs=songs)
    assert sum(not part.continues for part in parts) == len(whole)
    assert [line for part in parts for line in part.lines] == [line for song in whole for line in song.lines]
    assert all(sum(map(len, part.lines[:-1])) < 12 for part in parts)


def test_a_part_is_cut_inside_a_section_so_that_no_blank_line_is_lost() -> None:
    text = "ab\ncd\n\nef\ngh\nij\n\nkl\nmn\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(song_module, "PART_CHARACTERS", 4)
        patch.setattr(song_module, "_LINE", 0)
        parts = read(text)
    assert len(parts) > 1
    assert "".join(part.text() for part in parts) == text


def test_a_line_longer_than_a_part_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "PART_CHARACTERS", 5)
    assert read("abcdefg\nh")[0].lines == ("abcde", "fg", "h")
