"""What is copied, on a pair of texts worked out by hand."""

from pathlib import Path

import pytest

from lyricgen.evaluation.copies import Comparison, runs, training_songs
from lyricgen.model.checkpoint import Card
from lyricgen.model.config import ModelConfig
from lyricgen.text.corpus import Corpus
from lyricgen.text.resources import songbook

from .conftest import song

TRAINING = song("一二三四五六/七八九十", "天地玄黄")


def compared(*songs: str) -> Comparison:
    comparison = Comparison([song(each) for each in songs])
    comparison.look_through([TRAINING])
    return comparison


def test_shares_of_a_hand_made_pair() -> None:
    # Its letters are 零 and then nine of the training song's: 7 fours, of which 6 stand there; 5 sixes, of which 4;
    # 3 eights, of which 2; no twelve. One of two lines is a training line.
    written = "零一二三四五六/七八九"
    copies = compared(written).copies([song(written)])
    assert copies.ngrams == {4: 6 / 7, 6: 4 / 5, 8: 2 / 3, 12: None}
    assert copies.lines == 0
    assert compared("天地玄黄/零").copies([song("天地玄黄/零")]).lines == 1 / 2


def test_punctuation_spaces_and_sections_do_not_hide_a_copy() -> None:
    written = song("五 六，七", "八！")
    comparison = Comparison([written])
    comparison.look_through([TRAINING])
    assert comparison.copies([written]).ngrams[4] == 1


def test_songs_do_not_run_into_each_other() -> None:
    comparison = Comparison([song("九十天地"), song("十")])
    comparison.look_through([song("九十"), song("天地")])
    assert comparison.copies([song("九十天地")]).ngrams[4] == 0
    assert comparison.songs == 2


def test_marks_cover_runs_of_six_with_what_stands_between() -> None:
    written = song("零三四，五 六/七八零")
    comparison = Comparison([written])
    comparison.look_through([TRAINING])
    marks = comparison.marks(written)
    assert ["".join("x" if mark else "." for mark in row) for row in marks] == [".xxxxxx", "xx."]
    assert runs(written, marks) == ["三四，五 六 / 七八"]


def test_runs_that_part_are_two() -> None:
    assert runs(song("abc"), [[True, False, True]]) == ["a", "c"]


def card(**corpus: object) -> Card:
    return Card(ModelConfig(8), corpus=corpus)


def test_the_songbooks_training_songs_are_found_by_the_card() -> None:
    book = Corpus([songbook()])
    everything = list(book)
    found = training_songs(card(names=["songbook"], characters=book.report.characters))
    assert found is not None
    assert list(found) == [song for song in everything if song.split == "train"]
    # Another text under that name, and another name.
    assert training_songs(card(names=["songbook"], characters=book.report.characters - 1)) is None
    assert training_songs(card(names=["mine"], characters=book.report.characters)) is None
    assert training_songs(card()) is None


def test_training_songs_that_are_named(tmp_path: Path) -> None:
    path = tmp_path / "songs.txt"
    path.write_text("=== a\nsplit: valid\n\n甲\n\n=== b\nsplit: train\n\n乙\n\n=== c\n\n丙\n", encoding="utf-8")
    found = training_songs(card(), [str(path)])
    assert found is not None
    assert [song.title for song in found] == ["b", "c"]


@pytest.mark.parametrize("text", ["", "一二三"])
def test_too_little_is_no_share(text: str) -> None:
    assert compared(text or "一").copies([song(text)] if text else []).ngrams[4] is None
