"""A song at work: candidates for one line, and what becomes of the song when they are taken or not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from lyricgen.errors import LyricgenError, OptionError
from lyricgen.generation.lyricist import Lyricist, Written
from lyricgen.generation.manuscript import Manuscript
from lyricgen.generation.plan import LinePlan, Plan
from lyricgen.generation.sampler import SamplingConfig
from lyricgen.generation.workbench import Settings, Workbench
from lyricgen.model.checkpoint import Card, Checkpoint
from lyricgen.model.config import ModelConfig
from lyricgen.model.network import LyricModel
from lyricgen.text.labels import LENGTHS, RHYMES
from lyricgen.text.phonetics import count_units, line_end, line_rhyme
from lyricgen.text.tokenizer import Tokenizer
from lyricgen.text.vocab import SPECIALS, Vocab

from .conftest import make_lyricist

TOKENS = "\n星月雨风山海光亮上长想乡"  # 光 亮 上 长 想 乡 rhyme in ang
WILD = SamplingConfig(temperature=1.0, top_p=1.0)
SONG = "星光\n山海\n月亮\n\n风雨\n"


def planning_lyricist() -> Lyricist:
    """One whose model plans its lines."""
    vocab = Vocab((*SPECIALS, *TOKENS), Tokenizer("char"), unseen=0.01)
    torch.manual_seed(3)
    model = LyricModel(
        ModelConfig(len(vocab), embedding=6, hidden=8, layers=1, dropout=0.0, lengths=LENGTHS, rhymes=RHYMES)
    )
    return Lyricist(Checkpoint(Path("none"), Card(model.config), vocab, model.eval()))


@pytest.fixture(params=["bare", "planning"])
def writer(request: pytest.FixtureRequest) -> Lyricist:
    """A model without plans, and one with them."""
    return make_lyricist(tokens=TOKENS) if request.param == "bare" else planning_lyricist()


def bench(lyricist: Lyricist, *, plan: Plan | None = None, candidates: int = 5, **more: object) -> Workbench:
    settings = Settings(candidates, 7, WILD)
    return Workbench(lyricist, plan=plan, settings=settings, **more)  # type: ignore[arg-type]


def test_a_song_grows_line_by_line(writer: Lyricist) -> None:
    work = bench(writer, start="星月\n")
    found = work.propose()
    assert 1 <= len(found) <= 5 and len({each.line for each in found}) == len(found)
    work.pick(2)
    work.take(" 我  自己的\t一行 ")
    assert work.page.page() == f"星月\n{found[1].line}\n我 自己的 一行\n"
    assert work.at == 3 and work.candidates == ()


def test_the_best_come_first_and_cost_what_scoring_says() -> None:
    lyricist = make_lyricist(tokens=TOKENS)
    work = bench(lyricist, start="星月\n")
    found = work.propose()
    assert [each.cost for each in found] == sorted(each.cost for each in found)
    for each in found:
        nats = lyricist.score(f"星月\n{each.line}\n").nats - lyricist.score("星月").nats
        assert each.cost == pytest.approx(nats / len(f"\n{each.line}\n"), rel=1e-5)


def test_a_planned_line_pays_for_its_plan_and_not_for_the_next() -> None:
    lyricist = planning_lyricist()
    each = bench(lyricist, start="星月\n").propose()[0]
    nats = lyricist.score(f"星月\n{each.line}").nats - lyricist.score("星月").nats
    assert each.cost == pytest.approx(nats / len(f"\n{each.line}"), rel=1e-5)


def test_new_ones_are_new_and_a_seed_repeats_them(writer: Lyricist) -> None:
    work, again = bench(writer), bench(writer)
    first, second = work.propose(), work.propose()
    assert second and not {each.line for each in first} & {each.line for each in second}
    assert (again.propose(), again.propose()) == (first, second)


def test_where_nothing_new_is_found_the_old_ones_stand() -> None:
    plan = Plan((LinePlan(1), LinePlan(1, repeats=0)))
    work = bench(make_lyricist(), plan=plan)
    work.take("海")
    assert [each.line for each in work.propose()] == ["海"]
    assert work.propose() == ()
    work.pick(1)
    assert work.page.lines == ("海", "海")


def test_going_back(writer: Lyricist) -> None:
    work = bench(writer)
    first = work.propose()
    work.pick(1)
    work.part()
    work.take("月")
    assert work.page.page() == f"{first[0].line}\n\n月\n"
    work.undo()
    work.undo()
    work.undo()
    assert work.page.page() == "" and work.at == 0
    assert work.propose() == first
    with pytest.raises(OptionError, match="nothing to take back"):
        work.undo()


def test_the_plan_holds_line_by_line(writer: Lyricist) -> None:
    work = bench(writer, plan=Plan.parse(pattern="3,4,/,2", rhyme="AAA", acrostic="星月", words="山海", lines=3))
    for line, length in enumerate((3, 4, 2)):
        assert work.wish.length == length and not work.complete
        for each in work.propose():
            assert count_units(each.line) == length
            assert each.relaxed or each.line.startswith("星月"[line : line + 1])
            assert each.relaxed or line_rhyme(each.line) & line_rhyme(work.page.lines[0] if line else each.line)
            assert each.relaxed or line_end(each.line) not in map(line_end, work.page.lines)
        assert line or any(not each.relaxed for each in work.candidates)  # few of these characters rhyme
        work.pick(1)
    assert work.complete
    assert any("山海" in line for line in work.page.lines)
    assert [row.raw == "" for row in work.page.rows] == [False, False, True, False]
    work.propose()
    work.pick(1)
    assert len(work.page.lines) == 4


def test_a_rule_that_gives_way_is_told() -> None:
    work = bench(make_lyricist(), plan=Plan.parse(acrostic="龙", lines=2))  # the model cannot write it
    assert all(any("head" in rule for rule in each.relaxed) for each in work.propose())


def test_lines_that_keep_the_rules_come_first() -> None:
    class Lax(Lyricist):
        """Says of some lines that a rule gave way in them."""

        def write(self, *given: Any, **options: Any) -> list[Written]:
            songs = super().write(*given, **options)
            return [replace(song, relaxed=("line 1: rhyme",) * (len(song.lines[-1]) % 4 > 0)) for song in songs]

    found = bench(Lax(make_lyricist(tokens=TOKENS).checkpoint), candidates=10).propose()
    broken = [bool(each.relaxed) for each in found]
    assert broken == sorted(broken) and {*broken} == {True, False}
    assert [each.cost for each in found] != sorted(each.cost for each in found)


def test_a_word_waits_until_its_line_is_taken_and_no_longer() -> None:
    work = bench(make_lyricist(tokens=TOKENS), plan=Plan.parse(words="山海"))
    assert work.wish.word == ""
    work.take("月")
    assert work.wish.word == "山海"
    assert all("山海" in each.line for each in work.propose())
    work.take("风")  # refused, it stays due
    assert work.wish.word == "山海"
    work.take("在山海")
    assert work.wish.word == ""


def test_another_length(writer: Lyricist) -> None:
    work = bench(writer, plan=Plan.parse(pattern="3", tones="中中中"))
    work.set_length(5)
    assert {count_units(each.line) for each in work.propose()} == {5}
    work.set_length(None)
    assert work.wish.length is None
    work.take("月")
    assert work.wish.length == 3 and work.wish.tones == "中中中"
    for length in (0, 61):
        with pytest.raises(OptionError, match="from 1 to 60"):
            work.set_length(length)


def test_the_first_words_open_the_first_line_only(writer: Lyricist) -> None:
    work = bench(writer, start="星月\n山")
    assert all(each.line.startswith("山") for each in work.propose())
    work.take("山海")
    assert not all(each.line.startswith("山") for each in work.propose())
    work.undo()
    assert all(each.line.startswith("山") for each in work.propose())


# --- a finished song


def test_a_line_is_rewritten_and_the_others_stand(writer: Lyricist) -> None:
    work = bench(writer, page=Manuscript.of(SONG))
    assert work.at is None
    for wrong in (work.propose, lambda: work.take("月"), lambda: work.set_length(3)):
        with pytest.raises(OptionError, match="no line is chosen"):
            wrong()
    work.choose(2)
    found = work.propose()
    assert {count_units(each.line) for each in found} == {2}
    assert "山海" not in [each.line for each in found]
    work.pick(1)
    assert work.page.page() == SONG.replace("山海", found[0].line)
    assert work.at is None


def test_a_rewritten_line_keeps_its_rhyme_and_another_end(writer: Lyricist) -> None:
    work = bench(writer, page=Manuscript.of(SONG))
    work.choose(1)  # 星光, which rhymes with 月亮 below it
    assert work.wish.rhyme is not None
    found = work.propose()
    assert found
    for each in found:
        assert each.relaxed or line_rhyme(each.line) == {"江阳"}
        assert each.relaxed or line_end(each.line) != "亮"
    assert any(not each.relaxed for each in found)
    work.choose(4)  # alone in its section
    assert work.wish.rhyme is None


def test_a_rewritten_line_is_weighed_with_those_that_follow() -> None:
    lyricist = make_lyricist(tokens=TOKENS)
    work = bench(lyricist, page=Manuscript.of(SONG))
    work.choose(2)
    found, old = work.propose(), work.standing
    assert old is not None and old.line == "山海"
    assert [each.total for each in found] == sorted(each.total for each in found)
    for each in (*found, old):
        song = lyricist.score(SONG.replace("山海", each.line)).nats - lyricist.score("星光").nats
        line = lyricist.score(f"星光\n{each.line}\n").nats - lyricist.score("星光").nats
        assert each.total == pytest.approx(song, rel=1e-5)
        assert each.cost == pytest.approx(line / 4, rel=1e-5)


def test_of_open_length_a_short_line_has_no_advantage() -> None:
    work = bench(make_lyricist(tokens=TOKENS), page=Manuscript.of(SONG), candidates=10)
    work.choose(2)
    work.set_length(None)
    found = work.propose()
    assert len({len(each.line) for each in found}) > 1
    assert [each.mean for each in found] == sorted(each.mean for each in found)
    rest = len("星光\n山海\n月亮\n\n风雨\n") - len("星光山海")
    assert all(each.mean == pytest.approx(each.total / (len(each.line) + rest)) for each in found)


def test_the_end_can_be_chosen_and_lines_of_a_new_song_rewritten(writer: Lyricist) -> None:
    work = bench(writer, page=Manuscript.of(SONG))
    work.choose()
    work.take("月")
    work.take("海")
    assert work.page.page() == SONG + "月\n海\n"
    fresh = bench(writer, plan=Plan.parse(pattern="2", acrostic="星月山海"))
    fresh.take("星光")
    fresh.take("月亮")
    fresh.choose(1)
    assert fresh.wish == replace(LinePlan(2, head="星"), rhyme=0)
    fresh.take("星山")
    assert fresh.page.lines == ("星山", "月亮") and fresh.at == 2


@pytest.mark.parametrize("number", [0, 5, -1])
def test_a_line_that_is_not_there(number: int) -> None:
    work = bench(make_lyricist(), page=Manuscript.of(SONG))
    with pytest.raises(OptionError, match="from 1 to 4"):
        work.choose(number)


# --- what cannot be


def test_what_cannot_be_taken() -> None:
    work = bench(make_lyricist())
    with pytest.raises(OptionError, match="no candidate 1"):
        work.pick(1)
    work.propose()
    for number in (0, 6):
        with pytest.raises(OptionError, match=r"from 1 to \d"):
            work.pick(number)
    for line in ("", " \t", "\x00"):
        with pytest.raises(OptionError, match="no line"):
            work.take(line)
    with pytest.raises(OptionError, match="at most 200"):
        work.take("月" * 201)
    with pytest.raises(OptionError, match="write a line first"):
        work.part()
    work.take("月")
    work.part()
    with pytest.raises(OptionError, match="write a line first"):
        work.part()


def test_what_cannot_be_begun() -> None:
    for more in ({"start": " "}, {"plan": Plan(mood="忧伤")}, {"plan": Plan((LinePlan(),)), "start": "月\n海\n"}):
        with pytest.raises(LyricgenError):
            bench(make_lyricist(), **more)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="candidates"):
        Settings(0)


def test_a_planned_line_that_is_rewritten_keeps_its_class_and_scheme(writer: Lyricist) -> None:
    work = bench(writer, plan=Plan.parse(pattern="2", rhyme="AAXA", rhyme_class="江阳", lines=4))
    for line in ("星海", "月亮", "山雨", "风上"):  # the first does not rhyme, and the third need not
        work.take(line)
    work.choose(1)
    assert work.wish.rhyme is not None
    assert all(line_rhyme(each.line) == {"江阳"} for each in work.propose())
    work.choose(3)
    assert work.wish.rhyme is None


def test_the_first_words_stay_begun_whatever_happens_besides(writer: Lyricist) -> None:
    work = bench(writer, start="星星\n月")
    work.choose(1)
    work.take("风雨")
    assert work.at == 1
    assert all(each.line.startswith("月") for each in work.propose())


def test_one_song_has_one_mood() -> None:
    loaded = make_lyricist(labelled=True, moods=("忧伤", "欢快")).checkpoint
    corpus = {"train_songs": 10, "mood_songs": [5, 5]}
    lyricist = Lyricist(replace(loaded, card=replace(loaded.card, corpus=corpus)))
    moods = {Workbench(lyricist, settings=Settings(3, seed)).plan.mood for seed in range(20)}
    assert moods == {"忧伤", "欢快"}
    assert Workbench(lyricist, page=Manuscript.of(SONG)).plan.mood == ""
    assert Workbench(lyricist, plan=Plan(mood="忧伤")).plan.mood == "忧伤"
