"""Records of songs: JSON, JSON Lines, CSV."""

import contextlib
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricgen.errors import InputError, LyricgenError
from lyricgen.text.readers import TABLES, tables
from lyricgen.text.song import Section, Song


def read(kind: str, text: str) -> list[Song | InputError]:
    return list(TABLES[kind](io.StringIO(text), name=f"a{kind}", title="a"))


def songs_of(data: Any) -> list[Song]:
    songs = read(".json", json.dumps(data, ensure_ascii=False))
    assert all(isinstance(song, Song) for song in songs), songs
    return [song for song in songs if isinstance(song, Song)]


def lines_of(data: Any) -> list[tuple[str, ...]]:
    return [song.lines for song in songs_of(data)]


@pytest.mark.parametrize(
    "lyrics", ["a\nb\n\nc", "a\r\nb\r\n\r\nc", ["a", "b", "", "c"], [["a", "b"], ["c"]], "a<br>b<br/><br />c"]
)
@pytest.mark.parametrize(
    "field", ["lyrics", "Lyric", "歌词", "lines", "paragraphs", "text", "content", "body", "内容"]
)
def test_lyrics_by_their_names(field: str, lyrics: Any) -> None:
    [song] = songs_of({field: lyrics, "id": 3})
    assert song == Song((Section(("a", "b")), Section(("c",))), title="a")


def test_labels_by_their_names() -> None:
    english = {
        "Song Name": "星",
        "Singer": ["甲", "乙"],
        "genre": "民谣",
        "emotion": "思念",
        "topic": "雨",
        "split": "valid",
    }
    chinese = {"歌名": "星", "歌手": "甲, 乙", "风格": "民谣", "情绪": "思念", "theme": "雨", "split": "valid"}
    for labels in (english, chinese):
        [song] = songs_of({**labels, "lyrics": "啊"})
        assert (song.title, song.artist, song.style) == ("星", "甲, 乙", "民谣")
        assert (song.mood, song.theme, song.split) == ("思念", "雨", "valid")


def test_a_title_is_one_line_and_may_be_a_number() -> None:
    assert [song.title for song in songs_of([{"title": 1989, "text": "a"}, {"title": "x\ny", "text": "a"}])] == [
        "1989",
        "x y",
    ]


def test_sections_written_out() -> None:
    [song] = songs_of(
        {"sections": [{"name": "主歌", "lines": ["a", "", "b"]}, {"lines": "c\nd"}, {"lines": []}, ["e"]]}
    )
    assert song.sections == (Section(("a", "b"), "主歌"), Section(("c", "d")), Section(("e",)))


def test_headings_in_lyrics() -> None:
    [song] = songs_of({"lyrics": ["[主歌]", "a", "[副歌]", "b"]})
    assert song.sections == (Section(("a",), "主歌"), Section(("b",), "副歌"))


def test_lyrics_that_are_lrc() -> None:
    [song] = songs_of({"name": "星", "lyric": "[ar:甲]\n[00:02.00]b\n[00:01.00]a\n"})
    assert (song.title, song.artist, song.lines) == ("星", "甲", ("a", "b"))


def test_shapes_of_json() -> None:
    assert lines_of({"lyrics": "a"}) == [("a",)]
    assert lines_of([{"lyrics": "a"}, {"lyrics": "b"}]) == [("a",), ("b",)]
    assert lines_of({"songs": [{"lines": ["a", "b"]}]}) == [("a", "b")]
    assert lines_of(["a\nb", "c"]) == [("a", "b"), ("c",)]
    assert lines_of(["a", "b", "", "c"]) == [("a", "b", "c")]
    assert lines_of([["a", "b"], ["c"]]) == [("a", "b"), ("c",)]
    assert lines_of("a\nb") == [("a", "b")]


def test_json_lines_under_the_name_of_json() -> None:
    songs = read(".json", '{"text": "a"}\n{"text": "b"}\n')
    assert [song.lines for song in songs if isinstance(song, Song)] == [("a",), ("b",)]


def test_halves_of_surrogate_pairs_are_left_out() -> None:
    [song] = read(".jsonl", '{"title": "x\\ud83d", "text": "a\\udc00b"}')
    assert isinstance(song, Song)
    assert (song.title, song.lines) == ("x", ("ab",))


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (".json", "{\n'a': 1}", "a.json, line 2: broken JSON"),
        (".json", "[" * 100_000, "a.json: JSON that cannot be read"),
        (".json", "9" * 5000, "a.json: JSON that cannot be read"),
        (".csv", "title,year\nx,1\n", "a.csv has no column of lyrics: expected a field named lyrics"),
        (".csv", "lyrics\n" + "x" * 2000, "a.csv, line 1 is too long for one record"),
        (".jsonl", "[" + "1," * 2000, "a.jsonl, line 1 is too long for one record"),
    ],
)
def test_what_cannot_be_read(monkeypatch: pytest.MonkeyPatch, kind: str, text: str, message: str) -> None:
    monkeypatch.setattr(tables, "_LONGEST_ROW", 1000)
    with pytest.raises(InputError, match=message):
        read(kind, text)


@pytest.mark.parametrize("record", [{"title": "x"}, 5, None, {"lyrics": 5}, {"lyrics": {"a": 1}}])
def test_a_record_without_lyrics(record: Any) -> None:
    first, problem = read(".jsonl", '{"text": "a"}\n' + json.dumps(record))
    assert isinstance(first, Song)
    assert str(problem).startswith("a.jsonl, line 2: no lyrics; expected a field named")


def test_a_record_with_empty_lyrics_is_an_empty_song() -> None:
    assert lines_of([{"title": "x", "lyrics": ""}, {"lyrics": None}]) == [(), ()]


def test_a_broken_line_does_not_end_a_file() -> None:
    a, problem, b = read(".jsonl", '{"text": "a"}\n\n{"text": \n["b"]\n')
    assert isinstance(a, Song) and isinstance(b, Song)
    assert str(problem).startswith("a.jsonl, line 3: broken JSON (Expecting value); mend or remove it")


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_csv(delimiter: str) -> None:
    rows = ["Title,歌手,Lyrics", 'x,甲,"a\nb\n\nc, d"', ",,", "y,乙,e"]
    songs = read(".csv", "\n".join(row.replace(",", delimiter) for row in rows))
    assert [(s.title, s.artist, s.lines) for s in songs if isinstance(s, Song)] == [
        ("x", "甲", ("a", "b", f"c{delimiter} d")),
        ("y", "乙", ("e",)),
    ]


def test_commas_in_an_unquoted_last_column_stay() -> None:
    songs = read(".csv", "lyrics\nstay, oh stay\n")
    assert [song.lines for song in songs if isinstance(song, Song)] == [("stay, oh stay",)]


def test_a_cell_longer_than_the_usual_limit_of_csv() -> None:
    [song] = read(".csv", 'lyrics\n"' + "la\n" * 100_000 + '"\n')
    assert isinstance(song, Song)
    assert len(song.lines) == 100_000


def test_csv_names_the_line_of_a_broken_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "_LONGEST_ROW", 100)
    with pytest.raises(InputError, match=r"a\.csv, line 3: broken table .*check the quotes"):
        read(".csv", 'lyrics\na\n"' + "b\n" * 200)


def test_empty_tables_hold_nothing() -> None:
    for kind in TABLES:
        assert read(kind, "") == read(kind, "\n") == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["lyrics", "title", "sections", "lines", "songs", "x"]), inner, max_size=3)
    ),
)


@given(json_values)
def test_any_json_is_read_or_refused(data: Any) -> None:
    for kind in (".json", ".jsonl"):
        try:
            for song in read(kind, json.dumps(data)):
                assert isinstance(song, InputError) or all(line == line.strip() != "" for line in song.lines)
        except LyricgenError:
            pass


@given(st.sampled_from(sorted(TABLES)), st.text(st.sampled_from('{}[]",:\n\t\\lyrics歌词0 '), max_size=60))
def test_any_text_is_read_or_refused(kind: str, text: str) -> None:
    for head in ("", "lyrics,title\n"):
        with contextlib.suppress(LyricgenError):
            read(kind, head + text)
