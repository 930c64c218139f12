"""Lays out the lines of a song from what its writer asked of it."""

import re
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from lyricgen.errors import OptionError
from lyricgen.generation.line_plan import MOST_LINES, LinePlan
from lyricgen.generation.notation import FREE, Pattern, check_lines
from lyricgen.text.phonetics import character_sounds, line_units

LEAST_LINES = 8  # of a song whose length the user leaves open
SECTION_LINES = 4
_SHORT = 3  # lines: what is shorter does not fill a section
CHORUSES = ("副歌", "高潮", "chorus", "hook", "refrain")
"""Sections that come back word for word."""

_NUMBER = re.compile(r"[\s#-]*(?:\d+|[一二三四五六七八九十]+|(?<=[\s\u4e00-\u9fff])[a-d])$")


@dataclass(frozen=True)
class Wishes:
    """What the user asked for, read; what is empty is open. `classed` are the scheme's letters of a given class."""

    pattern: Pattern | None = None
    scheme: str = ""
    classed: str = ""
    one_rhyme: bool = False
    heads: tuple[str, ...] = ()
    tones: tuple[str, ...] = ()
    form: tuple[str, ...] = ()
    lines: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.lines <= MOST_LINES:
            raise OptionError(f"lines must be from 1 to {MOST_LINES}, got {self.lines}")

    @property
    def unit(self) -> int:
        """After how many lines the song's plan repeats; 0 where it has none."""
        return len(self.pattern.lengths if self.pattern else self.tones or self.scheme)


@dataclass(frozen=True)
class Place:
    """Where a line stands: in which turn of the plan, and how far into each of the lists that cycle there."""

    turn: int
    number: int


def arrange(wishes: Wishes) -> tuple[tuple[LinePlan, ...], tuple[str, ...]]:
    """The lines of a song, and the letter of each rhyme group. Raises OptionError.

    There are no lines where nothing was asked that concerns lines.
    """
    lines, places = _sections(wishes) if wishes.form else _stanzas(wishes)
    check_lines("the plan", len(lines))
    if wishes.tones:
        lines = [
            line if line.repeats is not None else _toned(line, wishes.tones[place.number % len(wishes.tones)])
            for line, place in zip(lines, places, strict=True)
        ]
    keys = _rhyme_keys(wishes, lines, places)
    groups = number_groups(keys, alone={key for key in keys if key and key[-1] in wishes.classed})
    lines = [replace(line, rhyme=group) for line, group in zip(lines, groups, strict=True)]
    letters = {group: key[-1] for group, key in zip(groups, keys, strict=True) if group is not None and key}
    return add_heads(lines, wishes.heads), tuple(letters[group] for group in sorted(letters))


def _toned(line: LinePlan, tones: str) -> LinePlan:
    return replace(line, length=line.length or len(tones), tones=tones)


def _stanzas(wishes: Wishes) -> tuple[list[LinePlan], list[Place]]:
    """The lines of a song without a form: the pattern again and again."""
    total = wishes.lines or _total(wishes)
    stanzas = wishes.pattern.stanzas if wishes.pattern else ()
    once = [LinePlan(length, opens=not number) for stanza in stanzas for number, length in enumerate(stanza)]
    parted = bool(wishes.pattern and wishes.pattern.parted)
    lines = [once[number % len(once)] if once else LinePlan() for number in range(total)]
    lines = [replace(line, opens=line.opens and parted and number > 0) for number, line in enumerate(lines)]
    return lines, [Place(0, number) for number in range(total)]


def _total(wishes: Wishes) -> int:
    """How many lines a song has whose length the user leaves open."""
    if not wishes.unit:
        return len(wishes.heads)
    return wishes.unit * -(-max(LEAST_LINES, len(wishes.heads)) // wishes.unit)


def _sections(wishes: Wishes) -> tuple[list[LinePlan], list[Place]]:
    """The lines of a song by its form. A chorus repeats its first; a verse has its first one's lengths."""
    blocks = _blocks(wishes)
    lines: list[LinePlan] = []
    places: list[Place] = []
    first_of: dict[str, int] = {}
    turn = 0
    while turn < len(wishes.form) or len(lines) < wishes.lines:
        name = wishes.form[turn % len(wishes.form)]
        kind = _kind(name)
        before, lengths = blocks[kind]
        again = first_of.get(kind) if kind in CHORUSES else None
        for number, length in enumerate(lengths):
            asked = LinePlan(length) if again is None else LinePlan(repeats=again + number)
            lines.append(asked if number else replace(asked, section=name, opens=bool(lines)))
            places.append(Place(turn, before + number))
        first_of.setdefault(kind, len(lines) - len(lengths))
        turn += 1
        check_lines("form", len(lines))
    return lines[: wishes.lines or None], places[: wishes.lines or None]


def _blocks(wishes: Wishes) -> dict[str, tuple[int, tuple[int | None, ...]]]:
    """For each kind of section the lengths of its lines, and how far into schemes and tones it begins.

    A scheme that is longer than a section goes on in the next kind: AABBXAXA may be a verse and its chorus.
    """
    kinds = list(dict.fromkeys(map(_kind, wishes.form)))
    stanzas: Sequence[tuple[int | None, ...]]
    if wishes.pattern and wishes.pattern.parted:
        stanzas = wishes.pattern.stanzas
    else:
        size = wishes.unit if wishes.unit >= _SHORT else SECTION_LINES
        lengths = wishes.pattern.lengths if wishes.pattern else (None,)
        stanzas = [tuple(lengths[number % len(lengths)] for number in range(size))]
    blocks = {}
    before = 0
    longest = max(len(wishes.scheme), len(wishes.tones))
    for number, kind in enumerate(kinds):
        stanza = stanzas[number % len(stanzas)]
        blocks[kind] = (before if longest > len(stanza) else 0, stanza)
        before += len(stanza)
    return blocks


def _kind(name: str) -> str:
    """What sort of section a heading names: 主歌 for 主歌2, chorus for Chorus: her."""
    bare = re.split("[:：]", name, maxsplit=1)[0].strip().casefold()
    return _NUMBER.sub("", bare) or bare


def _rhyme_keys(
    wishes: Wishes, lines: Sequence[LinePlan], places: Sequence[Place]
) -> list[tuple[int, int, str] | None]:
    """What lines that shall rhyme have in common: a letter in one turn of the scheme, or in the whole song."""
    keys: list[tuple[int, int, str] | None] = []
    for line, place in zip(lines, places, strict=True):
        turn, number = divmod(place.number, len(wishes.scheme) or 1)
        letter = wishes.scheme[number : number + 1] or FREE
        asks = letter != FREE and line.repeats is None
        keys.append(None if not asks else (0, 0, letter) if wishes.one_rhyme else (place.turn, turn, letter))
    return keys


def number_groups(keys: Sequence[Hashable], *, alone: Collection[Hashable] = ()) -> list[int | None]:
    """Group numbers from 0 by first appearance, for keys that two lines or more have; None has no group.

    Keys that may stand `alone` have one in any case.
    """
    members: Mapping[Hashable, list[int]] = defaultdict(list)
    for line, key in enumerate(keys):
        members[key].append(line)
    shared = [key for key, found in members.items() if key is not None and (len(found) > 1 or key in alone)]
    numbers = {key: number for number, key in enumerate(shared)}
    return [numbers.get(key) for key in keys]


def add_heads(lines: Iterable[LinePlan], heads: Sequence[str]) -> tuple[LinePlan, ...]:
    """The lines with the characters of an acrostic at their heads. Raises OptionError where one does not fit."""
    planned = list(lines)
    if len(heads) > len(planned):
        raise OptionError(
            f"acrostic has {len(heads)} characters, and the song {len(planned)} lines; shorten it or give more lines"
        )
    for number, head in enumerate(heads):
        line = planned[number]
        if line.repeats is not None:
            if planned[line.repeats].head != head:
                raise OptionError(
                    f"acrostic reaches line {number + 1}, which repeats line {line.repeats + 1} word for word and "
                    f"cannot begin with {head}; shorten the acrostic or leave out the repeat"
                )
        elif _clashes(head, line.tones[:1]):
            raise OptionError(
                f"{head} is never {line.tones[0]}, as the tones {line.tones} of line {number + 1} ask of its first "
                "character; change the acrostic or write 中 there"
            )
        else:
            planned[number] = replace(line, head=head)
    return tuple(planned)


def _clashes(head: str, mark: str) -> bool:
    """Whether a character has readings, and none of them has the tone that the mark asks for."""
    known = {tone for _, tone in character_sounds(head) if tone} if mark in ("平", "仄") else set()
    return bool(known) and mark not in known


def check_words(words: Sequence[str], lines: Sequence[LinePlan]) -> None:
    """Raises OptionError where a word fits into no line."""
    lengths = [line.length for line in lines if line.repeats is None]
    if not lengths or None in lengths:
        return
    room = max(length for length in lengths if length is not None)
    for word in words:
        if (length := line_units(word)) > room:
            raise OptionError(f"the word {word!r} is {length} characters long, and no line more than {room}")
