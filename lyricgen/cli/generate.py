"""`lyricgen generate`: writes songs."""

import json
import secrets
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from lyricgen.cli.console import check_new_file, note, on_terminal
from lyricgen.cli.copies import by_lines, can_underline, gaps, naming, underlined
from lyricgen.cli.language import tell
from lyricgen.cli.options import Device, Json, Model, Seed
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
from lyricgen.errors import InputError, OptionError
from lyricgen.text.song import SONG_MARK

if TYPE_CHECKING:
    from tqdm import tqdm

    from lyricgen.generation.lyricist import Lyricist, Written
    from lyricgen.generation.plan import Plan
    from lyricgen.generation.request import Piece

EXAMPLES = tell(
    "Write a song, or several.\n\n\b\n"
    "lyricgen generate --start 星星\n"
    "lyricgen generate --pattern 7,7,5,5 --rhyme AABB --acrostic 我想你了\n"
    "lyricgen generate --like old.lrc --out new.lrc\n"
    "lyricgen generate --count 20 --json > songs.json",
    "写一首或几首歌。\n\n\b\n"
    "lyricgen generate --start 星星\n"
    "lyricgen generate --pattern 7,7,5,5 --rhyme AABB --acrostic 我想你了\n"
    "lyricgen generate --like old.lrc --out new.lrc\n"
    "lyricgen generate --count 20 --json > songs.json",
)


def _option(english: str, chinese: str, metavar: str) -> Any:
    return typer.Option(metavar=metavar, help=tell(english, chinese), show_default=False)


def generate(
    start: Annotated[str, _option("The first words.", "开头的词。", "TEXT")] = "",
    lines: Annotated[int, _option("Exactly so many sung lines.", "正好 N 行。", "N")] = 0,
    length: Annotated[int, _option("Exactly N tokens after the start; song ends are ignored.",
                                   "开头之后正好 N 个词元，不理会歌的结尾。", "N")] = 0,
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
    strict: Annotated[bool, typer.Option("--strict", help=tell("Fail where a rule of the plan has to give way.",
                                                               "要求做不到时报错，而不是放宽。"))] = False,
    candidates: Annotated[int, _option("Write K versions of each line and keep the best.",
                                       "每行写 K 个版本，留下最好的。", "K")] = 1,
    count: Annotated[int, _option("How many songs.", "写几首。", "N")] = 1,
    seed: Seed = None,
    temperature: Annotated[float | None, _option("Above 1 bolder, below 1 safer. Default: 0.8.",
                                                 "高则大胆，低则稳妥。缺省：0.8。", "X")] = None,
    top_k: Annotated[int | None, _option("Only the K likeliest tokens.", "只取最可能的 K 个。", "K")] = None,
    top_p: Annotated[float | None, _option("Only the likeliest that hold this share. Default: 0.95.",
                                           "只取合计达到这个概率的。缺省：0.95。", "P")] = None,
    min_p: Annotated[float | None, _option("Only those at least P times as likely as the likeliest.",
                                           "只取不低于最高概率 P 倍的。", "P")] = None,
    repetition_penalty: Annotated[float | None, _option("Above 1: recent tokens become rarer.",
                                                        "大于 1 时少重复最近的词。", "X")] = None,
    greedy: Annotated[bool, typer.Option("--greedy", help=tell("Always the likeliest token.",
                                                               "总取最可能的词。"))] = False,
    novel: Annotated[int, _option("Copy no N characters or more in a row from the training songs, N from 6 to 12.",
                                  "不照抄训练歌词里连续 N 个字以上的片段，N 为 6 到 12。", "N")] = 0,
    out: Annotated[Path | None, _option("Write to a new file instead.", "写到新文件。", "FILE")] = None,
    model: Model = None,
    device: Device = "auto",
    as_json: Json = False,
) -> None:  # fmt: skip
    from lyricgen.generation.constraints import Form as FreeForm
    from lyricgen.generation.lrc_out import lrc_text
    from lyricgen.generation.lyricist import load
    from lyricgen.generation.sampler import SamplingConfig
    from lyricgen.model.config import check_range
    from lyricgen.model.locate import find_model

    check_new_file(out)
    chosen = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "min_p": min_p,
              "repetition_penalty": repetition_penalty, "greedy": greedy}  # fmt: skip
    sampling = SamplingConfig(**{name: value for name, value in chosen.items() if value is not None})  # type: ignore[arg-type]
    bare = not any((pattern, rhyme, one_rhyme, rhyme_class, acrostic, tones, form, like))
    plan = read_plan(pattern=pattern, rhyme=rhyme, one_rhyme=one_rhyme, rhyme_class=rhyme_class,
                     rhyme_table=rhyme_table, near=near, acrostic=acrostic, tones=tones, words=words, form=form,
                     like=like, mood=mood, style=style, lines=0 if bare else lines)  # fmt: skip
    if shown:
        show_plan(plan, lines=lines if bare else 0)
    free = FreeForm(lines=lines if bare else 0, length=length, repeats=greedy)
    seed = secrets.randbelow(1 << 31) if seed is None else seed
    folder = find_model(model)
    lyricist = load(folder, device=device)
    ways = {"novel": novel, "candidates": candidates}
    # Refuses what cannot be before a word is written.
    pieces = lyricist.pieces(start, seed=seed, plan=plan, form=free, sampling=sampling, **ways)
    check_range("count", count, 1, 100_000)
    is_lrc = out is not None and out.suffix.lower() == ".lrc"
    if is_lrc:
        _check_lrc(plan, count=count, as_json=as_json)
    note(f"model: {folder}  seed: {seed}", *gaps(lyricist.checkpoint.novelty))
    marking = can_underline() and lyricist.checkpoint.novelty is not None and out is None
    if count == 1 and not as_json and not strict and out is None:
        text, relaxed = _stream(pieces, lyricist if marking else None)
        note(*relaxed)
        _name([run.text for run in lyricist.copied(text)])
        return
    with _counting(count) as bar:
        songs = lyricist.write(start, count=count, seed=seed, plan=plan, form=free, sampling=sampling,
                               progress=bar.update, **ways)  # fmt: skip
    _tell_relaxed(songs, strict=strict)
    if as_json:
        result = {"model": str(folder), "seed": seed, "songs": [song.to_json() for song in songs]}
        _deliver(json.dumps(result, ensure_ascii=False) + "\n", out)
        return
    _name([run for song in songs for run in song.copied])
    texts = [underlined(song.text, lyricist.copied(song.text)) if marking else song.text for song in songs]
    _deliver(lrc_text(plan, songs[0].lines) if is_lrc else _sheet(texts), out)


def _counting(count: int) -> "tqdm[NoReturn]":
    """A bar of finished songs on a terminal; it goes when they are written."""
    from tqdm import tqdm

    lively = count > 1 and on_terminal(sys.stderr)
    return tqdm(total=count, file=sys.stderr, disable=not lively, dynamic_ncols=True, leave=False)


def _tell_relaxed(songs: "Sequence[Written]", *, strict: bool) -> None:
    """Says which rules gave way, or fails."""
    if said := list(dict.fromkeys(rule for song in songs for rule in song.relaxed)):
        if strict:
            raise InputError(f"{said[0]}; ask for less, or leave out --strict")
        note(*said)


def _deliver(text: str, out: Path | None) -> None:
    """Prints a text, or writes it to a new file."""
    from lyricgen.model.checkpoint import write_text

    if out is None:
        print(text, end="")
    else:
        write_text(out, text)
        note(f"wrote {out}")


def _stream(pieces: "Iterable[Piece]", lyricist: "Lyricist | None") -> tuple[str, tuple[str, ...]]:
    """Prints a song as it is made; gives its text and the rules that gave way. The last line is closed.

    With a lyricist it comes in whole lines, what is copied underlined.
    """
    made: list[str] = []
    relaxed: list[str] = []

    def kept() -> Iterator[str]:
        for piece in pieces:
            made.append(piece.text)
            relaxed.extend(piece.finished.relaxed if piece.finished else ())
            yield piece.text

    for text in by_lines(kept(), lyricist) if lyricist else kept():
        print(text, end="", flush=True)
    text = "".join(made)
    if not text.endswith("\n"):
        print()
    return text, tuple(relaxed)


def _name(copied: list[str]) -> None:
    """Says on standard error what was copied, if anything was."""
    if line := naming(copied):
        note(line)


def _sheet(texts: list[str]) -> str:
    """One song as it is; several in the songbook's form, which `lyricgen` reads again."""
    closed = [text.rstrip("\n") + "\n" for text in texts]
    if len(closed) == 1:
        return closed[0]
    return "\n".join(f"{SONG_MARK} {number}\n\n{text}" for number, text in enumerate(closed, 1))


def _check_lrc(plan: "Plan", *, count: int, as_json: bool) -> None:
    """Refuses an .lrc file that could not be written once the songs are there."""
    from lyricgen.generation.lrc_out import check_times

    if count > 1 or as_json:
        raise OptionError("an .lrc file holds one song; leave out --count and --json, or choose another --out")
    check_times(plan)


generate.__doc__ = EXAMPLES
