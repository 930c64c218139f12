"""Songs written against their training songs: what is copied is named, and with `novel` nothing is."""

from dataclasses import replace
from pathlib import Path

import pytest

from lyricgen.errors import CheckpointError, OptionError
from lyricgen.generation.constraints import Draft, Form
from lyricgen.generation.line_plan import LinePlan
from lyricgen.generation.lyricist import Lyricist
from lyricgen.generation.novel import NovelRule
from lyricgen.generation.plan import Plan
from lyricgen.text.novelty import NoveltyBuilder

from .conftest import make_lyricist

SONGS = ("星月雨风山海星雨月风", "星星月月雨雨风风\n山山海海")


@pytest.fixture
def taught(tmp_path: Path) -> Lyricist:
    """A lyricist of few characters, with songs that hold many of the ways to follow them."""
    lyricist = make_lyricist(tokens="\n星月")
    builder = NoveltyBuilder()
    for song in SONGS:
        builder.add(song)
    # Every text of two characters in eight places; no three songs share any.
    builder.add("".join(f"{number:08b}" for number in range(256)).replace("0", "星").replace("1", "月"))
    index = builder.build()
    assert index is not None
    (tmp_path / "novelty.bin").write_bytes(index.to_bytes())
    return Lyricist(replace(lyricist.checkpoint, folder=tmp_path))


def drafted(text: str) -> Draft:
    draft = Draft()
    draft.add(text)
    return draft


def test_the_mask_of_a_small_song(taught: Lyricist) -> None:
    loaded = make_lyricist().checkpoint
    builder = NoveltyBuilder()
    builder.add(SONGS[0])
    loaded.__dict__["novelty"] = builder.build()
    rule, ids = NovelRule(loaded, at_least=6), loaded.vocab.ids
    assert rule.forbidden_ids(drafted("海星月雨风")) == ()
    assert rule.forbidden_ids(drafted("海星月雨风山")) == (ids["海"],)
    assert rule.forbidden_ids(drafted("海\n星月雨\n风 山\n")) == (ids["海"],)
    assert rule.forbidden_ids(drafted("")) == ()


def test_what_is_copied_is_named_each_run_once(taught: Lyricist) -> None:
    (song,) = taught.write(seed=1, form=Form(length=60))
    assert song.copied == tuple(dict.fromkeys(run.text for run in taught.copied(song.text)))
    assert len(song.copied) > 1 and all(run in song.text for run in song.copied)
    assert song.to_json()["copied"] == list(song.copied)


@pytest.mark.parametrize("at_least", [7, 8, 12])
def test_with_novel_nothing_is_copied_but_what_was_given(taught: Lyricist, at_least: int) -> None:
    free = Form(length=40)
    plain = taught.write(count=4, seed=2, form=free)
    songs = taught.write(count=4, seed=2, form=free, novel=at_least)
    assert any(taught.copied(song.text, at_least=at_least) for song in plain)
    for number, song in enumerate(songs):
        # With two characters and a break there comes a place where every one is forbidden: then the rule gives way.
        told = any(f"novel {at_least}" in rule for rule in song.relaxed)
        assert told or not taught.copied(song.text, at_least=at_least)
        assert "".join(taught.stream(seed=2, number=number, form=free, novel=at_least)) == song.text


def test_a_rule_that_can_be_kept_is_kept(tmp_path: Path) -> None:
    lyricist = make_lyricist()
    song = lyricist.write(seed=5, form=Form(lines=30))[0].text
    builder = NoveltyBuilder()
    builder.add(song)
    index = builder.build()
    assert index is not None
    (tmp_path / "novelty.bin").write_bytes(index.to_bytes())
    knowing = Lyricist(replace(lyricist.checkpoint, folder=tmp_path))
    assert knowing.copied(knowing.write(seed=5, form=Form(lines=30))[0].text)
    (fresh,) = knowing.write(seed=5, form=Form(lines=30), novel=6)
    assert knowing.copied(fresh.text, at_least=6) == [] and len(fresh.lines) == 30


@pytest.mark.parametrize("at_least", [-8, 5, 13])
def test_lengths_that_cannot_be(taught: Lyricist, at_least: int) -> None:
    with pytest.raises(OptionError, match=f"novel must be from 6 to 12 characters, got {at_least}"):
        taught.stream(novel=at_least)


def test_a_model_without_an_index_writes_and_says_that_it_cannot_tell() -> None:
    lyricist = make_lyricist()
    assert lyricist.write(seed=1, form=Form(lines=2))[0].copied == ()
    with pytest.raises(CheckpointError, match=r"has no novelty\.bin"):
        lyricist.write(seed=1, novel=8)


def test_where_it_has_to_give_way_it_says_so() -> None:
    plan = Plan((LinePlan(length=8, head="星月雨风山海星雨"),))
    lyricist = make_lyricist()
    builder = NoveltyBuilder()
    builder.add(SONGS[0])
    lyricist.checkpoint.__dict__["novelty"] = builder.build()
    (song,) = lyricist.write(plan=plan, novel=6)
    assert song.lines == ("星月雨风山海星雨",)
    assert song.relaxed == ("line 1: novel 6: nothing that this model can write fits",)
