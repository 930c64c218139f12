"""`lyricgen check`: which runs of a text stand in a model's training songs."""

from typing import TYPE_CHECKING, Annotated

import typer

from lyricgen.cli.console import note, show_json
from lyricgen.cli.copies import gaps
from lyricgen.cli.language import tell
from lyricgen.cli.options import Json, Model

if TYPE_CHECKING:
    from lyricgen.evaluation.novelty import Checked

EXAMPLES = tell(
    "Tell which runs of a text stand in a model's training songs.\n\n"
    "A run is 8 characters or more in a row (a Latin word counts as one) that stand in one or two of the songs; what "
    "three share is an everyday phrase. Punctuation, spaces and line breaks count for nothing.\n\n\b\n"
    "lyricgen check my-song.txt\n"
    "lyricgen check songs/*.txt --at-least 10 --model checkpoints/mine-1\n"
    "lyricgen generate --count 20 | lyricgen check -",
    "看一份文本里哪些片段出自模型的训练歌词。\n\n"
    "片段：连续 8 个字以上（一个西文单词算一个字），见于一两首训练歌词；三首以上都有的是常用语，不算。标点、空格、"
    "换行都不计。\n\n\b\n"
    "lyricgen check my-song.txt\n"
    "lyricgen check songs/*.txt --at-least 10 --model checkpoints/mine-1\n"
    "lyricgen generate --count 20 | lyricgen check -",
)


def check(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help=tell("Texts, or - for standard input.", "文本文件。"))
    ],
    at_least: Annotated[
        int, typer.Option(metavar="N", help=tell("The shortest run to tell, from 6.", "最短的片段，6 起。"))
    ] = 8,
    model: Model = None,
    as_json: Json = False,
) -> None:
    from lyricgen.evaluation.novelty import check_file
    from lyricgen.model.checkpoint import no_novelty, read_card, read_novelty
    from lyricgen.model.locate import find_model
    from lyricgen.text.novelty import check_length

    check_length(at_least)
    folder = find_model(model)
    folder = folder.parent if folder.suffix == ".safetensors" else folder
    note(f"model: {folder}")
    read_card(folder)
    index = read_novelty(folder)
    if index is None:
        raise no_novelty(folder)
    note(*gaps(index))
    found = [check_file(file, index, at_least=at_least) for file in files]
    if as_json:
        data = {"model": str(folder), "at_least": at_least, "partial": index.partial}
        show_json({**data, "files": [each.to_json() for each in found]})
    else:
        print("\n".join(line for each in found for line in _lines(each, at_least)))


def _lines(found: "Checked", at_least: int) -> list[str]:
    """The runs of a file, one a line, and how much of it they are."""
    lines = []
    for run in found.runs:
        where = f"{found.file}: {run.title}" if run.title else found.file
        lines.append(f"{where}:{run.line}: {' / '.join(run.text.split())}")
    share = f"{found.copied_characters:,}/{found.characters:,} ({found.share:.1%})"
    if not found.runs:
        nothing = tell(f"no run of {at_least} characters or more stands in the training songs",
                       f"没有 {at_least} 个字以上的片段出自训练歌词")  # fmt: skip
        return [f"{found.file}: {nothing}"]
    return [*lines, f"{found.file}: " + tell(f"characters that stand in copied runs: {share}",
                                             f"出自训练歌词的字：{share}")]  # fmt: skip


check.__doc__ = EXAMPLES
