"""`lyricgen info`: what a checkpoint is and how it was trained."""

from pathlib import Path
from typing import Annotated

import typer

from lyricgen.cli.console import show_json
from lyricgen.cli.language import tell
from lyricgen.cli.options import Json

EXAMPLES = tell(
    "Tell what a model is and how it was trained.\n\n\b\n"
    "lyricgen info                         the model that `generate` would use\n"
    "lyricgen info checkpoints/mine-1 --json",
    "看一个模型是什么、怎样训练的。\n\n\b\n"
    "lyricgen info                         generate 会用的模型\n"
    "lyricgen info checkpoints/mine-1 --json",
)


def info(
    model: Annotated[Path | None, typer.Argument(metavar="[MODEL]", help=tell("Its folder.", "模型文件夹。"))] = None,
    as_json: Json = False,
) -> None:
    from lyricgen.model.checkpoint import describe
    from lyricgen.model.locate import find_model

    found = describe(find_model(model))
    if as_json:
        show_json(found)
    else:
        width = max(map(len, found))
        print(
            "\n".join(f"{name:<{width}}  {_plain(value)}" for name, value in found.items() if value not in ("", {}))
        )


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(part)}" for name, part in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)


info.__doc__ = EXAMPLES
