"""What the starter promises: small, whole, no reciter, and a card that tells the truth about it."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from lyricgen.evaluation.held_out import evaluate_documents
from lyricgen.generation.lyricist import Lyricist, load
from lyricgen.generation.plan import Plan
from lyricgen.model.checkpoint import NOVELTY, WEIGHTS
from lyricgen.model.locate import starter_folder
from lyricgen.text.documents import read_documents
from lyricgen.text.phonetics import count_units, is_han, rhyme_class
from lyricgen.text.readers import read_songs
from lyricgen.text.resources import songbook
from lyricgen.text.song import Song

MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def folder() -> Path:
    found = starter_folder()
    assert found is not None
    return found


@pytest.fixture(scope="module")
def starter(folder: Path) -> Lyricist:
    return load(folder, device="cpu")


@pytest.fixture(scope="module")
def card(folder: Path) -> str:
    return (folder / "README.md").read_text(encoding="utf-8")


def test_it_is_small_and_in_half_precision(folder: Path) -> None:
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 12 * MEGABYTE
    assert (folder / NOVELTY).stat().st_size <= 0.2 * (folder / WEIGHTS).stat().st_size
    with safe_open(folder / WEIGHTS, framework="pt") as file:
        assert {file.get_slice(name).get_dtype() for name in file.keys()} == {"F16"}  # noqa: SIM118


def han(line: str) -> str:
    """What two lines are compared by: a copy with other spaces or punctuation is a copy."""
    return "".join(filter(is_han, line))


def test_it_does_not_recite(starter: Lyricist) -> None:
    """Of 200 songs at its default temperature, at most 2 % of the lines of six characters or more are known ones."""
    known = {han(line) for song in read_songs([songbook()]) if isinstance(song, Song) and song.split == "train"
             for line in song.lines}  # fmt: skip
    written = [han(line) for song in starter.write(count=200, seed=20) for line in song.lines]
    long = [line for line in written if len(line) >= 6]
    assert len(long) > 1000
    assert np.mean([line in known for line in long]) <= 0.02


def test_it_keeps_to_a_plan(starter: Lyricist) -> None:
    plan = Plan.parse(pattern="7,7,5,5", rhyme="AABB", acrostic="星星在天上看着我", mood="忧伤", style="民谣")
    for song in starter.write(plan=plan, count=16, seed=3):
        assert not song.relaxed
        assert [count_units(line) for line in song.lines] == [7, 7, 5, 5] * 2
        assert "".join(line[0] for line in song.lines) == "星星在天上看着我"
        for a, b in zip(song.lines[::2], song.lines[1::2], strict=True):
            assert rhyme_class(a) & rhyme_class(b) and a[-1] != b[-1]


def test_it_knows_the_songbooks_labels(starter: Lyricist) -> None:
    songs = [song for song in read_songs([songbook()]) if isinstance(song, Song)]
    assert {song.mood for song in songs} == {*starter.checkpoint.card.moods}
    assert {song.style for song in songs} == {*starter.checkpoint.card.styles}


def test_its_card_states_what_it_reaches_on_songs_held_out(starter: Lyricist, card: str) -> None:
    said = float(re.search(r"\| test \| ([0-9.]+) \|", card)[1])  # type: ignore[index]
    held_out = [document for document in read_documents([songbook()]) if document.split == "test"]
    assert evaluate_documents(starter.checkpoint, held_out).nats_per_char == pytest.approx(said, abs=0.005)


def test_its_card_shows_twenty_songs_as_they_came(card: str) -> None:
    songs = re.findall(r"### Seed (\d+)\n\n```\n(.*?)\n```", card, re.S)
    assert [int(seed) for seed, _ in songs] == list(range(1, 21))
    assert all(text.startswith("星星") for _, text in songs)


def test_its_card_shows_the_songs_that_the_seeds_give(starter: Lyricist, card: str) -> None:
    """By their first lines, which a change of the model or of the way it writes would not leave as they are."""
    shown = re.findall(r"### Seed \d+\n\n```\n(.*)\n", card)
    assert shown == [first_line(starter.stream("星星", seed=seed)) for seed in range(1, 21)]


def first_line(pieces: Iterator[str]) -> str:
    """The first line of a song; the rest is not written."""
    text = ""
    for piece in pieces:
        text += piece
        if "\n" in text:
            break
    return text.split("\n")[0]
