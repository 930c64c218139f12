"""How lines sound: their length, the class they rhyme in, their level and oblique tones."""

import re
import unicodedata
from collections.abc import Collection, Mapping
from functools import cache, lru_cache
from typing import Literal

from lyricgen.errors import OptionError
from lyricgen.text.english import rhyme_sounds, syllables

HAN = "〇\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
"""The Han characters, as the inside of a regular expression's brackets."""

_HAN = re.compile(f"[{HAN}]")
_HAN_RUN = re.compile(f"[{HAN}]+")
_UNIT = re.compile(f"[{HAN}]|[A-Za-zÀ-ɏ]+(?:['’][A-Za-zÀ-ɏ]+)*|[0-9]")

Table = Mapping[str, str]
"""A table of rhymes: the finals of each class. `-i` is the vowel of 知 and 资."""

THIRTEEN: Table = {
    "发花": "a ia ua",
    "梭坡": "o e uo",
    "乜斜": "ie ve ê",
    "一七": "i v er -i",
    "姑苏": "u",
    "怀来": "ai uai",
    "灰堆": "ei uei",
    "遥条": "ao iao",
    "油求": "ou iou",
    "言前": "an ian uan van",
    "人辰": "en in uen vn",
    "江阳": "ang iang uang",
    "中东": "eng ing ueng ong iong",
}
"""The thirteen classes of northern song and opera (十三辙)."""

FOURTEEN: Table = {
    "麻": "a ia ua",
    "波": "o e uo",
    "皆": "ie ve ê",
    "开": "ai uai",
    "微": "ei uei",
    "豪": "ao iao",
    "尤": "ou iou",
    "寒": "an ian uan van",
    "文": "en in uen vn",
    "唐": "ang iang uang",
    "庚": "eng ing ueng ong iong",
    "齐": "i er v",
    "支": "-i",
    "姑": "u",
}
"""The fourteen classes of 中华新韵 (中华诗词学会, 2005)."""

TABLES: Mapping[int, Table] = {13: THIRTEEN, 14: FOURTEEN}

_NEAR_CLASSES = ({"言前", "江阳"}, {"人辰", "中东"}, {"寒", "唐"}, {"文", "庚"})
"""Classes that many ears take for one: an and ang, en and eng, in and ing."""

Tone = Literal["平", "仄"]
_TONES: Mapping[str, Tone] = {"1": "平", "2": "平", "3": "仄", "4": "仄"}
Sound = tuple[str, Tone | None]
"""The final and the tone of a syllable."""

_SPELLED = {"ui": "uei", "iu": "iou", "un": "uen", "ue": "ve", "yu": "v", "wu": "u", "yi": "i"}
"""Finals by the spelling that syllables shorten them to."""

_SIMPLIFIED = str.maketrans("發懷遙條陽東蘇齊開轍", "发怀遥条阳东苏齐开辙")

_BUZZING = ("zh", "ch", "sh", "r", "z", "c", "s")


def line_units(line: str) -> int:
    """The length of any line: a line with Han characters as `count_units` has it, another in English syllables."""
    line = _tidy(line)
    if _HAN.search(line):
        return len(_UNIT.findall(line))
    return sum(1 if unit.isdigit() else syllables(unit) for unit in _UNIT.findall(line))


def line_end(line: str) -> str:
    """What a line ends in: its last Han character, Latin word (in lower case) or digit; empty where it has none."""
    units = _UNIT.findall(_tidy(line))
    return units[-1].casefold() if units else ""


def line_rhyme(line: str, *, table: Table = THIRTEEN, near: bool = False) -> frozenset[str]:
    """The names of the classes, or of the English sounds, that a line's end rhymes in: lines that share one rhyme.

    With `near` also those that it nearly rhymes in. None where the line ends in a digit, or in nothing.
    """
    end = line_end(line)
    if not end or end.isdigit():
        return frozenset()
    if not _HAN.match(end):
        return rhyme_sounds(end, near=near)
    classes = rhyme_class(line, table=table)
    return frozenset().union(*map(near_classes, classes)) if near else classes


def near_classes(name: str) -> frozenset[str]:
    """A class and the one that it nearly rhymes with, if any: 言前 and 江阳."""
    return frozenset({name}.union(*(pair for pair in _NEAR_CLASSES if name in pair)))


def named_class(name: str, *, table: Table = THIRTEEN) -> str:
    """The class of that name (江阳, 江陽辙) or of a final as it is spelled (`ang`, `un`, `ü`). Raises OptionError."""
    bare = _tidy(name).strip().casefold()
    simple = bare.translate(_SIMPLIFIED).removesuffix("辙")
    final = bare.replace("ü", "v")
    if found := simple if simple in table else _classes(table).get(_SPELLED.get(final, final)):
        return found
    known = ", ".join(f"{name} ({finals})" for name, finals in table.items())
    raise OptionError(f"there is no rhyme class {name[:20]!r}; choose one of {known}")


def table_of(number: int) -> Table:
    """The table of 13 or of 14 classes. Raises OptionError for another number."""
    if number not in TABLES:
        raise OptionError(f"rhyme_table must be {' or '.join(map(str, TABLES))}, got {number}")
    return TABLES[number]


def count_units(line: str) -> int:
    """The length of a line as singers count it: Han characters, and one for each Latin word and each digit."""
    return len(_UNIT.findall(_tidy(line)))


def rhyme_class(line: str, *, table: Table = THIRTEEN) -> frozenset[str]:
    """The names of the classes that a line's end rhymes in; none where it ends in something else than Chinese.

    The reading of a character is the one that it has in its phrase (快乐, 音乐). A final 儿 also rhymes by the
    character before it (花儿 as 花), so a line may have two classes.
    """
    line = _tidy(line)
    units = _UNIT.findall(line)
    if not units or not _HAN.match(units[-1]):
        return frozenset()
    finals = [final for final, _ in _sounds(line)]
    ends = finals[-2:] if units[-1] == "儿" else finals[-1:]
    return frozenset(name for name in map(_classes(table).get, ends) if name)


def is_han(character: str) -> bool:
    """Whether it is a Han character."""
    return _HAN.match(character) is not None


def character_classes(character: str, *, table: Table = THIRTEEN) -> frozenset[str]:
    """The classes of all readings that a Han character has, its reading in a phrase aside."""
    found = (_classes(table).get(final) for final, _ in character_sounds(character))
    return frozenset(name for name in found if name)


def tones(line: str) -> list[Tone | None]:
    """Level (平: tones 1, 2) or oblique (仄: tones 3, 4) for each Han character; None for a neutral tone."""
    return [tone for _, tone in _sounds(_tidy(line))]


def finals(line: str) -> list[str]:
    """The final of each Han character, in the readings of the line; empty for one that has none."""
    return [final for final, _ in _sounds(_tidy(line))]


@cache
def character_sounds(character: str) -> frozenset[Sound]:
    """The finals and tones of all readings of one Han character, its reading in a phrase aside."""
    from pypinyin.constants import PINYIN_DICT

    readings = PINYIN_DICT.get(ord(character), "")
    return frozenset(_sound(syllable) for syllable in readings.split(",") if syllable)


def characters_with(wanted: Collection[str]) -> frozenset[str]:
    """All Han characters that have one of these finals in any of their readings."""
    from pypinyin.constants import PINYIN_DICT

    heard = {syllable for readings in set(PINYIN_DICT.values()) for syllable in readings.split(",")}
    fitting = {syllable for syllable in heard if syllable and _sound(syllable)[0] in wanted}
    return frozenset(
        chr(code) for code, readings in PINYIN_DICT.items() if not fitting.isdisjoint(readings.split(","))
    )


def _tidy(line: str) -> str:
    """Compatibility forms as their usual characters, so that they count and sound like them."""
    return unicodedata.normalize("NFKC", line)


def _sounds(line: str) -> list[Sound]:
    """The final and the tone of each Han character, in the readings of the line."""
    from pypinyin.seg.mmseg import seg

    # What pypinyin.pinyin does with a line, but words come again and again: four times as fast.
    return [sound for run in _HAN_RUN.findall(line) for word in seg.cut(run) for sound in _word_sounds(word)]


@lru_cache(maxsize=2**16)
def _word_sounds(word: str) -> tuple[Sound, ...]:
    from pypinyin import Style, pinyin

    # The list gives each character without a reading an item of its own, which pypinyin's hints leave out.
    syllables = pinyin(word, style=Style.TONE, errors=lambda text: [""] * len(text))  # type: ignore[arg-type, return-value]
    return tuple(_sound(syllable[0]) for syllable in syllables)


@cache
def _sound(syllable: str) -> Sound:
    """The final and the tone of a syllable such as zhī."""
    from pypinyin import Style
    from pypinyin.style import convert

    final = convert(syllable, Style.FINALS, True, None)
    plain = convert(syllable, Style.TONE3, True, None)
    if final == "i" and plain.startswith(_BUZZING):
        final = "-i"
    return final, _TONES.get(plain[-1:])


@cache
def _classes_of(table: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """The class of each final."""
    return {final: name for name, finals in table for final in finals.split()}


def _classes(table: Table) -> dict[str, str]:
    return _classes_of(tuple(table.items()))
