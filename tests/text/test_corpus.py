"""A corpus: clean songs, each once, and a report of what was left out."""

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lyricgen.errors import InputError
from lyricgen.text.cleaning import CleaningReport
from lyricgen.text.corpus import Corpus, CorpusReport, write_songbook
from lyricgen.text.song import Section, Song


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "lyrics"
    folder.mkdir()
    (folder / "a.txt").write_text("作词：某人\n星星在天上\n\n我 love 你\n", encoding="utf-8")
    (folder / "b.txt").write_text("星星，在天上\n我love你", encoding="gb18030")
    (folder / "c.txt").write_text("纯音乐，请欣赏", encoding="utf-8")
    (folder / "d.txt").write_bytes(b"\0\0")
    (folder / "e.jsonl").write_text('{"text": "月光"}\n{oh\n', encoding="utf-8")
    return folder


def test_a_corpus_is_clean_and_without_duplicates(folder: Path) -> None:
    corpus = Corpus([folder])
    assert [song.lines for song in corpus] == [("星星在天上", "我 love 你"), ("月光",)]
    report = corpus.report
    assert (report.files, report.songs, report.lines_sung, report.characters, report.han) == (5, 2, 3, 15, 9)
    assert report.cleaning == CleaningReport(credits=1, instrumental=1, empty=1, duplicates=1)
    assert [message.split("/")[-1].split(":")[0] for message in report.skipped] == [
        "d.txt is binary, not text",
        "e.jsonl, line 2",
    ]
    assert report.lines()[:3] == [
        "2 songs from 5 files: 3 lines, 15 characters (9 Han)",
        "credits removed: 1 line",
        "instrumental notices removed: 1 line",
    ]
    assert json.loads(json.dumps(report.to_json()))["cleaning"]["duplicates"] == 1


def test_a_corpus_can_be_read_again(folder: Path) -> None:
    corpus = Corpus([folder])
    assert corpus.report == CorpusReport()
    assert list(corpus) == list(corpus)
    report = corpus.report
    next(iter(corpus))
    assert corpus.report == report


def test_a_corpus_left_as_it_is(folder: Path) -> None:
    corpus = Corpus([folder / "a.txt", folder / "b.txt", folder / "c.txt"], clean=False)
    assert [song.lines[0] for song in corpus] == ["作词：某人", "星星，在天上", "纯音乐，请欣赏"]
    assert corpus.report.cleaning == CleaningReport()


def test_songs_between_blank_lines(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("甲\n\n乙\n\n甲\n", encoding="utf-8")
    assert [song.lines for song in Corpus([tmp_path / "a.txt"], songs="blank")] == [("甲",), ("乙",)]


def test_nothing_left(folder: Path) -> None:
    with pytest.raises(InputError, match=r"no songs left of 1 file \(instrumental notices removed: 1 line; .*: name"):
        list(Corpus([folder / "c.txt"]))


def test_standard_input_can_be_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("月光".encode())))
    corpus = Corpus(["-"])
    assert [song.lines for song in corpus] == [("月光",)]
    with pytest.raises(InputError, match="only once: write the songs to a file"):
        list(corpus)


def test_messages_are_kept_in_bounds(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('["la"]\n' + "{\n" * 150)
    corpus = Corpus([tmp_path])
    assert [song.lines for song in corpus] == [("la",)]
    assert (len(corpus.report.skipped), corpus.report.skipped_count) == (100, 150)
    assert corpus.report.lines()[-1] == "skipped: 50 more"


def test_a_songbook_is_written_and_read(folder: Path, tmp_path: Path) -> None:
    write_songbook(Corpus([folder]), tmp_path / "book.txt")
    assert (tmp_path / "book.txt").read_text(encoding="utf-8") == (
        "=== a\n\n星星在天上\n\n我 love 你\n\n===\n\n月光\n"
    )
    assert list(Corpus([tmp_path / "book.txt"])) == list(Corpus([folder]))


def test_parts_are_written_as_one_song(tmp_path: Path) -> None:
    parts = [
        Song((Section(("a", "b")),)),
        Song((Section(("c",)), Section(("d",))), continues=True),
        Song((Section(("e",)),)),
    ]
    write_songbook(parts, tmp_path / "book.txt")
    assert [song.text() for song in Corpus([tmp_path / "book.txt"])] == ["a\nb\nc\n\nd\n", "e\n"]


def test_a_file_that_exists_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text("mine")
    with pytest.raises(InputError, match=r"book\.txt exists: choose another name, or remove it first"):
        write_songbook([], tmp_path / "book.txt")
    assert (tmp_path / "book.txt").read_text() == "mine"


def test_a_songbook_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    def broken() -> Iterator[Song]:
        yield Song((Section(("a",)),))
        raise InputError("oh")

    with pytest.raises(InputError, match="oh"):
        write_songbook(broken(), tmp_path / "book.txt")
    assert list(tmp_path.iterdir()) == []


def test_a_songbook_needs_its_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be written .*: make room or choose another place"):
        write_songbook([], tmp_path / "none" / "book.txt")
