"""Files, folders and standard input: what is read, in which order, and what happens to what cannot be."""

import io
import os
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricgen.errors import InputError, LyricgenError
from lyricgen.text.readers import EXTENSIONS, Songs, read_songs
from lyricgen.text.song import Song


def titles(*paths: Path | str) -> list[str]:
    return [item.title if isinstance(item, Song) else f"! {item}" for item in read_songs(paths)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "b.txt": "b",
        "a.lrc": "[00:01.00]a",
        "sub/c.JSON": '{"title": "c", "text": "c"}',
        "sub/deep/d.jsonl": '{"title": "d1", "text": "d"}\n{"title": "d2", "text": "d"}\n',
        "e.csv": "title,lyrics\ne,la\n",
        ".hidden.txt": "x",
        ".git/x.txt": "x",
        "cover.png": "\x89PNG\0",
        "README.md": "x",
    }
    for name, text in files.items():
        (tmp_path / "songs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "songs" / name).write_text(text)
    return tmp_path / "songs"


def test_a_folder_is_read_whole_and_sorted(folder: Path) -> None:
    assert titles(folder) == ["a", "b", "e", "c", "d1", "d2"]
    assert titles(str(folder / "e.csv"), folder / "a.lrc") == ["e", "a"]


def test_what_a_comparison_keeps_is_not_read_as_songs(folder: Path) -> None:
    kept = folder / "comparisons" / "songs-1"
    (kept / "runs" / "lstm-0").mkdir(parents=True)
    for name in ("corpus.txt", "comparison.json", "runs/lstm-0/compare.json"):
        (kept / name).write_text('{"text": "x"}')
    assert titles(folder) == ["a", "b", "e", "c", "d1", "d2"]


def test_what_is_wrong_inside_a_folder_is_told_and_the_rest_read(folder: Path) -> None:
    (folder / "a.lrc").write_bytes(b"\0\1\2")
    (folder / "b.txt").write_text("")
    (folder / "c.txt").write_text("\n \n")
    (folder / "d.jsonl").write_text('{"text": "ok"}\n{oh\n["la"]\n')
    (folder / "e.csv").write_text("x,y\n1,2\n")
    found = titles(folder)
    assert found[0].startswith(f"! {folder / 'a.lrc'} is binary")
    assert found[1:3] == [
        f"! {folder / 'b.txt'} is empty: give a text with a sung line",
        f"! {folder / 'c.txt'} has no lyrics: give a text with a sung line",
    ]
    assert found[3] == found[5] == ""
    assert found[4].startswith(f"! {folder / 'd.jsonl'}, line 2: broken JSON")
    assert found[6].startswith(f"! {folder / 'e.csv'} has no column of lyrics")
    assert found[7:] == ["c", "d1", "d2"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"", r"a\.txt is empty"),
        ("a.txt", b"\xef\xbb\xbf", r"a\.txt has no lyrics"),
        ("a.txt", b"\0\0\0\0", r"a\.txt is binary"),
        ("a.jsonl", b'{\n["a"', r"a\.jsonl, line 1: broken JSON"),
        ("a.json", b"{", r"a\.json, line 1: broken JSON"),
    ],
)
def test_what_is_wrong_with_a_named_file_is_raised(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        titles(tmp_path / name)


def test_a_broken_record_does_not_cost_the_rest_of_a_named_file(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('["a"]\n{\n["b"]\n', encoding="utf-8")
    found = titles(tmp_path / "a.jsonl")
    assert len(found) == 3
    assert "line 2: broken JSON" in found[1]


def test_a_missing_path_is_told_before_anything_is_read(folder: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere does not exist: check the name"):
        next(read_songs([folder, folder / "nowhere"]))
    with pytest.raises(InputError, match="does not exist"):
        next(read_songs(["a\0b"]))


def test_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lyrics").mkdir()
    with pytest.raises(InputError) as caught:
        titles("lyrics/")
    assert str(caught.value) == "no songs in lyrics/: expected .txt, .lrc, .json, .jsonl or .csv files"


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read(folder: Path) -> None:
    (folder / "sub").chmod(0)
    (folder / "b.txt").chmod(0)
    found = titles(folder)
    (folder / "sub").chmod(0o755)
    assert any("b.txt may not be read: change its permissions" in title for title in found)
    assert any("sub cannot be read" in title for title in found)


def test_a_file_of_any_name_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "song.md").write_text("la")
    assert titles(tmp_path / "song.md") == ["song"]


@pytest.mark.parametrize(("songs", "count"), [("file", 1), ("blank", 2)])
def test_standard_input(monkeypatch: pytest.MonkeyPatch, songs: Songs, count: int) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("一\n\n二".encode("utf-16"))))
    found = list(read_songs(["-"], songs=songs))
    assert [song.title for song in found if isinstance(song, Song)] == [""] * count


def test_nothing_on_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    with pytest.raises(InputError, match="standard input has no lyrics"):
        titles("-")


@given(st.binary(max_size=200), st.sampled_from(EXTENSIONS), st.sampled_from(["file", "blank"]))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, extension: str, songs: Songs
) -> None:
    path = tmp_path_factory.getbasetemp() / f"any{extension}"
    path.write_bytes(content)
    try:
        found = list(read_songs([path], songs=songs))
    except LyricgenError:
        return
    for song in found:
        assert isinstance(song, Song)
        assert all(line == line.strip() and "\n" not in line for line in song.lines)


LINE = "星星在天上我在人间想你" * 100


@pytest.mark.parametrize(
    ("name", "text", "songs"),
    [
        ("prose.txt", f"{LINE}\n\n{LINE}\n{LINE}\n", "file"),
        ("many.txt", f"{LINE}\n{LINE}\n\n", "blank"),
        ("endless.txt", f"{LINE}\n", "blank"),
        ("book.txt", f"=== 歌\n\n{LINE}\n\n", "file"),
        ("rows.jsonl", f'{{"lyrics": "{LINE}\\n{LINE}"}}\n', "file"),
        ("rows.csv", f"lyrics\n{LINE}\n{LINE}\n", "file"),
        ("line.txt", LINE, "file"),
    ],
)
def test_memory_stays_constant(tmp_path: Path, name: str, text: str, songs: Songs) -> None:
    block = text.encode() * (2**22 // len(text.encode()))
    with (tmp_path / name).open("wb") as file:
        for _ in range(8):
            file.write(block)
    tracemalloc.start()
    characters = 0
    for song in read_songs([tmp_path / name], songs=songs):
        assert isinstance(song, Song)
        characters += sum(map(len, song.lines))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert characters > 8_000_000
    assert peak < 6 * 2**20
