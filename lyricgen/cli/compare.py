"""`lyricgen compare`: RNN, LSTM and GRU side by side on one corpus."""

import importlib.util
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from lyricgen.cli.console import note, on_terminal, show_json
from lyricgen.cli.language import CHINESE, tell
from lyricgen.cli.options import CorpusPaths, Device, Json, SongsIn
from lyricgen.errors import InputError, OptionError

if TYPE_CHECKING:
    from lyricgen.evaluation.compare import Comparison
    from lyricgen.evaluation.run_record import RunResult

EXAMPLES = tell(
    "Compare RNN, LSTM and GRU on one corpus: table, curves, samples.\n\n"
    "The same command again goes on where it was stopped.\n\n\b\n"
    "lyricgen compare my-songs/                        a minute for each\n"
    "lyricgen compare my-songs/ --epochs 10 --seeds 3 --start 星星\n"
    "lyricgen compare four-lines.txt --equal width --epochs 50\n"
    "lyricgen compare --cells lstm,gru --configs mine.toml --out comparisons/mine",
    "在同一份歌词上比较 RNN、LSTM、GRU：表格、曲线、样例。\n\n"
    "中断之后再下同一条命令就接着做。\n\n\b\n"
    "lyricgen compare my-songs/                        每个一分钟\n"
    "lyricgen compare my-songs/ --epochs 10 --seeds 3 --start 星星\n"
    "lyricgen compare four-lines.txt --equal width --epochs 50\n"
    "lyricgen compare --cells lstm,gru --configs mine.toml --out comparisons/mine",
)
MOST_LOSS = 100.0


def _option(metavar: str, english: str, chinese: str) -> Any:
    return typer.Option(metavar=metavar, help=tell(english, chinese), show_default=False)


def compare(
    paths: CorpusPaths = None,
    out: Annotated[Path | None, _option("DIR", "The folder of all runs. Default: comparisons/CORPUS-1.",
                                        "存放全部训练的文件夹。缺省：comparisons/歌词名-1。")] = None,
    cells: Annotated[str, _option("LIST", "Default: rnn,lstm,gru.", "缺省：rnn,lstm,gru。")] = "rnn,lstm,gru",
    configs: Annotated[Path | None, _option("FILE", "TOML: a table of training settings for each more model.",
                                            "TOML 文件：每个表是另一个模型的训练设置。")] = None,
    equal: Annotated[str, _option("parameters|width", "What all have in common. Default: parameters.",
                                  "让什么相等：参数量还是宽度。缺省：parameters。")] = "parameters",
    minutes: Annotated[float | None, _option("M", "Time of each run. Default: 1.",
                                             "每次训练几分钟。缺省：1。")] = None,
    epochs: Annotated[int | None, _option("N", "Times through the text, instead of minutes.",
                                          "读几遍，代替分钟数。")] = None,
    seeds: Annotated[int, _option("K", "Runs of each model. Default: 1.", "每个模型训练几次。缺省：1。")] = 1,
    start: Annotated[str, _option("TEXT", "How the samples begin.", "样例的开头。")] = "",
    loss: Annotated[float | None, _option("X", "The loss that times are told to. Default: the best all reach.",
                                          "比较达到这个损失的用时。缺省：都能达到的最低损失。")] = None,
    hidden: Annotated[int | None, _option("N", "Units of a layer (of the LSTM, where parameters are equal).",
                                          "每层单元数（参数量相等时指 LSTM 的）。")] = None,
    layers: Annotated[int | None, _option("N", "Layers. Default: 2.", "层数。缺省：2。")] = None,
    embedding: Annotated[int | None, _option("N", "Width of the embedding.", "词向量宽度。")] = None,
    songs: SongsIn = None,
    level: Annotated[str, _option("char|word", "What a token is. Default: char.",
                                  "以字还是以词为单位。缺省：char（字）。")] = "char",
    device: Device = "auto",
    as_json: Json = False,
) -> None:  # fmt: skip
    _check(start, loss)
    from lyricgen.evaluation.compare import Comparison
    from lyricgen.evaluation.comparison_setup import CompareOptions
    from lyricgen.model.device import pick_device, prepare_torch

    prepare_torch()
    names = tuple(dict.fromkeys(name for each in cells.split(",") if (name := each.strip().lower())))
    options = CompareOptions(tuple(paths or ()), out, cast(Literal["file", "blank"], songs or "file"), level, names,
                             configs, equal, epochs, minutes, seeds, hidden, layers, embedding,
                             command=shlex.join(["lyricgen", *sys.argv[1:]]))  # fmt: skip
    with Comparison.open(options, device=pick_device(device)) as comparison:
        if comparison.begun_before:
            note(f"going on with {comparison.folder}")
        note(*comparison.plan.lines, *_introduction(comparison))
        results = _follow(comparison)
        if comparison.interrupted:
            note(f"saved in {comparison.folder}; the same command goes on from here")
            raise typer.Exit(130)
        _show(comparison, results, loss=loss, start=start, as_json=as_json)


def _check(start: str, loss: float | None) -> None:
    """Raises LyricgenError for what would only fail when all is trained."""
    if start and not start.strip():
        raise InputError("the start text is only white space; give it a word, or leave it out")
    if loss is not None and not 0 < loss < MOST_LOSS:
        raise OptionError(f"loss must be above 0 and below {MOST_LOSS:g} nats per character, got {loss:g}")


def _introduction(comparison: "Comparison") -> list[str]:
    """Who takes part, one line each."""
    from lyricgen.evaluation.contenders import count_parameters, model_config

    lines = []
    for each in comparison.contenders:
        config = model_config(each.wishes, comparison.plan.vocab_size)
        shape = f"{config.layers}×{config.cell.upper()} {config.hidden}, embedding {config.embedding}"
        lines.append(f"{each.name}: {shape}, {count_parameters(config):,} parameters, lr {each.wishes.lr:g}")
    return lines


def _follow(comparison: "Comparison") -> list["RunResult"]:
    """Runs a comparison on the terminal, a bar for each run, and gives its results."""
    from tqdm import tqdm

    from lyricgen.cli.display import BAR, stopping_on_interrupt

    lively = on_terminal(sys.stderr)
    results = []
    bar = tqdm(total=1.0, bar_format=BAR, file=sys.stderr, disable=not lively, dynamic_ncols=True, leave=False)
    with bar, stopping_on_interrupt(comparison.stop):
        for step in comparison.run():
            which = f"{step.name}, seed {step.seed} ({step.number} of {step.total})"
            bar.n = step.report.done if step.report else 0.0
            loss = f": loss {step.report.loss:.3f}" if step.report else ""
            bar.set_description_str(which + loss)
            if step.result:
                bar.clear()
                failed = step.result.record.failed
                note(f"{which}: " + (failed or f"{step.result.nats:.4f} nats per character"))
                results.append(step.result)
    return results


def _show(
    comparison: "Comparison", results: list["RunResult"], *, loss: float | None, start: str, as_json: bool
) -> None:
    """Prints what came of it, and draws it."""
    from lyricgen.cli import standings as shown
    from lyricgen.evaluation.pictures import draw
    from lyricgen.evaluation.standings import common_loss, rank

    standings = rank(results)
    failed = [run for run in results if run.record.failed]
    goal = common_loss(standings) if loss is None else loss
    pictures = []
    if importlib.util.find_spec("matplotlib") is None:
        note("pictures need matplotlib: pip install 'lyricgen[plots]'")
    else:
        by = "seconds" if comparison.options.shape.minutes else "tokens"
        pictures = draw(standings, comparison.folder, by=by, chinese=CHINESE)
    if as_json:
        show_json({
            "out": str(comparison.folder), **comparison.plan.asked, "seeds": comparison.options.seeds,
            "pictures": list(map(str, pictures)), **shown.to_json(standings, loss=goal, start=start, failed=failed),
        })  # fmt: skip
    else:
        print("\n".join(shown.tables(standings, loss=goal, start=start, failed=failed)))
    note(f"the runs{' and pictures' if pictures else ''} are in {comparison.folder}")


compare.__doc__ = EXAMPLES
