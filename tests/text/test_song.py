"""What a song is: its text, and its file form there and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricgen.text import song as song_module
from lyricgen.text.song import Section, Song, is_songbook, parse_songbook

words = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=20).map(str.strip)
marks = st.sampled_from(["===", "=== 歌", "[副歌]", "[]", "\\", "\\[x]", "artist: 某人", "====", "[a]b", "mood:"])
lines = st.lists(words.filter(bool) | marks, min_size=1, max_size=4).map(tuple)
names = st.sampled_from(["", "主歌", "副歌", "Verse 1: Name", "(x2)"])
sections = st.lists(st.builds(Section, lines, names), max_size=4).map(tuple)
songs = st.builds(
    Song, sections, title=words, artist=words, mood=words, style=words, theme=words, split=st.just("valid")
)


def read(text: str) -> list[Song]:
    return list(parse_songbook(iter(text.split("\n"))))


@given(st.lists(songs, max_size=3))
def test_a_songbook_reads_back_to_the_songs_it_was_written_from(written: list[Song]) -> None:
    assert read("\n".join(song.to_songbook() for song in written)) == written


@given(songs)
def test_a_written_song_opens_a_songbook(song: Song) -> None:
    assert is_songbook(song.to_songbook())


@given(st.text(max_size=200))
def test_any_text_reads_to_songs_that_read_back(text: str) -> None:
    songs = read(text)
    assert read("\n".join(song.to_songbook() for song in songs)) == songs


def test_text_ends_every_line_and_parts_sections() -> None:
    song = Song((Section(("a", "b")), Section(()), Section(("c",), "副歌")))
    assert song.text() == "a\nb\n\nc\n"
    assert song.lines == ("a", "b", "c")


def test_file_form() -> None:
    song = Song((Section(("我爱你",), "主歌"), Section(("[副歌]", "=== 不是"))), title="星光", mood="思念")
    assert song.to_songbook() == "=== 星光\nmood: 思念\n\n[主歌]\n我爱你\n\n\\[副歌]\n\\=== 不是\n"


def test_a_heading_that_returns_repeats_its_section() -> None:
    [song] = read("=== 星\n\n[副歌: 她]\n\na\nb\n\nc\n\n[副歌]\n\n[前奏]\n")
    assert song.sections == (Section(("a", "b"), "副歌: 她"), Section(("c",)), Section(("a", "b"), "副歌"))


def test_labels_end_with_the_head() -> None:
    [song] = read("=== 星\nArtist: 某人\n\nmood: 思念\n")
    assert (song.artist, song.mood, song.lines) == ("某人", "", ("mood: 思念",))


def test_names_that_no_heading_can_carry_are_made_to_fit() -> None:
    song = Song((Section(("a",), "x]\n[" + "y" * 60),), title="two\nlines", artist="b\r\n\nc")
    [back] = read(song.to_songbook())
    assert (back.title, back.artist, back.sections[0].name) == ("two lines", "b c", "x " + "y" * 38)


def test_a_song_too_long_to_hold_comes_in_parts_that_write_back_to_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(song_module, "PART_CHARACTERS", 4)
    monkeypatch.setattr(song_module, "_LINE", 0)
    text = "=== 长\nmood: 静\n\n一二三\n四五六\n七八九\n\n十\n\n[副歌]\n百千\n"
    parts = read(text)
    assert [part.continues for part in parts] == [False, True]
    assert {(part.title, part.mood) for part in parts} == {("长", "静")}
    assert "".join(part.to_songbook() for part in parts) == text
    monkeypatch.undo()
    assert "".join(part.text() for part in parts) == read(text)[0].text()
