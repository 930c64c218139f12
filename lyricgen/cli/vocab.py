"""`lyricgen vocab`: builds the vocabulary of a corpus and shows it."""

from pathlib import Path
from typing import Annotated, Literal, cast

import typer

from lyricgen.cli.console import check_new_file, note, show_json
from lyricgen.cli.language import tell
from lyricgen.cli.options import CorpusPaths, Json, Level, MinCount, SongsIn

EXAMPLES = tell(
    "Show a corpus's vocabulary.\n\nIts sizes, what it covers, the commonest tokens.\n\n\b\n"
    "lyricgen vocab                                  of the songbook, by words\n"
    "lyricgen vocab my-songs/ --level char --top 50\n"
    "lyricgen vocab my-songs/ --min-count 2 --out vocab.json",
    "统计语料的词表：大小、覆盖率、最常见的词。\n\n\b\n"
    "lyricgen vocab                                  自带歌集，按词\n"
    "lyricgen vocab my-songs/ --level char --top 50\n"
    "lyricgen vocab my-songs/ --min-count 2 --out vocab.json",
)


def vocab(
    paths: CorpusPaths = None,
    level: Level = "word",
    min_count: MinCount = None,
    top: Annotated[
        int, typer.Option(metavar="N", min=0, help=tell("How many tokens to list.", "列出多少个词。"))
    ] = 20,
    songs: SongsIn = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help=tell("Write the vocabulary as JSON.", "把词表写成 JSON。"))
    ] = None,
    as_json: Json = False,
) -> None:
    from lyricgen.model.checkpoint import write_text
    from lyricgen.text.corpus import Corpus
    from lyricgen.text.resources import songbook
    from lyricgen.text.survey import survey

    check_new_file(out)
    corpus = Corpus(paths or [songbook()], songs=cast(Literal["file", "blank"], songs or "file"))
    found = survey(corpus, level=level, min_count=min_count)
    if out is not None:
        write_text(out, found.vocab.dumps())
        note(f"wrote {out}")
    if as_json:
        show_json(found.to_json(top=top))
    else:
        print("\n".join(found.lines(top=top)))


vocab.__doc__ = EXAMPLES
