"""Turns the bytes of a text into characters, finding out their encoding."""

import codecs
import io
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import BinaryIO, TextIO

from lyricgen.errors import InputError

STDIN = Path("-")

_CHUNK = 2**20
_SAMPLE = 2**16
_SPOOL = 2**23

_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}

# Where the frequent characters stand in the two double-byte tables: level 1 of GB 2312 (3,755 characters) and of
# Big5 (5,401), as the table to decode with and the range of first bytes.
_LEVEL_1 = {"gb18030": ("gb2312", 0xB0, 0xD7), "big5hkscs": ("big5", 0xA4, 0xC6)}

# Characters that make up a third or more of Chinese text, in both scripts: in the wrong table they are rare.
_EVERYDAY = frozenset(
    "的一是不了在人有我他这这個个上们们來来到时時大地为為子中你说說生国國年着著就那和要她出也得里裡后後自以会會家可下而过過天"
    "去能对對小多然于於心学學么麼之都好看起发發当當没沒成只如事把还還用第样樣道想作种種开開美"
    "爱愛情风風花月夜春秋雨云雲水山梦夢歌泪淚星光无無何处處"
)
_PUNCTUATION = frozenset("，。！？：；、（）《》“”‘’—…·「」『』【】〈〉～　")

# Characters of three bytes in UTF-8, as Chinese has them. Of 422,846 lines of songs and verse none is so in GB18030
# or Big5 with three of them; with two, one is.
_WIDE = re.compile(rb"[\xe2-\xef][\x80-\xbf]{2}")
_NARROW = re.compile(rb"[\x00\x80-\xff]")
_TELLING = 3

_REMEDY = "open it in an editor and save it as UTF-8 text"


def detect_encoding(stream: BinaryIO, *, name: str) -> str:
    """The encoding of a seekable stream, read in chunks: memory stays constant, valid UTF-8 costs one pass.

    UTF-8 and UTF-16 by their marks, UTF-8 by being valid, the others (UTF-16 without a mark, GB18030, Big5) by
    how common the characters are that a sample decodes to. Raises InputError, naming the file, where the
    content is binary, some lines are UTF-8 and others are not, or no encoding fits.
    """
    stream.seek(0)
    sample = stream.read(_SAMPLE)
    for mark, encoding in _BOMS.items():
        if sample.startswith(mark):
            if not _decodes(stream, encoding):
                raise InputError(f"{name} is damaged: it begins as {encoding} and does not go on so; {_REMEDY}")
            return encoding
    if not _looks_binary(sample) and _decodes(stream, "utf-8"):
        return "utf-8"
    if line := _odd_line(stream):
        raise InputError(f"{name} mixes encodings, or is damaged: line {line} is not UTF-8, as others are; {_REMEDY}")
    for encoding in _ranked(sample):
        if _decodes(stream, encoding):
            return encoding
    if b"\0" in sample or _looks_binary(sample):
        raise InputError(f"{name} is binary, not text: expected .txt, .lrc, .json, .jsonl or .csv files")
    raise InputError(f"{name} is in an unknown encoding, or damaged: {_REMEDY}")


def _looks_binary(sample: bytes) -> bool:
    """NUL bytes, or more control characters than a text has."""
    controls = bytes(set(range(32)) - set(b"\t\n\r\f\x1b")) + b"\x7f"
    found = len(sample) - len(sample.translate(None, controls))
    return b"\0" in sample or found * 50 > len(sample)


def _decodes(stream: BinaryIO, encoding: str) -> bool:
    """Whether the whole stream is valid in an encoding, and free of NUL."""
    stream.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while chunk := stream.read(_CHUNK):
            if "\0" in decoder.decode(chunk):
                return False
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _odd_line(stream: BinaryIO) -> int:
    """The number of the first line that is not UTF-8, where another one shows that it is; else 0."""
    stream.seek(0)
    odd, number, utf8 = 0, 0, False
    while line := stream.readline(_CHUNK):
        number += 1
        try:
            line.decode("utf-8")
            utf8 = utf8 or (len(_WIDE.findall(line)) >= _TELLING and not _NARROW.search(_WIDE.sub(b"", line)))
        except UnicodeDecodeError:
            odd = odd or number
        if odd and utf8:
            return odd
    return 0


def _ranked(sample: bytes) -> list[str]:
    """The encodings that a sample is plausible in, the likeliest first."""
    scores = {}
    for encoding in ("gb18030", "big5hkscs", "utf-16-le", "utf-16-be"):
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            text = decoder.decode(sample, final=len(sample) < _SAMPLE)
        except UnicodeError:
            continue
        scores[encoding] = _plausibility(text, encoding)
    return sorted((name for name in scores if scores[name] > 0.45), key=lambda name: -scores[name])


def _plausibility(text: str, encoding: str) -> float:
    """How much a decoded text looks like writing, from 0 to 2: the shares of common and of everyday characters.

    In a double-byte encoding only the characters beyond ASCII tell anything.
    """
    if "\0" in text:
        return 0.0
    counts = Counter(text)
    if encoding in _LEVEL_1:
        common = _level_1(encoding)
        counts = Counter({char: n for char, n in counts.items() if ord(char) > 127})
    else:
        common = _level_1("gb18030") | _level_1("big5hkscs") | frozenset(map(chr, (9, 10, 13, *range(32, 127))))
    total = sum(counts.values()) or 1
    usual = sum(n for char, n in counts.items() if char in common or char in _PUNCTUATION)
    everyday = sum(n for char, n in counts.items() if char in _EVERYDAY)
    return (usual + everyday) / total


@cache
def _level_1(encoding: str) -> frozenset[str]:
    """The frequent Han characters of a double-byte table."""
    table, first, last = _LEVEL_1[encoding]
    trails = (*range(0x40, 0x7F), *range(0xA1, 0xFF))
    codes = (bytes((lead, trail)) for lead in range(first, last + 1) for trail in trails)
    return frozenset(char for code in codes for char in code.decode(table, "ignore") if char > "\x7f")


def open_text(path: Path) -> TextIO:
    """A text file, or standard input for `-`, as characters: encoding found out, line ends all LF, no BOM.

    Raises InputError where it cannot be opened or is no text.
    """
    name = display_name(path)
    with reading(name):
        stream = _open_bytes(path)
        try:
            encoding = detect_encoding(stream, name=name)
            stream.seek(0)
        except BaseException:
            stream.close()
            raise
    return io.TextIOWrapper(stream, encoding=encoding)


def read_text(path: Path) -> str:
    """All of a text file, or of standard input for `-`; see `open_text`."""
    with open_text(path) as stream, reading(display_name(path)):
        return stream.read()


def display_name(path: Path) -> str:
    """What messages call a path."""
    return "standard input" if path == STDIN else str(path)


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turns what can go wrong while a file is read into an InputError of one line."""
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"{name} does not exist: check the name") from None
    except PermissionError:
        raise InputError(f"{name} may not be read: change its permissions") from None
    except IsADirectoryError:
        raise InputError(f"{name} is a folder: name a file in it") from None
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise InputError(f"{name} is damaged, or changed while it was read: {_REMEDY}") from None


def _open_bytes(path: Path) -> BinaryIO:
    """A seekable stream: standard input and pipes are kept in memory, large ones in a temporary file."""
    if path == STDIN:
        return _spool(getattr(sys.stdin, "buffer", io.BytesIO()))
    stream = path.open("rb")
    if stream.seekable():
        return stream
    with stream:
        return _spool(stream)


def _spool(source: BinaryIO) -> BinaryIO:
    spool = tempfile.SpooledTemporaryFile(max_size=_SPOOL)  # noqa: SIM115 — whoever opened the text closes it
    while chunk := source.read(_CHUNK):
        spool.write(chunk)
    spool.seek(0)
    return spool  # type: ignore[return-value]
