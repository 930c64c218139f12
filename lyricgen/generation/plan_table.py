"""Shows a plan as a table that people read."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence

from lyricgen.generation.line_plan import LinePlan
from lyricgen.generation.notation import FREE

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWYZ"  # X is free
_OPEN = "–"
_HEADS = {
    "line": "行", "section": "段落", "length": "字数", "rhyme": "韵", "head": "首字", "tones": "平仄",
    "repeats line": "重复第几行", "time": "时间",
}  # fmt: skip
_NOTES = {"words": "必含的词", "mood": "情绪", "style": "风格"}


def plan_table(
    lines: Sequence[LinePlan],
    classes: Mapping[int, str],
    *,
    notes: Mapping[str, str],
    near: bool,
    table: int,
    chinese: bool,
) -> list[str]:
    """The rows of the table, the columns that nothing was asked in left out, and what holds for the whole song."""
    shown: dict[str, Callable[[int, LinePlan], str]] = {
        "line": lambda number, line: str(number + 1),
        "section": lambda number, line: line.section,
        "length": lambda number, line: "" if line.repeats is not None else str(line.length or _OPEN),
        "rhyme": lambda number, line: "" if line.repeats is not None else _rhyme(line.rhyme, classes),
        "head": lambda number, line: line.head,
        "tones": lambda number, line: line.tones,
        "repeats line": lambda number, line: "" if line.repeats is None else str(line.repeats + 1),
        "time": lambda number, line: "".join(line.times),
    }
    columns = []
    for name, cell in shown.items():
        cells = [cell(number, line) for number, line in enumerate(lines)]
        if name == "line" or {*cells} - {"", _OPEN, FREE}:
            columns.append([_HEADS[name] if chinese else name, *cells])
    rows = _align(columns) if lines else ["全曲自由" if chinese else "the song is free"]
    for number in reversed([number for number, line in enumerate(lines) if line.opens]):
        rows.insert(number + 1, "")
    return rows + _about(notes, rhymes=any(line.rhyme is not None for line in lines), near=near, table=table,
                         chinese=chinese)  # fmt: skip


def _about(notes: Mapping[str, str], *, rhymes: bool, near: bool, table: int, chinese: bool) -> list[str]:
    """What holds for the whole song."""
    said = [f"{_NOTES[name]}：{note}" if chinese else f"{name}: {note}" for name, note in notes.items() if note]
    if rhymes and table != 13:
        said.append("用韵：中华新韵十四韵" if chinese else "rhymes: by the fourteen classes")
    if rhymes and near:
        said.append("宽韵：an/ang、en/eng、in/ing 通押" if chinese else "near rhymes: an/ang, en/eng, in/ing")
    return ["", *said] if said else []


def _rhyme(group: int | None, classes: Mapping[int, str]) -> str:
    """A letter for each group, the alphabet again and numbered when it is through; and its class, if fixed."""
    if group is None:
        return FREE
    again, letter = divmod(group, len(_LETTERS))
    return f"{_LETTERS[letter]}{again + 1 if again else ''} {classes.get(group, '')}".strip()


def _align(columns: Sequence[Sequence[str]]) -> list[str]:
    """Columns side by side, two spaces apart; a Chinese character is two columns wide."""
    widths = [max(map(_width, column)) for column in columns]
    return [
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in zip(*columns, strict=True)
    ]


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
