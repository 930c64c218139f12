"""Texts as they stand in their files: every character accounted for, once."""

import io
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lyricgen.errors import InputError
from lyricgen.text.documents import Document, Songs, read_documents, split_blank

SONGBOOK = "=== 月\nmood: 静\nsplit: test\n\n[主歌]\na\nb\n\n[副歌]\nc\n\n=== 风\n\nd\n"
SUNG = [Document("a\nb\n\nc\n", 7, True, "月", split="test"), Document("d\n", 2, True, "风")]


def read(data: bytes, *, songs: Songs = "file", name: str = "song.txt") -> list[Document]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(data)
        return list(read_documents([path], songs=songs))


texts = st.text(st.sampled_from("ab 星\n"), max_size=40)


@given(texts, st.sampled_from(["file", "blank"]), st.sampled_from(["\n", "\r\n", "\r"]))
@example("a\nb\n\nc\n\n\nd", "blank", "\n")
@example("\n\na", "blank", "\n")
@example("\n", "blank", "\n")
@example("a" + "\n" * 7, "blank", "\n")
@example("a" + "\n" * 7, "file", "\r\n")
@example("", "file", "\n")
def test_every_character_of_a_plain_file_counts_once(text: str, songs: Songs, line_end: str) -> None:
    documents = read(text.replace("\n", line_end).encode(), songs=songs)
    assert sum(document.characters for document in documents) == len(text)
    if songs == "file":
        assert "".join(document.text for document in documents) == text
    else:  # an end of song stands for the empty line that parts it from the next
        assert "".join(document.text + "\n" for document in documents).rstrip("\n") == text.rstrip("\n")


@given(texts)
def test_a_song_between_blank_lines_pays_for_the_one_after_it(text: str) -> None:
    documents = list(split_blank(text))
    for document in documents:
        assert document.text and document.ended == document.text.endswith("\n")
    for document in documents[:-1]:
        assert document.ended and document.characters == len(document.text) + 1


def test_a_file_is_one_text_as_it_stands() -> None:
    text = " 星 \n\n\n[副歌]\n月"
    assert read(text.encode("gb18030")) == [Document(text, len(text), False, "song")]
    assert read((text + "\n").encode("utf-16")) == [Document(text + "\n", len(text) + 1, True, "song")]
    assert read(text.encode(), name="song") == [Document(text, len(text), False, "song")]
    assert read(b"") == []


def test_songs_between_blank_lines() -> None:
    assert read(b"a\nb\n\nc\n", songs="blank") == [Document("a\nb\n", 5, True), Document("c\n", 2, True)]
    assert read(b"a\n\nb", songs="blank") == [Document("a\n", 3, True), Document("b", 1, False)]


@pytest.mark.parametrize("songs", ["file", "blank"])
def test_the_songbooks_form_gives_what_is_sung(songs: Songs) -> None:
    assert read(SONGBOOK.encode(), songs=songs) == SUNG


@pytest.mark.parametrize("songs", ["file", "blank"])
@pytest.mark.parametrize(("text", "expected"), [(SONGBOOK, ["a\nb\n\nc\n", "d\n"]), ("a\n", ["a\n"])])
def test_standard_input(text: str, expected: list[str], songs: Songs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))
    assert [document.text for document in read_documents(["-"], songs=songs)] == expected


def test_other_forms_give_what_is_sung() -> None:
    assert read("[ti:月]\n[00:01.00]a\n[00:02.00]b\n".encode(), name="a.lrc") == [Document("a\nb\n", 4, True, "月")]
    assert read('{"title": "月", "lyrics": "a\\n\\nb"}\n'.encode(), name="a.json") == [
        Document("a\n\nb\n", 5, True, "月")
    ]
    assert read("title,lyrics\n月,星光\n".encode(), name="a.CSV") == [Document("星光\n", 3, True, "月")]


def test_several_files_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("b\n")
    (tmp_path / "a.txt").write_text("a\n")
    found = read_documents([tmp_path / "b.txt", str(tmp_path / "a.txt")])
    assert [document.title for document in found] == ["b", "a"]


def test_what_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.txt does not exist"):
        list(read_documents([tmp_path / "none.txt"]))
    with pytest.raises(InputError, match="binary"):
        read(b"\0\1\2\3" * 9)
    with pytest.raises(InputError, match="line 1"):
        read(b"{broken", name="a.jsonl")
    with pytest.raises(InputError, match="no songs in"):
        list(read_documents([tmp_path]))


def test_a_folder_is_its_files_as_they_stand(tmp_path: Path) -> None:
    for name, text in (("a.txt", " 星 \n\n\n[副歌]\n月"), ("b.txt", ""), ("sub/c.txt", SONGBOOK)):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (tmp_path / "notes.md").write_text("no song", encoding="utf-8")
    songs = list(read_documents([tmp_path]))
    assert songs == [Document(" 星 \n\n\n[副歌]\n月", 12, False, "a"), *SUNG]
    for kind in ("file", "blank"):
        files = read_documents([tmp_path / "a.txt", tmp_path / "b.txt", tmp_path / "sub/c.txt"], songs=kind)
        assert list(read_documents([tmp_path], songs=kind)) == list(files)
