"""What is copied, on a pair of texts worked out by hand."""

import random
from pathlib import Path

import pytest

from lyricgen.evaluation.copies import Comparison, Indexed, runs, training_songs
from lyricgen.model.checkpoint import Card
from lyricgen.model.config import ModelConfig
from lyricgen.text.corpus import Corpus
from lyricgen.text.novelty import NoveltyBuilder
from lyricgen.text.resources import songbook
from lyricgen.text.song import Song

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
    # 零 and then all 14 letters of the training song, whose sections part nothing: of n-grams those with 零 are new.
    whole = "零一二三四五六七/八九十天地玄黄"
    assert compared(whole).copies([song(whole)]).ngrams == {4: 11 / 12, 6: 9 / 10, 8: 7 / 8, 12: 3 / 4}
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


def indexed(*songs: Song) -> Indexed:
    builder = NoveltyBuilder()
    for each in songs:
        builder.add("\n".join(each.lines))
    index = builder.build()
    assert index is not None
    return Indexed(index)


def test_an_index_tells_runs_of_six_and_more() -> None:
    whole = song("零一二三四五六/七八九十天地玄黄")
    found = indexed(TRAINING)
    assert found.copies([whole]).ngrams == {6: 9 / 10, 8: 7 / 8, 12: 3 / 4}
    assert found.copies([whole]).lines is None and found.songs == 1
    assert found.copies([song("一二三/四五"), song("天地玄黄")]).ngrams == {6: None, 8: None, 12: None}
    # A Latin word is one unit, whatever its case; songs do not run into each other.
    english = indexed(song("I like to sing/and to dance"), song("in the rain, today"))
    assert english.copies([song("TO SING and to dance in/the rain")]).ngrams == {6: 0, 8: 0, 12: None}
    assert english.copies([song("We like to sing, and to dance")]).ngrams == {6: 1 / 2, 8: None, 12: None}


def test_an_index_marks_what_the_songs_mark() -> None:
    written = song("零三四，五 六/七八零", "!", "玄黄", "天地玄黄一二三四五六七")
    by_songs = Comparison([written])
    by_songs.look_through([TRAINING])
    assert runs(written, by_songs.marks(written)) == ["三四，五 六 / 七八", "一二三四五六七"]
    assert indexed(TRAINING).marks(written) == by_songs.marks(written)


def test_an_index_of_chinese_songs_misses_no_copy_and_hardly_tells_more() -> None:
    """Of songs of the same few words, which share runs of all lengths."""
    rng = random.Random(1)
    words = ["星星", "月", "大海上", "火车来了", "回来", "唱", "我们的早晨", "下着雨", "走", "听"]
    training = [song("/".join("".join(rng.choices(words, k=4)) for _ in range(12))) for _ in range(40)]
    written = [song("/".join("".join(rng.choices(words, k=4)) for _ in range(12))) for _ in range(10)]
    by_songs = Comparison(written)
    by_songs.look_through(training)
    told, known = indexed(*training).copies(written).ngrams, by_songs.copies(written).ngrams
    for n in (6, 8, 12):
        share, true = told[n], known[n]
        assert share is not None and true is not None
        assert 0 < true <= share <= true + 0.005


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
