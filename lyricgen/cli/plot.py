"""`lyricgen plot`: pictures of runs and songs."""

from pathlib import Path
from typing import Annotated, Any

import typer

from lyricgen.cli.console import check_new_file, note
from lyricgen.cli.language import tell
from lyricgen.cli.options import Seed
from lyricgen.errors import OptionError

EXAMPLES = tell(
    "Draw a picture of runs or songs.\n\n\b\n"
    "lyricgen plot checkpoints/a checkpoints/b --out loss.png\n"
    "lyricgen plot checkpoints/a held-out.txt --kind lengths --out lengths.svg\n"
    "lyricgen plot checkpoints/a held-out.txt --kind rhymes --out rhymes.png\n"
    "lyricgen plot checkpoints/a --kind neighbours --word 星星 --out near.png",
    "把训练或歌词画成图。\n\n\b\n"
    "lyricgen plot checkpoints/a checkpoints/b --out loss.png\n"
    "lyricgen plot checkpoints/a held-out.txt --kind lengths --out lengths.svg\n"
    "lyricgen plot checkpoints/a held-out.txt --kind rhymes --out rhymes.png\n"
    "lyricgen plot checkpoints/a --kind neighbours --word 星星 --out near.png",
)
KINDS = ("loss", "lengths", "rhymes", "neighbours")


def _option(metavar: str, english: str, chinese: str) -> Any:
    return typer.Option(metavar=metavar, help=tell(english, chinese), show_default=False)


def plot(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help=tell(
        "Folders of training runs; for lengths and rhymes also files of songs.",
        "训练的文件夹；画 lengths 和 rhymes 时也可以是歌词文件。"))],
    out: Annotated[Path, _option("FILE.png|.svg", "The picture to write.", "要写的图。")],
    kind: Annotated[str, typer.Option(metavar="loss|lengths|rhymes|neighbours", help=tell(
        "Losses; how long lines are, or how they rhyme, as each run writes them; words near a word.",
        "损失；各模型写的行有多长、押什么韵；一个词附近的词。"))] = "loss",
    word: Annotated[str, _option("WORD", "The word for neighbours.", "neighbours 用的词。")] = "",
    samples: Annotated[int, typer.Option(metavar="N", help=tell("How many songs each run writes.",
                                                                "每个模型写几首。"))] = 30,
    seed: Seed = None,
) -> None:  # fmt: skip
    from lyricgen.evaluation import plots
    from lyricgen.model.config import check_choice

    check_choice("kind", kind, KINDS)
    check_new_file(out)
    if kind == "neighbours":
        names = _neighbours(runs, word, out)
    elif kind == "loss":
        names = _loss([Path(run) for run in runs], out)
    else:
        names = _counts(kind, runs, out, samples=samples, seed=seed or 0)
    if odd := plots.missing("".join(names)):
        remedy = tell(
            "no font at hand shows {}; install Noto Sans CJK or another", "没有字体能显示 {}；请装 Noto Sans CJK 之类"
        )
        note(remedy.format(odd))
    note(f"wrote {out}")


def _loss(runs: list[Path], out: Path) -> list[str]:
    """Draws the losses of runs and gives the names in the picture."""
    from lyricgen.evaluation import plots
    from lyricgen.evaluation.history import read_curve, short_names

    series = {name: read_curve(run, what="held_out") for name, run in zip(short_names(runs), runs, strict=True)}
    if len(runs) == 1:
        series = {
            tell("held-out", "留出文本"): read_curve(runs[0], what="held_out"),
            tell("training", "训练文本"): read_curve(runs[0], what="loss"),
        }
    title = short_names(runs)[0] if len(runs) == 1 else tell("Held-out loss", "留出文本的损失")
    y = tell("nats per character", "每字奈特")
    plots.curves(series, title=title, x=tell("tokens read", "读过的词元"), y=y, path=out)
    return list(series)


def _counts(kind: str, runs: list[str], out: Path, *, samples: int, seed: int) -> list[str]:
    """Draws how long lines are, or how they rhyme, and gives the names in the picture."""
    from lyricgen.evaluation import plots
    from lyricgen.evaluation.history import short_names
    from lyricgen.evaluation.samples import style_of
    from lyricgen.text.phonetics import THIRTEEN

    names = short_names([Path(run) for run in runs])
    styles = {name: style_of(run, samples=samples, seed=seed) for name, run in zip(names, runs, strict=True)}
    y = tell("share of the lines", "行的比例")
    if kind == "lengths":
        longest = min(30, max((length for style in styles.values() for length in style.lengths), default=1))
        lengths = {name: style.lengths for name, style in styles.items()}
        plots.shares(lengths, places=range(1, longest + 1), title=tell("Lengths of lines", "行长"),
                     x=tell("characters", "字数"), y=y, path=out)  # fmt: skip
        return names
    classes = {name: style.rhymes.classes for name, style in styles.items()}
    plots.shares(classes, places=list(THIRTEEN), title=tell("Rhyme classes of line ends", "行末的韵辙"),
                 x="", y=y, path=out)  # fmt: skip
    return names


def _neighbours(runs: list[str], word: str, out: Path) -> list[str]:
    """Draws the words near a word and gives them."""
    from lyricgen.evaluation import plots
    from lyricgen.evaluation.neighbours import find_neighbours
    from lyricgen.model.checkpoint import load
    from lyricgen.model.locate import find_model

    if len(runs) != 1 or not word:
        raise OptionError("neighbours are those of one word in one run; name one, and the word with --word")
    found = find_neighbours(load(find_model(runs[0])), word)
    share = f"{found.explained:.0%}"
    title = tell(f"Near {word} ({share} of the variance)", f"“{word}”附近（占方差 {share}）")
    plots.neighbours(found, title=title, path=out)
    return [word, *found.tokens]


plot.__doc__ = EXAMPLES
