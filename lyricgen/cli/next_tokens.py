"""`lyricgen next`: what a model expects after a text."""

from typing import Annotated

import typer

from lyricgen.cli.console import note, show_json
from lyricgen.cli.language import tell
from lyricgen.cli.options import Device, Json, Model

EXAMPLES = tell(
    "Show what a model expects next.\n\n\b\nlyricgen next 星星\nlyricgen next 星星在天上 --top 20 --json",
    "看模型认为接下来是什么。\n\n\b\nlyricgen next 星星\nlyricgen next 星星在天上 --top 20 --json",
)


def next_tokens(
    text: Annotated[str, typer.Argument(metavar="[TEXT]", help=tell("How the song begins.", "歌的开头。"))] = "",
    top: Annotated[int, typer.Option(metavar="N", help=tell("How many to list.", "列出几个。"))] = 10,
    model: Model = None,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    from lyricgen.generation.lyricist import load
    from lyricgen.model.locate import find_model

    folder = find_model(model)
    note(f"model: {folder}")
    found = load(folder, device=device).expect(text, top=top)
    if as_json:
        pairs = [{"token": each.token, "probability": each.probability} for each in found]
        show_json({"model": str(folder), "text": text, "next": pairs})
    else:
        print("\n".join(f"{each.probability:7.2%}  {_shown(each.token)}" for each in found))


def _shown(token: str) -> str:
    return {"\n": "⏎", " ": "␣"}.get(token, token)


next_tokens.__doc__ = EXAMPLES
