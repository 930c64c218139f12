"""Words that rhyme, and what comes first among them."""

import pytest

from lyricgen.errors import InputError, OptionError
from lyricgen.text.phonetics import finals, rhyme_class, tones
from lyricgen.text.rhymes import Rhyme, Search, find_rhymes, rhymes_of_class


def words(found: list[Rhyme]) -> list[str]:
    return [rhyme.word for rhyme in found]


def test_every_word_rhymes_and_ends_in_another_character() -> None:
    found = find_rhymes("星光", Search(limit=300))
    assert len(found) == 300
    assert all(rhyme_class(word) == {"江阳"} and not word.endswith("光") for word in words(found))
    assert {"月亮", "地方", "长江"} <= set(words(find_rhymes("星光", Search(limit=2000))))
    assert len(set(words(found))) == 300


def test_double_rhymes_come_first_then_the_commonest() -> None:
    found = find_rhymes("星光")
    doubles = [rhyme for rhyme in found if rhyme.double]
    assert found[: len(doubles)] == doubles
    assert len(doubles) == 20
    assert {"情况", "影响", "形象"} <= set(words(doubles))
    for rhyme in doubles:
        first, second = finals(rhyme.word)[-2:]
        assert first == "ing"
        assert second.endswith("ang")
    for part in (doubles, found[len(doubles) :]):
        counts = [rhyme.frequency for rhyme in part]
        assert counts == sorted(counts, reverse=True)
    assert not any(rhyme.double for rhyme in find_rhymes("光"))


def test_length_tone_and_table() -> None:
    found = find_rhymes("星光", Search(length=3, tone="平", limit=50))
    assert all(len(word) == 3 and tones(word)[-1] == "平" for word in words(found))
    fourteen = rhymes_of_class("支", Search(table=14, limit=200))
    assert {finals(rhyme.word)[-1] for rhyme in fourteen} == {"-i"}


def test_readings_are_those_of_the_word() -> None:
    assert "音乐" not in words(rhymes_of_class("梭坡", Search(length=2, limit=2000)))
    assert "音乐" in words(rhymes_of_class("乜斜", Search(length=2, limit=2000)))


def test_near_rhymes_are_marked() -> None:
    found = find_rhymes("春天", Search(near=True, limit=100))
    assert {rhyme.near for rhyme in found} == {False, True}
    assert all(rhyme.near == (rhyme.classes == ("江阳",)) for rhyme in found)


def test_a_mute_final_rhymes_in_two_classes() -> None:
    found = find_rhymes("开着花儿", Search(limit=20))
    assert [rhyme.classes[0] for rhyme in found] == ["发花"] * 10 + ["一七"] * 10


def test_english_words_rhyme_by_pronunciation() -> None:
    found = find_rhymes("star tonight", Search(limit=200))
    assert {"light", "write", "height", "moonlight"} <= set(words(found))
    assert not {"weight", "eight", "tonight"} & set(words(found))
    assert [rhyme.frequency for rhyme in found] == sorted((rhyme.frequency for rhyme in found), reverse=True)
    assert all(rhyme.length == 1 for rhyme in find_rhymes("tonight", Search(length=1)))
    near = find_rhymes("time", Search(near=True, limit=500))
    assert "fine" in words([rhyme for rhyme in near if rhyme.near])
    assert words(find_rhymes("flickering", Search(limit=3)))[:1] == ["bickering"]


def test_what_cannot_be_looked_for() -> None:
    for text in ("", "！", "7"):
        with pytest.raises(InputError, match="nothing rhymes"):
            find_rhymes(text)
    with pytest.raises(OptionError, match="no rhyme class"):
        rhymes_of_class("xyz")
    with pytest.raises(OptionError, match="Chinese words"):
        find_rhymes("night", Search(tone="平"))
    for wrong in ({"table": 12}, {"length": -1}, {"tone": "上"}, {"limit": 0}):
        with pytest.raises(OptionError):
            Search(**wrong)  # type: ignore[arg-type]
