"""`lyricgen write`: writes a song line by line, or rewrites lines of one, with a person who chooses."""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lyricgen.cli.console import check_new_file, note
from lyricgen.cli.copies import gaps
from lyricgen.cli.language import tell
from lyricgen.cli.options import Device, Model, Seed
from lyricgen.cli.plan_options import (
    Acrostic,
    Form,
    Like,
    Mood,
    Near,
    OneRhyme,
    Pattern,
    Rhyme,
    RhymeClass,
    RhymeTable,
    ShowPlan,
    Style,
    Tones,
    Words,
    read_plan,
    show_plan,
)
from lyricgen.errors import OptionError

if TYPE_CHECKING:
    from lyricgen.generation.plan import Plan

EXAMPLES = tell(
    "Write a song line by line, from candidates and lines of your own.\n\nType a candidate's number, or any other "
    "text as the next line; ? lists the commands. In the end the song goes to standard output, or to --out.\n\n\b\n"
    "lyricgen write --start 星星\n"
    "lyricgen write --pattern 7,7,5,5 --rhyme AABB --out new.txt\n"
    "lyricgen write --edit song.txt --out better.txt",
    "一行一行地写歌：从候选里挑，或自己写。\n\n输入候选的编号，或直接输入自己的一行；? 列出命令。写完后输出到"
    "标准输出，或写到 --out。\n\n\b\n"
    "lyricgen write --start 星星\n"
    "lyricgen write --pattern 7,7,5,5 --rhyme AABB --out new.txt\n"
    "lyricgen write --edit song.txt --out better.txt",
)


def _option(english: str, chinese: str, metavar: str) -> Any:
    return typer.Option(metavar=metavar, help=tell(english, chinese), show_default=False)


def write(
    start: Annotated[str, _option("The first words, or lines.", "开头的词或行。", "TEXT")] = "",
    edit: Annotated[Path | None, _option("Rewrite lines of this song (.txt or .lrc); the file itself stays.",
                                         "改写这首歌（.txt 或 .lrc）里的行；原文件不动。", "FILE")] = None,
    candidates: Annotated[int, _option("How many candidates to show. Default: 5.",
                                       "每次列出几个候选。缺省：5。", "K")] = 5,
    lines: Annotated[int, _option("Exactly so many sung lines.", "正好 N 行。", "N")] = 0,
    pattern: Pattern = "",
    rhyme: Rhyme = "",
    one_rhyme: OneRhyme = False,
    rhyme_class: RhymeClass = "",
    rhyme_table: RhymeTable = 13,
    near: Near = False,
    acrostic: Acrostic = "",
    tones: Tones = "",
    words: Words = "",
    form: Form = "",
    like: Like = None,
    mood: Mood = "",
    style: Style = "",
    shown: ShowPlan = False,
    seed: Seed = None,
    temperature: Annotated[float | None, _option("Above 1 bolder, below 1 safer. Default: 0.8.",
                                                 "高则大胆，低则稳妥。缺省：0.8。", "X")] = None,
    novel: Annotated[int, _option("Copy no N characters or more in a row from the training songs, N from 6 to 12.",
                                  "不照抄训练歌词里连续 N 个字以上的片段，N 为 6 到 12。", "N")] = 0,
    out: Annotated[Path | None, _option("Write to a new file instead.", "写到新文件。", "FILE")] = None,
    model: Model = None,
    device: Device = "auto",
) -> None:  # fmt: skip
    from lyricgen.cli.write_loop import Loop
    from lyricgen.generation.lyricist import load
    from lyricgen.generation.manuscript import Manuscript
    from lyricgen.generation.sampler import SamplingConfig
    from lyricgen.generation.workbench import Settings, Workbench
    from lyricgen.model.locate import find_model

    check_new_file(out)
    if str(like) == "-":
        raise OptionError("standard input is for what you type; give --like a file")
    plan = read_plan(pattern=pattern, rhyme=rhyme, one_rhyme=one_rhyme, rhyme_class=rhyme_class,
                     rhyme_table=rhyme_table, near=near, acrostic=acrostic, tones=tones, words=words, form=form,
                     like=like, mood=mood, style=style, lines=lines)  # fmt: skip
    if edit is not None:
        _check_alone({"--start": start, "--words": words}, plan)
    page = Manuscript.read(edit) if edit is not None else None
    if shown:
        show_plan(plan)
    seed = secrets.randbelow(1 << 31) if seed is None else seed
    sampling = SamplingConfig() if temperature is None else SamplingConfig(temperature=temperature)
    settings = Settings(candidates, seed, sampling, novel)
    folder = find_model(model)
    lyricist = load(folder, device=device)
    bench = Workbench(lyricist, plan=plan, start=start, page=page, settings=settings)
    if not bench.complete and bench.at is not None:
        bench.propose()  # what cannot be begun is refused before anybody types
    note(f"model: {folder}  seed: {seed}", *gaps(lyricist.checkpoint.novelty))
    Loop(bench, out).run()


def _check_alone(others: dict[str, str], plan: "Plan") -> None:
    """Raises OptionError where --edit stands beside what makes lines: the song has its own."""
    given = [name for name, value in others.items() if value]
    if plan.lines or given:
        given = given or ["what plans lines, such as --pattern"]
        raise OptionError(f"--edit takes the song's own lines, lengths and rhymes; leave out {' and '.join(given)}")


write.__doc__ = EXAMPLES
