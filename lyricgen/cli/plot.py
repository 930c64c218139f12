"""`lyricgen plot`: pictures of runs and songs."""

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from lyricgen.cli.console import check_new_file, note
from lyricgen.cli.language import CHINESE, tell
from lyricgen.cli.options import Seed
from lyricgen.errors import OptionError

EXAMPLES = tell(
    "Draw a picture of runs or songs.\n\n\b\n"
    "lyricgen plot checkpoints/a checkpoints/b --out loss.png\n"
    "lyricgen plot checkpoints/a held-out.txt --kind lengths --out lengths.svg\n"
    "lyricgen plot checkpoints/a held-out.txt --kind rhymes --out rhymes.png\n"
    "lyricgen plot checkpoints/a --kind neighbours --word 星星 --out near.png\n"
    "lyricgen plot comparisons/songbook-1 --kind gradients --out fading.svg",
    "把训练或歌词画成图。\n\n\b\n"
    "lyricgen plot checkpoints/a checkpoints/b --out loss.png\n"
    "lyricgen plot checkpoints/a held-out.txt --kind lengths --out lengths.svg\n"
    "lyricgen plot checkpoints/a held-out.txt --kind rhymes --out rhymes.png\n"
    "lyricgen plot checkpoints/a --kind neighbours --word 星星 --out near.png\n"
    "lyricgen plot comparisons/songbook-1 --kind gradients --out fading.svg",
)
KINDS = ("loss", "lengths", "rhymes", "neighbours", "gradients")
LONGEST = 30  # units of a line; longer ones share the last bar


def _option(metavar: str, english: str, chinese: str) -> Any:
    return typer.Option(metavar=metavar, help=tell(english, chinese), show_default=False)


def plot(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help=tell(
        "Folders of training runs, or starter; for lengths and rhymes also files of songs; for gradients a "
        "comparison's folder.",
        "训练的文件夹，或 starter；画 lengths 和 rhymes 时也可以是歌词文件；画 gradients 时是 compare 的文件夹。"))],
    out: Annotated[Path, _option("FILE.png|.svg", "The picture to write.", "要写的图。")],
    kind: Annotated[str, typer.Option(metavar="loss|lengths|rhymes|neighbours|gradients", help=tell(
        "Losses; how long lines are, or how they rhyme, as each run writes them; words near a word; how the "
        "gradients of compared models fade.",
        "损失；各模型写的行有多长、押什么韵；一个词附近的词；比较的各模型梯度怎样消失。"))] = "loss",
    word: Annotated[str, _option("WORD", "The word for neighbours.", "neighbours 用的词。")] = "",
    samples: Annotated[int, typer.Option(metavar="N", help=tell("How many songs each run writes.",
                                                                "每个模型写几首。"))] = 30,
    seed: Seed = None,
) -> None:  # fmt: skip
    from lyricgen.evaluation import plots
    from lyricgen.model.config import check_choice

    check_choice("kind", kind, KINDS)
    check_new_file(out)
    plots.check_picture(out)  # before any song is written
    if kind == "neighbours":
        names = _neighbours(runs, word, out)
    elif kind == "gradients":
        names = _gradients(runs, out)
    elif kind == "loss":
        names = _loss(runs, out)
    else:
        names = _counts(kind, runs, out, samples=samples, seed=seed or 0)
    if odd := plots.missing("".join(names)):
        remedy = tell(
            "no font at hand shows {}; install Noto Sans CJK or another", "没有字体能显示 {}；请装 Noto Sans CJK 之类"
        )
        note(remedy.format(odd))
    note(f"wrote {out}")


def _loss(runs: list[str], out: Path) -> list[str]:
    """Draws the losses of runs and gives the names in the picture."""
    from lyricgen.evaluation import plots
    from lyricgen.evaluation.history import has_held_out, read_curve, short_names
    from lyricgen.model.locate import find_model

    names = short_names([Path(run) for run in runs])
    folders = [find_model(run) for run in runs]
    held_out = [has_held_out(folder) for folder in folders]
    training = tell("training", "训练文本")
    if len(runs) == 1:
        title = names[0]
        kinds = {tell("held-out", "留出文本"): "held_out"} if held_out[0] else {}
        series = {kind: read_curve(folders[0], what=what) for kind, what in {**kinds, training: "loss"}.items()}
    else:
        title, series = _loss_title(held_out), {}
        for name, folder, own in zip(names, folders, held_out, strict=True):
            # A training loss among held-out ones says so.
            shown = name if own or not any(held_out) else f"{name} ({training})"
            series[shown] = read_curve(folder, what="held_out" if own else "loss")
    y = tell("nats per character", "每字奈特")
    plots.curves(series, title=title, x=tell("tokens read", "读过的词元"), y=y, path=out)
    return list(series)


def _loss_title(held_out: list[bool]) -> str:
    """What the losses of several runs are together."""
    if all(held_out):
        return tell("Held-out loss", "留出文本的损失")
    return tell("Loss", "损失") if any(held_out) else tell("Training loss", "训练文本的损失")


def _gradients(runs: list[str], out: Path) -> list[str]:
    """Draws how the gradients of a comparison's models fade and gives their names."""
    from lyricgen.evaluation.pictures import fading
    from lyricgen.evaluation.standings import read_standings

    if len(runs) != 1:
        raise OptionError("gradients are those of one comparison; name its folder alone")
    picture = fading(read_standings(Path(runs[0])), chinese=CHINESE)
    picture.draw(out)
    return list(picture.series)


def _counts(kind: str, runs: list[str], out: Path, *, samples: int, seed: int) -> list[str]:
    """Draws how long lines are, or how they rhyme, and gives the names in the picture."""
    from lyricgen.evaluation import plots
    from lyricgen.evaluation.history import short_names
    from lyricgen.evaluation.samples import style_of
    from lyricgen.text.phonetics import THIRTEEN

    names = short_names([Path(run) for run in runs])
    styles = {name: style_of(run, samples=samples, seed=seed) for name, run in zip(names, runs, strict=True)}
    if kind == "lengths":
        lengths = {name: _by_bar(style.lengths) for name, style in styles.items()}
        last = max((bar for bars in lengths.values() for bar in bars), default=1)
        first = min((1, *(bar for bars in lengths.values() for bar in bars)))  # a line may be all punctuation
        named = {bar: f"{bar}+" if bar == LONGEST else str(bar) for bar in range(first, last + 1)}
        plots.shares(lengths, places=named, title=tell("Lengths of lines", "行长"),
                     x=tell("characters", "字数"), y=tell("share of the lines", "行的比例"), path=out)  # fmt: skip
        return names
    y = tell("share of the line ends", "行末的比例")
    classes = {name: style.rhymes.classes for name, style in styles.items()}
    title = tell("Rhyme classes of line ends", "行末的韵辙")
    plots.shares(classes, places={name: name for name in THIRTEEN}, title=title, x="", y=y, path=out)
    return names


def _by_bar(lengths: Counter[int]) -> Counter[int]:
    """How many lines each bar stands for: lines of LONGEST units and of more share the last."""
    bars: Counter[int] = Counter()
    for length, count in lengths.items():
        bars[min(length, LONGEST)] += count
    return bars


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
