"""`lyricgen train`: learns from a corpus, or goes on with a run that stopped."""

import shlex
import sys
import time
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import typer

from lyricgen.cli.console import note
from lyricgen.cli.language import tell
from lyricgen.cli.options import CorpusPaths, Device, MinCount, Seed, SongsIn
from lyricgen.errors import OptionError

EXAMPLES = tell(
    "Train a model on songs.\n\n\b\n"
    "lyricgen train my-songs/                        five minutes\n"
    "lyricgen train my-songs/ --cell gru --epochs 20 --out checkpoints/mine\n"
    "lyricgen train poems.txt --songs blank --minutes 30\n"
    "lyricgen train --resume checkpoints/mine        go on after Ctrl-C",
    "用歌词训练模型。\n\n\b\n"
    "lyricgen train my-songs/                        训练五分钟\n"
    "lyricgen train my-songs/ --cell gru --epochs 20 --out checkpoints/mine\n"
    "lyricgen train poems.txt --songs blank --minutes 30\n"
    "lyricgen train --resume checkpoints/mine        中断之后接着训练",
)


def _option(metavar: str, english: str, chinese: str) -> Any:
    return typer.Option(metavar=metavar, help=tell(english, chinese), show_default=False)


def train(
    context: typer.Context,
    paths: CorpusPaths = None,
    out: Annotated[Path | None, _option("DIR", "A new folder for the run.", "存放这次训练的新文件夹。")] = None,
    minutes: Annotated[float | None, _option("M", "Time in all. Default: 5.", "总共几分钟。缺省：5。")] = None,
    epochs: Annotated[int | None, _option("N", "Times through the text, instead of minutes.",
                                          "读几遍，代替分钟数。")] = None,
    resume: Annotated[Path | None, _option("DIR", "Go on with the run in this folder, with its own settings.",
                                           "接着训练这个文件夹里的，沿用它的设置。")] = None,
    valid: Annotated[str | None, _option("PATH", "A text to measure on instead of a tenth of the songs.",
                                         "用这份文本来衡量，而不是留出一成的歌。")] = None,
    songs: SongsIn = None,
    level: Annotated[str | None, _option("char|word", "What a token is. Default: char.",
                                         "以字还是以词为单位。缺省：char（字）。")] = None,
    min_count: MinCount = None,
    cell: Annotated[str | None, _option("rnn|lstm|gru", "Default: lstm.", "缺省：lstm。")] = None,
    hidden: Annotated[int | None, _option("N", "Units of a layer.", "每层单元数。")] = None,
    layers: Annotated[int | None, _option("N", "Layers. Default: 2.", "层数。缺省：2。")] = None,
    embedding: Annotated[int | None, _option("N", "Width of the embedding.", "词向量宽度。")] = None,
    dropout: Annotated[float | None, _option("P", "Share of units silenced.", "随机失活的比例。")] = None,
    window: Annotated[int | None, _option("T", "Tokens that a gradient spans. Default: 64.",
                                          "窗口的词元数。缺省：64。")] = None,
    batch: Annotated[int | None, _option("B", "Windows side by side.", "每批窗口数。")] = None,
    lr: Annotated[float | None, _option("X", "Height of the learning rate.", "学习率的最高值。")] = None,
    tied: Annotated[bool | None, typer.Option("--tied/--untied", help=tell(
        "Share weights of embedding and output.", "输入输出共用权重。"), show_default=False)] = None,
    residual: Annotated[bool | None, typer.Option("--residual/--no-residual", help=tell(
        "Add a layer's input to its output.", "残差连接。"), show_default=False)] = None,
    init_from: Annotated[Path | None, _option("MODEL", "Start from this model instead of nothing.",
                                              "从这个模型接着学。")] = None,
    vectors: Annotated[Path | None, _option("FILE", "Start from pretrained vectors (word2vec or GloVe text).",
                                            "用预训练词向量起步（word2vec 或 GloVe 文本格式）。")] = None,
    preset: Annotated[str | None, _option("classic", "The usual tutorial's sizes: RNN 128 to 256, 10 epochs.",
                                          "教程里的大小：RNN 128 到 256，10 遍。")] = None,
    plan: Annotated[bool | None, typer.Option("--plan/--no-plan", show_default=False, help=tell(
        "Whether the model learns to plan its lines. Default: where they are sung Chinese.",
        "模型是否学会规划每行。缺省：歌词是中文就学。"))] = None,
    seed: Seed = None,
    device: Device = "auto",
) -> None:  # fmt: skip
    began = time.monotonic()
    from lyricgen.cli.display import follow
    from lyricgen.model.device import pick_device, prepare_torch
    from lyricgen.training.distributed import join
    from lyricgen.training.memory import memory_errors
    from lyricgen.training.recipe import Wishes
    from lyricgen.training.session import RunOptions, resume_session, start_session

    prepare_torch()
    chosen = pick_device(device)
    ranks = join(chosen)
    with memory_errors():
        if resume is not None:
            _check_alone(resume, context.params)
            session = resume_session(resume, device=chosen, ranks=ranks)
        else:
            wishes = Wishes(cell=cell, hidden=hidden, layers=layers, embedding=embedding, dropout=dropout, tied=tied,
                            residual=residual, window=window, batch=batch, lr=lr, epochs=epochs, minutes=minutes,
                            seed=seed)  # fmt: skip
            kind = cast(Literal["file", "blank"], songs or "file")
            options = RunOptions(
                tuple(paths or ()), out, valid, kind, level, min_count, preset, vectors, init_from, wishes,
                command=f"{ranks.launch} {shlex.join(sys.argv[1:])}", plan=plan,
            )  # fmt: skip
            session = start_session(options, device=chosen, began=began, ranks=ranks)
        note(*session.lines)
        report = follow(session)
    ranks.close()
    if report.ended == "interrupted":
        note(f"saved; go on with: {ranks.launch} train --resume {shlex.quote(str(session.folder))}")
        raise typer.Exit(130)
    name = "held-out loss" if session.trainer.holds_out else "nothing was held out; training loss"
    note(f"{name} {session.trainer.best:.4f} nats per character; the model is in {session.folder}")
    note(f"write with it: lyricgen generate --model {shlex.quote(str(session.folder))} --start 星星")


def _check_alone(resume: Path, given: dict[str, Any]) -> None:
    """Raises OptionError where --resume stands beside settings: a run goes on with its own."""
    others = [
        name for name, value in given.items() if name not in ("resume", "device") and value not in (None, [], ())
    ]
    if others:
        raise OptionError(f"a run that goes on keeps its own settings; give --resume {resume} alone")


train.__doc__ = EXAMPLES
