"""What the songbook promises, counted."""

from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import jieba
import pytest

from lyricgen.text.corpus import Corpus
from lyricgen.text.phonetics import rhyme_class
from lyricgen.text.readers import read_songs
from lyricgen.text.resources import songbook
from lyricgen.text.song import Song, parse_songbook
from lyricgen.text.tokenizer import Tokenizer

MOODS = {"欢快", "温柔", "思念", "忧伤", "愤怒", "平静", "励志", "迷茫"}
# Words of content by their part of speech in jieba's dictionary: nouns, verbs, adjectives, adverbs, times, places,
# directions, idioms, states. Words of grammar among these, which every text is full of, are left out: words that deny
# or allow, verbs of direction after others, adverbs of time and degree. An adverb of manner (慢慢) counts.
CONTENT = "nvadtsfiz"
GRAMMAR = """
    我们 你们 他们 她们 它们 自己 什么 怎么 没有 不是 就是 还是 一个 这个 那个 因为 所以 可是 但是 如果 不要 不会 不能
    可以 已经 这样 那样 一样 有人 谁都 一切 所有 起来 下来 出来 过来 上去 下去 进来 回来 别人 大家 有点 一点 一下
    时候 那么 这么 这里 那里 哪里 有个
"""


@pytest.fixture(scope="module")
def songs() -> list[Song]:
    found = list(read_songs([songbook()]))
    assert all(isinstance(song, Song) for song in found)
    return [song for song in found if isinstance(song, Song)]


def word_kinds() -> dict[str, str]:
    """The part of speech of each word in jieba's dictionary."""
    dictionary = Path(jieba.__file__).parent / "dict.txt"
    lines = dictionary.read_text(encoding="utf-8").splitlines()
    return {word: kind for word, _, kind in (line.split(" ") for line in lines)}


def han(text: str) -> str:
    return "".join(c for c in text if "㐀" <= c <= "鿿")


def raw_sections(path: Path) -> list[tuple[str, list[str]]]:
    """Sections as they are written, a chorus that only returns left out."""
    found: list[tuple[str, list[str]]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            found.append((line, []))
        elif line.startswith("==="):
            found.append(("", []))
        elif line and found and found[-1][0]:
            found[-1][1].append(line)
    return found


def test_there_are_five_hundred_songs_of_160_000_written_characters(songs: list[Song]) -> None:
    assert len(songs) >= 500
    written = sum(len(han(line)) for path in songbook().glob("*.txt") for _, ls in raw_sections(path) for line in ls)
    assert written >= 160_000


def test_every_song_is_labelled(songs: list[Song]) -> None:
    for song in songs:
        assert song.title and song.style and song.theme, song.title
        assert song.mood in MOODS, song.title
        assert song.split in {"train", "valid", "test"}, song.title
        assert all(section.name for section in song.sections), song.title
        assert len(song.sections) >= 3, song.title
    assert len({song.title for song in songs}) == len(songs)


def test_moods_are_about_evenly_used_and_all_in_each_split(songs: list[Song]) -> None:
    counts = Counter(song.mood for song in songs)
    assert min(counts.values()) >= 0.7 * len(songs) / 8
    assert max(counts.values()) <= 1.3 * len(songs) / 8
    for split, share in (("train", 0.8), ("valid", 0.1), ("test", 0.1)):
        part = [song for song in songs if song.split == split]
        assert len(part) == pytest.approx(share * len(songs), rel=0.15)
        assert {song.mood for song in part} == MOODS
        assert {song.style for song in part} == {song.style for song in songs}


def test_line_ends_rhyme(songs: list[Song]) -> None:
    """At least three in five neighbouring pairs of verse and chorus, by the thirteen classes."""
    pairs = good = 0
    for song in songs:
        seen: set[tuple[str, ...]] = set()
        for section in song.sections:
            if section.lines in seen or section.name.rstrip("一二三四") not in ("主歌", "副歌", "说唱"):
                continue
            seen.add(section.lines)
            ends = [(rhyme_class(line), han(line)[-1:]) for line in section.lines]
            for (a, last_a), (b, last_b) in pairwise(ends):
                pairs += 1
                good += bool(a & b) and last_a != last_b
    assert good / pairs >= 0.6


def test_no_word_of_content_stands_in_too_many_songs(songs: list[Song]) -> None:
    kinds = word_kinds()
    counts: Counter[str] = Counter()
    grammar = set(GRAMMAR.split())
    cut = Tokenizer.of_level("word").split
    for song in songs:
        words = {word for word in cut(song.text()) if len(word) > 1 and kinds.get(word, "n")[0] in CONTENT}
        counts.update(words - grammar)
    commonest = dict(counts.most_common(100))
    assert 0.2 * len(songs) <= sum("星星" in song.text() for song in songs) <= len(songs) / 3
    assert {word for word, count in commonest.items() if count > 0.15 * len(songs)} <= {"星星"}


def test_lines_stand_once_outside_choruses() -> None:
    sections = [section for path in songbook().glob("*.txt") for section in raw_sections(path)]
    counts = Counter(line for name, lines in sections if "副歌" not in name for line in lines)
    assert [*counts.values()].count(1) >= 0.95 * counts.total()


def test_no_run_of_ten_characters_stands_in_more_than_three_songs(songs: list[Song]) -> None:
    homes: dict[str, set[int]] = defaultdict(set)
    for number, song in enumerate(songs):
        for line in song.lines:
            text = han(line)
            for at in range(len(text) - 9):
                homes[text[at : at + 10]].add(number)
    assert max(map(len, homes.values())) <= 3


def test_cleaning_leaves_the_songbook_as_it_is() -> None:
    corpus = Corpus([songbook()])
    read = [song.text() for song in corpus]
    assert corpus.report.cleaning.lines() == []
    assert not corpus.report.skipped
    assert read == [song.text() for song in read_songs([songbook()]) if isinstance(song, Song)]


def test_each_song_reads_back_from_its_canonical_form(songs: list[Song]) -> None:
    for song in songs:
        assert list(parse_songbook(iter(song.to_songbook().splitlines()))) == [song]
