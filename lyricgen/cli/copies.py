"""How copied runs are shown: underlined on a terminal that can, and named in a note."""

import os
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TextIO

from lyricgen.cli.console import on_terminal
from lyricgen.cli.language import tell

if TYPE_CHECKING:
    from lyricgen.generation.lyricist import Lyricist
    from lyricgen.text.novelty import NoveltyIndex, Run

NAMED = 5  # copied runs that a note names
WIDE = 40  # characters of each
_ON, _OFF = "\x1b[4m", "\x1b[24m"


def can_underline(stream: TextIO | None = None) -> bool:
    """Whether a stream, standard output by default, is a terminal that takes escape sequences.

    It is not where the user has something against them.
    """
    stream = sys.stdout if stream is None else stream
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    lively = on_terminal(stream)
    return lively and not plain and (os.name != "nt" or "WT_SESSION" in os.environ)


def underlined(text: str, runs: "Iterable[Run]", *, start: int = 0, stop: int | None = None) -> str:
    """`text[start:stop]` with what stands in the runs underlined; a line break never is."""
    stop = len(text) if stop is None else stop
    marked = [False] * (stop - start)
    for run in runs:
        for at in range(max(run.start, start), min(run.end, stop)):
            marked[at - start] = text[at] != "\n"
    out, on = "", False
    for character, mark in zip(text[start:stop], marked, strict=True):
        out += (_ON if mark else _OFF) * (mark != on) + character
        on = mark
    return out + _OFF * on


def by_lines(pieces: Iterable[str], lyricist: "Lyricist") -> Iterator[str]:
    """A song as it is written, underlined: whole lines, each as soon as what follows cannot make it part of a run."""
    from lyricgen.text.novelty import COPY
    from lyricgen.text.units import cut, to_points

    text, shown = "", 0
    for piece in pieces:
        text += piece
        if "\n" in piece:
            starts = cut(to_points(text[shown:])).starts
            settled = shown + int(starts[1 - COPY]) if len(starts) >= COPY else 0
            stop = text.rfind("\n", shown, settled) + 1
            if stop > shown:
                yield underlined(text, lyricist.copied(text), start=shown, stop=stop)
                shown = stop
    yield underlined(text, lyricist.copied(text), start=shown)


def naming(copied: Iterable[str]) -> str:
    """A line that names copied runs; empty where there are none."""
    runs = [shorten(" / ".join(run.split()), width=WIDE) for run in dict.fromkeys(copied)]
    if not runs:
        return ""
    more = tell(f" and {len(runs) - NAMED:,} more", f"，还有 {len(runs) - NAMED:,} 处") if len(runs) > NAMED else ""
    named = "".join(f"「{run}」" for run in runs[:NAMED])
    return tell(f"copied from the training songs: {named}{more}", f"出自训练歌词：{named}{more}")


def shorten(text: str, *, width: int) -> str:
    """At most so many characters of a text."""
    return text if len(text) <= width else text[: width - 1] + "…"


def gaps(index: "NoveltyIndex | None") -> list[str]:
    """What a model cannot tell of copies, one line each."""
    if index is None:
        return [tell("the model has no index of its training songs: copies are not told",
                     "模型没有训练歌词的索引，无法指出照抄")]  # fmt: skip
    if index.partial:
        return [tell("the index lacks the songs that the model was trained on first",
                     "索引里没有模型最初训练用的歌词")]  # fmt: skip
    return []
