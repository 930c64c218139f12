"""A corpus on disk as ids: whole songs, split by song, in the smallest type, in memory that hardly grows."""

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricgen.errors import CheckpointError, TrainingError
from lyricgen.text import novelty
from lyricgen.text.documents import Document
from lyricgen.text.labels import CLASSES, Labeler
from lyricgen.text.song import Section, Song
from lyricgen.text.tokenizer import Tokenizer
from lyricgen.text.vocab import Vocab, count_vocab
from lyricgen.training import prepare as prepare_module
from lyricgen.training import song_labels as labels_on_disk
from lyricgen.training import spool
from lyricgen.training.prepare import Part, Prepared, load_ids, prepare
from lyricgen.training.song_labels import Names, load_labels

CHARACTERS = Tokenizer()
WORDS = Tokenizer("word", "jieba", "0")
START, END = 1, 2


def song(text: str, **labels: Any) -> Song:
    """A song of one section; `|` parts its lines."""
    return Song((Section(tuple(text.split("|"))),), **labels)


def prepared(songs: list[Song], folder: Path, **options: Any) -> Prepared:
    return prepare(iter(songs), folder, **{"tokenizer": CHARACTERS, "min_count": 1, **options})


def written(part: Part | None, vocab: Vocab) -> str:
    """What lies on disk, with < and > for the ends of a song."""
    if part is None:
        return ""
    marks = {START: "<", END: ">"}
    return "".join(
        marks.get(i) or vocab.decode([i])
        for i in load_ids(part.path, tokens=part.tokens, vocab_size=len(vocab)).tolist()
    )


def sides(found: Prepared) -> tuple[str, str]:
    return written(found.train, found.vocab), written(found.valid, found.vocab)


MANY = [song(f"{first}{second}|星月") for first in "abcdef" for second in "uvwxyz"]


# What lies on disk


@pytest.mark.parametrize("tokenizer", [CHARACTERS, WORDS])
def test_every_song_stands_between_its_ends(tokenizer: Tokenizer, tmp_path: Path) -> None:
    songs = [song("星光|在天上"), Song((Section(("我们",), "主歌"), Section(("星光",)))), song("没有人")]
    found = prepared(songs, tmp_path, tokenizer=tokenizer, valid=[])
    assert sides(found) == ("<星光\n在天上\n><我们\n\n星光\n><没有人\n>", "")
    assert found.valid is None and found.split == "held out: the text given"
    ids = load_ids(found.train.path, tokens=found.train.tokens, vocab_size=len(found.vocab))
    assert isinstance(ids, np.memmap) and ids.dtype == np.uint8
    assert found.train == Part(tmp_path / "train.npy", len(ids), 7 + 7 + 4, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labels.npy", "train.npy", "valid.npy"]


@pytest.mark.parametrize(("min_count", "tokens"), [(1, ["星光", "月亮"]), (2, ["星光", "月", "亮"])])
def test_words_that_are_rare_in_training_break_into_characters(
    min_count: int, tokens: list[str], tmp_path: Path
) -> None:
    songs = [song("星光 月亮"), song("星光"), song("月亮", split="valid")]
    found = prepared(songs, tmp_path, tokenizer=WORDS, min_count=min_count)
    ids = [
        i
        for i in load_ids(found.train.path, tokens=found.train.tokens, vocab_size=len(found.vocab)).tolist()
        if i > END
    ]
    assert [found.vocab.tokens[i] for i in ids] == [tokens[0], " ", *tokens[1:], "\n", "星光", "\n"]


def test_the_vocabulary_and_its_ids_are_those_of_the_training_songs(tmp_path: Path) -> None:
    songs = [song("aab"), song("cab"), song("xab", split="valid"), song("yab", split="test")]
    found = prepared(songs, tmp_path)
    expected, _ = count_vocab(["aab\n", "cab\n"], tokenizer=CHARACTERS)
    assert (found.vocab.tokens, found.vocab.unseen) == (expected.tokens, expected.unseen)
    assert sides(found) == ("<aab\n><cab\n>", "<\ufffdab\n>")


@pytest.mark.parametrize(
    ("tokens", "kind"), [(256, np.uint8), (257, np.uint16), (65_536, np.uint16), (65_537, np.uint32)]
)
def test_ids_take_as_few_bytes_as_they_can(tokens: int, kind: type, tmp_path: Path) -> None:
    text = "".join(map(chr, range(0x20000, 0x20000 + tokens - 4)))  # with the three ends and the line break
    found = prepared([song(text)], tmp_path, valid=[])
    assert len(found.vocab) == tokens
    ids = load_ids(found.train.path, tokens=found.train.tokens, vocab_size=len(found.vocab))
    assert ids.dtype == kind and ids.max() == tokens - 1
    assert found.vocab.decode(ids) == text + "\n"


def test_characters_of_control_are_characters(tmp_path: Path) -> None:
    found = prepared([song("\1\2a\0\2")], tmp_path, valid=[])
    assert (
        found.vocab.decode(load_ids(found.train.path, tokens=found.train.tokens, vocab_size=len(found.vocab)))
        == "\1\2a\0\2\n"
    )
    assert (found.train.characters, found.train.tokens) == (6, 8)


@pytest.mark.parametrize("blank", [False, True])
def test_characters_are_those_of_the_files(blank: bool, tmp_path: Path) -> None:
    songs = [song("ab|c"), song("星光"), song("bc", split="valid")]
    found = prepared(songs, tmp_path, tokenizer=WORDS, blank=blank)
    assert found.valid is not None
    # Where an empty line ends a song, its end stands for that character.
    assert found.train.characters == len("ab\nc\n星光\n") + 2 * blank
    assert found.valid.characters == len("bc\n") + blank


def test_parts_of_a_long_text_are_one_song(tmp_path: Path) -> None:
    songs = [song("ab"), song("cd", continues=True), song("ef", continues=True), song("gh"), song("a", split="valid")]
    found = prepared(songs, tmp_path)
    assert sides(found)[0] == "<ab\ncd\nef\n><gh\n>"
    assert found.train.songs == 2


@given(chunk=st.integers(1, 20), seed=st.integers(0, 3))
def test_nothing_depends_on_where_the_work_is_cut(
    chunk: int, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folders = [tmp_path_factory.mktemp("run"), tmp_path_factory.mktemp("run")]
    with pytest.MonkeyPatch.context() as patch:
        whole = prepared(MANY, folders[0], seed=seed, tokenizer=WORDS)
        patch.setattr(spool, "CHUNK", chunk)
        cut = prepared(MANY, folders[1], seed=seed, tokenizer=WORDS)
    assert cut.vocab.tokens == whole.vocab.tokens and cut.train.characters == whole.train.characters
    for name in ("train.npy", "valid.npy"):
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes()


# The split


def test_songs_are_split_whole_by_the_seed(tmp_path: Path) -> None:
    splits = []
    for seed in (0, 0, 1):
        train, valid = sides(prepared(MANY, tmp_path, seed=seed))
        assert (train.count("<"), valid.count("<")) == (32, 4)
        assert sorted((train + valid).split("<")) == sorted(["", "", *(each.text() + ">" for each in MANY)][1:])
        splits.append(valid)
    assert splits[0] == splits[1] != splits[2]


def test_a_share_of_the_songs_is_held_out(tmp_path: Path) -> None:
    found = prepared(MANY, tmp_path, valid_share=0.25)
    assert found.valid is not None
    assert (found.train.songs, found.valid.songs) == (27, 9) and found.split == "held out: 9 songs"


@pytest.mark.parametrize("names", [("train", "Valid", "test"), ("training", " dev", "TESTING")])
def test_labels_win(names: tuple[str, str, str], tmp_path: Path) -> None:
    train, valid, test = names
    songs = [song("ab", split=train), song("bc"), song("abc", split=valid), song("ca", split=test)] * 2
    found = prepared(songs, tmp_path)
    assert sides(found) == ("<ab\n><bc\n>" * 2, "<abc\n>" * 2)
    assert found.split == "held out: the 2 songs marked valid"


def test_test_songs_are_left_out_where_nothing_is_marked_valid(tmp_path: Path) -> None:
    train, valid = sides(prepared([*MANY, *[song("test", split="test")] * 30], tmp_path))
    assert "test" not in train + valid and train.count("<") + valid.count("<") == 36


def test_of_few_songs_the_shortest_is_held_out(tmp_path: Path) -> None:
    songs = [song("abc|abc"), song("ab"), song("abca"), song("abcab")]
    for seed in range(3):
        assert sides(prepared(songs, tmp_path, seed=seed))[1] == "<ab\n>"


def test_of_one_song_the_last_lines_are_held_out(tmp_path: Path) -> None:
    lines = [f"{first}{second}" for first in "abcd" for second in "abcd"]
    songs = [song("|".join(lines[:9])), song("|".join(lines[9:]), continues=True), song("ab", split="test")]
    found = prepared(songs, tmp_path, valid_share=0.25)
    # The first part goes on, and where the text ends nobody could have learned: neither has the song's end.
    assert sides(found) == ("<" + "\n".join(lines[:12]) + "\n", "<" + "\n".join(lines[12:]) + "\n")
    assert found.valid is not None
    assert (found.train.characters, found.valid.characters) == (12 * 3, 4 * 3)
    assert found.split == "held out: the last part of the text"


def test_the_cut_is_at_the_line_break_that_is_nearest(tmp_path: Path) -> None:
    text = "abcd|dcba|aaaaaaaaaa|abc|abcd"  # 32 tokens with the song's ends
    for share, cut in ((0.5, 10), (0.45, 21)):  # 6 tokens into the long line and 5 before its end, and the reverse
        train, valid = sides(prepared([song(text)], tmp_path, valid_share=share))
        lines = text.replace("|", "\n") + "\n"
        assert (train, valid) == ("<" + lines[:cut], "<" + lines[cut:])


def test_a_text_too_short_to_part(tmp_path: Path) -> None:
    found = prepared([song("abcabc")], tmp_path)
    assert sides(found) == ("<abcabc\n>", "") and found.valid is None
    assert found.split == "held out: nothing, the text is too short to spare any"


@given(lines=st.lists(st.text("ab", min_size=1, max_size=9), min_size=1, max_size=9), share=st.floats(0.05, 0.5))
def test_a_cut_text_is_whole(lines: list[str], share: float, tmp_path_factory: pytest.TempPathFactory) -> None:
    text = "|".join(["ab", *lines])
    train, valid = sides(prepared([song(text)], tmp_path_factory.mktemp("run"), valid_share=share))
    assert train[1:] + valid[1:] == text.replace("|", "\n") + ("\n" if valid else "\n>")
    assert train.startswith("<") and len(train) > 1 and (not valid or len(valid) > 2)


def test_a_text_that_is_given_is_held_out(tmp_path: Path) -> None:
    given_text = [Document("bx\n", 4, ended=True), Document("", 0, ended=True), Document("\nab", 3, ended=False)]
    found = prepared([song("ab"), song("cb")], tmp_path, valid=given_text)
    assert sides(found) == ("<ab\n><cb\n>", "<b\ufffd\n><><\nab")
    assert found.valid is not None and found.valid.songs == 3 and found.valid.characters == 6
    assert "x" not in found.vocab.ids


def test_songs_marked_as_held_out_do_not_train_beside_a_text_that_is_given(tmp_path: Path) -> None:
    songs = [song("ab"), song("bc", split="test"), song("cd", split="valid"), song("ba", split="train")]
    found = prepared(songs, tmp_path, valid=[Document("b\n", 2, ended=True)])
    assert sides(found) == ("<ab\n><ba\n>", "<b\n>")


def test_a_vocabulary_that_grows_keeps_its_ids(tmp_path: Path) -> None:
    base, _ = count_vocab(["xy\n"], tokenizer=CHARACTERS)
    found = prepared([song("aay"), song("ay")], tmp_path, base=base, valid=[])
    assert found.vocab.tokens == (*base.tokens, "a")
    assert sides(found)[0] == "<aay\n><ay\n>"


# The index of what was trained on


@pytest.mark.parametrize("tokenizer", [CHARACTERS, WORDS])
def test_the_index_is_of_the_training_songs(
    tokenizer: Tokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    songs = [song("星光在天上|我们 走，回家", split="train"), song("月亮在天上我们不回家", split="valid")]
    songs += [song("大海和火车"), song("一直往前开去", continues=True)]
    index = prepared(songs, tmp_path, tokenizer=tokenizer).novelty
    assert index is not None and index.songs == 2
    assert [run.text for run in index.runs("在天上我们走回家")] == ["在天上我们走回家"]
    assert len(index.runs("大海和火车一直往前开去")) == 1
    assert index.runs("月亮在天上我们不回家") == []
    monkeypatch.setattr(prepare_module, "INDEXED", 3)
    parts = prepared(songs, tmp_path, tokenizer=tokenizer).novelty
    assert parts is not None and parts.prints.tolist() == index.prints.tolist()


def test_too_much_text_for_an_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(novelty, "MOST", 30)
    assert prepared([song("星光在天上我们走回家") for _ in range(3)], tmp_path, valid=[]).novelty is not None
    assert prepared([song("星光在天上我们走回家") for _ in range(5)], tmp_path, valid=[]).novelty is None


# What cannot be


@pytest.mark.parametrize("songs", [[], [song("aaa")], [song("a|a")] * 20])
def test_too_little_to_learn_from(songs: list[Song], tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="fewer than two different characters; give it more text"):
        prepared(songs, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("options", [{}, {"base": None}, {"valid": [Document("ab\n", 3, ended=True)]}])
@pytest.mark.parametrize("marks", [["test"], ["valid", "test"], ["Valid"]])
def test_songs_of_which_none_is_left_for_training(marks: list[str], options: dict[str, Any], tmp_path: Path) -> None:
    if "base" in options:  # a model that goes on learning knows characters already
        options = {"base": count_vocab(["abc\n"], tokenizer=CHARACTERS)[0]}
    with pytest.raises(TrainingError, match="every song is marked valid or test; mark some train"):
        prepared([song("abc", split=mark) for mark in marks * 2], tmp_path, **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "size", [30, 100]
)  # room for less than the songs as they come, or than the arrays made of them
def test_a_full_disk_is_told_in_one_line(
    size: int, tmp_path: Path, full_disk: Callable[[int], AbstractContextManager[None]]
) -> None:
    with full_disk(size), pytest.raises(CheckpointError) as told:
        prepared([song("ab"), song("bc")], tmp_path, valid=[])
    assert str(told.value).startswith(f"cannot write {tmp_path}: ") and "\n" not in str(told.value)


# Memory


def stream(songs: int) -> Iterator[Song]:
    """Songs of about two kilobytes of Chinese."""
    text = "".join(map(chr, np.random.default_rng(0).integers(0x4E00, 0x5E00, size=9999).tolist()))
    for number in range(songs):
        yield Song((Section(tuple(text[k : k + 22] for k in range(number % 9000, number % 9000 + 600, 20))),))


def peak(songs: int, folder: Path) -> int:
    tracemalloc.start()
    try:
        found = prepare(stream(songs), folder, tokenizer=CHARACTERS, min_count=1, valid=[])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.train.tokens == songs * (30 * 23 + 2)
    return peak


def test_memory_hardly_grows_with_the_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "CHUNK", 1 << 19)
    monkeypatch.setattr(labels_on_disk, "CHUNK", 1 << 19)
    peak(100, tmp_path)  # tables that are made once
    small, large = peak(1_500, tmp_path), peak(3_500, tmp_path)  # 1 and 2.4 million ids, two and five pieces
    assert large < 100e6
    assert large - small < 3.5e6  # the index has two bytes for each of 1.3 million more; the ids would be 5.5 MB more


def test_songs_far_apart_are_counted_without_a_table_for_each() -> None:
    size = 1_000_000
    songs = spool.Spool(BytesIO())
    for number in range(6):
        songs.add(np.array([number + 5, 9, 9], dtype=np.uint32), side=0)
    songs.close()
    tracemalloc.start()
    try:
        counts = prepare_module._count(songs, songs.songs()[::2], size=size)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert {k: n for k, n in enumerate(counts.tolist()) if n} == {START: 3, END: 3, 5: 1, 7: 1, 9: 7}
    assert peak < 1.1 * 8 * size


# Labels

SUNG = [
    song("星光|在天上", mood="忧伤", style="民谣"),
    Song((Section(("我们", "花儿")), Section(("快乐", "音乐"))), mood="欢快"),
    song("没有人|a b", style="摇滚"),
]


def read_labels(found: Prepared, folder: Path) -> list[list[int]]:
    return load_labels(folder / "labels.npy", tokens=found.train.tokens).tolist()


def expected_labels(found: Prepared, songs: list[Song]) -> list[list[int]]:
    """Each song's labels from the whole song alone; mood and style not at its end."""
    assert found.names is not None
    rows: list[list[int]] = []
    for each in songs:
        ids = np.array([START, *found.vocab.encode(each.text()).tolist(), END])
        named = [
            (0, *known).index(name) if name in known else 0
            for name, known in ((each.mood, found.names.moods), (each.style, found.names.styles))
        ]
        of_song = Labeler(found.vocab).of(ids).tolist()
        rows += [[*label, *(named if number != END else (0, 0))] for label, number in zip(of_song, ids, strict=True)]
    return rows


@pytest.mark.parametrize("chunk", [4, 7, 16, 1 << 21])
@pytest.mark.parametrize("tokenizer", [CHARACTERS, WORDS])
def test_labels_on_disk_are_those_of_each_whole_song(
    tokenizer: Tokenizer, chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labels_on_disk, "CHUNK", chunk)
    songs = SUNG * 3
    found = prepared(songs, tmp_path, tokenizer=tokenizer, valid=[])
    assert found.names == Names(tuple(sorted(("忧伤", "欢快"))), tuple(sorted(("民谣", "摇滚"))))
    told = read_labels(found, tmp_path)
    assert [row[:4] for row in told] == expected_labels(found, songs)
    hidden = [row[4] for row in told]
    ids = load_ids(found.train.path, tokens=found.train.tokens, vocab_size=len(found.vocab))
    number = np.cumsum(ids == START) - 1
    assert len({(n, h) for n, h in zip(number.tolist(), hidden, strict=True)}) == 9  # one number for each song
    assert len(set(hidden)) > 5


def test_a_text_whose_tail_is_held_out_is_labelled_to_the_cut(tmp_path: Path) -> None:
    found = prepared([song("|".join(["星光", "在天上", "月"] * 9))], tmp_path)
    told = read_labels(found, tmp_path)
    assert len(told) == found.train.tokens and told[0][:2] == [2, CLASSES.index("江阳")]
    assert told[-1][0] == 0


def test_names_are_those_of_training_songs_after_those_that_are_known(tmp_path: Path) -> None:
    songs = [*SUNG, song("月亮", mood="平静", split="valid")]
    found = prepared(songs, tmp_path, names=Names(("欢快", "苦涩"), ()))
    assert found.names == Names(("欢快", "苦涩", "忧伤"), tuple(sorted(("民谣", "摇滚"))))
    assert found.names.of("忧伤", "") == (3, 0) and found.names.of("平静", "民谣")[0] == 0
    assert {row[2] for row in read_labels(found, tmp_path)} == {0, 1, 3}


def test_too_many_moods_are_no_labels(tmp_path: Path) -> None:
    found = prepared([song("星光|在天上", mood=f"第{k}种", style="民谣") for k in range(65)], tmp_path, valid=[])
    assert found.names == Names((), ("民谣",))


def test_more_names_than_are_kept_apart_give_no_song_the_mood_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "MOST_KNOWN", 3)
    songs = [song("星光|在天上", mood=mood) for mood in ("忧伤", "欢快", "平静", "苦涩", "忧伤")]
    found = prepared(songs, tmp_path, valid=[])
    moods = [
        row[2] for row, number in zip(read_labels(found, tmp_path), ids_of(found), strict=True) if number == START
    ]
    assert found.names is not None
    assert [(0, *found.names.moods)[mood] for mood in moods] == ["忧伤", "欢快", 0, 0, "忧伤"]


def ids_of(found: Prepared) -> list[int]:
    return load_ids(found.train.path, tokens=found.train.tokens, vocab_size=len(found.vocab)).tolist()


@pytest.mark.parametrize(("plan", "text", "labelled"), [
    (None, "星光|在天上", True), (False, "星光|在天上", False),
    (None, "la la|love", False), (True, "la la|love", True),
])  # fmt: skip
def test_lines_are_labelled_where_they_are_sung_chinese_or_it_is_asked(
    plan: bool | None, text: str, labelled: bool, tmp_path: Path
) -> None:
    found = prepared([song(text)] * 3, tmp_path, plan=plan)
    assert (found.names is not None) is (tmp_path / "labels.npy").exists() is labelled


@pytest.mark.parametrize("data", [b"", b"\x93NUMPY", b"nothing", None])
def test_damaged_labels_are_told_in_one_line(data: bytes | None, tmp_path: Path) -> None:
    found = prepared(SUNG, tmp_path)
    path = tmp_path / "labels.npy"
    tokens = found.train.tokens + (1 if data is None else 0)
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(TrainingError, match="is damaged; start the run again"):
        load_labels(path, tokens=tokens)
