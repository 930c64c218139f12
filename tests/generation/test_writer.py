"""Songs written to a plan keep it, whatever the model: lengths, rhymes, heads, tones, words, repeats, blank lines."""

from dataclasses import replace
from itertools import combinations

import pytest

from lyricgen.errors import OptionError
from lyricgen.generation import constraints
from lyricgen.generation.constraints import Form
from lyricgen.generation.lyricist import Lyricist, Written
from lyricgen.generation.plan import Plan
from lyricgen.generation.sampler import SamplingConfig
from lyricgen.text.novelty import COPY, Run
from lyricgen.text.phonetics import THIRTEEN, count_units, line_end, near_classes, rhyme_class, table_of, tones
from lyricgen.text.vocab import END

from .conftest import CHARACTERS, WORDS, make_lyricist

# Characters of one reading each: four of each of three classes, level and oblique ones.
SOUNDS = "光香窗忘山天田饭星风影梦"
TOKENS = {
    "char": "\n" + SOUNDS + "我你来，a5 ",
    "word": ("\n", *SOUNDS, *"我你来，5", "星光", "天窗", "忘山", "我你来", "来我", "a"),
}
PLANS = {
    "lengths, blank lines": {"pattern": "5,3,/,7,1"},
    "rhymes": {"pattern": "4,5", "rhyme": "AABB"},
    "free lines between": {"pattern": "4", "rhyme": "XAXA", "one_rhyme": True},
    "rhymes without lengths": {"rhyme": "AA", "lines": 4},
    "a class, an acrostic": {"pattern": "5", "rhyme": "ABAB", "rhyme_class": "ang,an", "acrostic": "我来你星光"},
    "fourteen classes": {"pattern": "3,4", "rhyme": "AAA", "rhyme_class": "庚", "rhyme_table": 14, "lines": 3},
    "near rhymes": {"pattern": "4", "rhyme": "AAAA", "near": True, "lines": 4},
    "tones": {"tones": "平平仄仄平,仄仄仄平平", "rhyme": "XA"},
    "words": {"pattern": "5,6", "rhyme": "AABB", "words": "来我,星,山天"},
    "a form": {"pattern": "5,5,4,4", "rhyme": "AABB", "form": "主歌,副歌,主歌,副歌"},
    "all together": {
        "pattern": "5,7,/,6,6", "rhyme": "AABB", "acrostic": "我来", "words": "山天", "form": "主歌,副歌,主歌,副歌",
    },
}  # fmt: skip


WILD = SamplingConfig(temperature=1.0, top_p=1.0)


def writer(level: str, labelled: bool, seed: int = 3) -> Lyricist:
    lyricist = make_lyricist(tokens=TOKENS[level], labelled=labelled, seed=seed,
                             tokenizer=WORDS if level == "word" else CHARACTERS)  # fmt: skip
    lyricist.checkpoint.model.bias.data[[lyricist.vocab.ids[sign] - END for sign in "，5"]] -= 4
    return lyricist


def check(song: Written, plan: Plan) -> None:
    """Whether a song is what its plan asks for, by the lines as they stand."""
    assert song.relaxed == ()
    assert len(song.lines) == len(plan.lines)
    rows = song.text.removesuffix("\n").split("\n")
    expected = [
        part for line, wish in zip(song.lines, plan.lines, strict=True) for part in ["", line][not wish.opens :]
    ]
    assert rows == expected
    for line, wish in zip(song.lines, plan.lines, strict=True):
        if wish.repeats is not None:
            assert line == song.lines[wish.repeats]
            continue
        if wish.length is not None:
            assert count_units(line) == wish.length
        assert line.startswith(wish.head)
        if wish.tones:
            assert all(mark in ("中", tone) for mark, tone in zip(wish.tones, tones(line), strict=True))
    assert all(word in song.text for word in plan.words)
    check_rhymes(song, plan)


def check_rhymes(song: Written, plan: Plan) -> None:
    groups: dict[int, list[str]] = {}
    for line, wish in zip(song.lines, plan.lines, strict=True):
        if wish.rhyme is not None and wish.repeats is None:
            groups.setdefault(wish.rhyme, []).append(line)
    for group, lines in groups.items():
        found = [rhyme_class(line, table=table_of(plan.table)) for line in lines]
        if plan.near:
            found = [frozenset().union(*map(near_classes, classes)) for classes in found]
        assert frozenset.intersection(*found)
        assert len({line_end(line) for line in lines}) == len(lines)
        if group in plan.classes:
            assert all(plan.classes[group] in classes for classes in found)


@pytest.mark.parametrize("labelled", [False, True], ids=["by masks", "labelled"])
@pytest.mark.parametrize("level", ["char", "word"])
@pytest.mark.parametrize("name", PLANS)
def test_every_plan_is_kept(name: str, level: str, labelled: bool) -> None:
    plan = Plan.parse(**PLANS[name])  # type: ignore[arg-type]
    for song in writer(level, labelled, seed=len(name)).write(count=4, seed=1, plan=plan, sampling=WILD):
        check(song, plan)


@pytest.mark.parametrize("labelled", [False, True], ids=["by masks", "labelled"])
def test_greedy_songs_keep_their_plan(labelled: bool) -> None:
    plan = Plan.parse(**PLANS["all together"])  # type: ignore[arg-type]
    (song,) = writer("char", labelled).write(plan=plan, sampling=SamplingConfig(greedy=True))
    check(song, plan)


@pytest.mark.parametrize("labelled", [False, True], ids=["by masks", "labelled"])
def test_a_model_in_love_with_commas_comes_to_the_end_of_its_lines(
    labelled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signs are no units: without a limit they could follow each other for ever."""
    monkeypatch.setattr(constraints, "MAX_LINE", 12)
    lyricist = writer("char", labelled)
    lyricist.checkpoint.model.bias.data[lyricist.vocab.ids["，"] - END] += 100
    (song,) = lyricist.write(plan=Plan.parse(pattern="2,1", lines=2), sampling=SamplingConfig(greedy=True))
    assert [len(line) for line in song.lines] == [14, 13]  # twelve commas, and then what is sung
    assert [count_units(line) for line in song.lines] == [2, 1]


@pytest.mark.parametrize("cell", ["rnn", "gru"])
def test_the_other_cells_keep_a_plan(cell: str) -> None:
    plan = Plan.parse(**PLANS["all together"])  # type: ignore[arg-type]
    for song in make_lyricist(cell, tokens=TOKENS["char"], labelled=True).write(count=4, seed=1, plan=plan):
        check(song, plan)


# Readings

READ = "\n快乐音河多错别叶夜月的是"


@pytest.mark.parametrize("labelled", [False, True])
@pytest.mark.parametrize("name", ["梭坡", "乜斜"])
def test_lines_rhyme_by_the_reading_that_they_give_their_end(name: str, labelled: bool) -> None:
    """乐 is lè in 快乐 and yuè in 音乐: which one a line ends in is known when it is finished."""
    lyricist = make_lyricist(tokens=READ, labelled=labelled, seed=5)
    lyricist.checkpoint.model.bias.data[[lyricist.vocab.ids[each] - END for each in "音乐"]] += 3
    plan = Plan.parse(pattern="3", rhyme="AA", rhyme_class=name, lines=2)
    ends = set()
    for song in lyricist.write(count=40, seed=1, plan=plan, sampling=SamplingConfig(temperature=1.5, top_p=1.0)):
        check(song, plan)
        ends |= {line_end(line) for line in song.lines}
    assert "乐" in ends  # where it is read as the rhyme asks


# What cannot be had


def test_what_no_token_can_do_gives_way_and_says_so() -> None:
    for labelled in (False, True):
        lyricist = writer("char", labelled)
        (song,) = lyricist.write(seed=1, plan=Plan.parse(pattern="5", acrostic="我鲲", lines=2))
        assert song.relaxed == ("line 2: head 鲲: nothing that this model can write fits",)
        assert [count_units(line) for line in song.lines] == [5, 5] and song.lines[0].startswith("我")
        (song,) = lyricist.write(seed=1, plan=Plan.parse(pattern="5", rhyme="A", rhyme_class="灰堆", lines=2))
        assert [rule.split(":")[0] for rule in song.relaxed] == ["line 1", "line 2"]
        assert all("rhyme 灰堆" in rule for rule in song.relaxed)
        assert [count_units(line) for line in song.lines] == [5, 5]


def test_more_rhymes_than_there_are_characters_end_in_one_again() -> None:
    plan = Plan.parse(pattern="3", rhyme="AA", one_rhyme=True, rhyme_class="江阳", lines=6)
    for labelled in (False, True):
        (song,) = writer("char", labelled).write(seed=1, plan=plan)
        assert all("江阳" in rhyme_class(line) for line in song.lines)
        assert [rule.split(": ")[:2] for rule in song.relaxed] == [
            ["line 5", "another last character"], ["line 6", "another last character"]
        ]  # fmt: skip


# The start text, and songs beside each other


@pytest.mark.parametrize("start", ["", "我", "我来\n光", "我来光\n山天\n"])
@pytest.mark.parametrize("labelled", [False, True])
def test_the_same_song_alone_streamed_or_among_others(labelled: bool, start: str) -> None:
    lyricist = writer("char", labelled)
    plan = Plan.parse(pattern="3,2", rhyme="AABB", lines=6) if start.count("\n") != 1 else Plan.parse(
        pattern="2,3", rhyme="XA", acrostic="我光", lines=6)  # fmt: skip
    songs = lyricist.write(start, count=9, seed=7, plan=plan)
    again = lyricist.write(start, count=3, seed=7, plan=plan)
    assert again == songs[:3]
    for number in (0, 4, 8):
        assert "".join(lyricist.stream(start, seed=7, number=number, plan=plan)) == songs[number].text
    assert len({song.text for song in songs}) > 1
    for song in songs:
        assert song.text.startswith(start)
        assert [count_units(line) for line in song.lines] == [wish.length for wish in plan.lines]
    if not start.endswith("天\n"):
        for song in songs:
            check(song, plan)


@pytest.mark.parametrize("start", ["", "我来", "怪光\n"])
def test_free_songs_of_a_labelled_model(start: str) -> None:
    lyricist = writer("char", True)
    songs = lyricist.write(start, count=9, seed=7)
    for number in (0, 8):
        assert "".join(lyricist.stream(start, seed=7, number=number)) == songs[number].text
        assert lyricist.score(songs[number].text).nats > 0
    for song in songs:
        assert song.text.startswith(start) and "\n\n\n" not in song.text and not song.text.startswith("\n")
        assert 4 <= len(song.lines) <= 40
    for song in lyricist.write(start, count=3, seed=1, form=Form(lines=5)):
        assert len(song.lines) == 5
    for song in lyricist.write(start, count=3, seed=1, form=Form(length=30)):
        assert len(song.text) == len(start) + 30


def test_a_song_of_a_labelled_model_costs_the_same_alone_and_among_others() -> None:
    lyricist = writer("char", True)
    songs = lyricist.write(count=40, seed=2, form=Form(lines=3))
    for number in (0, 20, 39):
        score = lyricist.score(songs[number].text)
        assert songs[number].nats_per_char == pytest.approx(score.nats_per_char, rel=1e-5)


def test_starts_that_break_the_plan_are_refused() -> None:
    lyricist = writer("char", True)
    with pytest.raises(OptionError, match="line 1 shall have 3 characters, and the start text has more"):
        lyricist.write("我来光山", plan=Plan.parse(pattern="3"))
    with pytest.raises(OptionError, match="line 2 shall begin with 你, and the start text does not"):
        lyricist.write("我来\n光", plan=Plan.parse(acrostic="我你"))
    with pytest.raises(OptionError, match="leave out --length"):
        lyricist.write(plan=Plan.parse(pattern="3"), form=Form(length=5))


# Mood and style


def test_moods_that_the_model_knows_tell_it_something() -> None:
    lyricist = make_lyricist(tokens=TOKENS["char"], labelled=True, moods=("忧伤", "欢快"))
    texts = {mood: lyricist.write(seed=1, plan=Plan(mood=mood))[0].text for mood in ("", "忧伤", "欢快")}
    assert len(set(texts.values())) == 3
    with pytest.raises(OptionError, match="the model knows no mood '平静': it knows 忧伤, 欢快"):
        lyricist.write(plan=Plan(mood="平静"))
    with pytest.raises(OptionError, match="the model knows no style '民谣': it was trained without them"):
        lyricist.write(plan=Plan(style="民谣"))
    with pytest.raises(OptionError, match="it was trained without them"):
        make_lyricist().write(plan=Plan(mood="忧伤"))


def test_the_sounds_of_these_tests_are_what_they_say() -> None:
    classes = [rhyme_class(each) for each in SOUNDS]
    assert classes == [frozenset({name}) for name in ("江阳", "言前", "中东") for _ in range(4)]
    assert all(rhyme_class(a) == rhyme_class(b) for a, b in combinations(SOUNDS[:4], 2)) and "江阳" in THIRTEEN


# What a reader of songs would not forgive


@pytest.mark.parametrize("labelled", [False, True], ids=["by masks", "labelled"])
@pytest.mark.parametrize("near", [False, True])
def test_the_fourteen_classes_part_what_the_thirteen_hold_together(labelled: bool, near: bool) -> None:
    """气 and 支 share 一七, and are 齐 and 支."""
    tokens = "\n气起地意支知是诗我你"
    lyricist = make_lyricist(tokens=tokens, labelled=labelled, seed=4)
    plan = Plan.parse(pattern="3", rhyme="AAA", rhyme_table=14, near=near, lines=3)
    for song in lyricist.write(count=20, seed=1, plan=plan, sampling=WILD):
        assert song.relaxed == ()
        check_rhymes(song, plan)


@pytest.mark.parametrize("level", ["char", "word"])
def test_a_repeated_line_comes_back_whatever_is_in_it(level: str) -> None:
    lyricist = writer(level, False)
    (song,) = lyricist.write("我来，a5\n", seed=1, plan=Plan.parse(form="副歌,副歌", pattern="4,3,3"))
    assert song.lines[0] == song.lines[3] == "我来，a5" and song.relaxed == ()


@pytest.mark.parametrize("labelled", [False, True], ids=["by masks", "labelled"])
def test_no_word_is_lost_in_silence(labelled: bool) -> None:
    lyricist = writer("char", labelled)
    lyricist.checkpoint.model.bias.data[0] += 9  # it would end its songs at once
    for song in lyricist.write(count=8, seed=1, plan=Plan.parse(words="来我,星,山天,影"), sampling=WILD):
        assert all(word in song.text for word in ("来我", "星", "山天", "影")) and song.relaxed == ()
    (song,) = lyricist.write(seed=1, plan=Plan.parse(words="来我,星,山天,影", pattern="4", lines=2))
    missing = [word for word in ("来我", "星", "山天", "影") if word not in song.text]
    assert len(missing) == len(song.relaxed) >= 1
    assert all(f"word {word}" in "".join(song.relaxed) for word in missing)


def test_start_lines_that_break_the_plan_are_refused_wherever_they_stand() -> None:
    lyricist = writer("char", True)
    with pytest.raises(OptionError, match="line 1 shall have 3 characters, and in the start text it has 2"):
        lyricist.write("我来\n光", plan=Plan.parse(pattern="3"))
    with pytest.raises(OptionError, match="line 1 shall begin with 你, and the start text does not"):
        lyricist.write("我来\n光", plan=Plan.parse(acrostic="你光"))
    with pytest.raises(OptionError, match="line 1 shall have 2 characters, and the start text has more"):
        lyricist.write("龘龘龘", plan=Plan.parse(pattern="2"))  # nothing that the vocabulary has


def test_a_long_begun_line_may_go_on() -> None:
    lyricist = writer("char", True)
    start = "我来" * 20
    songs = lyricist.write(start, count=20, seed=1, sampling=WILD)
    assert len({len(song.lines[0]) for song in songs}) > 1


def test_tones_hold_in_the_readings_of_the_line() -> None:
    lyricist = make_lyricist(tokens="\n睡觉天", labelled=True, seed=3, tokenizer=CHARACTERS)
    plan = Plan.parse(tones="仄平仄平,仄仄平平", lines=8)
    for song in lyricist.write(plan=plan, count=5, seed=1, sampling=WILD):
        check(song, plan)  # 觉 is level alone and oblique after 睡
        assert "睡觉" not in song.text


@pytest.mark.parametrize("labelled", [False, True])
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("line", ["Oh yeah", "ラララ", "……", "星龘光 yo", "光 龘"])
def test_what_the_vocabulary_lacks_comes_back_too(line: str, labelled: bool, count: int) -> None:
    lyricist = make_lyricist(tokens=TOKENS["char"], labelled=labelled, seed=3, tokenizer=CHARACTERS)
    plan = Plan.parse(form="副歌,副歌")
    (song,) = lyricist.write(f"{line}\n", plan=plan, seed=1, sampling=WILD, candidates=count)
    assert len(song.lines) == 8
    assert song.lines[0] == line and song.lines[4:] == song.lines[:4]


@pytest.mark.parametrize("text", ["星光想忘\n我\n我\n我\n月", "星光想忘\n我\n我\n我\n天山\n"])
def test_a_start_that_does_not_repeat_what_shall_return_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match="line 5 repeats line 1"):
        writer("char", True).write(text, plan=Plan.parse(form="副歌,副歌"))


@pytest.mark.parametrize("count", [1, 3])
def test_a_start_that_is_the_whole_song_is_all_of_it(count: int) -> None:
    (song,) = writer("char", True).write("星光\n", form=Form(lines=1), candidates=count)
    assert song.lines == ("星光",)
    (song,) = writer("char", True).write("星光\n天山\n", plan=Plan.parse(pattern="2", lines=2), candidates=count)
    assert song.lines == ("星光", "天山")


def test_a_start_that_does_not_rhyme_is_told() -> None:
    lyricist = writer("char", True)
    (song,) = lyricist.write(
        "我光星\n", plan=Plan.parse(pattern="3", lines=2, rhyme="AA", rhyme_class="江阳"), seed=1
    )
    assert song.relaxed == ("line 1: rhyme 江阳: the start text has it otherwise",)
    (song,) = lyricist.write("我星光\n天天光\n", plan=Plan.parse(pattern="3", lines=3, rhyme="AAA"), seed=1)
    assert song.relaxed == ("line 2: another last character: the start text has it otherwise",)


@pytest.mark.parametrize("labelled", [False, True])
def test_a_start_that_begins_a_section_gets_its_blank_line(labelled: bool) -> None:
    plan = Plan.parse(pattern="3,3,/,5,5")
    (song,) = writer("char", labelled).write("星光想\n我来光\n星", plan=plan, seed=1, sampling=WILD)
    assert song.text.startswith("星光想\n我来光\n\n星")
    check(song, plan)


def test_a_start_with_unknown_letters_keeps_its_length() -> None:
    (song,) = writer("char", True).write("Hello 星", plan=Plan.parse(pattern="5", lines=2), seed=1, sampling=WILD)
    assert [count_units(line) for line in song.lines] == [5, 5]


def test_a_letter_may_go_on_where_a_models_own_line_is_full() -> None:
    lyricist = make_lyricist(tokens="\n星光ohyea ", labelled=True, seed=3, tokenizer=CHARACTERS)
    ends = [
        line.rsplit(" ", 1)[-1] for song in lyricist.write(count=40, seed=1, sampling=WILD) for line in song.lines
    ]
    latin = [end for end in ends if end.isascii()]
    assert latin and max(map(len, latin)) > 1


def test_of_several_versions_one_that_copies_is_the_last_choice() -> None:
    class Warned(Lyricist):
        def copied(self, text: str, *, at_least: int = COPY) -> list[Run]:
            return [Run(at, at + 1, "星", 1) for at, sign in enumerate(text) if sign == "星"]

    model, plan = make_lyricist(tokens="\n星月雨风山海").checkpoint, Plan.parse(pattern="3", lines=6)
    model.model.bias.data[model.vocab.ids["星"] - END] -= 1.5  # it would write little else

    def songs(lyricist: Lyricist) -> list[Written]:
        return lyricist.write("星月星\n", count=10, seed=4, plan=plan, sampling=WILD, candidates=40)

    assert any("星" in line for song in songs(Lyricist(model)) for line in song.lines[1:])
    assert not any("星" in line for song in songs(Warned(model)) for line in song.lines[1:])


def test_a_copy_over_several_short_lines_counts_too() -> None:
    class Warned(Lyricist):
        def copied(self, text: str, *, at_least: int = COPY) -> list[Run]:
            heads = [line[:1] for line in text.split("\n")]
            return [Run(0, 1, head, 1) for head, third in zip(heads, heads[2:], strict=False) if head == third]

    model, plan = make_lyricist(tokens="\n星月雨风山海").checkpoint, Plan.parse(pattern="2", lines=8)

    def again(lyricist: Lyricist) -> int:
        songs = lyricist.write(count=10, seed=4, plan=plan, sampling=WILD, candidates=30)
        return sum(a[0] == b[0] for song in songs for a, b in zip(song.lines, song.lines[2:], strict=False))

    assert again(Warned(model)) < again(Lyricist(model)) / 4


def test_of_several_versions_the_likeliest_that_keeps_the_plan_is_kept() -> None:
    lyricist, plan = writer("char", True), Plan.parse(pattern="5,4", rhyme="AABB", lines=6)
    one, many = (lyricist.write(count=12, seed=3, plan=plan, sampling=WILD, candidates=number) for number in (1, 12))
    costs = [sum(song.nats_per_char for song in songs) / len(songs) for songs in (one, many)]
    assert costs[1] < costs[0] - 0.2
    for song in many:
        check(song, plan)
    assert lyricist.write(count=3, seed=3, plan=plan, sampling=WILD, candidates=12) == many[:3]
    for number in (0, 7):
        pieces = list(lyricist.stream(seed=3, number=number, plan=plan, sampling=WILD, candidates=12))
        assert "".join(pieces) == many[number].text and all(piece[-1:] in ("", "\n") for piece in pieces)


def test_a_free_song_draws_a_mood_as_usual_as_it_is_among_the_training_songs() -> None:
    def model(songs: int, *counts: int) -> Lyricist:
        loaded = make_lyricist(tokens=TOKENS["char"], labelled=True, moods=("忧伤", "欢快")).checkpoint
        corpus = {"train_songs": songs, "mood_songs": list(counts)}
        return Lyricist(replace(loaded, card=replace(loaded.card, corpus=corpus)))

    def texts(lyricist: Lyricist, mood: str = "", **more: int) -> list[str]:
        return [song.text for song in lyricist.write(count=40, seed=1, plan=Plan(mood=mood), **more)]  # type: ignore[arg-type]

    odd = model(10, 4, 6)
    odd.checkpoint.card.corpus.update(train_songs="x", mood_songs=5)
    unknown, sad, glad = (texts(model(10, 0, 0), mood) for mood in ("", "忧伤", "欢快"))
    for lyricist in (model(10, 4, 0), model(10, 20, -1), model(10, 5), model(0, 0, 0), odd, make_lyricist()):
        assert texts(lyricist) == texts(Lyricist(replace(lyricist.checkpoint, card=replace(
            lyricist.checkpoint.card, corpus={}))))  # fmt: skip
    drawn = texts(model(10, 4, 6))
    chosen = [(text == a, text == b) for text, a, b in zip(drawn, sad, glad, strict=True)]
    assert all(any(each) for each in chosen) and drawn != unknown
    assert 8 <= sum(a and not b for a, b in chosen) < sum(b and not a for a, b in chosen)
    assert texts(model(10, 0, 6)) == glad and texts(model(10, 0, 6), "忧伤") == sad
    assert "".join(model(10, 4, 6).stream(seed=1, number=7)) == drawn[7]
