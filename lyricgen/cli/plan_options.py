"""The options that make a plan, and the plan that they make."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lyricgen.cli.console import note
from lyricgen.cli.language import CHINESE, tell
from lyricgen.errors import OptionError

if TYPE_CHECKING:
    from lyricgen.generation.plan import Plan


def _option(name: str, metavar: str | None, english: str, chinese: str) -> Any:
    return typer.Option(name, metavar=metavar, help=tell(english, chinese), show_default=False)


Pattern = Annotated[str, _option(
    "--pattern", "7,7,5,5", "Characters of each line (syllables of an English one); repeats; / is a blank line.",
    "每行几个字（英文行数音节），循环使用；/ 表示空行。",
)]  # fmt: skip
Rhyme = Annotated[str, _option(
    "--rhyme", "AABB", "Which lines rhyme, by letter; X is free; repeats.",
    "哪几行押韵：同字母押韵，X 不押；循环使用。",
)]  # fmt: skip
OneRhyme = Annotated[bool, typer.Option(
    "--one-rhyme", help=tell("Keep each letter's rhyme through the whole song.", "一韵到底。"),
)]  # fmt: skip
RhymeClass = Annotated[str, _option(
    "--rhyme-class", "NAME", "The rhyme itself: 江阳, or ang; or one for each letter: ang,i.",
    "指定韵部：江阳，或 ang；也可逐个字母指定：ang,i。",
)]  # fmt: skip
RhymeTable = Annotated[int, typer.Option(
    "--rhyme-table", "--table", metavar="13|14",
    help=tell("Thirteen classes (十三辙) or fourteen (中华新韵).", "十三辙（13）或中华新韵（14）。"),
)]  # fmt: skip
Near = Annotated[bool, typer.Option(
    "--near", help=tell("Let an/ang, en/eng, in/ing rhyme.", "宽韵：an/ang、en/eng、in/ing 通押。"),
)]  # fmt: skip
Acrostic = Annotated[
    str, _option("--acrostic", "TEXT", "The first characters of the lines.", "藏头：各行的第一个字。")
]
Tones = Annotated[str, _option(
    "--tones", "平平仄仄平", "Tones of each line, 中 for either; commas part lines; repeats.",
    "每行的平仄，中表示可平可仄，逗号分行；循环使用。",
)]  # fmt: skip
Words = Annotated[str, _option("--words", "海边,星光", "Words that shall occur.", "歌里要出现的词。")]
Form = Annotated[str, _option(
    "--form", "主歌,副歌,…", "Sections; a chorus comes back word for word.", "段落结构；副歌再现时一字不改。",
)]  # fmt: skip
Like = Annotated[Path | None, _option(
    "--like", "FILE", "Take lengths, rhymes, repeats and time tags from this song (.txt or .lrc).",
    "照这首歌的字数、韵脚、重复和时间标签来写（.txt 或 .lrc）。",
)]  # fmt: skip
Mood = Annotated[str, _option("--mood", "MOOD", "The mood, such as 忧伤.", "情绪，如 忧伤。")]
Style = Annotated[str, _option("--style", "STYLE", "The style, such as 民谣.", "风格，如 民谣。")]
ShowPlan = Annotated[bool, typer.Option(
    "--show-plan", help=tell("Show how the plan was understood.", "先列出对要求的理解。"),
)]  # fmt: skip


def read_plan(
    *,
    pattern: str = "",
    rhyme: str = "",
    one_rhyme: bool = False,
    rhyme_class: str = "",
    rhyme_table: int = 13,
    near: bool = False,
    acrostic: str = "",
    tones: str = "",
    words: str = "",
    form: str = "",
    like: Path | None = None,
    mood: str = "",
    style: str = "",
    lines: int = 0,
) -> "Plan":
    """The plan that the options describe. Raises OptionError, and InputError for the file to be like."""
    from lyricgen.generation.plan import Plan

    if like is None:
        return Plan.parse(pattern=pattern, rhyme=rhyme, rhyme_class=rhyme_class, rhyme_table=rhyme_table, near=near,
                          one_rhyme=one_rhyme, acrostic=acrostic, tones=tones, words=words, form=form, mood=mood,
                          style=style, lines=lines)  # fmt: skip
    taken = {"--pattern": pattern, "--rhyme": rhyme, "--one-rhyme": one_rhyme, "--tones": tones, "--form": form,
             "--lines": lines}  # fmt: skip
    if given := [name for name, value in taken.items() if value]:
        raise OptionError(f"--like takes the song's own lines and rhymes; leave out {' and '.join(given)}")
    return Plan.like(like, rhyme_class=rhyme_class, rhyme_table=rhyme_table, near=near, acrostic=acrostic,
                     words=words, mood=mood, style=style)  # fmt: skip


def show_plan(plan: "Plan", *, lines: int = 0) -> None:
    """Says on standard error how the plan was understood; `lines` are those of a song that is free otherwise."""
    note(*plan.describe(chinese=CHINESE), *([tell(f"lines: {lines}", f"行数：{lines}")] if lines else []))
