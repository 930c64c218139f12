"""Reads songs from records: .json, .jsonl and .csv."""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, TextIO

from lyricgen.errors import InputError
from lyricgen.text.readers.lrc import is_lrc, parse_lrc
from lyricgen.text.readers.sheet import sheet_sections
from lyricgen.text.song import Section, Song, heading_text

# The names that data sets give their fields, the likeliest first; compared without case, spaces and underscores.
FIELDS = {
    "lyrics": "lyrics lyric 歌词 歌詞 lyricstext songlyrics lines paragraphs text content body 内容 內容 正文",
    "sections": "sections",
    "title": "title songtitle songname trackname sname name song track 歌名 标题 標題 歌曲名 歌曲 曲名 题目 題目",
    "artist": "artist artistname artists singer singers author aname 歌手 作者 演唱者 演唱",
    "mood": "mood emotion 心情 情绪 情緒",
    "style": "style genre 风格 風格 流派",
    "theme": "theme topic 主题 主題",
    "split": "split",
}
_FIELDS = {field: names.split() for field, names in FIELDS.items()}
_LONGEST_ROW = 2**24
_WANTED = "expected a field named lyrics, lines, text, content or 歌词"


def read_json(stream: TextIO, *, name: str, title: str) -> Iterator[Song | InputError]:
    """The songs of a JSON text: a song, a list of songs, or a list under "songs".

    A song is an object with lyrics, a list of lines, or a string. A list of strings is one song where they are
    single lines, and many where they are whole texts.
    """
    text = stream.read()
    if not text.strip():
        return
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":  # one record a line, under the name of .json
            stream.seek(0)
            yield from read_jsonl(stream, name=name, title=title)
            return
        raise InputError(f"{name}, line {error.lineno}: broken JSON ({error.msg}); mend or remove it") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name}: JSON that cannot be read ({error}); mend it") from None
    if isinstance(data, Mapping) and isinstance(data.get("songs"), list):
        data = data["songs"]
    records = data if isinstance(data, list) and not _is_one_song(data) else [data]
    for number, record in enumerate(records, 1):
        where = f"{name}, song {number}" if len(records) > 1 else name
        yield _song(record, where=where, title=title if len(records) == 1 else "")


def _is_one_song(data: list[Any]) -> bool:
    """Whether a list of strings is the lines of one song."""
    return bool(data) and all(isinstance(line, str) and "\n" not in line for line in data)


def read_jsonl(stream: TextIO, *, name: str, title: str) -> Iterator[Song | InputError]:
    """The songs of a JSON Lines text, one record a line; a broken line is yielded as an InputError."""
    for number, row in enumerate(_rows(stream, name=name), 1):
        if not row.strip():
            continue
        where = f"{name}, line {number}"
        try:
            record = json.loads(row)
        except (ValueError, RecursionError) as error:
            problem = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            yield InputError(f"{where}: broken JSON ({problem}); mend or remove it")
        else:
            yield _song(record, where=where, title="")


def read_csv(stream: TextIO, *, name: str, title: str) -> Iterator[Song | InputError]:
    """The songs of a table with a header, one row a song; comma, tab, semicolon or | part the columns."""
    csv.field_size_limit(_LONGEST_ROW)  # the module's own limit, 128 kB, is less than a long ballad's
    header = stream.readline(_LONGEST_ROW)
    if not header.strip():
        return
    delimiter = next((mark for mark in ",\t;|" if _has_lyrics(next(csv.reader([header], delimiter=mark)))), "")
    if not delimiter:
        raise InputError(f"{name} has no column of lyrics: {_WANTED}")
    fields = next(csv.reader([header], delimiter=delimiter))
    table = csv.reader(_rows(stream, name=name), delimiter=delimiter)
    while True:
        where = f"{name}, line {table.line_num + 2}"
        try:
            row = next(table, None)
        except csv.Error as error:
            raise InputError(f"{where}: broken table ({error}); check the quotes there") from None
        if row is None:
            return
        if any(row):
            # What an unquoted delimiter cut off belongs to the last column.
            last = len(fields) - 1
            cells = [*row[:last], delimiter.join(row[last:])]
            yield _song(dict(zip(fields, cells, strict=False)), where=where, title="")


def _rows(stream: TextIO, *, name: str) -> Iterator[str]:
    """The lines of a stream; one too long to hold is refused."""
    number = 0
    while row := stream.readline(_LONGEST_ROW):
        number += 1
        if len(row) == _LONGEST_ROW:
            raise InputError(f"{name}, line {number} is too long for one record: give one song a line")
        yield row


def _has_lyrics(fields: Iterable[str]) -> bool:
    return bool({_key(field) for field in fields} & {*_FIELDS["lyrics"], *_FIELDS["sections"]})


@lru_cache(maxsize=1024)
def _key(field: str) -> str:
    return re.sub(r"[\W_]+", "", field).casefold()


def _song(record: object, *, where: str, title: str) -> Song | InputError:
    """The song of one record: an object, a list of lines, or a text."""
    if not isinstance(record, Mapping):
        record = {"lyrics": record} if isinstance(record, str | list) else {}
    try:
        return _song_of_fields(record, where=where, title=title)
    except RecursionError:
        return InputError(f"{where}: lists within lists, too deep to read; mend or remove it")


def _song_of_fields(record: Mapping[Any, Any], *, where: str, title: str) -> Song | InputError:
    values = {_key(str(key)): value for key, value in record.items()}
    found = {field: _first(values, names) for field, names in _FIELDS.items()}
    lyrics, sections = found["lyrics"], _sections(found["sections"])
    sheet = Song(sections or sheet_sections(_lines(lyrics)))
    if isinstance(lyrics, str) and is_lrc(lyrics):
        sheet = parse_lrc(_clean(lyrics)).song()
    if not sheet.sections and (not _has_lyrics(values) or not isinstance(lyrics, str | list | None)):
        return InputError(f"{where}: no lyrics; {_WANTED}")
    return Song(
        sheet.sections,
        title=_label(found["title"]) or sheet.title or title,
        artist=_label(found["artist"]) or sheet.artist,
        mood=_label(found["mood"]),
        style=_label(found["style"]),
        theme=_label(found["theme"]),
        split=_label(found["split"]),
    )


def _first(values: Mapping[str, object], names: Iterable[str]) -> object:
    """The value of the first field by one of these names that holds anything."""
    for name in names:
        if name in values and values[name] not in (None, "", []):
            return values[name]
    return None


def _sections(value: object) -> tuple[Section, ...]:
    """Sections written out: [{"name": …, "lines": […]}]."""
    if not isinstance(value, list):
        return ()
    sections = []
    for part in value:
        named = part if isinstance(part, Mapping) else {"lines": part}
        lines = tuple(line for line in map(str.strip, _lines(named.get("lines"))) if line)
        if lines:
            sections.append(Section(lines, heading_text(_label(named.get("name")))))
    return tuple(sections)


def _lines(value: object) -> Iterator[str]:
    """The lines of a text, a list of lines, or a list of stanzas; an empty line parts sections."""
    if isinstance(value, str):
        yield from _clean(value).split("\n")
    elif isinstance(value, list):
        for item in value:
            yield from _lines(item)
            if isinstance(item, list):
                yield ""


def _label(value: object) -> str:
    """A label as one line: a list of singers is joined, a year as a title kept."""
    if isinstance(value, list):
        return ", ".join(filter(None, map(_label, value)))
    return " ".join(_clean(str(value)).split()) if isinstance(value, str | int | float) else ""


def _clean(text: str) -> str:
    """Line ends all LF; halves of surrogate pairs, which JSON can write and no file can hold, left out."""
    text = re.sub(r"\r\n?|<br ?/?>", "\n", text)
    return re.sub("[\ud800-\udfff]", "", text)
