"""What a tiny model writes, measured beside a text."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from lyricgen.errors import InputError, OptionError
from lyricgen.evaluation.metrics import distinct, self_bleu
from lyricgen.evaluation.samples import Samples, as_song, check_samples, style_of, write_samples
from lyricgen.evaluation.wording import MEANINGS
from lyricgen.generation.lyricist import Lyricist
from lyricgen.text.documents import Document
from lyricgen.text.novelty import NoveltyBuilder

from ..generation.conftest import make_lyricist
from .conftest import song

TEXTS = [Document(f"{a}月雨\n风山海\n\n{a}月雨\n", 13, ended=True, title=a) for a in "星月雨风山海"]


@pytest.fixture(scope="module")
def samples() -> Samples:
    return write_samples(make_lyricist(), TEXTS, count=3, seed=5, training=[song("星月雨/风山海")])


def test_songs_are_those_that_the_seed_gives(samples: Samples) -> None:
    assert [text.text for text in samples.texts] == [text.text for text in make_lyricist().write(count=3, seed=5)]
    assert [song.lines for song in samples.written.songs] == [text.lines for text in samples.texts]


def test_every_measure_is_of_the_right_songs(samples: Samples) -> None:
    found = {measure.name: measure for measure in samples.measures}
    assert set(found) == set(MEANINGS)
    assert found["distinct_2"].written == distinct(samples.written.texts, 2)
    assert found["distinct_2"].people is None  # the text has fewer letters than were written
    assert found["self_bleu"].written == self_bleu(samples.written.texts)
    assert found["repeated_lines"].people == pytest.approx(1 / 3)
    assert found["lines_per_song"].people == 3
    assert found["line_length"].people == 3
    assert found["copied_lines"].people == pytest.approx((6 + 2) / 18)
    assert samples.is_held_out


def test_of_a_longer_text_as_many_letters_are_measured() -> None:
    long = [Document("星月雨风山海\n" * 500, 3500, ended=True), *TEXTS]
    samples = write_samples(make_lyricist(), long, count=1)
    measured = next(measure for measure in samples.measures if measure.name == "distinct_1")
    assert measured.people is not None and measured.people * samples.written.letters >= 1


def test_the_texts_songs_are_drawn_by_the_seed() -> None:
    orders = [
        [song.title for song in write_samples(make_lyricist(), TEXTS, count=1, seed=seed).people.songs]
        for seed in (1, 1, 2)
    ]
    assert orders[0] == orders[1] != orders[2]
    assert all(sorted(order) == sorted("星月雨风山海") for order in orders)


def test_without_training_songs_nothing_is_said_of_copies() -> None:
    samples = write_samples(make_lyricist(), TEXTS, count=1)
    assert not any(measure.name.startswith("copied") for measure in samples.measures)
    assert not any(any(any(row) for row in marks) for marks in samples.marks)
    assert "--train" in samples.warnings(chinese=False)[0]
    assert samples.to_json()["training_songs"] is samples.to_json()["copied_by"] is None


def with_index(folder: Path, *songs: str, partial: bool = False) -> Lyricist:
    """A model whose folder has an index of these songs."""
    builder = NoveltyBuilder(partial=partial)
    for each in songs:
        builder.add(each)
    index = builder.build()
    assert index is not None
    (folder / "novelty.bin").write_bytes(index.to_bytes())
    return Lyricist(replace(make_lyricist().checkpoint, folder=folder))


def test_without_training_songs_the_index_tells_copies(tmp_path: Path) -> None:
    samples = write_samples(with_index(tmp_path, "海月雨风山海"), TEXTS, count=3)
    copied = {measure.name: measure for measure in samples.measures if measure.name.startswith("copied")}
    assert list(copied) == ["copied_6", "copied_8", "copied_12"]
    # Each of six texts is 9 letters, of 4 sixes; 海月雨风山海 begins one of them.
    assert copied["copied_6"].people == 1 / 24
    assert copied["copied_12"].people is None
    (warning,) = samples.warnings(chinese=False)
    assert "index" in warning and "6, 8 and 12" in warning and "--train" in warning
    data = samples.to_json()
    assert (data["training_songs"], data["copied_by"]) == (1, "index")
    given = write_samples(with_index(tmp_path, "海月雨风山海"), TEXTS, count=1, training=[song("星")])
    assert given.to_json()["copied_by"] == "songs" and given.warnings(chinese=False) == []


def test_what_an_index_lacks_and_a_text_that_it_knows_are_told(tmp_path: Path) -> None:
    verses = "星月雨风山海\n\n海山风雨月星\n"
    lyricist = with_index(tmp_path, verses, partial=True)
    known, how, lacking = write_samples(lyricist, [Document(verses, 13, True)], count=1).warnings(chinese=False)
    assert "not held out" in known and "index" in how and "lacks the songs" in lacking
    assert "索引" in write_samples(lyricist, TEXTS, count=1).warnings(chinese=True)[0]


def test_a_text_of_training_lines_is_no_yardstick() -> None:
    samples = write_samples(make_lyricist(), TEXTS, count=1, training=[as_song(text.text) for text in TEXTS])
    assert not samples.is_held_out
    assert "not held out" in samples.warnings(chinese=False)[0]
    assert "留出" in samples.warnings(chinese=True)[0]


def test_the_figures_in_words_and_in_json(samples: Samples) -> None:
    rows = samples.lines(chinese=False)
    assert rows[1].split() == ["written", "text"]
    assert len(rows) == 2 + len(samples.measures)
    assert any("distinct-1" in row and "–" in row for row in rows)
    assert "重复的行" in "".join(samples.lines(chinese=True))
    data = json.loads(json.dumps(samples.to_json(), allow_nan=False))
    assert data["count"] == 3 and data["seed"] == 5 and data["training_songs"] == 1
    assert data["written"]["distinct_1"] == samples.measures[0].written
    assert len(data["songs"]) == 3 and {"lines", "nats_per_char", "copied"} <= set(data["songs"][0])
    assert sum(data["line_lengths"]["text"].values()) == 18


def test_settings_out_of_range() -> None:
    with pytest.raises(OptionError, match="samples must be from 1"):
        check_samples(-1)
    with pytest.raises(OptionError, match="seed must be"):
        check_samples(1, seed=-1)


def test_headings_are_no_lines() -> None:
    assert as_song("[主歌]\n星\n\n[副歌]\n月\n", title="歌").lines == ("星", "月")


def test_the_style_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("星光\n路\n", encoding="utf-8")
    assert style_of(str(path), samples=1, seed=0).lengths == Counter({2: 1, 1: 1})
    with pytest.raises(InputError):
        style_of(str(tmp_path / "none.txt"), samples=1, seed=0)
