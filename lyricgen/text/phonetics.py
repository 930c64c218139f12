"""How Chinese lines sound: their length, the class they rhyme in, their level and oblique tones."""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Literal

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

Tone = Literal["平", "仄"]
_TONES: Mapping[str, Tone] = {"1": "平", "2": "平", "3": "仄", "4": "仄"}
Sound = tuple[str, Tone | None]
"""The final and the tone of a syllable."""

_BUZZING = ("zh", "ch", "sh", "r", "z", "c", "s")


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


@lru_cache(maxsize=2**14)
def readings(character: str, *, thirteen: bool = True) -> frozenset[str]:
    """The classes of all readings that a Han character has, whatever its phrase."""
    from pypinyin import Style, pinyin

    (found,) = pinyin(character, style=Style.TONE, heteronym=True, errors=lambda text: [[""]] * len(text))  # type: ignore[arg-type, return-value]
    classes = _classes(THIRTEEN if thirteen else FOURTEEN)
    finals = {_sound(syllable)[0] for syllable in found if syllable} | {final for final, _ in _word_sounds(character)}
    return frozenset(name for name in map(classes.get, finals) if name)


def tones(line: str) -> list[Tone | None]:
    """Level (平: tones 1, 2) or oblique (仄: tones 3, 4) for each Han character; None for a neutral tone."""
    return [tone for _, tone in _sounds(_tidy(line))]


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
