"""Songs keep their form, repeat under a seed, and cost what scoring says they cost."""

import math

import pytest
import torch

from lyricgen.errors import InputError, OptionError
from lyricgen.generation.constraints import MAX_LINES, MIN_LINES, Draft, Form, FormRules
from lyricgen.generation.engine import Engine
from lyricgen.generation.lyricist import Lyricist
from lyricgen.generation.sampler import SamplingConfig
from lyricgen.text.vocab import END, START
from tests.narrow import on_a_narrow_device

from .conftest import make_lyricist

WILD = SamplingConfig(temperature=1.0, top_p=1.0)


def test_the_same_song_alone_streamed_or_among_others(lyricist: Lyricist) -> None:
    songs = lyricist.write("星", count=9, seed=7, form=Form(lines=6))
    again = lyricist.write("星", count=3, seed=7, form=Form(lines=6))
    assert [song.text for song in again] == [song.text for song in songs[:3]]
    for number in (0, 4, 8):
        assert "".join(lyricist.stream("星", seed=7, number=number, form=Form(lines=6))) == songs[number].text
    assert len({song.text for song in songs}) > 1
    assert lyricist.write("星", count=1, seed=8, form=Form(lines=6))[0].text != songs[0].text


def test_more_songs_than_fit_side_by_side() -> None:
    lyricist = make_lyricist()
    songs = lyricist.write(count=70, seed=1, form=Form(lines=1))
    assert len(songs) == 70
    assert songs[68].text == "".join(lyricist.stream(seed=1, number=68, form=Form(lines=1)))


@pytest.mark.parametrize("lines", [1, 3, 12])
def test_so_many_lines(lyricist: Lyricist, lines: int) -> None:
    for song in lyricist.write(count=5, seed=2, form=Form(lines=lines), sampling=WILD):
        assert len(song.lines) == lines
        assert [line for line in song.text.split("\n") if line] == list(song.lines)


def test_so_many_tokens_after_the_start_whatever_ends(lyricist: Lyricist) -> None:
    for song in lyricist.write("星月", count=5, seed=2, form=Form(length=30), sampling=WILD):
        assert len(song.text) == 2 + 30


def test_a_free_song_has_four_to_forty_lines(lyricist: Lyricist) -> None:
    for song in lyricist.write(count=20, seed=2, sampling=WILD):
        assert MIN_LINES <= len(song.lines) <= MAX_LINES
        assert not song.text.startswith("\n")
        assert "\n\n\n" not in song.text


def test_no_line_comes_twice_in_a_row(lyricist: Lyricist) -> None:
    for song in lyricist.write(count=20, seed=4, form=Form(lines=20), sampling=SamplingConfig(temperature=0.3)):
        assert all(a != b for a, b in zip(song.lines, song.lines[1:], strict=False))


def test_greedy_writing_may_loop_and_needs_no_seed() -> None:
    lyricist = make_lyricist()
    greedy = SamplingConfig(greedy=True)
    first, second = (
        lyricist.write(seed=seed, form=Form(length=40, repeats=True), sampling=greedy) for seed in (1, 2)
    )
    assert first == second
    ids: list[int] = []
    engine = Engine(lyricist.checkpoint.model)
    step = engine.step(torch.full((8,), START), engine.begin(1).state)
    for _ in range(40):
        row = step.logits[0].clone()
        row[0] = -torch.inf  # the end
        if not ids or ids[-2:] == [3, 3]:
            row[1] = -torch.inf  # a third line break
        ids.append(int(row.argmax()) + 2)
        step = engine.step(torch.tensor([ids[-1]] + [END] * 7), step.state)
    assert first[0].text == lyricist.vocab.decode(ids)


def test_spaces_stand_between_words_only() -> None:
    lyricist = make_lyricist(tokens="\n 星月")
    vocab = lyricist.vocab
    space, breaks = vocab.ids[" "], vocab.ids["\n"]
    _, rule = FormRules(Form(), vocab).rules[2]
    assert rule(_draft("")) == rule(_draft("星\n")) == (space,)
    assert rule(_draft("星")) == ()
    assert rule(_draft("星 ")) == (space, breaks)
    for song in lyricist.write(count=10, seed=1, form=Form(lines=6), sampling=WILD):
        assert all(line == line.strip() and "  " not in line for line in song.lines)


def test_a_song_costs_what_scoring_says(lyricist: Lyricist) -> None:
    for start in ("", "星月", "怪"):  # the last is outside the vocabulary
        (song,) = lyricist.write(start, seed=3, form=Form(length=20))
        score = lyricist.score(song.text)
        assert song.nats_per_char == pytest.approx(score.nats_per_char, rel=1e-5)
        assert score.chars == len(song.text)


def test_a_start_of_unknown_words_stands_as_it_was_given(lyricist: Lyricist) -> None:
    (song,) = lyricist.write("Zzyzx 🚂", seed=1, form=Form(lines=2))
    assert song.lines[0].startswith("Zzyzx 🚂")
    assert "\ufffd" not in song.text


def test_a_start_of_several_lines(lyricist: Lyricist) -> None:
    (song,) = lyricist.write("星\n月\n", seed=1, form=Form(lines=4))
    assert song.lines[:2] == ("星", "月")
    assert len(song.lines) == 4


def test_what_is_expected_is_what_scoring_charges(lyricist: Lyricist) -> None:
    expected = lyricist.expect("星月", top=100)
    assert sum(each.probability for each in expected) == pytest.approx(1 - lyricist.vocab.unseen, rel=1e-5)
    assert [each.probability for each in expected] == sorted((e.probability for e in expected), reverse=True)
    before = lyricist.score("星月").nats
    for each in expected:
        if each.token != "<end>":
            added = lyricist.score("星月" + each.token).nats - before
            assert each.probability == pytest.approx(math.exp(-added), rel=1e-3)
    assert len(lyricist.expect(top=2)) == 2


@pytest.mark.parametrize("start", [" ", "\n\t", "\u3000"])
def test_a_start_of_white_space_is_refused(lyricist: Lyricist, start: str) -> None:
    with pytest.raises(InputError, match="only white space"):
        lyricist.write(start)


@pytest.mark.parametrize("form", [{"lines": -1}, {"lines": 10_001}, {"length": -5}, {"lines": 3, "length": 3}])
def test_forms_that_cannot_be(form: dict[str, int]) -> None:
    with pytest.raises(OptionError):
        Form(**form)


def test_rules_give_way_where_nothing_would_be_left() -> None:
    lyricist = make_lyricist(tokens="\na")
    for song in lyricist.write(count=3, seed=1, form=Form(lines=8), sampling=WILD):
        assert len(song.lines) == 8


def _draft(text: str) -> Draft:
    draft = Draft()
    for piece in text:
        draft.add(piece)
    return draft


def test_the_masks_of_a_songs_form() -> None:
    vocab = make_lyricist().vocab
    breaks = vocab.ids["\n"]

    def forbidden(text: str, form: Form) -> list[tuple[int, ...]]:
        return [rule(_draft(text)) for _, rule in FormRules(form, vocab).rules]

    assert forbidden("", Form()) == [(END,), (breaks,), (), ()]
    assert forbidden("星", Form()) == [(END,), (), (), ()]
    assert forbidden("星\n月", Form()) == [(END,), (), (), ()]
    assert forbidden("星月\n星", Form()) == [(END,), (), (), (vocab.ids["月"],)]
    assert forbidden("星\n\n", Form()) == [(END,), (breaks,), (), (vocab.ids["星"],)]
    assert forbidden("星\n月\n雨\n风\n", Form()) == [(), (), (), (vocab.ids["风"],)]
    assert forbidden("星\n月\n", Form(lines=3))[0] == (END,)
    assert FormRules(Form(lines=2), vocab).finished(_draft("星\n月\n"))
    assert not FormRules(Form(lines=2), vocab).finished(_draft("星\n月"))
    assert FormRules(Form(), vocab).forced(_draft("星" * 199)) is None
    assert FormRules(Form(), vocab).forced(_draft("星" * 200)) == breaks
    assert forbidden("星\n月\n", Form(length=9))[0] == (END,)


def test_progress_counts_the_songs(lyricist: Lyricist) -> None:
    done: list[int] = []
    lyricist.write(count=5, seed=1, progress=lambda: done.append(1))
    assert len(done) == 5
    lyricist.write(count=3, seed=1, candidates=2, progress=lambda: done.append(1))
    assert len(done) == 8


@pytest.mark.parametrize("labelled", [False, True])
def test_on_a_device_without_float64_everything_is_the_same(labelled: bool) -> None:
    start = "星月雨\n风山"

    def done(lyricist: Lyricist) -> list[object]:
        sampling = SamplingConfig(min_p=0.01, repetition_penalty=1.2)
        songs = lyricist.write(start, count=2, seed=1, form=Form(lines=4), sampling=sampling)
        return [[song.text for song in songs], lyricist.expect(start), lyricist.expect(), lyricist.score(start)]

    expected, lyricist = done(make_lyricist(labelled=labelled)), make_lyricist(labelled=labelled)
    with on_a_narrow_device(lyricist.checkpoint.model):
        assert done(lyricist) == expected
