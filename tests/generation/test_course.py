"""How one song keeps to its plan: the order of the rules, what the model is told, and what gives way."""

import numpy as np
import pytest

from lyricgen.generation.constraints import MAX_LINES, Draft, Form
from lyricgen.generation.course import Course
from lyricgen.generation.line_plan import LinePlan
from lyricgen.generation.plan import Plan
from lyricgen.generation.tokens import Mask, Tokens
from lyricgen.generation.word_places import word_places
from lyricgen.text.labels import CLASSES, ENDS, LENGTHS, LONGEST, MORE, RHYMES, Labeler
from lyricgen.text.tokenizer import Tokenizer
from lyricgen.text.vocab import SPECIALS, Vocab

TOKENS = Tokens(Labeler(Vocab((*SPECIALS, *"\n星光想忘山我", "海边"), Tokenizer("word", "jieba", "0"), 0.01)))
ALL = "<end> / 星 光 想 忘 山 我 海边"
JIANG = CLASSES.index("江阳")


def course(*lines: LinePlan, form: Form | None = None, **plan: object) -> Course:
    return Course(Plan(lines, **plan), form or Form(), TOKENS)  # type: ignore[arg-type]


def draft_of(text: str) -> Draft:
    draft = Draft()
    for piece in text:
        draft.add(piece)
    return draft


def write(course: Course, draft: Draft, text: str) -> Draft:
    """Adds a whole line to a draft, and tells the course."""
    draft.add(text)
    draft.add("\n")
    course.close(draft)
    return draft


def shown(mask: Mask) -> str:
    return " ".join(text.replace("\n", "/") for text, free in zip(TOKENS.texts, mask.tolist(), strict=True) if free)


def rules(course: Course, text: str = "") -> dict[str, str]:
    draft = draft_of(text)
    return {name: shown(mask) for name, mask in course.masks(draft)}


def numbers(mask: Mask) -> list[int]:
    return np.flatnonzero(mask).tolist()


def test_the_rules_of_a_line_come_in_order_the_most_important_first() -> None:
    asked = LinePlan(length=3, rhyme=0, head="我", tones="仄平仄")
    other = LinePlan(length=3, rhyme=0)
    one = course(asked, other, other, words=("想",), classes={0: "江阳"})
    one.open(Draft(), 3, JIANG)
    one.line.word = "想"
    one.line.taken = frozenset("光")
    assert rules(one) == {
        "length": "星 光 想 忘 山 我 海边",
        "head 我": "我",
        "rhyme 江阳": ALL,  # nothing of three units is there to end it at once
        "another last character": ALL,
        "tones 仄平仄": "<end> / 想 忘 我 海边",
        "word 想": ALL,  # there is time
    }
    assert list(rules(one, "我山")) == [
        "length", "rhyme 江阳", "another last character", "tones 仄平仄", "word 想"
    ]  # fmt: skip
    assert rules(one, "我山") == {
        "length": "星 光 想 忘 山 我",
        "rhyme 江阳": "<end> / 光 想 忘",
        "another last character": "<end> / 想 忘",
        "tones 仄平仄": "<end> / 想 忘 我 海边",
        "word 想": "<end> / 想",
    }
    assert rules(one, "我山想") == {"length": "/"}


def test_a_word_must_come_when_there_is_room_for_nothing_else() -> None:
    one = course(LinePlan(length=4, rhyme=0), LinePlan(length=4, rhyme=0), words=("海边",), classes={0: "江阳"})
    one.open(Draft(), 4, JIANG)
    assert one.line.word == "海边"
    found = [rules(one, text).get("word 海边") for text in ("", "星", "星光", "海边", "海边星")]
    assert found == [ALL, "<end> / 海边", "海边", None, None]  # 边 is no ang: a unit must follow it
    assert shown(one.pull(draft_of("星"))) == "海边"  # type: ignore[arg-type]
    assert one.pull(draft_of("海边")) is None


def test_what_the_model_is_told() -> None:
    one = course(LinePlan(length=40), LinePlan(length=2))
    one.open(Draft(), MORE, JIANG)
    assert [one.label(draft_of("星" * n)) for n in (0, 9, 10, 11, 40)] == [
        (MORE, JIANG), (MORE, JIANG), (LONGEST, JIANG), (LONGEST - 1, JIANG), (0, JIANG)
    ]  # fmt: skip
    free = course()
    free.open(Draft(), ENDS, 0)
    assert free.label(draft_of("星\n")) == (ENDS, 0) and rules(free) == {"end": "<end>"}
    free.open(Draft(), 0, 0)
    assert free.label(draft_of("星\n")) == (0, 0) and rules(free) == {"empty line": "/"}
    free.open(Draft(), None, 0)
    assert free.label(draft_of("星")) == (MORE, 0) and rules(free) == {}
    free.open(Draft(), MORE, JIANG, extra=7)
    assert free.left(draft_of("星")) == MORE + 7 - 1


def test_the_lengths_that_a_next_line_may_have() -> None:
    assert numbers(course().lengths(Draft())) == [*range(1, MORE + 1)]  # a song opens with a line
    assert numbers(course().lengths(draft_of("星\n"))) == [*range(MORE + 1)]
    assert numbers(course().lengths(draft_of("星\n\n"))) == [*range(1, MORE + 1)]
    assert numbers(course().lengths(draft_of("星\n" * 4))) == [*range(LENGTHS)]
    assert ENDS not in numbers(course(form=Form(lines=9)).lengths(draft_of("星\n" * 4)))
    assert ENDS not in numbers(course(form=Form(length=99)).lengths(draft_of("星\n" * 4)))
    assert ENDS not in numbers(course(words=("海边", "星", "光")).lengths(draft_of("山\n" * 4)))
    planned = course(LinePlan(length=3), LinePlan(length=40, opens=True), LinePlan(head="我"), LinePlan(repeats=0))
    assert numbers(planned.lengths(Draft())) == [3]
    assert numbers(planned.lengths(draft_of("星光山\n"))) == [0]  # the empty line
    assert numbers(planned.lengths(draft_of("星光山\n\n"))) == [MORE]
    assert numbers(planned.lengths(draft_of("星光山\n\n我\n"))) == [*range(1, MORE + 1)]
    assert numbers(planned.lengths(draft_of("星光山\n\n我\n想\n"))) == [3]


def test_the_rhymes_that_a_next_line_may_have() -> None:
    lines = [LinePlan(rhyme=0), LinePlan(rhyme=1), LinePlan(rhyme=1), LinePlan(), LinePlan(repeats=0)]
    one = course(*lines, classes={0: "江阳"})
    assert numbers(one.rhymes(Draft(), 3)) == [JIANG]
    assert numbers(one.rhymes(Draft(), 0)) == numbers(one.rhymes(Draft(), ENDS)) == [0]
    rich = {CLASSES[label] for label in numbers(one.rhymes(draft_of("光\n"), 3))}
    assert rich == {"江阳", "言前"}  # an open group: a class with an end for each of its two lines
    assert numbers(one.rhymes(draft_of("光\n山\n山\n"), 3)) == [*range(RHYMES)]  # no rhyme was asked
    assert numbers(one.rhymes(draft_of("光\n山\n山\n星\n"), 3)) == [JIANG]
    near = course(*lines, classes={0: "江阳"}, near=True)
    assert {CLASSES[label] for label in numbers(near.rhymes(Draft(), 3))} == {"江阳", "言前"}
    fourteen = course(*lines, classes={0: "支"}, table=14)
    assert [CLASSES[label] for label in numbers(fourteen.rhymes(Draft(), 3))] == ["一七"]


def test_the_first_line_of_an_open_group_decides_its_class() -> None:
    one = course(*[LinePlan(length=2, rhyme=0)] * 3)
    draft = Draft()
    one.open(draft, None, 0)
    assert rules(one, "星")["rhyme 江阳"] == "<end> / 光 想 忘"  # no other class has three ends
    write(one, draft, "星光")
    one.open(draft, None, 0)
    assert rules(one, "星") | {"length": ""} == {
        "length": "", "rhyme 江阳": "<end> / 光 想 忘", "another last character": "<end> / 想 忘"
    }  # fmt: skip
    write(one, draft, "我忘")
    one.open(draft, None, 0)
    assert one.line.taken == {"光", "忘"}


def test_a_line_that_repeats_is_that_line_and_nothing_else() -> None:
    one = course(LinePlan(length=3, rhyme=0), LinePlan(length=3, rhyme=0), LinePlan(repeats=0))
    draft = Draft()
    for text in ("海边光", "山星忘"):
        one.open(draft, 3, JIANG)
        write(one, draft, text)
    one.open(draft, None, 0)
    assert one.line.length == 3
    found = []
    for text in ("海边", "光", "\n"):
        found.append({name: shown(mask) for name, mask in one.masks(draft)})
        draft.add(text)
        draft.ids.append(0)
    assert found == [{"repeat": "海边"}, {"repeat": "光"}, {"repeat": "/"}]


@pytest.mark.parametrize(("words", "places"), [
    (("海边",), [1]), (("海边", "星"), [0, 2]), (("海边", "星", "光"), [0, 1, 2]),
])  # fmt: skip
def test_words_are_spread_over_the_lines(words: tuple[str, ...], places: list[int]) -> None:
    one = course(*[LinePlan(length=4)] * 3, words=words)
    draft, found = Draft(), []
    for number in range(3):
        one.open(draft, 4, 0)
        if one.line.word:
            found.append(number)
        write(one, draft, one.line.word or "山")
    assert found == places and one.relaxed == []


def test_what_gives_way_names_its_line() -> None:
    one = course(*[LinePlan(length=3)] * 3, words=("海边",))
    draft = Draft()
    one.open(draft, 3, 0)
    one.note_relaxed("head 鲲", draft)
    one.note_relaxed("head 鲲", draft)  # said once
    write(one, draft, "星光山")
    one.open(draft, 3, 0)
    assert one.line.word == "海边"
    write(one, draft, "星光忘")
    assert one.relaxed == [
        "line 1: head 鲲: nothing that this model can write fits",
        "line 2: word 海边: nothing that this model can write fits",
    ]


def test_the_finished_lines_reading_decides_whether_it_rhymes() -> None:
    one = course(*[LinePlan(length=2, rhyme=0)] * 2, classes={0: "梭坡"})
    one.open(Draft(), 2, CLASSES.index("梭坡"))
    assert not one.broken(draft_of("快"), "乐") and one.broken(draft_of("音"), "乐") == one.rhyme_name
    assert not one.broken(draft_of(""), "乐")  # not the end of the line yet


def test_the_reading_in_the_line_decides_its_tones() -> None:
    one = course(LinePlan(length=3, tones="仄平平"))
    one.open(Draft(), 3, 0)
    assert one.broken(draft_of("睡"), "觉") == "tones 仄平平"  # jué, but shuìjiào
    assert not one.broken(draft_of("想"), "觉")
    assert not one.broken(draft_of("睡觉"), "天")  # what is lost already is no reason to draw again


def test_a_song_is_finished_with_its_last_planned_line() -> None:
    one = course(LinePlan(), LinePlan())
    assert [one.finished(draft_of(text)) for text in ("", "星\n", "星\n光", "星\n光\n")] == [
        False,
        False,
        False,
        True,
    ]
    assert not course().finished(draft_of("星\n" * 9))


def test_a_word_waits_for_a_line_that_has_room() -> None:
    one = course(LinePlan(length=3), LinePlan(length=1), LinePlan(length=3), words=("海边", "光想"))
    draft = Draft()
    for text, word in (("光山山", "海边"), ("星", ""), ("山光想", "光想")):
        one.open(draft, 3, 0)
        assert one.line.word == word
        write(one, draft, text)
    assert one.relaxed == ["line 1: word 海边: nothing that this model can write fits"]


def test_many_words_of_a_free_song_all_find_a_place() -> None:
    places = word_places(Plan(words=tuple(str(number) for number in range(100))))
    assert len(places) == 100 and max(places.values()) < MAX_LINES


def test_a_word_in_a_last_line_without_its_break_stands() -> None:
    one = course(words=("海边", "光"))
    draft = draft_of("我想海边")
    one.finish(draft)
    assert one.relaxed == ["line 0: word 光: nothing that this model can write fits"]
