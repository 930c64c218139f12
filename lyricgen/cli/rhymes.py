"""`lyricgen rhymes`: words that rhyme with a word, or that belong to a rhyme class."""

from typing import TYPE_CHECKING, Annotated

import typer

from lyricgen.cli.console import note, show_json
from lyricgen.cli.language import tell
from lyricgen.cli.options import Json
from lyricgen.cli.plan_options import Near, RhymeTable
from lyricgen.errors import OptionError

if TYPE_CHECKING:
    from lyricgen.text.rhymes import Rhyme

EXAMPLES = tell(
    "List words that rhyme.\n\nChinese words by rhyme class and frequency, those that rhyme in two syllables first; "
    "English words by pronunciation.\n\n\b\n"
    "lyricgen rhymes 星光\n"
    "lyricgen rhymes --class ang --length 2 --tone 平\n"
    "lyricgen rhymes tonight --near --json",
    "列出押韵的词。\n\n中文按韵部和词频，双押在前；英文按读音。\n\n\b\n"
    "lyricgen rhymes 星光\n"
    "lyricgen rhymes --class ang --length 2 --tone 平\n"
    "lyricgen rhymes tonight --near --json",
)


def rhymes(
    text: Annotated[str, typer.Argument(metavar="[TEXT]", help=tell("A word or a line.", "一个词或一句。"))] = "",
    of_class: Annotated[
        str,
        typer.Option(
            "--class", metavar="NAME",
            help=tell("Words of this class instead: 江阳, or ang.", "改列这个韵部的词：江阳，或 ang。"),
        ),
    ] = "",
    table: RhymeTable = 13,
    near: Near = False,
    length: Annotated[
        int, typer.Option(metavar="N", help=tell("Only words of N syllables.", "只列 N 个音节的词。"))
    ] = 0,
    tone: Annotated[
        str, typer.Option(metavar="平|仄", help=tell("Tone of the last character.", "末字的平仄。"))
    ] = "",
    limit: Annotated[int, typer.Option(metavar="N", help=tell("How many words.", "列出几个。"))] = 40,
    as_json: Json = False,
) -> None:  # fmt: skip
    from lyricgen.text.rhymes import Search, find_rhymes, rhymes_of_class

    if bool(text) == bool(of_class):
        raise OptionError("give either a word to rhyme with, such as 星光, or --class with a name such as 江阳")
    search = Search(table=table, near=near, length=length, tone=tone, limit=limit)
    found = find_rhymes(text, search) if text else rhymes_of_class(of_class, search)
    if as_json:
        show_json({"text": text, "class": of_class, "rhymes": [rhyme.to_json() for rhyme in found]})
        return
    print("".join(f"{row}\n" for row in _rows(found)), end="")
    if not found:
        note(
            tell(
                "no word rhymes; try --near, or another --length or --tone",
                "没有押韵的词；试试 --near，或换个字数、平仄",
            )
        )


def _rows(found: "list[Rhyme]") -> list[str]:
    """One row for each kind of rhyme: its class, whether it is double or near, its length; then the words."""
    kinds: dict[str, list[str]] = {}
    for rhyme in sorted(found, key=lambda rhyme: (not rhyme.double, rhyme.near)):
        kind = "" if rhyme.double else tell(f" {rhyme.length}", f" {rhyme.length} 字")
        label = tell("double", "双押") if rhyme.double else tell("near", "近韵") if rhyme.near else ""
        kinds.setdefault(" ".join(filter(None, ("/".join(rhyme.classes), label))) + kind, []).append(rhyme.word)
    return [f"{kind}: {' '.join(words)}" for kind, words in kinds.items()]


rhymes.__doc__ = EXAMPLES
