"""Every measure against an answer worked out by hand."""

import math
import sys
from collections import Counter
from itertools import product

import pytest

from lyricgen.errors import OptionError
from lyricgen.evaluation.metrics import (
    BLEU_SONGS,
    Style,
    distinct,
    finite,
    first_letters,
    letters,
    ngrams,
    perplexity,
    repeated_lines,
    rhymes,
    self_bleu,
    song_letters,
    standard_error,
)
from lyricgen.text.phonetics import rhyme_class

from .conftest import song


def test_the_standard_error_of_three_songs() -> None:
    # 12 nats on 6 characters: 2 each. The songs are 0, −1 and 1 off; √(3/2 · 2) / 6.
    assert standard_error([2, 3, 7], [1, 2, 3]) == pytest.approx(math.sqrt(3) / 6)


def test_songs_that_are_all_alike_have_no_error_and_one_song_has_none_to_tell() -> None:
    assert standard_error([2, 4, 8], [1, 2, 4]) == 0
    assert standard_error([2], [1]) is None
    assert standard_error([0, 0], [0, 0]) is None


def test_the_standard_error_is_the_usual_one_where_songs_are_of_one_length() -> None:
    values = [1.0, 4.0, 2.0, 7.0]
    mean = sum(values) / 4
    usual = math.sqrt(sum((value - mean) ** 2 for value in values) / 3) / math.sqrt(4)
    assert standard_error([5 * value for value in values], [5] * 4) == pytest.approx(usual)


def test_the_perplexity_of_even_odds_is_their_number() -> None:
    assert perplexity(10 * math.log(7), 10) == pytest.approx(7)
    assert perplexity(math.inf, 1) is None
    assert perplexity(1000, 1) is None  # more than a float can hold


def test_numbers_that_json_cannot_carry() -> None:
    assert (finite(1.5), finite(math.inf), finite(math.nan)) == (1.5, None, None)


def test_letters_are_what_lines_are_compared_by() -> None:
    assert letters("星 光，Ab-3！") == "星光ab3"
    assert song_letters(song("星光 在/路上", "Ab")) == "星光在路上ab"


def test_ngrams_by_hand() -> None:
    assert list(ngrams("abcd", 3)) == ["abc", "bcd"]
    assert list(ngrams("ab", 3)) == []


def test_distinct_by_hand() -> None:
    texts = ["abab", "ab"]
    assert distinct(texts, 1) == pytest.approx(2 / 6)
    assert distinct(texts, 2) == pytest.approx(2 / 4)  # ab ba ab | ab: none goes over from text to text
    assert distinct(texts, 4) == 1
    assert distinct(texts, 5) is None


def test_self_bleu_of_a_pair_by_hand() -> None:
    # Four of five characters, three of four pairs, two of three triples, one of two fours, both ways.
    assert self_bleu(["天地玄黄宇", "天地玄黄洪"]) == pytest.approx((4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25)


def test_self_bleu_of_three_texts_by_hand() -> None:
    # By character; an n-gram counts at most as often as in the reference that has it oftenest.
    # 天天天地玄黄 (6), against 天天地玄黄宇 (6) and 天地玄黄洪荒宙 (7): 天 three times, but at most twice in one of
    # them, 5 of 6; 天天 twice, but there once, 4 of 5; all triples but 天天天, 3 of 4; 天天地玄 and 天地玄黄, 2 of 3
    # fours. Six letters as the nearest reference has: no penalty.
    first = (5 / 6 * 4 / 5 * 3 / 4 * 2 / 3) ** 0.25
    # 天天地玄黄宇 (6), against 天天天地玄黄 (6) and 天地玄黄洪荒宙 (7): all but 宇 and what ends in it.
    second = (5 / 6 * 4 / 5 * 3 / 4 * 2 / 3) ** 0.25
    # 天地玄黄洪荒宙 (7), against both, of 6: 天地玄黄, its 3 pairs, 2 triples and 1 four, of 7, 6, 5 and 4.
    third = (4 / 7 * 3 / 6 * 2 / 5 * 1 / 4) ** 0.25
    texts = ["天天天地玄黄", "天天地玄黄宇", "天地玄黄洪荒宙"]
    assert self_bleu(texts) == pytest.approx((first + second + third) / 3)


def test_self_bleu_takes_from_several_references_and_pays_by_the_nearest_in_length() -> None:
    # 天地玄黄宇 (5), against 天地玄黄洪荒 (6) and 宇宙洪荒日月盈 (7): every letter is in one of the two, 5 of 5;
    # of the pairs 黄宇 is in none, 3 of 4; 2 of 3 triples; 1 of 2 fours. The nearest reference has 6: exp(1 − 6/5).
    first = math.exp(1 - 6 / 5) * (1 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25
    # 天地玄黄洪荒 (6), against 天地玄黄宇 (5) and 宇宙洪荒日月盈 (7), both as near: the shorter counts, no penalty.
    # All 6 letters, four of the first and 洪荒 of the second; of 5 pairs all but 黄洪; 2 of 4 triples; 1 of 3 fours.
    second = (1 * 4 / 5 * 2 / 4 * 1 / 3) ** 0.25
    # 宇宙洪荒日月盈 (7), the longest: 宇, 洪 and 荒, 3 of 7; of 6 pairs 洪荒. No triple of 5 and no four of 4:
    # sacrebleu takes half a hit for the first order without any and a quarter for the next.
    third = (3 / 7 * 1 / 6 * (1 / 2) / 5 * (1 / 4) / 4) ** 0.25
    texts = ["天地玄黄宇", "天地玄黄洪荒", "宇宙洪荒日月盈"]
    assert self_bleu(texts) == pytest.approx((first + second + third) / 3)


def test_self_bleu_makes_a_short_text_pay() -> None:
    longer = (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25
    shorter = math.exp(1 - 5 / 4)  # all of it is in the other, which is longer
    assert self_bleu(["天地玄黄", "天地玄黄洪"]) == pytest.approx((longer + shorter) / 2)


def test_self_bleu_of_one_text_again_and_again_is_one() -> None:
    assert self_bleu(["天地玄黄宇宙"] * 3) == pytest.approx(1)
    assert self_bleu(["天地玄黄宇宙", ""]) is None


def test_of_many_texts_some_are_drawn_by_the_seed() -> None:
    texts = [f"{k:04}天地玄黄" for k in range(BLEU_SONGS + 8)]
    assert self_bleu(texts, seed=1) == self_bleu(texts, seed=1)
    assert self_bleu(texts, seed=1) != self_bleu(texts, seed=2)


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    with pytest.raises(OptionError, match=r"pip install 'lyricgen\[report\]'"):
        self_bleu(["a", "b"])


def test_repeated_lines_are_counted_within_a_song() -> None:
    assert repeated_lines([song("甲/乙", "甲/甲"), song("甲")]) == pytest.approx(2 / 5)
    assert repeated_lines([]) is None


# 光 and 上 and 岗 rhyme in 江阳, 雨 in 一七.
FOUR = song("我看见星光/你走在路上/夜里下着雨/风吹过山岗")


def test_rhymes_of_four_lines() -> None:
    found = rhymes([FOUR])
    assert (found.pairs, found.rhyming, found.same) == (3, 1, 0)
    assert found.rate == pytest.approx(1 / 3)
    assert found.classes == Counter({"江阳": 3, "一七": 1})
    # Of 16 ordered pairs the three in 江阳 make 9, of which 3 are a line with itself.
    assert found.chance == pytest.approx(6 / 16)


def test_the_same_character_again_is_no_rhyme_and_sections_part() -> None:
    found = rhymes([song("在路上/在船上", "在路上"), song("在路上")])
    assert (found.pairs, found.rhyming, found.same) == (1, 0, 1)
    assert found.chance == 0


def test_lines_that_end_in_other_scripts_are_no_pairs() -> None:
    found = rhymes([song("我看见星光/hello/你走在路上")])
    assert (found.pairs, found.rate, found.same_rate) == (0, None, None)
    assert rhymes([song("la/la")]).chance is None


def test_chance_is_what_counting_all_pairs_gives() -> None:
    lines = ["花儿", "星光", "路上", "路上", "开花", "下雨", "歌儿", "快乐", "音乐", "喝茶"]
    ends = [(rhyme_class(line), line[-1]) for line in lines]
    hits = [bool(a & b) and last != other for (a, last), (b, other) in product(ends, repeat=2)]
    assert 0 < sum(hits) < 100
    assert rhymes([song("/".join(lines))]).chance == pytest.approx(sum(hits) / 100)


def test_lengths_and_lines() -> None:
    style = Style((song("星光/Hello world 你", "路"), song("上")))
    assert style.lengths == Counter({1: 2, 2: 1, 3: 1})
    assert style.mean_length == pytest.approx(7 / 4)
    assert style.lines_per_song == 2
    assert style.letters == 15
    nothing = Style(())
    assert (nothing.mean_length, nothing.lines_per_song, nothing.repeated) == (None, None, None)


def test_as_many_letters_of_the_one_as_of_the_other() -> None:
    assert first_letters(["abc", "def", "gh"], 4) == ["abc", "d"]
    assert first_letters(["abc"], 3) == ["abc"]
    assert first_letters(["abc"], 4) is None
