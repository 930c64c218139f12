"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from lyricgen.cli.language import tell

Model = Annotated[
    Path | None,
    typer.Option(
        "--model", metavar="DIR",
        help=tell("The model's folder. Default: the newest in ./checkpoints, else the starter that comes along.",
                  "模型文件夹。缺省：./checkpoints 里最新的一个，没有就用自带的入门模型。"),
    ),
]  # fmt: skip
Device = Annotated[str, typer.Option(metavar="auto|cpu|cuda|mps", help=tell("Where to compute.", "在哪里计算。"))]
Json = Annotated[bool, typer.Option("--json", help=tell("Print one JSON object.", "输出一个 JSON 对象。"))]
CorpusPaths = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[CORPUS]...",
        help=tell("Files and folders of songs (.txt .lrc .json .jsonl .csv), or - for standard input. "
                  "Default: the songbook.",
                  "歌词文件或文件夹（.txt .lrc .json .jsonl .csv），- 表示标准输入。缺省：自带歌集。"),
    ),
]  # fmt: skip
SongsIn = Annotated[
    str | None,
    typer.Option(
        "--songs", metavar="file|blank",
        help=tell("What a plain text file holds: one song (its blank lines part sections), or a song between any "
                  "two blank lines. Default: file.",
                  "纯文本文件里是一首歌（空行分段）还是每个空行隔开一首歌。缺省：file。"),
    ),
]  # fmt: skip
Level = Annotated[
    str,
    typer.Option(metavar="char|word", help=tell("What a token is: a character or a word.", "以字还是以词为单位。")),
]
MinCount = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help=tell(
            "Words rarer than this become characters. Default: 5 at word level.",
            "少于 N 次的词拆成字。以词为单位时缺省：5。",
        ),
    ),
]
Seed = Annotated[int | None, typer.Option(metavar="N", help=tell("Seed of all that is random.", "随机种子。"))]
