"""`lyricgen generate` to a plan: what it writes, what it says of rules that gave way, and what it refuses."""

import json
from pathlib import Path

import pytest

from lyricgen.text.phonetics import count_units

from .conftest import Run
from .test_bad_input import refused

LRC = """[ti:旧歌]
[ar:某人]
[00:01.00]作词：某人
[00:05.10]星星回来
[00:09.20][01:09.20]月亮走过大海

[00:13.30]我们听见火车
[00:17.40]
[00:20.00]星星回来
"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The .lrc of a song to be like."""
    path = tmp_path / "old.lrc"
    path.write_text(LRC, encoding="utf-8")
    return path


def test_a_song_to_a_pattern(run: Run, model: Path) -> None:
    done = run("generate", "--model", model, "--pattern", "5,7,/,3", "--lines", 6, "--seed", 1)
    assert done.code == 0
    rows = done.out.splitlines()
    assert [count_units(row) for row in rows] == [5, 7, 0, 3, 0, 5, 7, 0, 3]
    with_json = json.loads(
        run("generate", "--model", model, "--pattern", "5,7,/,3", "--lines", 6, "--seed", 1, "--json").out
    )
    assert [row for row in rows if row] == with_json["songs"][0]["lines"]
    assert with_json["songs"][0]["relaxed"] == []


def test_the_plan_is_shown_beside_the_song(run: Run, model: Path) -> None:
    done = run("generate", "--model", model, "--pattern", "4", "--acrostic", "星月", "--lines", 2, "--show-plan")
    assert done.code == 0
    assert [row.split() for row in done.err.splitlines()[:3]] == [
        ["line", "length", "head"], ["1", "4", "星"], ["2", "4", "月"]
    ]  # fmt: skip
    lines = done.out.splitlines()
    assert [line[0] for line in lines] == ["星", "月"] and [len(line) for line in lines] == [4, 4]


GIVES_WAY = ["--pattern", "4", "--acrostic", "星鲲", "--lines", 2, "--seed", 1]
SAID = "line 2: head 鲲: nothing that this model can write fits"


def test_strict_fails_where_a_rule_gives_way_and_writes_nothing(run: Run, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "song.txt"
    for more in ([], ["--json"], ["--out", out], ["--count", 3]):
        err = refused(run, "generate", "--model", model, *GIVES_WAY, "--strict", *more)
        assert f"{SAID}; ask for less, or leave out --strict" in err
    assert not out.exists() and not list(tmp_path.iterdir())
    kept = run("generate", "--model", model, "--pattern", "4", "--lines", 2, "--seed", 1, "--strict")
    assert kept.code == 0 and [len(line) for line in kept.out.splitlines()] == [4, 4]


@pytest.mark.parametrize("more", [[], ["--count", 2], ["--json"], ["--out"]])
def test_what_gave_way_is_said_beside_the_song(run: Run, model: Path, tmp_path: Path, more: list[object]) -> None:
    more = [*more, tmp_path / "song.txt"] if more == ["--out"] else more
    done = run("generate", "--model", model, *GIVES_WAY, *more)
    assert done.code == 0
    assert done.err.splitlines().count(SAID) == 1
    if "--json" in more:
        assert json.loads(done.out)["songs"][0]["relaxed"] == [SAID]


def test_new_words_under_the_time_tags_of_an_old_song(run: Run, model: Path, old: Path, tmp_path: Path) -> None:
    out = tmp_path / "new.lrc"
    done = run("generate", "--model", model, "--like", old, "--out", out, "--seed", 2)
    assert done.code == 0 and done.out == ""
    assert f"wrote {out}" in done.err
    rows = out.read_text(encoding="utf-8").splitlines()
    assert [row[: row.rindex("]") + 1] for row in rows if row] == [
        "[ti:旧歌]", "[ar:某人]", "[00:05.10]", "[00:09.20][01:09.20]", "[00:13.30]", "[00:17.40]", "[00:20.00]"
    ]  # fmt: skip
    words = [row[row.rindex("]") + 1 :] for row in rows if row]
    assert [count_units(line) for line in words] == [0, 0, 4, 6, 6, 0, 4]
    assert words[2] == words[6]  # the refrain
    again = run("generate", "--model", model, "--like", out, "--show-plan", "--seed", 3)
    assert again.code == 0 and "[00:09.20][01:09.20]" in again.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--pattern", "0"], "pattern must be lengths from 1 to 60"),
        (["--pattern", "7,seven"], "got 'seven'"),
        (["--pattern", "61"], "from 1 to 60"),
        (["--pattern", "/"], "pattern has no line"),
        (["--pattern", ",".join(["1"] * 10_000)], "10000 lines; it may have at most 1000"),
        (["--pattern", "7", "--lines", 10_000], "lines must be from 1 to 1000, got 10000"),
        (["--rhyme", "A1"], "rhyme must be letters"),
        (["--rhyme-class", "太阳"], "there is no rhyme class '太阳'; choose one of"),
        (["--rhyme", "AABB", "--rhyme-table", 15], "rhyme_table must be 13 or 14"),
        (["--acrostic", "我爱你", "--lines", 2], "acrostic has 3 characters, and the song 2 lines"),
        (["--acrostic", "，。"], "acrostic has no character"),
        (["--tones", "平x"], "tones must be"),
        (["--pattern", "5", "--tones", "平平"], "cannot have the 2 tones"),
        (["--words", "海边,,星"], "words must be parted"),
        (["--words", "一二三四五六", "--pattern", "5"], "is 6 characters long, and no line more than 5"),
        (["--form", ","], "form must be names of sections"),
        (["--pattern", "5", "--length", 9], "leave out --length"),
        (["--pattern", "3", "--start", "星星月亮"], "line 1 shall have 3 characters, and the start text has more"),
        (["--pattern", "3", "--lines", 1, "--start", "星星\n月亮"], "has 2 lines already"),
        (["--mood", "忧伤"], "the model knows no mood '忧伤'"),
        (["--style", "民谣"], "the model knows no style '民谣'"),
        (["--like", "nowhere.txt"], "nowhere.txt"),
    ],
)
def test_plans_that_cannot_be(run: Run, model: Path, tmp_path: Path, arguments: list[object], says: str) -> None:
    out = tmp_path / "song.txt"
    assert says in refused(run, "generate", "--model", model, *arguments, "--out", out)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("silent.lrc", b"[ti:x]\n[00:01.00]\n[00:02.00]\n"),
        ("credits.lrc", "[00:01.00]作词：某人\n[00:02.00]作曲：某人\n".encode()),
        ("blank.txt", b"\n \n\n"),
        ("empty.txt", b""),
        ("binary.txt", bytes(range(256)) * 9),
    ],
)
def test_a_song_to_be_like_without_lyrics(run: Run, model: Path, tmp_path: Path, name: str, data: bytes) -> None:
    source = tmp_path / name
    source.write_bytes(data)
    out = tmp_path / f"new{source.suffix}"
    assert name in refused(run, "generate", "--model", model, "--like", source, "--out", out)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_what_an_lrc_cannot_hold(run: Run, model: Path, old: Path, tmp_path: Path) -> None:
    out, text = tmp_path / "new.lrc", tmp_path / "old.txt"
    text.write_text("星星回来\n月亮\n", encoding="utf-8")
    says = refused(run, "generate", "--model", model, "--like", text, "--out", out)
    assert "the plan has no time tags: to write .lrc, give --like an .lrc file" in says
    assert "no time tags" in refused(run, "generate", "--model", model, "--out", out, "--lines", 2)
    assert "one song" in refused(run, "generate", "--model", model, "--like", old, "--out", out, "--count", 2)
    assert "leave out --pattern" in refused(run, "generate", "--model", model, "--like", old, "--pattern", "5")
    assert not out.exists()


def test_a_mood_that_the_songs_had(run: Run, tmp_path: Path) -> None:
    book = tmp_path / "book.txt"
    verses = ["星星回来", "月亮走过大海", "我们听见火车", "早晨下雨", "你的唱歌", "大海回来听见"]
    songs = [
        f"=== {k}\nmood: {'忧伤' if k % 2 else '欢快'}\n\n"
        + "\n".join(verses[k % 3 :] + verses[: k % 3])
        + f"\n第{k}夜\n"
        for k in range(9)
    ]
    book.write_text("\n".join(songs), encoding="utf-8")
    folder = tmp_path / "m"
    assert run("train", book, "--out", folder, "--epochs", 1, "--hidden", 8).code == 0
    known = json.loads(run("info", folder, "--json").out)["moods"]
    assert set(known) <= {"忧伤", "欢快"} and known
    assert run("generate", "--model", folder, "--mood", known[0], "--lines", 2, "--seed", 1).code == 0
    says = refused(run, "generate", "--model", folder, "--mood", "平静")
    assert f"it knows {', '.join(known)}" in says
