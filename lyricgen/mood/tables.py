"""Reads tables of texts (.csv, .tsv, .jsonl, .json): their columns by name, by guess or as they are asked for."""

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from lyricgen.errors import InputError
from lyricgen.text.encoding import open_text, reading

EXTENSIONS = (".csv", ".tsv", ".jsonl", ".json")
# The likeliest name first; compared without case, spaces and underscores. A title is the text where there is no
# other: so the names that songs give their lyrics (text/readers/tables.py) stand before it.
NAMES = {
    "text": "text review content lyrics sentence lyric comment texta tweet body lines paragraphs sections "
            "文本 评论 评价 内容 歌词 句子 正文 title",
    "label": "label mood sentiment class category emotion labels target polarity rating stars score "
             "标签 心情 情绪 情感 类别 分类",
    "split": "split",
}  # fmt: skip
_NAMES = {kind: names.split() for kind, names in NAMES.items()}
_DELIMITERS = {".tsv": "\t", ".csv": ",\t;|"}
_LONGEST_CELL = 2**24
DEEPEST = 8  # lists in lists of a cell

Row = dict[str, object]
Numbered = Iterator[tuple[int, Row | InputError]]
Records = Iterator[tuple[int, str, object]]  # a number, what messages call it, and what stands there


def read_rows(path: Path, columns: Mapping[str, str | None]) -> Numbered:
    """The rows of a table as values by kind of column (text, label, split); a broken row is yielded as an error.

    Each comes with its number: of a .jsonl that of its line, of a .json its place in the list, else from 1 under the
    header, empty lines not counted.
    `columns` says which kinds must be there, under the name that is given or one that is guessed. Raises InputError
    where one is missing.
    """
    with open_text(path) as stream, reading(str(path)):
        text = stream.read()
    if not text.strip():
        raise InputError(f"{path} is empty: give a table with a text on each row")
    kind, name = path.suffix.lower(), str(path)
    if kind in _DELIMITERS:
        yield from _table_rows(text.split("\n"), columns, name=name, delimiters=_DELIMITERS[kind])
    else:
        records = _listed(text, name=name) if kind == ".json" else _by_line(text, name=name)
        yield from _json_rows(records, columns, name=name)


def _table_rows(lines: list[str], columns: Mapping[str, str | None], *, name: str, delimiters: str) -> Numbered:
    csv.field_size_limit(_LONGEST_CELL)
    try:
        heads = [next(csv.reader([lines[0]], delimiter=mark)) for mark in delimiters]
    except csv.Error as error:
        raise _broken(name, 1, str(error)) from None
    sizes = [len(_find(head, columns)) * 1000 + len(head) for head in heads]
    best = sizes.index(max(sizes))
    head, delimiter = heads[best], delimiters[best]
    found = _require(_find(head, columns), columns, head, name=name)
    table = _unquoted(lines[1:], len(head)) if delimiter == "\t" else None
    if table is None:
        known = _find(head, {"label": None, **columns})
        rows = _quoted(lines, head, known, name=name, delimiter=delimiter)
    else:
        rows = iter(table)
    for number, row in enumerate(filter(None, rows), 1):
        if any(cell.strip() for cell in row):
            yield number, _pick(row, head, found, delimiter=delimiter)


def _broken(name: str, line: int, why: str) -> InputError:
    return InputError(
        f"{name}, line {line}: broken table ({why}); check the quotes of the row that begins there: remove a stray "
        'one, or put the cell in quotes and write each inside it twice ("")'
    )


def _quoted(
    lines: list[str], head: list[str], found: Mapping[str, str], *, name: str, delimiter: str
) -> Iterator[list[str]]:
    """The rows of a table with quoting, in which a cell may hold line ends.

    A row of one line may have text after a closing quote ("Good" movie). Raises InputError, naming the line, where
    a quote is not closed or what follows one of several lines shows that it was none, and where two stray ones took
    in whole rows: each line of a cell would be a row, with a label that other rows have.
    """
    reader = csv.reader((line + "\n" for line in lines[1:]), delimiter=delimiter, strict=True)
    label = head.index(found["label"]) if "label" in found else None
    labels: set[object] = set()
    doubtful: dict[tuple[int, int], set[object]] = {}
    while True:
        first = reader.line_num + 2
        try:
            row = next(reader, None)
        except csv.Error as error:
            row = []
            if reader.line_num + 1 == first:
                with suppress(csv.Error):
                    row = next(csv.reader([lines[first - 1]], delimiter=delimiter))  # not strictly
            if len(row) != len(head):
                raise _broken(name, first, str(error)) from None
        if row is None:
            break
        last = reader.line_num + 1
        if label is not None and len(row) == len(head):
            labels.add(row[label])
        if label is not None and last > first:
            alone = [line.split(delimiter) for line in lines[first - 1 : last]]
            if all(len(cells) >= len(head) for cells in alone):
                doubtful[first, last] = {_pick(cells, head, found, delimiter=delimiter)["label"] for cells in alone}
        yield row
    for (first, last), those in doubtful.items():
        if those <= labels:
            raise _broken(name, first, f"one cell takes in the rows up to line {last}")


def _unquoted(lines: list[str], width: int) -> list[list[str]] | None:
    """The rows of a table without quoting, as tabs part many: each line is a row; None where that does not fit."""
    rows = [line.split("\t") for line in lines if line]
    if any(len(row) != width for row in rows):
        return None
    return [[re.sub(r'^"(.*)"$', r"\1", cell).replace('""', '"') for cell in row] for row in rows]


def _pick(row: list[str], head: list[str], found: Mapping[str, str], *, delimiter: str) -> Row:
    """The wanted cells of a row; what a delimiter without quotes cut off a text belongs to it."""
    extra = len(row) - len(head)
    if extra > 0:
        at = head.index(found["text"])
        row = [*row[:at], delimiter.join(row[at : at + extra + 1]), *row[at + extra + 1 :]]
    cells = dict(zip(head, row, strict=False))
    return {kind: cells.get(column, "") for kind, column in found.items()}


def _by_line(text: str, *, name: str) -> Records:
    """The records of a .jsonl, each under the number of its line."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            where = f"line {number}"
            try:
                yield number, where, json.loads(line)
            except (ValueError, RecursionError):
                yield number, where, InputError(f"{name}, {where}: broken JSON; mend or remove it")


def _listed(text: str, *, name: str) -> Records:
    """The records of a .json that is a list; one that has a record on each line is read as the .jsonl that it is."""
    remedy = "give a list of objects, or a .jsonl with an object on each line"
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            yield from _by_line(text, name=name)
            return
        raise InputError(f"{name}, line {error.lineno}: broken JSON ({error.msg}); mend it") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name}: JSON that cannot be read ({error}); {remedy}") from None
    if not isinstance(data, list):
        raise InputError(f"{name} is no list of objects with a text and a label: {remedy}")
    for number, record in enumerate(data, 1):
        yield number, f"row {number}", record


def _json_rows(records: Records, columns: Mapping[str, str | None], *, name: str) -> Numbered:
    """The columns are those of all records together: one that the first records lack is there all the same."""
    everything = list(records)
    objects = [record for _, _, record in everything if isinstance(record, dict)]
    head = list(dict.fromkeys(column for record in objects for column in record))
    found = _require(_find(head, columns), columns, head, name=name) if objects else {}
    for number, where, record in everything:
        if isinstance(record, InputError):
            yield number, record
        elif isinstance(record, dict):
            yield number, {kind: record.get(column) for kind, column in found.items()}
        else:
            yield number, InputError(f"{name}, {where}: not an object with columns; mend or remove it")


def _find(head: Sequence[str], columns: Mapping[str, str | None]) -> dict[str, str]:
    """Which column holds what: those asked for, and a split where there is one."""
    by_key = {_key(column): column for column in reversed(head)}
    found = {}
    for kind in ("text", "label", "split"):
        wanted = columns.get(kind)
        if kind not in columns and kind != "split":
            continue
        keys = [_key(wanted)] if wanted else _NAMES[kind]
        exact = [column for column in head if column == wanted]
        match = exact or [by_key[key] for key in keys if key in by_key]
        if match:
            found[kind] = match[0]
    return found


def _require(
    found: dict[str, str], columns: Mapping[str, str | None], head: Sequence[str], *, name: str
) -> dict[str, str]:
    for kind, wanted in columns.items():
        if kind not in found:
            there = ", ".join(column.strip() for column in head[:12]) or "none"
            asked = f"column {wanted!r}" if wanted else f"{kind} column"
            names = "" if wanted else f"; expected {', '.join(_NAMES[kind][:5])}"
            raise InputError(f"{name} has no {asked} (it has: {there[:200]}){names}, or name it with --{kind}-column")
    if "text" in found and found["text"] == found.get("label"):
        raise InputError(f"{name}: text and label cannot both be column {found['text']!r}")
    return found


def _key(column: str) -> str:
    return re.sub(r"[\W_]+", "", column).casefold()


def as_text(value: object, *, depth: int = 0) -> str:
    """A cell as a text: lists are lines, so are those of a song's section, whole numbers lose their decimals, what is
    missing is empty, and so is what lies deeper than any song's lines.
    """
    if depth > DEEPEST:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(as_text(part, depth=depth + 1) for part in value)
    if isinstance(value, dict):
        return as_text(value.get("lines"), depth=depth + 1)
    if isinstance(value, bool | int):
        return str(value)
    if isinstance(value, float):
        return f"{value:g}"
    return ""
