"""The exact masks of a vocabulary of a few tokens."""

import pytest

from lyricgen.generation.tokens import Mask, Tokens
from lyricgen.text.labels import Labeler
from lyricgen.text.tokenizer import Tokenizer
from lyricgen.text.vocab import END, SPECIALS, Vocab


def tokens_of(*texts: str) -> Tokens:
    return Tokens(Labeler(Vocab((*SPECIALS, *texts), Tokenizer(), 0.01)))


TOKENS = tokens_of("\n", "星", "星光", "不想忘", "花儿", "ab", "5", "，")
PARTED = tokens_of("\n", "星光", "不想忘", "，", "a")  # no single character: 1 cannot be made


def shown(mask: Mask, tokens: Tokens = TOKENS) -> str:
    """What a mask lets through, parted by spaces."""
    assert mask.shape == (len(tokens.vocab) - END,)
    return " ".join(text.replace("\n", "/") for text, free in zip(tokens.texts, mask.tolist(), strict=True) if free)


@pytest.mark.parametrize(
    ("left", "fits"),
    [
        (0, "/ ，"),
        (1, "星 ，"),
        (2, "星 星光 花儿 ，"),
        (3, "星 星光 不想忘 花儿 ，"),
        (40, "星 星光 不想忘 花儿 ，"),
    ],
)
def test_what_fits_into_a_line(left: int, fits: str) -> None:
    assert shown(TOKENS.length(left)) == fits


@pytest.mark.parametrize(
    ("left", "fits"),
    [
        (0, "/ ，"),
        (1, "，"),
        (2, "星光 ，"),
        (3, "不想忘 ，"),  # 星光 would leave 1
        (4, "星光 ，"),
        (5, "星光 不想忘 ，"),
        (6, "星光 不想忘 ，"),
        (7, "星光 不想忘 ，"),
    ],
)
def test_a_length_that_could_not_be_completed_is_not_begun(left: int, fits: str) -> None:
    assert shown(PARTED.length(left), PARTED) == fits


def test_lines_of_a_models_own_length_may_have_letters_and_digits() -> None:
    assert shown(TOKENS.length(1, True)) == "星 ab 5 ，"
    assert shown(TOKENS.length(0, True)) == "/ ，"
    assert shown(PARTED.length(1, True), PARTED) == "， a"


@pytest.mark.parametrize(
    ("left", "classes", "table", "rest"),
    [
        # What ends the line must sound right, and what leaves it open must leave room for such an end.
        # Latin and digits never rhyme.
        (1, {"中东"}, 13, "<end> / 星 ，"),
        (1, {"江阳"}, 13, "<end> / ，"),
        (2, {"江阳"}, 13, "<end> / 星光 ，"),
        (2, {"发花", "中东"}, 13, "<end> / 星 花儿 ab 5 ，"),
        (2, {"一七"}, 13, "<end> / 花儿 ，"),  # 花儿 as 儿, too
        (3, {"唐"}, 14, "<end> / 星 不想忘 ab 5 ，"),
        (3, {"庚"}, 14, "<end> / 星 星光 花儿 ab 5 ，"),
        (4, {"庚"}, 14, "<end> / 星 星光 不想忘 花儿 ab 5 ，"),
    ],
)
def test_what_may_close_a_line_that_rhymes(left: int, classes: set[str], table: int, rest: str) -> None:
    assert shown(TOKENS.closing(left, frozenset(classes), table)) == rest


def test_a_line_may_not_close_in_a_character_that_was_used() -> None:
    def closing(left: int, *classes: str, taken: str) -> str:
        return shown(TOKENS.closing(left, frozenset(classes), 13, frozenset(taken)))

    assert closing(2, "江阳", "发花", taken="光") == "<end> / 花儿 ，"
    assert closing(2, "江阳", "发花", "中东", taken="星") == "<end> / 星光 花儿 ，"  # nothing of one unit is left
    assert closing(2, "发花", "中东", taken="儿") == "<end> / 星 ab 5 ，"
    assert closing(1, "中东", taken="海") == "<end> / 星 ，"  # it ends in nothing here anyway


def test_how_many_characters_there_are_to_end_in() -> None:
    assert [TOKENS.ends(frozenset(names), 13) for names in (["中东"], ["江阳"], ["江阳", "中东"], ["油求"])] == [
        1,
        2,
        3,
        0,
    ]


@pytest.mark.parametrize(
    ("head", "fits"), [("星", "星 星光"), ("星光", "星 星光"), ("不", "不想忘"), ("想", ""), ("不想忘记", "不想忘")]
)
def test_what_begins_a_line_of_an_acrostic(head: str, fits: str) -> None:
    assert shown(TOKENS.head(head)) == fits


@pytest.mark.parametrize(
    ("rest", "fits"), [("星光灿烂", "星 星光"), ("星", "星"), ("5，", "5"), ("，", "，"), ("海", "")]
)
def test_what_begins_a_text_that_must_come(rest: str, fits: str) -> None:
    assert shown(TOKENS.part_of(rest)) == fits


@pytest.mark.parametrize(
    ("marks", "fits"),
    [
        # 星 xīng, 星光 xīngguāng, 不想忘 bùxiǎngwàng, 花儿 huā'ér; what has no tone is free.
        ("平", "<end> / 星 星光 花儿 ab 5 ，"),
        ("平平", "<end> / 星 星光 花儿 ab 5 ，"),
        ("平仄", "<end> / 星 ab 5 ，"),
        ("仄", "<end> / 不想忘 ab 5 ，"),
        ("仄仄平", "<end> / ab 5 ，"),
        ("仄中仄", "<end> / 不想忘 ab 5 ，"),
        ("中中中", "<end> / 星 星光 不想忘 花儿 ab 5 ，"),
    ],
)
def test_what_has_the_tones_that_come(marks: str, fits: str) -> None:
    assert shown(TOKENS.tone(marks)) == fits


def test_masks_are_kept_and_only_ids_are_let_through() -> None:
    assert TOKENS.length(2) is TOKENS.length(2)
    assert shown(TOKENS.only((END,))) == "<end>" and shown(TOKENS.only((TOKENS.line_break,))) == "/"
