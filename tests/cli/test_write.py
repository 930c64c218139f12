"""`lyricgen write` over a pipe: what is typed, what becomes of the song, and what is told."""

import io
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lyricgen.cli.write_loop import Loop
from lyricgen.text.phonetics import count_units

from .conftest import Result, Run
from .test_bad_input import refused

Talk = Callable[..., Result]
SONG = "[主歌]\n星星月亮大海\n我们唱歌走过\n\n[副歌]\n下雨火车回来\n词：某人\n"


@pytest.fixture
def talk(run: Run, model: Path, monkeypatch: pytest.MonkeyPatch) -> Talk:
    """A function that runs `lyricgen write` and types some lines into it."""

    def call(typed: str, *arguments: object, ends: bool = True) -> Result:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed.replace(" | ", "\n") + "\n" * ends))
        return run("write", "--model", model, "--seed", 1, *arguments)

    return call


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "song.txt"
    path.write_text(SONG, encoding="utf-8")
    return path


def candidates(told: str, *, of: int = -1) -> list[str]:
    """The lines of one of the lists that were shown."""
    lists = re.split(r"^line \d.*$", told, flags=re.MULTILINE)[1:]
    return re.findall(r"^ +\d+ +[-\d.]+(?: +[-+][\d.]+)?  (\S+)", lists[of], flags=re.MULTILINE)


def test_candidates_lines_of_ones_own_and_blank_lines(talk: Talk) -> None:
    done = talk("2 | 我自己的一行 | / | \\q | 1 | q")
    assert done.code == 0
    first, last = candidates(done.err, of=0)[1], candidates(done.err, of=4)[0]
    assert done.out == f"{first}\n我自己的一行\n\nq\n{last}\n"
    assert "not saved" in done.err


def test_the_end_of_input_ends_it(talk: Talk) -> None:
    assert talk("星星", ends=False).out == "星星\n"
    done = talk("", ends=False)
    assert (done.code, done.out) == (0, "")
    assert "nothing was written" in done.err


def test_the_same_seed_shows_the_same_and_undo_comes_back_to_it(talk: Talk) -> None:
    done = talk("1 | u | r", "--candidates", 3)
    begun, back, others = (candidates(done.err, of=number) for number in (0, 2, 3))
    assert begun == back and not {*begun} & {*others}
    assert len(begun) == 3
    assert candidates(talk("", "--candidates", 3).err) == begun


def test_another_length(talk: Talk) -> None:
    done = talk("l 4 | l6 | 1 | q", "--pattern", "5")
    assert [len(candidates(done.err, of=number)[0]) for number in range(4)] == [5, 4, 6, 5]


def test_a_plan_to_its_end_and_on(talk: Talk, tmp_path: Path) -> None:
    arguments = ("--pattern", "4,/,6", "--lines", 2, "--acrostic", "我你", "--show-plan")
    done = talk("1 | 1 | q", *arguments)
    one, blank, two = done.out.splitlines()
    assert (count_units(one), one[0], blank, count_units(two), two[0]) == (4, "我", "", 6, "你")
    assert "every planned line is there" in done.err
    assert "rhyme" not in done.err.splitlines()[0] and "length" in done.err.splitlines()[0]
    assert len(talk("1 | 1 | r | 1 | q", *arguments).out.splitlines()) == 4


def test_a_rule_that_gives_way_is_told(talk: Talk) -> None:
    assert "nothing that this model can write fits" in talk("q", "--acrostic", "龘").err


def test_saving(talk: Talk, tmp_path: Path) -> None:
    first, second = tmp_path / "a b.txt", tmp_path / "second.txt"
    done = talk(f"星星 | w {first} | 月亮 | w | 大海 | w {second} | 下雨 | q")
    assert first.read_text(encoding="utf-8") == "星星\n月亮\n"
    assert second.read_text(encoding="utf-8") == "星星\n月亮\n大海\n"
    assert done.out == "星星\n月亮\n大海\n下雨\n"
    assert "not saved" in done.err
    assert "not saved" not in talk(f"星星 | w {tmp_path / 'third.txt'} | q").err


def test_a_name_is_asked_for(talk: Talk, tmp_path: Path) -> None:
    talk(f"星星 | w | {tmp_path / 'asked.txt'} | q")
    assert (tmp_path / "asked.txt").read_text(encoding="utf-8") == "星星\n"
    assert "file: " in talk("星星 | w |  | q").err


@pytest.mark.parametrize("ending", [" | q", " | w | q", ""])
def test_out(talk: Talk, tmp_path: Path, ending: str) -> None:
    done = talk("星星" + ending, "--out", tmp_path / "new.txt")
    assert (done.code, done.out) == (0, "")
    assert (tmp_path / "new.txt").read_text(encoding="utf-8") == "星星\n"
    assert done.err.count("wrote") == 1


def test_what_cannot_be_is_one_line_and_the_talk_goes_on(talk: Talk, song: Path, tmp_path: Path) -> None:
    bad = ("99", "0", "9" * 5000, "l 0", "l 61", "l x", "l 99999999999", "e 9", "e x", "u", "/", "月" * 201,
           f"w {song}", f"w {tmp_path / 'no' / 'x.txt'}", f"w {tmp_path}", "w a\x00b", "w " + "x" * 300)  # fmt: skip
    for wrong in bad:
        done = talk(f"{wrong} | p | q")
        told = [line for line in done.err.splitlines() if line.startswith("lyricgen: ")]
        assert (done.code, done.out, len(told)) == (0, "", 1), (wrong, done.err)
        assert "Traceback" not in done.err
    assert song.read_text(encoding="utf-8") == SONG


@pytest.mark.parametrize("wrong", ["x.lrc", "no/x.txt"])
def test_a_file_that_cannot_be_written(talk: Talk, tmp_path: Path, wrong: str) -> None:
    done = talk(f"星星 | w {tmp_path / wrong} | 月亮 | q")
    assert (done.code, done.out) == (0, "星星\n月亮\n")
    assert not (tmp_path / wrong).exists()


def test_a_song_that_cannot_be_left_in_its_file_is_not_lost(talk: Talk, tmp_path: Path) -> None:
    out = tmp_path / "new.lrc"  # which no song without time tags can become
    done = talk("星星 | q | 月亮", "--out", out)
    assert (done.code, done.out) == (1, "星星\n月亮\n")
    assert done.err.count("no time tags") == 2
    assert not out.exists()


def test_an_interrupted_song_is_not_lost(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: Loop) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Loop, "_help", interrupt)
    done = talk("星星 | ?")
    assert (done.code, done.out) == (130, "星星\n")


def test_words_under_time_tags(talk: Talk, tmp_path: Path) -> None:
    lrc = tmp_path / "old.lrc"
    lrc.write_text("[ti:歌]\n[00:01.00]星星月亮\n[00:02.00]大海\n", encoding="utf-8")
    talk("早晨 | 1 | q", "--like", lrc, "--out", tmp_path / "new.lrc")
    rows = (tmp_path / "new.lrc").read_text(encoding="utf-8").splitlines()
    assert rows[1] == "[00:01.00]早晨" and re.fullmatch(r"\[00:02\.00\]..", rows[2])


# --- a finished song


def test_a_line_is_rewritten_and_all_else_stands(talk: Talk, song: Path, tmp_path: Path) -> None:
    done = talk("e 2 | 1 | w | q", "--edit", song, "--out", tmp_path / "new.txt")
    (line,) = candidates(done.err)[:1]
    assert count_units(line) == 6
    assert (tmp_path / "new.txt").read_text(encoding="utf-8") == SONG.replace("我们唱歌走过", line)
    assert song.read_text(encoding="utf-8") == SONG
    assert "  =  " in done.err and "我们唱歌走过" in done.err.split("> ")[1]


def test_own_words_in_a_line_and_back(talk: Talk, song: Path) -> None:
    done = talk("e 1 | 走过 | e 3 | 听见 | u | q", "--edit", song)
    assert done.out == SONG.replace("星星月亮大海", "走过")
    assert talk("q", "--edit", song).out == SONG


def test_the_first_line_of_an_lrc_keeps_its_tag(talk: Talk, tmp_path: Path) -> None:
    lrc = tmp_path / "old.lrc"
    lrc.write_text("[ti:歌]\n[00:01.00]星星月亮\n[00:02.00]大海\n", encoding="utf-8")
    talk(f"e 2 | 走过 | w {tmp_path / 'new.lrc'}", "--edit", lrc)
    assert (tmp_path / "new.lrc").read_text(encoding="utf-8") == "[ti:歌]\n[00:01.00]星星月亮\n[00:02.00]走过\n"


def test_lines_with_the_same_words_are_told(talk: Talk, song: Path) -> None:
    song.write_text("星星\n月亮\n星星\n", encoding="utf-8")
    assert "line 3" in talk("e 1 | q", "--edit", song).err


@pytest.mark.parametrize(("data", "says"), [("", "is empty"), ("[副歌]\n", "no lyrics"), (None, "does not exist")])
def test_no_song_to_edit(run: Run, model: Path, tmp_path: Path, data: str | None, says: str) -> None:
    if data is not None:
        (tmp_path / "x.txt").write_text(data, encoding="utf-8")
    assert says in refused(run, "write", "--edit", tmp_path / "x.txt", "--model", model)


def test_options_that_cannot_be(run: Run, model: Path, song: Path) -> None:
    for arguments, says in (
        (("--edit", song, "--pattern", "7"), "leave out what plans lines"),
        (("--edit", song, "--start", "星"), "leave out --start"),
        (("--edit", song, "--out", song), "exists already"),
        (("--edit", "-"), "standard input"),
        (("--like", "-"), "standard input"),
        (("--candidates", 0), "candidates must be from 1"),
        (("--mood", "忧伤"), "no mood"),
        (("--start", "星星月亮", "--pattern", "2"), "start text has more"),
        (("--temperature", -1), "temperature"),
        (("--novel", 3), "novel"),
    ):
        assert says in refused(run, "write", "--model", model, *arguments)


def test_copies_are_named(talk: Talk, songs: Path, tmp_path: Path) -> None:
    text = (songs / "song0.txt").read_text(encoding="utf-8").partition("\n\n")[0]
    (tmp_path / "copy.txt").write_text(text + "\n雪\n", encoding="utf-8")
    told = talk("e 2 | e 6 | q", "--edit", tmp_path / "copy.txt").err
    copied, own = (row for row in told.splitlines() if row.startswith("  =  "))
    assert "(copied from the training songs: 「" in copied
    assert "copied" not in own


def test_a_pipe_in_utf8_and_chinese(model: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "lyricgen", "write", "--model", str(model), "--seed", "1"]
    typed = "\ufeff星星\n？\nl x\nq\n"
    done = subprocess.run(
        command, input=typed.encode(), capture_output=True, env={**os.environ, "LC_ALL": "zh_CN.UTF-8"}
    )
    assert (done.returncode, done.stdout.decode()) == (0, "星星\n")
    told = done.stderr.decode()
    assert "第 2 行" in told and "换一批候选" in told and "没有存到文件里" in told


def test_a_line_may_begin_with_a_capital_that_is_a_command_in_small(
    talk: Talk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = talk("W 的世界 | L 5 | R | q")
    assert (done.code, done.out) == (0, "W 的世界\nL 5\nR\n") and not list(tmp_path.iterdir())
