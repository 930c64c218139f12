"""The index misses no copy, tells hardly anything else, and leaves everyday phrases alone."""

import random
import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lyricgen.errors import CheckpointError, OptionError
from lyricgen.text import novelty, units
from lyricgen.text.corpus import Corpus
from lyricgen.text.forbidden import Watch
from lyricgen.text.novelty import COPY, NoveltyBuilder, NoveltyIndex, Run
from lyricgen.text.resources import songbook

VERSE = "星星落在河面上，我数了三遍\n没有人回答，只有风经过\n\n你说过冬天会把门带上\n钥匙放在老地方"


def index_of(*songs: str, base: NoveltyIndex | None = None) -> NoveltyIndex:
    builder = NoveltyBuilder(base=base)
    for song in songs:
        builder.add(song)
    index = builder.build()
    assert index is not None
    return index


def texts(runs: Sequence[Run]) -> list[str]:
    return [run.text for run in runs]


# What a run is, by an oracle that looks the songs through


UNIT = re.compile(r"[星月雨风]|[A-Za-zé]+(?:'+[A-Za-zé]+)*|[0-9]")


def units_of(text: str) -> list[str]:
    return [unit.replace("é", "e").replace("'", "").lower() for unit in UNIT.findall(text)]


def stands(stretch: list[str], song: list[str]) -> bool:
    return any(song[at : at + len(stretch)] == stretch for at in range(len(song) - len(stretch) + 1))


def looked_through(text: str, songs: Sequence[str], at_least: int) -> list[tuple[int, int]]:
    """The longest stretches of a text that stand in one or two songs, in units."""
    written, known = units_of(text), [units_of(song) for song in songs]
    found: list[tuple[int, int]] = []
    for start in range(len(written)):
        stop = start
        while stop < len(written) and any(stands(written[start : stop + 1], song) for song in known):
            stop += 1
        if stop - start >= at_least and (not found or stop > found[-1][1]):
            found.append((start, stop))
    return [(a, b) for a, b in found if sum(stands(written[a:b], song) for song in known) < 3]


def told(index: NoveltyIndex, text: str, at_least: int) -> list[tuple[int, int]]:
    """What the index finds, in units, each run's place and text checked."""
    found = []
    for run in index.runs(text, at_least=at_least):
        assert run.text == text[run.start : run.end] and UNIT.match(run.text[0]) and UNIT.match(run.text[-1])
        start = len(units_of(text[: run.start]))
        assert len(units_of(run.text)) == run.units
        found.append((start, start + run.units))
    return found


# Two characters make every phrase an everyday one, so all that can happen does.
LINES = st.text("星月 ，\n", min_size=0, max_size=60)
MIXED = st.lists(st.sampled_from(["星", "月", "雨", " ", "，", "\n", "sea", "Sea ", "a", "'", "é", "7"]), max_size=50)


@given(songs=st.lists(LINES, max_size=5), text=LINES, at_least=st.integers(6, 12))
@example(songs=["星" * 8, "月" + "星" * 8 + "月", "星" * 9], text="月" + "星" * 9 + "月月" + "星" * 8, at_least=6)
def test_exactly_the_runs_of_the_songs_are_found(songs: list[str], text: str, at_least: int) -> None:
    songs = list(dict.fromkeys(songs))
    assert told(index_of(*songs), text, at_least) == looked_through(text, songs, at_least)


@given(songs=st.lists(MIXED.map("".join), max_size=4), text=MIXED.map("".join))
@example(songs=["a sea a sea a sea a'sea"], text="A SEA a séa a sea a'sea")
def test_words_count_as_one(songs: list[str], text: str) -> None:
    songs = list(dict.fromkeys(songs))
    assert told(index_of(*songs), text, 6) == looked_through(text, songs, 6)


@given(songs=st.lists(LINES, min_size=1, max_size=3), data=st.data())
def test_no_copy_is_missed(songs: list[str], data: st.DataObject) -> None:
    song = data.draw(st.sampled_from(songs))
    start = data.draw(st.integers(0, len(song)))
    copy = song[start : data.draw(st.integers(start, len(song)))]
    text = data.draw(LINES) + "雨" + copy + "风" + data.draw(LINES)
    shared = sum(stands(units_of(copy), units_of(each)) for each in set(songs))
    if len(units_of(copy)) >= COPY and shared < 3:
        assert any(copy.strip(" ，\n") in run.text for run in index_of(*dict.fromkeys(songs)).runs(text))


def test_a_copy_of_eight_is_found_wherever_it_stands_and_one_of_seven_is_none() -> None:
    index = index_of("别的歌在这里唱了很久很久", VERSE)
    plain = re.sub(r"\W", "", VERSE)
    for at in range(len(plain) - 7):
        assert texts(index.runs(f"鲸{plain[at : at + 8]}鱼")) == [plain[at : at + 8]]
        assert index.runs(f"鲸{plain[at : at + 7]}鱼") == []
    assert [run.units for run in index.runs(plain)] == [len(plain)]


def test_punctuation_and_line_breaks_inside_a_run_are_part_of_its_span() -> None:
    text = "哦 数了三遍没有\n人……回答，走"
    (run,) = index_of(VERSE).runs(text)
    assert run == Run(2, 14, "数了三遍没有\n人……回答", 9)


def test_case_accents_and_width_make_no_difference() -> None:
    index = index_of("I never said goodbye to the café by the sea")
    assert texts(index.runs("we NEVER said Ｇoodbye to the cafe\nby the sea again")) == [
        "NEVER said Ｇoodbye to the cafe\nby the sea"
    ]
    assert index.runs("never said goodbye to the caf by the sea") == []  # a word is whole or another


def test_songs_do_not_run_into_each_other() -> None:
    index = index_of("星月雨风山海", "人来去我你他")
    assert index.runs("星月雨风山海人来去我你他", at_least=7) == []
    assert texts(index.runs("星月雨风山海人来去我你他", at_least=6)) == ["星月雨风山海", "人来去我你他"]


# Everyday phrases


def test_what_three_songs_share_is_an_everyday_phrase_and_what_two_share_is_not() -> None:
    phrase = "我想和你一起看日出"
    songs = [f"{before}{phrase}{after}" for before, after in ("甲乙", "丙丁", "戊己")]
    assert texts(index_of(*songs[:2]).runs(f"啊{phrase}吧")) == [phrase]
    index = index_of(*songs)
    assert index.runs(f"啊{phrase}吧") == []
    assert texts(index.runs(f"啊{phrase}丁")) == [f"{phrase}丁"]  # with one more it is the second song's


def test_a_chorus_that_returns_in_one_song_is_one_songs() -> None:
    chorus = "门一拉就亮一盏灯\n"
    assert len(index_of(chorus * 5 + "甲", "别人的歌").runs(f"我{chorus}")) == 1


def test_a_copy_whose_every_part_is_an_everyday_phrase_is_found() -> None:
    copy = "星月雨风山海人来去"
    index = index_of(copy, *(f"{n}{copy[:8]}{n}" for n in "甲乙丙"), *(f"{n}{copy[1:]}{n}" for n in "甲乙丙"))
    assert texts(index.runs(f"我{copy}你")) == [copy]


# False alarms


def random_song(rng: random.Random, alphabet: str, size: int) -> str:
    return "".join(rng.choices(alphabet, k=size))


def spelled(text: str) -> list[str]:
    """The units of any text, in small letters."""
    found = units.cut(units.to_points(text))
    return [text[a:b].lower() for a, b in zip(found.starts, found.ends, strict=True)]


@pytest.fixture(scope="module")
def book() -> list[str]:
    """The songs that lyricgen brings along."""
    return [song.text() for song in Corpus([songbook()])]


def test_fewer_than_one_in_a_hundred_alarms_is_false(book: list[str]) -> None:
    """Of what is told as a copy in songs that the index does not know, and of what is nearly one."""
    rng = random.Random(7)
    learned, others = book[::2], book[1::4]
    index = index_of(*learned)
    assert len(index.pairs.keys) > 100_000  # made once, not for each text
    texts = [" ".join(spelled(song)) for song in learned]
    whole = "|".join(texts)
    told = [run.text for song in others for run in index.runs(song)]
    false = sum(" ".join(spelled(text)) not in whole for text in told)
    assert len(told) > 100 and false <= len(told) / 100
    every = "".join(re.findall("[一-鿿]", "".join(learned)))
    alarms = sum(len(index.runs(random_song(rng, every, 100_000), at_least=6)) for _ in range(3))
    assert alarms <= 300  # of 300,000 stretches
    # What nearly is a copy is the hardest: seven characters of a song, and an eighth that is another.
    false = 0
    for _ in range(3000):
        at = rng.randrange(len(every) - 8)
        near = every[at : at + 8]
        spoilt = near[:-1] + "鲸" if rng.random() < 0.5 else "鲸" + near[1:]
        false += bool(index.runs(spoilt))
    assert false <= 10  # one in 2,048 is expected for each place


def test_the_index_takes_about_a_byte_a_character(book: list[str]) -> None:
    sung = sum(len(re.findall(r"[一-鿿]|[A-Za-z]+", song)) for song in book)
    size = len(index_of(*book).to_bytes())
    assert size < 1.15 * sung


def test_the_hash_is_the_same_on_every_machine() -> None:
    assert index_of("星月雨风山sea7").prints.tolist() == [0, 29752 >> 5, 25900 >> 5, 54941 >> 5, 8681 >> 5, 0]


# Files


@given(songs=st.lists(LINES, max_size=4), partial=st.booleans())
def test_an_index_is_read_back_as_it_was_written(songs: list[str], partial: bool) -> None:
    builder = NoveltyBuilder(partial=partial)
    for song in songs:
        builder.add(song)
    index = builder.build()
    assert index is not None
    again = NoveltyIndex.from_bytes(index.to_bytes())
    assert again.prints.tolist() == index.prints.tolist() and again.partial is partial
    assert again.songs == sum(len(units_of(song)) >= 4 for song in songs)


SOUND = index_of(VERSE).to_bytes()


@given(data=st.binary(max_size=200) | st.integers(0, len(SOUND) - 1).map(lambda size: SOUND[:size]))
@example(data=SOUND + b"\0")
@example(data=SOUND[:12] + b"\xff" * 8 + SOUND[20:])  # more fingerprints than there is memory for
def test_other_bytes_are_refused_in_one_line(data: bytes) -> None:
    with pytest.raises(CheckpointError) as refused:
        NoveltyIndex.from_bytes(data)
    assert "\n" not in str(refused.value)


@given(at=st.integers(0, len(SOUND) - 1), bit=st.integers(0, 7))
def test_a_single_bit_that_has_changed_is_seen(at: int, bit: int) -> None:
    data = bytearray(SOUND)
    data[at] ^= 1 << bit
    with pytest.raises(CheckpointError):
        NoveltyIndex.from_bytes(bytes(data))


@given(prints=st.lists(st.integers(0, 3), max_size=60), text=LINES)
def test_any_fingerprints_are_safe_to_search(prints: list[int], text: str) -> None:
    index = NoveltyIndex(np.array([0, *prints, 0], dtype=np.uint16))
    again = NoveltyIndex.from_bytes(index.to_bytes())
    again.runs(text, at_least=6)
    Watch(again, ["星", "月星", "sea"], at_least=6).forbidden(text)


def test_a_file_of_another_version_says_so() -> None:
    for version, said in ((b"\1\0", "older lyricgen; train again"), (b"\4\0", "newer lyricgen")):
        with pytest.raises(CheckpointError, match=said):
            NoveltyIndex.from_bytes(SOUND[:8] + version + SOUND[10:])


def test_a_file_with_longer_fingerprints_is_read(monkeypatch: pytest.MonkeyPatch, book: list[str]) -> None:
    songs = (VERSE, *book[:300])
    with monkeypatch.context() as patch:
        patch.setattr("lyricgen.text.units.BITS", 13)
        patch.setattr("lyricgen.text.novelty._VERSION", 2)
        longer = index_of(*songs)
        data = longer.to_bytes()
    assert longer.prints.max() > 1 << 12
    again = NoveltyIndex.from_bytes(data)
    assert again.prints.tolist() == index_of(*songs).prints.tolist()


# Size and union


def test_more_text_than_an_index_is_made_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(novelty, "MOST", 1 + 2 * 20)
    songs = [VERSE[:25], VERSE[25:], VERSE[30:] + "走"]
    builder = NoveltyBuilder()
    builder.add(songs[0])
    assert builder.build() is not None and not builder.full
    for song in songs[1:]:
        builder.add(song)
    assert builder.build() is None and builder.full


@given(points=st.lists(st.sampled_from([*map(ord, "星月雨 \ns'"), units.BREAK]), max_size=60), data=st.data())
def test_a_text_may_come_in_any_parts(points: list[int], data: st.DataObject) -> None:
    """As it does from a corpus too large to hold; only a word must be whole where there is no end to it."""
    alone, parted = NoveltyBuilder(), NoveltyBuilder()
    with pytest.MonkeyPatch.context() as patch:
        alone.feed(np.array(points, dtype=np.uint32))
        patch.setattr(novelty, "_TOGETHER", 1)
        while points:
            size = data.draw(st.integers(1, len(points)))
            parted.feed(np.array(points[:size], dtype=np.uint32))
            points = points[size:]
    found = [builder.build() for builder in (alone, parted)]
    assert found[0] is not None and found[1] is not None
    assert found[0].prints.tolist() == found[1].prints.tolist()


def test_a_union_knows_both_and_counts_a_song_once() -> None:
    first = index_of(VERSE, "人来去我你他也走了")
    both = index_of(VERSE, "甲乙丙丁戊己庚辛壬癸", base=first)
    again = index_of(VERSE, base=both)
    assert (first.songs, both.songs, again.songs) == (2, 3, 3)
    for index in (both, again):
        for copy in ("人来去我你他也走", "没有人回答只有风", "甲乙丙丁戊己庚辛"):
            assert texts(index.runs(f"我{copy}你")) == [copy]


def test_what_is_not_known_of_a_parent_stays_unknown() -> None:
    partial = NoveltyBuilder(partial=True).build()
    assert partial is not None and partial.partial and partial.songs == 0
    assert index_of(VERSE, base=partial).partial and not index_of(VERSE).partial


@pytest.mark.parametrize("at_least", [5, 0, -1])
def test_runs_too_short_to_tell(at_least: int) -> None:
    with pytest.raises(OptionError, match="at least 6"):
        index_of(VERSE).runs(VERSE, at_least=at_least)


def test_texts_without_anything_in_them() -> None:
    for index in (index_of(), index_of("", "，\n"), index_of(VERSE)):
        for text in ("", "，", "星", "\udc80\U0010ffff"):
            assert index.runs(text) == []


def test_a_song_of_one_syllable_is_searched_quickly() -> None:
    index = index_of("啦" * 100 + VERSE)
    runs = index.runs("啦" * 300)
    assert {run.units for run in runs} == {100} and all(a.end < b.end for a, b in pairwise(runs))


# Which tokens may not come next


def ends_a_run(text: str, token: str, songs: Sequence[str], at_least: int) -> bool:
    """Whether there is a run of the whole with a unit that is the token's, or that it has changed."""
    before = units_of(text)
    whole = units_of(text + token)
    same = sum(a == b for a, b in zip(before, whole, strict=False)) if len(whole) >= len(before) else 0
    same = len(before) if whole[: len(before)] == before else same
    if len(whole) == len(before) and whole == before:
        return False
    return any(stop > same for _, stop in looked_through(text + token, songs, at_least))


TOKENS = [
    "星",
    "月",
    "，",
    "\n",
    "星月",
    "月星星",
    "星星星星",
    "，月",
    "s",
    "sea",
    "'",
    "é",
    "7",
    "sea星",
    "星sea",
    "月" * 7,
]


@given(
    songs=st.lists(LINES | MIXED.map("".join), max_size=4),
    text=LINES | MIXED.map("".join),
    at_least=st.integers(6, 9),
)
@example(songs=["星月" * 9, "星月" * 9 + "星", "月" * 9], text="星月" * 4, at_least=6)
@example(songs=["sea " * 9], text="sea " * 4 + "sea", at_least=6)
@example(songs=["sea sea sea sea seasea 星"], text="sea sea sea sea sea", at_least=6)
def test_exactly_the_tokens_that_complete_a_run_are_forbidden(songs: list[str], text: str, at_least: int) -> None:
    songs = list(dict.fromkeys(songs))
    watch = Watch(index_of(*songs), TOKENS, at_least=at_least)
    expected = [n for n, token in enumerate(TOKENS) if ends_a_run(text, token, songs, at_least)]
    assert sorted(watch.forbidden(text).tolist()) == expected


def test_the_mask_of_a_small_case() -> None:
    watch = Watch(index_of("星月雨风山海人来去"), list("星月雨风山海人来去"), at_least=6)
    assert watch.forbidden("我星月雨风").tolist() == []
    assert watch.forbidden("我星月雨风\n山").tolist() == [5]
    assert watch.forbidden("月雨，风山海").tolist() == [6]
    assert watch.forbidden("风山海人来").tolist() == [8]
    assert watch.forbidden("山海人来去").tolist() == []


def test_a_word_is_stopped_where_it_would_be_a_copy() -> None:
    watch = Watch(index_of("the moon is over the sea"), ["a", "b", " ", "sea"], at_least=6)
    assert watch.forbidden("The moon is over the se").tolist() == [0]
    assert watch.forbidden("The moon is over the ").tolist() == [3]
    assert watch.forbidden("The moon is over the s").tolist() == []


def test_writing_under_a_watch_copies_nothing(book: list[str]) -> None:
    """A writer that recites, and goes over to another song only where it is stopped."""
    everything = "".join(book[:40])
    index = index_of(*book[:40])
    rng = random.Random(3)
    characters = sorted(set(everything))
    watch = Watch(index, characters, at_least=7)
    text, at, stopped = "", 0, 0
    for _ in range(400):
        denied = {characters[n] for n in watch.forbidden(text).tolist()}
        while everything[at] in denied:
            stopped += 1
            at = rng.randrange(len(everything) - 400)
        text += everything[at]
        at += 1
    assert stopped > 30
    assert index.runs(text, at_least=7) == []
