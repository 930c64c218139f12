"""`lyricgen mood`: learns to tell the mood of a text, or any other label, and tells it."""

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from lyricgen.cli.console import note, show_json
from lyricgen.cli.language import tell
from lyricgen.cli.options import Device, Json
from lyricgen.errors import OptionError

HELP = tell(
    "Tell the mood of texts, or any other label.\n\n\b\n"
    "lyricgen mood train reviews.csv --out reviews    learn from labelled texts\n"
    "lyricgen mood predict 星星不说话 --model reviews",
    "判断文本的情绪，或任何别的标签。\n\n\b\n"
    "lyricgen mood train reviews.csv --out reviews    从有标签的文本学\n"
    "lyricgen mood predict 星星不说话 --model reviews",
)
TRAIN = tell(
    "Learn labels from texts that have them.\n\n\b\n"
    "lyricgen mood train --out moods                    the songbook's moods\n"
    "lyricgen mood train reviews.csv --out reviews\n"
    "lyricgen mood train a.tsv --text-column body --label-column stars --out stars\n"
    "lyricgen mood train reviews.csv --init-from checkpoints/mine --out reviews-2",
    "从有标签的文本学会判断标签。\n\n\b\n"
    "lyricgen mood train --out moods                    自带歌集的情绪\n"
    "lyricgen mood train reviews.csv --out reviews\n"
    "lyricgen mood train a.tsv --text-column body --label-column stars --out stars\n"
    "lyricgen mood train reviews.csv --init-from checkpoints/mine --out reviews-2",
)
PREDICT = tell(
    "Tell the label of each text, and how sure that is.\n\n\b\n"
    "lyricgen mood predict 星星不说话 --model moods\n"
    "lyricgen mood predict --file lines.txt --model moods > labels.tsv\n"
    "cat lines.txt | lyricgen mood predict --model moods --json",
    "判断每份文本的标签和把握。\n\n\b\n"
    "lyricgen mood predict 星星不说话 --model moods\n"
    "lyricgen mood predict --file lines.txt --model moods > labels.tsv\n"
    "cat lines.txt | lyricgen mood predict --model moods --json",
)


def _option(metavar: str, english: str, chinese: str, *names: str) -> Any:
    return typer.Option(*names, metavar=metavar, help=tell(english, chinese), show_default=False)


TextColumn = Annotated[str | None, _option("NAME", "The column of texts. Default: guessed.", "文本列。缺省：猜。")]


def train(
    out: Annotated[Path, _option("DIR", "A new folder for the classifier.", "存放分类器的新文件夹。")],
    data: Annotated[Path | None, typer.Argument(metavar="[DATA]", help=tell(
        "A .csv, .tsv, .jsonl or .json of labelled texts, or songs with moods. Default: the songbook.",
        "有标签文本的 .csv、.tsv、.jsonl、.json，或标了情绪的歌。缺省：自带歌集。"))] = None,
    text_column: TextColumn = None,
    label_column: Annotated[str | None, _option("NAME", "The column of labels. Default: guessed.",
                                                "标签列。缺省：猜。")] = None,
    level: Annotated[str | None, _option("char|word", "What a token is. Default: char.",
                                         "以字还是以词为单位。缺省：char（字）。")] = None,
    cell: Annotated[str | None, _option("rnn|lstm|gru", "Default: lstm.", "缺省：lstm。")] = None,
    hidden: Annotated[int | None, _option("N", "Units of a layer.", "每层单元数。")] = None,
    layers: Annotated[int | None, _option("N", "Layers. Default: 1.", "层数。缺省：1。")] = None,
    dropout: Annotated[float | None, _option("P", "Share of units silenced.", "随机失活的比例。")] = None,
    epochs: Annotated[int | None, _option("N", "Times through the texts at most; 0 leaves the encoder out.",
                                          "最多读几遍；0 表示不用编码器。")] = None,
    batch: Annotated[int | None, _option("B", "Texts side by side.", "每批文本数。")] = None,
    lr: Annotated[float | None, _option("X", "Height of the learning rate.", "学习率的最高值。")] = None,
    length: Annotated[int | None, _option("T", "Tokens that the encoder reads of a text.",
                                          "编码器读每份文本的词元数。")] = None,
    ngrams: Annotated[bool, typer.Option("--ngrams/--no-ngrams", help=tell(
        "Let n-grams decide beside the encoder.", "编码器之外还用 n-gram。"))] = True,
    class_weights: Annotated[bool, typer.Option("--class-weights/--no-class-weights", help=tell(
        "Rare classes count as much as frequent ones.", "少见的类与常见的类同样重要。"))] = True,
    init_from: Annotated[Path | None, _option("MODEL", "Start from a language model's embedding and layers.",
                                              "从一个语言模型的词向量和循环层起步。")] = None,
    clean: Annotated[bool, typer.Option("--clean", help=tell(
        "Leave out markup, web addresses and @names; fold what is stretched.",
        "去掉标记、网址、@用户名，压缩重复字。"))] = False,
    stop_words: Annotated[Path | None, _option("FILE", "Words to leave out, one a line.",
                                               "停用词表，一行一个。")] = None,
    seed: Annotated[int, _option("N", "Seed of all that is random.", "随机种子。")] = 0,
    device: Device = "auto",
    as_json: Json = False,
) -> None:  # fmt: skip
    from lyricgen.model.device import pick_device, prepare_torch
    from lyricgen.mood.config import MoodWishes
    from lyricgen.mood.preparation import Preparation, read_stop_words
    from lyricgen.mood.session import MoodOptions, start_session
    from lyricgen.training.memory import memory_errors

    wishes = MoodWishes(level=level, cell=cell, hidden=hidden, layers=layers, epochs=epochs, batch=batch, lr=lr,
                        dropout=dropout, length=length, ngrams=ngrams, class_weights=class_weights,
                        seed=seed)  # fmt: skip
    prepare_torch()
    preparation = Preparation(clean, read_stop_words(stop_words) if stop_words else ())
    options = MoodOptions(data, out, text_column, label_column, init_from, preparation, wishes,
                          command=shlex.join(["lyricgen", *sys.argv[1:]]))  # fmt: skip
    with memory_errors("try a lower --batch, --length or --hidden, leave out a half by --no-ngrams or --epochs 0, "
                       "or give fewer texts"):  # fmt: skip
        session = start_session(options, device=pick_device(device))
        note(*session.lines)
        for report in session.run():
            note(report.line())
        results = session.finish()
    note(results.outcome)
    if as_json:
        show_json({"model": str(out), **results.to_json()})
    else:
        print("\n".join(results.scores.lines()))
    note(f"tell labels with it: lyricgen mood predict TEXT --model {shlex.quote(str(out))}")


def predict(
    texts: Annotated[list[str] | None, typer.Argument(metavar="[TEXT]...", help=tell(
        "Texts. Default: standard input, one a line.", "文本。缺省：标准输入，一行一份。"))] = None,
    model: Annotated[Path | None, _option("DIR", "The classifier's folder.", "分类器的文件夹。")] = None,
    file: Annotated[list[Path] | None, _option(
        "FILE", "A .csv, .tsv, .jsonl or .json with a text column, or a text a line.",
        "有文本列的 .csv、.tsv、.jsonl、.json，或一行一份文本。")] = None,
    text_column: TextColumn = None,
    device: Device = "auto",
    as_json: Json = False,
) -> None:  # fmt: skip
    if model is None:
        raise OptionError("name the classifier's folder by --model; `lyricgen mood train --out DIR` makes one")
    if texts and file:
        raise OptionError("texts come as arguments or by --file; give one of the two")
    from lyricgen.model.device import pick_device
    from lyricgen.mood import checkpoint
    from lyricgen.mood.data import Asked, read_texts
    from lyricgen.text.encoding import STDIN
    from lyricgen.training.memory import memory_errors

    with memory_errors("give fewer texts at a time, or, where a GPU is full, --device cpu"):
        classifier = checkpoint.load(model, device=str(pick_device(device)))
        if texts:
            found = [Asked(text, number) for number, text in enumerate(texts, 1)]
        else:
            found, notes = read_texts(file or [STDIN], text_column=text_column, prepare=classifier.preparation)
            note(*notes)
        pairs = list(zip(found, classifier.predict([asked.text for asked in found]), strict=True))
    if as_json:
        show_json({"predictions": [{**asked.to_json(), **told.to_json()} for asked, told in pairs]})
    else:
        for asked, told in pairs:
            print(f"{told.label}\t{told.confidence:.3f}\t{' '.join(asked.text.split())}")


train.__doc__, predict.__doc__ = TRAIN, PREDICT
COMMANDS: dict[str, Callable[..., None]] = {"train": train, "predict": predict}
