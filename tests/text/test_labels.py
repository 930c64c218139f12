"""Labels by hand, and the promise that a text never breaks its own."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lyricgen.text.labels import CLASSES, ENDS, LONGEST, MORE, RHYMES, Labeler, label_names
from lyricgen.text.tokenizer import Tokenizer
from lyricgen.text.vocab import END, FIRST, SPECIALS, START, UNKNOWN, Vocab

HUA, SUO, NIE, YI, JIANG, ZHONG = (CLASSES.index(name) for name in ("发花", "梭坡", "乜斜", "一七", "江阳", "中东"))


def labeler(*tokens: str) -> Labeler:
    return Labeler(Vocab((*SPECIALS, *tokens), Tokenizer(), 0.01))


CHARACTERS = labeler(*"\n星光月花儿快音乐ab5， ")


def labels(text: str, *, ends: bool = True) -> list[tuple[int, int]]:
    """The labels of a song: of its start, of each character, and of its end."""
    ids = np.array([START, *CHARACTERS.vocab.encode(text).tolist(), *([END] if ends else [])])
    return [(left, rhyme) for left, rhyme in CHARACTERS.of(ids).tolist()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [(ENDS, 0), (0, 0)]),
        ("星光\n", [(2, JIANG), (1, JIANG), (0, JIANG), (ENDS, 0), (0, 0)]),
        ("月\n\n光\n", [(1, NIE), (0, NIE), (0, 0), (1, JIANG), (0, JIANG), (ENDS, 0), (0, 0)]),  # a blank line
        ("\n月", [(0, 0), (1, NIE), (0, NIE), (0, 0)]),
        # Punctuation is no unit, and the class stays known up to the line break.
        ("月，星，\n", [(2, ZHONG), (1, ZHONG), (1, ZHONG), (0, ZHONG), (0, ZHONG), (ENDS, 0), (0, 0)]),
        ("，\n", [(0, 0), (0, 0), (ENDS, 0), (0, 0)]),
        # A Latin word is one unit, a digit is one; a line that ends in them has no class.
        ("ab a星", [(3, ZHONG), (2, ZHONG), (2, ZHONG), (2, ZHONG), (1, ZHONG), (0, ZHONG), (0, 0)]),
        ("星ab\n", [(2, 0), (1, 0), (0, 0), (0, 0), (ENDS, 0), (0, 0)]),
        ("星55", [(3, 0), (2, 0), (1, 0), (0, 0), (0, 0)]),
        # An unknown character is a unit without a class.
        ("怪星", [(2, ZHONG), (1, ZHONG), (0, ZHONG), (0, 0)]),
        ("星怪", [(2, 0), (1, 0), (0, 0), (0, 0)]),
        # A final 儿 is sung with what stands before it.
        ("花儿", [(2, HUA), (1, HUA), (0, HUA), (0, 0)]),
        ("儿", [(1, YI), (0, YI), (0, 0)]),
        # A character of many readings has the one of its phrase.
        ("快乐\n音乐", [(2, SUO), (1, SUO), (0, SUO), (2, NIE), (1, NIE), (0, NIE), (0, 0)]),
    ],
)
def test_labels_by_hand(text: str, expected: list[tuple[int, int]]) -> None:
    assert labels(text) == expected


def test_a_text_that_stops_inside_a_line_is_labelled_to_where_it_stops() -> None:
    assert labels("星光\n花", ends=False) == [(2, JIANG), (1, JIANG), (0, JIANG), (1, HUA), (0, HUA)]
    assert CHARACTERS.of(np.zeros(0, dtype=int)).shape == (0, 2)


def test_songs_one_after_another_are_labelled_each_by_itself() -> None:
    one, other = ([START, *CHARACTERS.vocab.encode(text).tolist(), END] for text in ("星光\n花a", "a\n月\n"))
    together = CHARACTERS.of(np.array(one + other))
    apart = np.concatenate([CHARACTERS.of(np.array(ids)) for ids in (one, other)])
    assert together.tolist() == apart.tolist()


def test_units_are_counted_exactly_up_to_thirty() -> None:
    found = labels("星" * (LONGEST + 2) + "\n")
    assert [left for left, _ in found[:5]] == [MORE, MORE, LONGEST, LONGEST - 1, LONGEST - 2]
    assert {rhyme for _, rhyme in found[: LONGEST + 3]} == {ZHONG}


def test_tokens_of_several_characters_count_whole() -> None:
    words = labeler("\n", "星光", "我们都", "loving", "花儿", "月")
    ids = np.array(
        [START, *(words.vocab.ids[token] for token in ("我们都", "loving", "星光", "\n", "花儿", "\n")), END]
    )
    assert words.of(ids).tolist() == [
        [6, JIANG], [3, JIANG], [2, JIANG], [0, JIANG], [2, HUA], [0, HUA], [ENDS, 0], [0, 0]
    ]  # fmt: skip


# What may follow


def allowed(words: Labeler, left: int, rhyme: int) -> str:
    """What may be written, parted by spaces."""
    tokens = words.vocab.tokens
    return " ".join(tokens[k].replace("\n", "/") for k in np.flatnonzero(words.allowed(left, rhyme)) if k >= END)


def test_what_may_follow_by_hand() -> None:
    words = labeler("\n", "星", "星光", "花儿", "a", "5", "，")
    assert allowed(words, ENDS, 0) == "<end>"
    assert allowed(words, 0, 0) == "<end> / a ，"  # a letter may belong to the word before it
    assert allowed(words, 0, JIANG) == "<end> / a ，"
    assert allowed(words, 1, ZHONG) == "星 a ，"
    assert allowed(words, 1, JIANG) == "a ，"
    assert allowed(words, 1, 0) == "a 5 ，"
    assert allowed(words, 2, JIANG) == "星 星光 花儿 a 5 ，"  # what a final 儿 rhymes in is told by what precedes it
    assert allowed(words, 2, HUA) == "星 花儿 a 5 ，"
    assert allowed(words, 3, HUA) == allowed(words, MORE, 0) == "星 星光 花儿 a 5 ，"


MIXED = labeler("\n", "星", "花", "儿", "乐", "快", "音", "a", "b", "5", "，", " ", "星光", "花儿", "loving", "音乐")
mixed_ids = st.lists(st.sampled_from([UNKNOWN, *range(FIRST, len(MIXED.vocab))]), max_size=90)
long_lines = st.lists(st.integers(FIRST + 1, FIRST + 6), max_size=3 * LONGEST)


@given(st.lists(st.tuples(st.one_of(mixed_ids, long_lines), st.booleans()), min_size=1, max_size=3))
@example([([], True)])
@example([([FIRST + 7, FIRST + 3], False), ([FIRST], True)])
def test_a_text_never_breaks_its_own_labels(songs: list[tuple[list[int], bool]]) -> None:
    ids = np.array([number for text, ends in songs for number in (START, *text, *([END] if ends else []))][:400])
    found = MIXED.of(ids)
    assert found.shape == (len(ids), 2) and found[:, 0].max() <= ENDS and found[:, 1].max() < RHYMES
    for (left, rhyme), before, following in zip(found.tolist(), ids, ids[1:], strict=False):
        if following not in (UNKNOWN, START) and before != END:
            assert MIXED.allowed(left, rhyme)[following]


@given(mixed_ids)
def test_a_song_may_only_end_where_its_line_is_full(text: list[int]) -> None:
    ids = np.array([START, *text, END])
    for left, rhyme in MIXED.of(ids).tolist():
        mask = MIXED.allowed(left, rhyme)
        assert mask[END] == (left in (0, ENDS)) and mask[MIXED.line_break] == (left == 0)


# Whether labels are worth their place


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("星光\n花儿\n音乐\n", True),
        ("星光\n花儿\n\nab ab\n音乐\n", True),  # three of four
        ("星光\nab ab\n", False),
        ("星光" * LONGEST + "\n", False),
        ("\n\n", False),
    ],
)
def test_lines_that_are_short_and_chinese_are_labelled(text: str, fits: bool) -> None:
    ids = np.array([START, *CHARACTERS.vocab.encode(text).tolist(), END])
    assert CHARACTERS.fits(ids) is fits


def test_without_line_breaks_there_are_no_lines() -> None:
    words = labeler("星", "光")
    assert words.line_break == -1
    assert not words.fits(np.array([START, 3, 4, END]))
    assert words.allowed(0, 0).nonzero()[0].tolist() == [END]


def test_names_of_labels_are_sorted_and_not_too_many() -> None:
    assert label_names(["忧伤", "", "欢快", "忧伤"]) == tuple(sorted(("忧伤", "欢快")))
    assert len(label_names(map(str, range(64)))) == 64
    assert label_names(map(str, range(65))) == ()
