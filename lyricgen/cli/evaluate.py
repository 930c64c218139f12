"""`lyricgen evaluate`: how well a model predicts a text that it has not seen."""

from typing import Annotated, Literal, cast

import typer

from lyricgen.cli.console import note, show_json
from lyricgen.cli.language import tell
from lyricgen.cli.options import Device, Json, Model, SongsIn

EXAMPLES = tell(
    "Tell how well a model predicts a text.\n\nPer character of the text as it stands, line breaks counted.\n\n\b\n"
    "lyricgen evaluate held-out.txt\n"
    "lyricgen evaluate held-out.txt --model checkpoints/mine-1 --json",
    "看模型对一份文本预测得多好（按文本原样，逐字计）。\n\n\b\n"
    "lyricgen evaluate held-out.txt\n"
    "lyricgen evaluate held-out.txt --model checkpoints/mine-1 --json",
)


def evaluate(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help=tell("Texts, or - for standard input.", "文本文件。"))
    ],
    model: Model = None,
    songs: SongsIn = None,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    from lyricgen.evaluation.held_out import evaluate_documents
    from lyricgen.model import checkpoint
    from lyricgen.model.device import pick_device
    from lyricgen.model.locate import find_model
    from lyricgen.text.documents import read_documents

    folder = find_model(model)
    note(f"model: {folder}")
    loaded = checkpoint.load(folder, device=str(pick_device(device)))
    kind = cast(Literal["file", "blank"], songs or loaded.card.songs)
    found = evaluate_documents(loaded, read_documents(files, songs=kind))
    if as_json:
        show_json({"model": str(folder), **found.to_json()})
    else:
        print("\n".join(found.lines()))


evaluate.__doc__ = EXAMPLES
