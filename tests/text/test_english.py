"""How English words sound: counted by hand, known words and unknown ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricgen.text.english import (
    dictionary,
    estimate_syllables,
    look_up,
    near_sound,
    rhyme_names,
    rhyme_sounds,
    sounds,
    syllables,
)

# Counted by ear, none of them looked up.
BY_EAR = """
    1: cat make loved makes through strength eye eyes yes queen called jumped whole while clothes blue rhyme she bed
    2: table little wanted boxes people rhythm being playing flying player lonely something quiet poem
       tabled goodbye didn't that'll happy lover rainbow summer forgive sunshine
    3: beautiful violin idea radio piano memory area happiest remember animal audience wandering
    4: melancholy television experience invisible ordinary geology
    5: imagination curiosity university
"""


def counted() -> list[tuple[str, int]]:
    pairs, number = [], 0
    for item in BY_EAR.split():
        if item.endswith(":"):
            number = int(item[:-1])
        else:
            pairs.append((item, number))
    return pairs


@pytest.mark.parametrize(("word", "number"), counted())
def test_syllables_by_spelling_alone(word: str, number: int) -> None:
    assert estimate_syllables(word) == number


@pytest.mark.parametrize(
    ("word", "number"),
    [("tonight", 2), ("every", 3), ("fire", 2), ("don't", 1), ("I'm", 1), ("Café", 2), ("beautiful", 3), ("the", 1)],
)
def test_syllables_of_known_words(word: str, number: int) -> None:
    assert syllables(word) == number


def test_the_rules_agree_with_the_dictionary() -> None:
    common = [word for word, (tier, _) in dictionary().items() if tier < 3][::7]
    right = sum(
        estimate_syllables(word) in {sound.syllables for sound in entry.sounds}
        for word in common
        if (entry := look_up(word))
    )
    assert right / len(common) > 0.94


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("night", "light"), ("through", "blue"), ("love", "above"), ("heart", "apart"), ("I'm", "time"),
        ("fire", "desire"), ("melody", "me"), ("station", "nation"), ("singin", "ringing"), ("rose's", "roses"),
        ("blorlight", "night"), ("moonbeamed", "dreamed"), ("Mary's", "fairies"),
    ],
)  # fmt: skip
def test_words_that_rhyme(one: str, other: str) -> None:
    assert rhyme_sounds(one) & rhyme_sounds(other)


@pytest.mark.parametrize(
    ("one", "other"), [("love", "move"), ("night", "late"), ("cough", "through"), ("time", "fine"), ("cat", "cats")]
)
def test_words_that_do_not(one: str, other: str) -> None:
    assert not rhyme_sounds(one) & rhyme_sounds(other)


def test_near_rhymes_share_the_vowel_and_the_kind_of_consonant() -> None:
    assert rhyme_sounds("time", near=True) & rhyme_sounds("fine", near=True)
    assert not rhyme_sounds("time", near=True) & rhyme_sounds("tide", near=True)
    assert near_sound("AY N D") == near_sound("AY M T")


def test_a_last_full_vowel_far_from_the_stress_rhymes_too() -> None:
    assert rhyme_names("EH L AH D IY") == ("EH L AH D IY", "IY")
    assert rhyme_names("AE P IY") == ("AE P IY",)
    assert rhyme_names("UW T AH F AH L") == ("UW T AH F AH L",)


def test_a_word_may_sound_in_two_ways() -> None:
    assert {sound.rhyme for sound in sounds("record")} == {"AO R D", "EH K ER D"}
    assert look_up("zzyzx") is None


@given(st.text(st.characters(categories=["L"], max_codepoint=0x24F), min_size=1, max_size=30))
def test_every_word_has_syllables_and_a_rhyme(word: str) -> None:
    assert 1 <= syllables(word) <= 3 * len(word)
    assert rhyme_sounds(word)
    assert all(rhyme_sounds(word))
