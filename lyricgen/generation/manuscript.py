"""A song as it stands on its page: the sung lines, and between them the rows that stay as they are."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from lyricgen.errors import InputError
from lyricgen.generation.line_plan import MOST_LINES
from lyricgen.text.credits import is_credit, is_instrumental_notice, is_title
from lyricgen.text.encoding import STDIN, display_name, read_text
from lyricgen.text.phonetics import line_units
from lyricgen.text.readers import TABLES, parse_lrc
from lyricgen.text.readers.lrc import is_lrc
from lyricgen.text.readers.sheet import heading_name
from lyricgen.text.song import LABELS, SONG_MARK, is_songbook

Kind = Literal["sung", "gap", "note"]


@dataclass(frozen=True)
class Row:
    """A row of the page: all of it, what it is, what is sung in it, and what stands before that (time tags).

    A gap parts sections: an empty row, a heading, a pause. A note (credits, a title) does not.
    """

    raw: str
    kind: Kind
    words: str = ""
    before: str = ""

    def sing(self, words: str) -> "Row":
        """The row with other words."""
        return replace(self, raw=self.before + words, words=words)


EMPTY = Row("", "gap")


@dataclass(frozen=True)
class Manuscript:
    """The rows of one song, in order; `timed` where they are those of an .lrc."""

    rows: tuple[Row, ...] = ()
    timed: bool = False

    @classmethod
    def of(cls, text: str) -> "Manuscript":
        """The page of a text whose every line is sung, the empty ones apart."""
        lines = [line.strip() for line in text.removesuffix("\n").split("\n")] if text else []
        return cls(tuple(Row(line, "sung", line) if line else EMPTY for line in lines))

    @classmethod
    def read(cls, path: Path) -> "Manuscript":
        """The song in a file, .txt or .lrc. Raises InputError where it holds none, or several."""
        name = display_name(path)
        if path == STDIN or path.suffix.lower() in TABLES:
            raise InputError(f"a song is edited in a .txt or .lrc file, not in {name}")
        text = read_text(path)
        timed = path.suffix.lower() == ".lrc" or is_lrc(text)
        if is_songbook(text):
            rows = tuple(_songbook_rows(text))
        else:
            rows = tuple(_lrc_rows(text) if timed else _plain_rows(text, title=path.stem))
        page = cls(rows, timed)
        if not page.lines:
            raise InputError(
                f"{name} {'has no lyrics' if text.strip() else 'is empty'}: give a text with a sung line"
            )
        marks = sum(row.kind == "note" and row.raw.lstrip().startswith(SONG_MARK) for row in rows)
        if marks > 1 or len(page.lines) > MOST_LINES:
            raise InputError(f"{name} holds more than one song; give a file of one song, at most {MOST_LINES} lines")
        return page

    def page(self) -> str:
        """The text of the whole page, as a file holds it."""
        return "".join(row.raw + "\n" for row in self.rows)

    @property
    def lines(self) -> tuple[str, ...]:
        """The sung lines."""
        return tuple(row.words for row in self.rows if row.kind == "sung")

    @property
    def sections(self) -> tuple[int, ...]:
        """The number of the section that each sung line stands in, from 0; one more for a line that would follow."""
        numbers: list[int] = []
        number, parted = 0, False
        for row in (*self.rows, Row("", "sung")):
            if row.kind == "sung":
                number += parted
                numbers.append(number)
            parted = row.kind == "gap" and bool(numbers) if row.kind != "note" else parted
        return tuple(numbers)

    def around(self, line: int) -> tuple[str, str]:
        """What is sung before a line, by its index, and what after it; an empty line parts sections.

        The text before it, the line with its line break, and the text after it are what a model reads. The index
        may be that of the line that would follow the last.
        """
        lines, sections = self.lines, self.sections
        parted = [k > 0 and sections[k] != sections[k - 1] for k in range(len(sections))]
        pieces = ["\n" * parted[k] + words + "\n" for k, words in enumerate(lines)]
        return "".join(pieces[:line]) + "\n" * parted[line], "".join(pieces[line + 1 :])

    def sing(self, line: int, words: str) -> "Manuscript":
        """The page with other words in a line, by its index, or with one line more."""
        places = [number for number, row in enumerate(self.rows) if row.kind == "sung"]
        if line == len(places):
            return replace(self, rows=(*self.rows, Row(words, "sung", words)))
        at = places[line]
        return replace(self, rows=(*self.rows[:at], self.rows[at].sing(words), *self.rows[at + 1 :]))

    def part(self) -> "Manuscript":
        """The page with an empty row more: what follows is another section."""
        return replace(self, rows=(*self.rows, EMPTY))


def _row(raw: str, words: str, *, title: str, before: str) -> Row:
    """A row whose words may be sung, or say something about the song."""
    if heading_name(words):
        return Row(raw, "gap")
    is_note = is_credit(words) or is_instrumental_notice(words) or is_title(words, title=title)
    if is_note or not line_units(words):
        return Row(raw, "note")
    return Row(raw, "sung", words, before)


def _plain_rows(text: str, *, title: str) -> Iterator[Row]:
    for raw in text.rstrip().split("\n"):
        words = raw.strip()
        before = raw[: len(raw) - len(raw.lstrip())]
        yield _row(raw, words, title=title, before=before) if words else EMPTY


def _lrc_rows(text: str) -> Iterator[Row]:
    sheet = parse_lrc(text.rstrip())
    for row in sheet.rows:
        if not row.text:
            yield Row(row.raw, "gap" if row.tags or not row.raw else "note")
        else:
            yield _row(row.raw, row.text, title=sheet.metadata.get("ti", ""), before="".join(row.tags))


def _songbook_rows(text: str) -> Iterator[Row]:
    """In the songbook's form only marks, labels, headings in brackets and empty rows are not sung."""
    head = False
    for raw in text.rstrip().split("\n"):
        line = raw.strip()
        mark = line.startswith(SONG_MARK)
        head = mark or (head and line.partition(":")[0].strip().lower() in LABELS)
        if head:
            yield Row(raw, "note")
        elif not line or (line.startswith("[") and line.endswith("]")):
            yield Row(raw, "gap")
        else:
            escape = "\\" * line.startswith("\\")
            yield Row(raw, "sung", line.removeprefix("\\"), escape)
