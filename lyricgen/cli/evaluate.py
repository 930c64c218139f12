"""`lyricgen evaluate`: how well a model predicts a text that it has not seen, and what it writes beside that."""

from pathlib import Path
from typing import Annotated, Any, Literal, cast

import typer

from lyricgen.cli.console import check_new_file, note, show_json
from lyricgen.cli.language import CHINESE, tell
from lyricgen.cli.options import Device, Json, Model, Seed
from lyricgen.errors import InputError, OptionError

EXAMPLES = tell(
    "Tell how well a model predicts a text.\n\n"
    "Per character of the text as it stands, line breaks counted. With --samples also what the model writes.\n\n\b\n"
    "lyricgen evaluate held-out.txt\n"
    "lyricgen evaluate held-out.txt --model checkpoints/mine-1 --json\n"
    "lyricgen evaluate held-out.txt --per-line        where it is surprised\n"
    "lyricgen evaluate held-out.txt --samples 20 --report report.html",
    "看模型对一份文本预测得多好（按文本原样，逐字计）；加 --samples 还看它自己写得怎样。\n\n\b\n"
    "lyricgen evaluate held-out.txt\n"
    "lyricgen evaluate held-out.txt --model checkpoints/mine-1 --json\n"
    "lyricgen evaluate held-out.txt --per-line        看它在哪里没料到\n"
    "lyricgen evaluate held-out.txt --samples 20 --report report.html",
)


def _option(metavar: str, english: str, chinese: str) -> Any:
    return typer.Option(metavar=metavar, help=tell(english, chinese), show_default=False)


def _flag(name: str, english: str, chinese: str) -> Any:
    return typer.Option(name, help=tell(english, chinese))


def evaluate(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help=tell("Texts, or - for standard input.", "文本文件。"))
    ],
    model: Model = None,
    songs: Annotated[str | None, _option(
        "file|blank", "What a plain text file holds: one song (its blank lines part sections), or a song between any "
        "two blank lines. Default: what the files that the model learned from held.",
        "纯文本文件里是一首歌（空行分段）还是每个空行隔开一首歌。缺省：与模型训练时相同。")] = None,
    split: Annotated[str | None, _option("train|valid|test", "Only songs with this label (the songbook's have one).",
                                         "只看标有这个标签的歌（自带歌集有标签）。")] = None,
    per_song: Annotated[bool, _flag("--per-song", "Also a line for each song.", "逐首列出。")] = False,
    per_line: Annotated[bool, _flag("--per-line", "Also each line of each song.", "逐行列出。")] = False,
    temperature_fit: Annotated[bool, _flag("--temperature-fit", "Also the temperature that suits the text best.",
                                           "求出最适合这份文本的温度。")] = False,
    samples: Annotated[int, _option("N", "Also let the model write N songs and measure those.",
                                    "让模型写 N 首歌，一并衡量。")] = 0,
    seed: Seed = None,
    train: Annotated[list[str] | None, _option(
        "PATH", "The songs that the model learned from, to see what it copies. Default: the songbook, where it is "
        "that.", "模型学过的歌，用来看它抄了什么。缺省：如果是自带歌集，就用它。")] = None,
    report: Annotated[Path | None, _option("FILE.html", "Write it all as one page for a browser.",
                                           "全部写成一个网页。")] = None,
    device: Device = "auto",
    as_json: Json = False,
) -> None:  # fmt: skip
    from lyricgen.evaluation.copies import training_songs
    from lyricgen.evaluation.font import lacking
    from lyricgen.evaluation.held_out import evaluate_documents
    from lyricgen.evaluation.page import chinese_in
    from lyricgen.evaluation.report import Subject, render
    from lyricgen.evaluation.samples import check_samples, write_samples
    from lyricgen.evaluation.temperature import fit_temperature
    from lyricgen.generation.lyricist import Lyricist
    from lyricgen.model import checkpoint
    from lyricgen.model.checkpoint import write_text
    from lyricgen.model.device import pick_device
    from lyricgen.model.locate import find_model
    from lyricgen.text.documents import read_documents
    from lyricgen.text.readers import find_sources
    from lyricgen.text.song import meant_split

    check_new_file(report, option="--report")
    if train and not samples:
        raise OptionError("--train tells what the model's own songs copy; add --samples N, or leave it out")
    if samples:
        check_samples(samples, seed=seed or 0)
        next(find_sources(train or ()), None)  # a path that is not there is told before songs are written
    folder = find_model(model)
    loaded = checkpoint.load(folder, device=str(pick_device(device)))
    kind = cast(Literal["file", "blank"], songs or loaded.card.songs)
    label = None if split is None else meant_split(split)
    documents = [text for text in read_documents(files, songs=kind) if label in (None, meant_split(text.split))]
    if split and not documents:
        raise InputError(f"no song is labelled {split!r}; leave --split out, or name files in the songbook's form")
    note(f"model: {folder}")
    found = evaluate_documents(loaded, documents, by_line=per_line or report is not None)
    fit = fit_temperature(loaded, documents) if temperature_fit else None
    written = None
    if samples:
        learned = training_songs(loaded.card, train or (), songs=kind)
        written = write_samples(Lyricist(loaded), documents, count=samples, seed=seed or 0, training=learned)
        note(*written.warnings(chinese=CHINESE))
    if report is not None:
        subject = Subject(str(folder), loaded.card, loaded.vocab.tokenizer.level, tuple(files))
        text = render(subject, found, fit=fit, samples=written, chinese=CHINESE, per_song=per_song,
                      per_line=per_line)  # fmt: skip
        write_text(report, text)
        if odd := lacking(chinese_in(text)):
            said = tell("without a Chinese font a computer shows boxes for {} of its characters ({}); Noto Sans CJK "
                        "has them",
                        "没有中文字体的电脑会把其中 {} 个字（{}）显示成方框；Noto Sans CJK 有这些字")  # fmt: skip
            note(said.format(len(odd), odd[:20]))
        note(f"wrote {report}")
    if as_json:
        data = {"model": str(folder), **found.to_json(per_song=per_song, per_line=per_line)}
        data |= {"temperature_fit": fit.to_json()} if fit else {}
        show_json(data | ({"samples": written.to_json()} if written else {}))
        return
    lines = [*found.lines(), *([fit.line()] if fit else [])]
    lines += found.table(per_line=per_line) if per_song or per_line else []
    lines += written.lines(chinese=CHINESE) if written else []
    print("\n".join(lines))


evaluate.__doc__ = EXAMPLES
