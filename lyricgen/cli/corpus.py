"""`lyricgen corpus`: imports songs, cleans them, says what was done, writes one tidy file."""

from pathlib import Path
from typing import Annotated, Literal, cast

import typer

from lyricgen.cli.console import check_new_file, note, show_json
from lyricgen.cli.language import tell
from lyricgen.cli.options import CorpusPaths, Json, SongsIn

EXAMPLES = tell(
    "Import songs, clean them, report, and write one tidy file.\n\n\b\n"
    "lyricgen corpus my-songs/                       only the report\n"
    "lyricgen corpus my-songs/ --out songs.txt       also one file of all songs\n"
    "lyricgen corpus poems.txt --songs blank --json",
    "导入、清洗歌词，给出报告，并写成一个整齐的文件。\n\n\b\n"
    "lyricgen corpus my-songs/                       只看报告\n"
    "lyricgen corpus my-songs/ --out songs.txt       并写成一个文件\n"
    "lyricgen corpus poems.txt --songs blank --json",
)


def corpus(
    paths: CorpusPaths = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help=tell("The tidy file to write.", "要写的文件。"))
    ] = None,
    songs: SongsIn = None,
    as_json: Json = False,
) -> None:
    from lyricgen.text.corpus import Corpus, write_songbook
    from lyricgen.text.resources import songbook

    check_new_file(out)
    source = Corpus(paths or [songbook()], songs=cast(Literal["file", "blank"], songs or "file"))
    if out is not None:
        write_songbook(source, out)
    else:
        for _ in source:
            pass
    if as_json:
        show_json(source.report.to_json())
    else:
        print("\n".join(source.report.lines()))
    if out is not None:
        note(f"wrote {out}")


corpus.__doc__ = EXAMPLES
