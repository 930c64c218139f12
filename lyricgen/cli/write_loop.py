"""The conversation of `lyricgen write`: a command is read, done, and what follows is shown."""

import os
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from lyricgen.cli.console import check_new_file, note, say
from lyricgen.cli.copies import can_underline, naming, underlined
from lyricgen.cli.language import tell
from lyricgen.errors import LyricgenError, OptionError
from lyricgen.generation.lrc_out import lrc_text
from lyricgen.generation.weighing import Candidate
from lyricgen.generation.workbench import Workbench
from lyricgen.model.checkpoint import write_text

HELP = tell(
    "2          take candidate 2\n"
    "any text   take it as the line (\\ before a text that looks like a command)\n"
    "r          other candidates\n"
    "l 7        a line of 7 characters; l alone: of any length\n"
    "/          a blank line between sections\n"
    "u          undo\n"
    "e 3        rewrite line 3; e alone: go on at the end\n"
    "p          show the song\n"
    "w FILE     save; w alone: to --out, or to the file saved last\n"
    "q          quit",
    "2          取第 2 个候选\n"
    "其他文字   当作这一行（像命令的文字前加 \\）\n"
    "r          换一批候选\n"
    "l 7        这一行 7 个字；只写 l：字数不限\n"
    "/          空一行，另起一段\n"
    "u          撤销\n"
    "e 3        改写第 3 行；只写 e：回到末尾接着写\n"
    "p          显示全歌\n"
    "w 文件     保存；只写 w：存到 --out 或上次的文件\n"
    "q          结束",
)

_COMMAND = re.compile(
    r"(?P<bare>[rupq?？/])|(?P<name>[le])(?P<number>\s*\d+|\s+\S+)?|(?P<save>w)(?P<file>\s+.*)?"
)  # small letters only: a line may begin with a capital
_DIGITS = 9  # of a number that can be meant


class Loop:
    """Talks on standard error, listens on standard input, and leaves the song on standard output or in `out`."""

    def __init__(self, bench: Workbench, out: Path | None) -> None:
        self._bench = bench
        self._out = out
        self._saved = bench.page  # what is in a file: the song as it came, or as it was saved last
        self._mine: set[Path] = set()  # files that were made here and may be written again
        self._last = out
        self._told: object = None  # where the song stood when its state was told
        self._marking = can_underline(sys.stderr)
        self._alone: dict[str, Callable[[], None]] = {
            "r": self._renew, "u": self._undo, "p": self._print, "?": self._help, "？": self._help, "/": bench.part,
        }  # fmt: skip
        self._with: dict[str, Callable[[str], None]] = {"l": self._length, "e": self._choose}

    def run(self) -> None:
        """Goes on until `q` or the end of input. Raises LyricgenError where the song cannot be left in `out`."""
        note(tell("a number takes a candidate, other text is your own line, ? lists the commands",
                  "编号：取候选；其他文字：自己的一行；?：命令"))  # fmt: skip
        try:
            self._begin()
            while (typed := self._ask("> ")) is not None:
                if typed.casefold() == "q":
                    if self._attempt(self._end):
                        return
                elif typed:
                    self._attempt(partial(self._act, typed))
            self._end()
        except BaseException:  # nobody's song is lost with what ended the conversation
            print(self._bench.page.page(), end="", flush=True)
            raise

    def _begin(self) -> None:
        """Shows where the song stands."""
        if self._bench.page.lines:
            self._print()
        if self._bench.candidates:
            self._show()
        else:
            self._offer()

    def _attempt(self, do: Callable[[], None]) -> bool:
        """Whether something could be done; what cannot be is told in one line."""
        try:
            do()
        except LyricgenError as error:
            note(f"lyricgen: {error}")
        except OSError as error:
            note(f"lyricgen: {error.filename or 'the file'}: {error.strerror or error}; choose another file")
        else:
            return True
        return False

    def _act(self, typed: str) -> None:
        """Does what was typed, and shows what comes next."""
        command = _COMMAND.fullmatch(typed)
        if typed.isdecimal():
            self._bench.pick(_number(typed))
        elif command is None:
            self._bench.take(typed.removeprefix("\\"))
        elif command["bare"]:
            self._alone[command["bare"].casefold()]()
        elif command["name"]:
            self._with[command["name"].casefold()]((command["number"] or "").strip())
        else:
            self._save((command["file"] or "").strip())
        self._offer()

    def _ask(self, prompt: str) -> str | None:
        """A line from standard input; None at its end. What comes from a pipe is shown as if it were typed."""
        if sys.stdin is None:
            return None
        say(prompt)
        line = sys.stdin.readline()
        if not sys.stdin.isatty():
            note(line.rstrip("\n"))
        elif not line:
            note("")
        return line.strip().removeprefix("\ufeff").strip() if line else None

    def _end(self) -> None:
        """Leaves the song where it was asked for."""
        page = self._bench.page
        if not page.lines:
            note(tell("there is no line: nothing was written", "一行也没有，什么都没写"))
        elif self._out is None:
            print(page.page(), end="", flush=True)
            if page != self._saved:
                note(tell("not saved in a file", "没有存到文件里"))
        elif page != self._saved or self._out not in self._mine:
            self._write(self._out)

    # --- the commands

    def _renew(self) -> None:
        if not self._bench.propose():
            note(tell("the model found no other line; try another length, such as l 7, or a higher --temperature",
                      "没有别的候选了；换个字数（如 l 7），或调高 --temperature"))  # fmt: skip
        self._show()

    def _undo(self) -> None:
        self._bench.undo()
        note(tell("taken back", "已撤销"))

    def _print(self) -> None:
        """The page, with the numbers of its sung lines."""
        number = 0
        for row in self._bench.page.rows:
            number += row.kind == "sung"
            note(f"{number:3}  {row.words}" if row.kind == "sung" else f"     {row.raw}".rstrip())

    def _help(self) -> None:
        note(HELP)

    def _length(self, asked: str) -> None:
        if asked and not asked.isdecimal():
            raise OptionError(f"l takes a number of characters such as l 7, got {asked[:20]!r}")
        self._bench.set_length(_number(asked) if asked else None)

    def _choose(self, asked: str) -> None:
        if asked and not asked.isdecimal():
            raise OptionError(f"e takes the number of a line such as e 3, got {asked[:20]!r}")
        self._bench.choose(_number(asked) if asked else None)
        lines = self._bench.page.lines
        at = _number(asked) - 1 if asked else len(lines)
        if same := [str(k + 1) for k, line in enumerate(lines) if at < len(lines) and k != at and line == lines[at]]:
            note(tell(f"the same words stand in line {', '.join(same)}, and stay there",
                      f"第 {'、'.join(same)} 行的词相同，不会一起改"))  # fmt: skip

    def _save(self, name: str) -> None:
        if not name and self._last is None:
            name = self._ask(tell("file: ", "文件名：")) or ""
            if not name:
                note(tell("not saved", "没有保存"))
                return
        # Not Path.expanduser, which fails where there is no home.
        path = Path(os.path.expanduser(name)) if name else self._last  # noqa: PTH111
        assert path is not None
        self._write(path)

    def _write(self, path: Path) -> None:
        """Writes the song to a new file, or to one that was made here. Raises LyricgenError."""
        bench = self._bench
        if not bench.page.lines:
            raise OptionError("there is no line to save; write one first")
        if not str(path).isprintable():
            raise OptionError(f"{str(path)!r} is no name for a file; choose another")
        if path not in self._mine:
            check_new_file(path, option="the file")
        as_lrc = path.suffix.lower() == ".lrc" and not bench.page.timed
        write_text(path, lrc_text(bench.plan, bench.page.lines) if as_lrc else bench.page.page())
        self._mine.add(path)
        self._saved, self._last = bench.page, path
        note(tell(f"wrote {path}", f"已写入 {path}"))

    # --- what is shown

    def _offer(self) -> None:
        """Shows candidates for the line at hand, or what else can be done, unless that was said already."""
        bench, before = self._bench, self._told
        self._told = (bench.page, bench.at)
        if bench.at is None:
            if before != self._told:
                note(tell("e 3 rewrites line 3; w saves, q ends", "e 3：改写第 3 行；w 保存，q 结束"))
        elif bench.complete and not bench.candidates:
            if before != self._told:
                note(
                    tell(
                        "every planned line is there: w saves, q ends, r goes on",
                        "计划的行都写完了：w 保存，q 结束，r 接着写",
                    )
                )
        elif not bench.candidates:
            self._renew()

    def _show(self) -> None:
        """The candidates, the best first, under what is asked of the line."""
        bench = self._bench
        assert bench.at is not None
        number, length = bench.at + 1, bench.wish.length
        asked = tell(f", {length} characters", f"（{length} 字）") if length else ""
        costs = tell("nats per character", "每字 nats")
        if bench.standing:
            costs += tell("; by how many nats the song is worse", "；全歌因此多出的 nats")
        note(tell(f"line {number}{asked}: {costs}", f"第 {number} 行{asked}：{costs}"))
        if bench.standing:
            note(self._row("=", bench.standing))
        for count, candidate in enumerate(bench.candidates, 1):
            note(self._row(str(count), candidate))

    def _row(self, mark: str, candidate: Candidate) -> str:
        """A candidate with its figures; what is copied is underlined, or named where that cannot be."""
        standing = self._bench.standing
        change = f"{candidate.total - standing.total:+7.1f}" if standing else ""
        change = " " * len(change) if candidate is standing else change
        line = underlined(candidate.line, candidate.copied) if self._marking else candidate.line
        said = [] if self._marking else [naming(run.text for run in candidate.copied)]
        notes = "".join(f"  ({each})" for each in (*said, *candidate.relaxed) if each)
        return f"{mark:>3}  {candidate.cost:5.2f}{change}  {line}{notes}"


def _number(digits: str) -> int:
    """The number that some digits are. Raises OptionError for one that is too long to be meant."""
    if len(digits) > _DIGITS:
        raise OptionError(f"{digits[:_DIGITS]}… is too large a number; put \\ before it if it is a line")
    return int(digits)
