"""Songs of English words keep a plan in syllables and rhyme by pronunciation."""

import numpy as np
import pytest

from lyricgen.errors import OptionError
from lyricgen.generation.lyricist import Lyricist
from lyricgen.generation.plan import Plan
from lyricgen.generation.sampler import SamplingConfig
from lyricgen.generation.syllable_tokens import SyllableTokens, tokens_of
from lyricgen.generation.tokens import Tokens
from lyricgen.text.labels import Labeler
from lyricgen.text.phonetics import line_end, line_rhyme, line_units

from .conftest import WORDS, make_lyricist

# Syllables: 1 star far car I the sea, 2 tonight alright away today, 3 holiday, 4 remembering
TOKENS = (
    "\n", " ", ",", "'", "star", "far", "car", "I", "the", "sea", "t", "don", "tonight", "light", "alright", "away",
    "today", "holiday", "remembering", "5",
)  # fmt: skip
WILD = SamplingConfig(temperature=1.0, top_p=1.0)


def writer(seed: int = 3) -> Lyricist:
    return make_lyricist(tokens=TOKENS, tokenizer=WORDS, seed=seed)


def test_which_vocabularies_count_syllables() -> None:
    assert isinstance(tokens_of(Labeler(writer().vocab)), SyllableTokens)
    for tokens in ("\nab 星光", "\nabcde fgh"):
        assert type(tokens_of(Labeler(make_lyricist(tokens=tokens).vocab))) is Tokens  # characters


def test_a_model_of_letters_says_what_it_cannot_do() -> None:
    letters = make_lyricist(tokens="\nabcde fgh")
    for wishes in ({"pattern": "7"}, {"rhyme": "AA"}):
        with pytest.raises(OptionError, match="--level word"):
            letters.write(plan=Plan.parse(**wishes), count=1)
    (song,) = letters.write(plan=Plan.parse(acrostic="abc"), count=1)
    assert [line[0] for line in song.lines] == ["a", "b", "c"]


def test_masks() -> None:
    tokens = tokens_of(Labeler(writer().vocab))

    def shown(mask: np.ndarray) -> set[str]:
        return {
            text for text, free in zip(tokens.texts, mask.tolist(), strict=True) if free and text.strip() != text[:0]
        }

    ones = {"star", "far", "car", "I", "the", "sea", "light", "5"}
    two = {"tonight", "alright", "away", "today"}
    assert shown(tokens.length(1)) == ones | {","}
    assert shown(tokens.length(3)) == ones | two | {"holiday", ","}
    after_word, after_space = tokens.spelling("the"), tokens.spelling("the ")
    assert after_word is not None and shown(after_word) == {",", "<end>"}
    assert after_space is not None and shown(after_space) == {*TOKENS, "<end>"} - {"\n", " ", "'", "t", "don"}
    (night,) = line_rhyme("light")
    assert shown(tokens.closing(2, frozenset({night}), 13)) >= {"tonight", "alright", "the", "star"}
    assert not shown(tokens.closing(2, frozenset({night}), 13)) & {"away", "today", "holiday", "remembering"}
    assert tokens.rich(3, 13, near=False) == line_rhyme("car") | line_rhyme("light") | line_rhyme("day")


@pytest.mark.parametrize(
    "options",
    [
        {"pattern": "7,5", "rhyme": "AABB"},
        {"pattern": "4", "rhyme": "XAXA", "lines": 8},
        {"pattern": "6,/,3", "rhyme": "AA", "lines": 8, "words": "sea"},
        {"rhyme": "ABAB", "lines": 4},
    ],
)
def test_songs_keep_syllables_and_rhymes(options: dict[str, str | int]) -> None:
    plan = Plan.parse(**options)  # type: ignore[arg-type]
    for song in writer(len(options)).write(count=6, seed=2, plan=plan, sampling=WILD):
        assert song.relaxed == ()
        groups: dict[int, list[str]] = {}
        for line, wish in zip(song.lines, plan.lines, strict=True):
            assert wish.length is None or line_units(line) == wish.length
            assert set(line.replace(",", " ").split()) <= {*TOKENS} - {"t", "don", "'"}  # whole words, apart
            if wish.rhyme is not None:
                groups.setdefault(wish.rhyme, []).append(line)
        for lines in groups.values():
            assert frozenset.intersection(*map(line_rhyme, lines))
            assert len({*map(line_end, lines)}) == len(lines)
        assert all(word in song.text for word in plan.words)


def test_words_are_placed_by_their_syllables_and_not_begun_inside_others() -> None:
    plan = Plan.parse(pattern="4,2", words="holiday,sea", lines=4)
    for song in writer().write(plan=plan, count=5, seed=1, sampling=WILD):
        assert song.relaxed == () and "holiday" in song.text and "sea" in song.text
    tokens = tokens_of(Labeler(writer().vocab))
    assert tokens.begun("the star", "right") == 0 and tokens.begun("red", "red car") == 3
    assert tokens.begun("bored", "red car") == 0


def test_a_word_of_two_sounds_leaves_its_rhyme_open_until_the_next_line_decides() -> None:
    lyricist = make_lyricist(tokens=("\n", " ", "read", "lead", "red", "bed", "need", "feed"), tokenizer=WORDS)
    plan = Plan.parse(pattern="1", rhyme="AAAA", lines=4)
    songs = lyricist.write(count=40, seed=1, plan=plan, sampling=WILD)
    both = line_rhyme("red") | line_rhyme("need")
    begun = [song.lines for song in songs if line_rhyme(song.lines[0]) == both]
    assert {lines[1] for lines in begun} > {"red", "need"}  # whatever the second line decides
    for song in songs:
        assert song.relaxed == () and len({*song.lines}) == 4
        assert len(frozenset.intersection(*map(line_rhyme, song.lines))) == 1


def test_a_script_without_known_syllables_is_refused() -> None:
    russian = make_lyricist(tokens=("\n", " ", "звезда", "море", "5"), tokenizer=WORDS)
    for wishes in ({"pattern": "5"}, {"rhyme": "AA"}, {"acrostic": "ab"}):
        with pytest.raises(OptionError, match="whose syllables lyricgen cannot count"):
            russian.write(plan=Plan.parse(**wishes), count=1)
    assert russian.write(plan=Plan(), count=1, seed=1)[0].lines


def test_a_very_long_line_is_made_of_whole_words() -> None:
    songs = writer().write(plan=Plan.parse(pattern="60", lines=1), count=12, seed=3, sampling=WILD)
    assert any(len(song.lines[0]) > 200 for song in songs)
    for song in songs:
        assert song.relaxed == () and line_units(song.lines[0]) == 60
        assert set(song.lines[0].replace(",", " ").split()) <= {*TOKENS}


def test_an_acrostic_takes_the_letters_that_there_are() -> None:
    letters = make_lyricist(tokens=(*TOKENS, "S", "C"), tokenizer=WORDS)  # single letters are no words
    for song in letters.write(plan=Plan.parse(acrostic="SFCi"), count=5, seed=2, sampling=WILD):
        assert song.relaxed == ()
        assert [line[0] for line in song.lines] == ["s", "f", "c", "I"]
