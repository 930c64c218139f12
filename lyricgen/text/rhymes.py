"""Finds words that rhyme: Chinese ones by class and frequency, English ones by pronunciation."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

from lyricgen.errors import InputError, OptionError
from lyricgen.text.english import dictionary, near_sound, rhyme_names, rhyme_sounds
from lyricgen.text.phonetics import (
    HAN,
    THIRTEEN,
    Table,
    characters_with,
    finals,
    line_end,
    line_rhyme,
    named_class,
    near_classes,
    rhyme_class,
    table_of,
    tones,
)

TONES = ("平", "仄")
MOST = 10_000

_HAN_WORD = re.compile(f"[{HAN}]+")
_COMMONEST = 7  # what an English word of the first tier counts as
_GLIDE = re.compile("^[iuv](?=[aeo])")


@dataclass(frozen=True)
class Rhyme:
    """A word that rhymes. `double`: its last two syllables both sound like those of the word that was asked for.

    `classes` are the rhyme classes it shares, English sounds for an English word, and `near` tells that it shares
    but the neighbour of one. `frequency` is a count in jieba's dictionary; for an English word 0 (rare) to 7.
    """

    word: str
    classes: tuple[str, ...]
    frequency: int
    length: int
    double: bool = False
    near: bool = False

    def to_json(self) -> dict[str, Any]:
        """The word as a JSON object."""
        return {"word": self.word, "classes": list(self.classes), "frequency": self.frequency,
                "length": self.length, "double": self.double, "near": self.near}  # fmt: skip


@dataclass(frozen=True)
class Search:
    """What rhymes to look for: how many syllables (0: any), the tone of the last one, how many words."""

    table: int = 13
    near: bool = False
    length: int = 0
    tone: str = ""
    limit: int = 40

    def __post_init__(self) -> None:
        table_of(self.table)
        if not 0 <= self.length <= 20:
            raise OptionError(f"length must be from 1 to 20 syllables, got {self.length}")
        if self.tone and self.tone not in TONES:
            raise OptionError(f"tone must be 平 or 仄, got {self.tone[:20]!r}")
        if not 1 <= self.limit <= MOST:
            raise OptionError(f"limit must be from 1 to {MOST}, got {self.limit}")


def find_rhymes(text: str, search: Search | None = None) -> list[Rhyme]:
    """Words that rhyme with the end of a text and end in another character, the commonest first.

    Double rhymes come before all others, up to half of the words. A text that rhymes in two classes (花儿) gets as
    many words of each. Raises InputError where it ends in nothing that rhymes.
    """
    search = search or Search()
    end = line_end(text)
    table = table_of(search.table)
    classes = sorted(line_rhyme(text, table=table), key=lambda name: "er" in table.get(name, "").split())
    if not classes:
        raise InputError(f"nothing rhymes with {text[:40]!r}: end it in a Chinese character or an English word")
    if not _HAN_WORD.match(end):
        return _english(end, search)
    share = replace(search, limit=-(-search.limit // len(classes)))
    pair = _bodies(text)[-2:] if len(classes) == 1 else ()
    found = [rhyme for name in classes for rhyme in _chinese(name, share, end=end, pair=pair)]
    return list({rhyme.word: rhyme for rhyme in found}.values())[: search.limit]


def rhymes_of_class(name: str, search: Search | None = None) -> list[Rhyme]:
    """The commonest words of a rhyme class, by its name or a final. Raises OptionError where there is none."""
    search = search or Search()
    return _chinese(named_class(name, table=table_of(search.table)), search)


def _chinese(name: str, search: Search, *, end: str = "", pair: Sequence[str] = ()) -> list[Rhyme]:
    """The words of a class; `end` is a character that they shall not end in, `pair` what double rhymes sound like."""
    table = table_of(search.table)
    wanted = near_classes(name) if search.near else frozenset({name})
    known = [found for found in _known_words(wanted, table) if search.length in (0, len(found[0]))]

    def checked(words: Iterable[tuple[str, int]]) -> Iterator[Rhyme]:
        """The words whose reading rhymes: how a character sounds is known only in its word."""
        for word, frequency in words:
            shared = rhyme_class(word, table=table) & wanted
            toned = not search.tone or tones(word)[-1:] == [search.tone]
            if shared and toned and word[-1] != end and _HAN_WORD.fullmatch(word):
                double = len(pair) == 2 and _bodies(word)[-2:] == pair
                yield Rhyme(word, tuple(sorted(shared)), frequency, len(word), double, name not in shared)

    sounds = [_characters_of_body(body) for body in pair]
    likely = [found for found in known if len(sounds) == 2 and _ends_in(found[0], sounds)]
    room = -(-search.limit // 2)
    doubles = list(islice((rhyme for rhyme in checked(likely) if rhyme.double), room))
    taken = {rhyme.word for rhyme in doubles}
    others = (rhyme for rhyme in checked(known) if rhyme.word not in taken)
    return doubles + list(islice(others, search.limit - len(doubles)))


def _known_words(classes: Collection[str], table: Table) -> list[tuple[str, int]]:
    """The words that may rhyme in these classes, and how often each stood in the texts that jieba counted.

    The commonest come first. Names of people are left out where they are told from words by their three characters.
    """
    text = _dictionary_text()
    # 儿 may be mute after the syllable that rhymes
    endings = characters_with({final for name in classes for final in table[name].split()} | {"er"})
    found = re.findall(rf"^(\S*[{''.join(endings.intersection(text))}]) ([0-9]+) (\S*)$", text, re.MULTILINE)
    words = [(word, int(count)) for word, count, kind in found if len(word) < 3 or not kind.startswith("nr")]
    return sorted(words, key=lambda item: -item[1])


@cache
def _dictionary_text() -> str:
    """jieba's dictionary, a word, its count and its kind a line, read without loading jieba itself."""
    package = find_spec("jieba")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).with_name("dict.txt").read_text(encoding="utf-8")


def _bodies(text: str) -> list[str]:
    """What rhymes of each syllable: its final without the glide before the vowel, uang as ang."""
    return [_body(final) for final in finals(text)]


@cache
def _body(final: str) -> str:
    return "ê" if final in ("ie", "ve") else _GLIDE.sub("", final)


@cache
def _characters_of_body(body: str) -> frozenset[str]:
    every = {final for name in THIRTEEN.values() for final in name.split()}
    return characters_with({final for final in every if _body(final) == body})


def _ends_in(word: str, sounds: Sequence[Collection[str]]) -> bool:
    """Whether the last characters of a word are each among some."""
    last = word[-len(sounds) :]
    return len(last) == len(sounds) and all(char in chars for char, chars in zip(last, sounds, strict=True))


def _english(word: str, search: Search) -> list[Rhyme]:
    """English words whose usual pronunciation rhymes: the most alike first, then the commonest."""
    if search.tone:
        raise OptionError("tone is for Chinese words; leave it out for English ones")
    exact, wanted = rhyme_sounds(word), rhyme_sounds(word, near=True)
    found: list[tuple[int, Rhyme]] = []
    for other, (tier, heard) in dictionary().items():
        count, _, sound = heard.partition(" | ")[0].partition(" ")
        names = rhyme_names(sound)
        shared = {*names} & exact
        close = shared or ({*map(near_sound, names)} & wanted if search.near else shared)
        if close and other != word and search.length in (0, int(count)):
            rhyme = Rhyme(other, tuple(sorted(close)), _COMMONEST - tier, int(count), near=not shared)
            found.append((max(len(name.split()) for name in close), rhyme))
    found.sort(key=lambda item: (item[1].near, -item[0], -item[1].frequency, item[1].length, item[1].word))
    return [rhyme for _, rhyme in found[: search.limit]]
