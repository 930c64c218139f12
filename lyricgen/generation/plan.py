"""The songwriter's plan: what each line shall be, and what holds for the whole song."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from lyricgen.errors import OptionError
from lyricgen.generation.arrangement import Wishes, add_heads, arrange, check_words
from lyricgen.generation.likeness import Layout, lines_like, read_model
from lyricgen.generation.line_plan import LinePlan
from lyricgen.generation.notation import (
    FREE,
    check_lines,
    read_acrostic,
    read_classes,
    read_form,
    read_pattern,
    read_scheme,
    read_tones,
    read_words,
)
from lyricgen.generation.plan_table import plan_table
from lyricgen.text.encoding import display_name
from lyricgen.text.phonetics import table_of
from lyricgen.text.readers import LrcSheet
from lyricgen.text.song import Song

__all__ = ["LinePlan", "Plan"]

ALL_RHYME = "AAAA"  # the scheme of those who name only the class


@dataclass(frozen=True)
class Plan:
    """What a song shall be. Without lines it is free; `mood` and `style` are the labels of the songbook.

    `classes` gives the rhyme class of those groups whose class the user fixed, by its name in the `table` of 13 or
    14 classes; with `near`, classes that many ears take for one rhyme too. `words` shall all occur. `layout` is the
    .lrc that the plan was taken from: its rows, and the numbers of lines in place of what is sung.
    """

    lines: tuple[LinePlan, ...] = ()
    classes: Mapping[int, str] = field(default_factory=dict, hash=False)
    table: int = 13
    near: bool = False
    words: tuple[str, ...] = ()
    mood: str = ""
    style: str = ""
    layout: Layout = ()

    def __post_init__(self) -> None:
        known = table_of(self.table)
        check_lines("the plan", len(self.lines))
        for number, line in enumerate(self.lines):
            if line.repeats is not None and not 0 <= line.repeats < number:
                raise OptionError(f"line {number + 1} must repeat an earlier one, got {line.repeats + 1}")
        if unknown := {*self.classes.values()} - {*known}:
            raise OptionError(f"there is no rhyme class {min(unknown)!r}; choose one of {', '.join(known)}")
        object.__setattr__(self, "classes", MappingProxyType(dict(self.classes)))

    def parted(self, start: str) -> str:
        """The beginning of a song, with the blank lines that the plan wants in it."""
        rows: list[str] = []
        sung = 0
        for row in start.split("\n"):
            if row:
                if sung < len(self.lines) and self.lines[sung].opens and sung and rows[-1]:
                    rows.append("")
                sung += 1
            rows.append(row)
        return "\n".join(rows)

    @classmethod
    def parse(
        cls,
        *,
        pattern: str = "",
        rhyme: str = "",
        rhyme_class: str = "",
        rhyme_table: int = 13,
        near: bool = False,
        one_rhyme: bool = False,
        acrostic: str = "",
        tones: str = "",
        words: str = "",
        form: str = "",
        mood: str = "",
        style: str = "",
        lines: int = 0,
    ) -> "Plan":
        """The plan in the notations of the command line; what is left out stays open.

        A song whose number of `lines` is open repeats its pattern (or else its tones, or its scheme) until it has 8
        lines or more and room for the acrostic; with an acrostic alone it has a line a character; a form has four
        lines a section, or a pattern's. Raises OptionError.
        """
        classes = read_classes(rhyme_class, table=rhyme_table)
        scheme = read_scheme(rhyme) if rhyme else ALL_RHYME if classes or one_rhyme else ""
        kinds = "".join(dict.fromkeys(scheme.replace(FREE, "")))
        wishes = Wishes(
            pattern=read_pattern(pattern) if pattern else None,
            scheme=scheme,
            classed=kinds if len(classes) == 1 else kinds[: len(classes)],
            one_rhyme=one_rhyme,
            heads=read_acrostic(acrostic) if acrostic else (),
            tones=read_tones(tones) if tones else (),
            form=read_form(form) if form else (),
            lines=lines,
        )
        planned, letters = arrange(wishes)
        fixed = _fix(classes, [kinds.index(letter) for letter in letters], kinds=len(kinds))
        wanted = _words(words, planned)
        return cls(planned, fixed, rhyme_table, near, wanted, mood.strip(), style.strip())

    @classmethod
    def like(
        cls,
        source: Song | LrcSheet | str | Path,
        *,
        rhyme_class: str = "",
        rhyme_table: int = 13,
        near: bool = False,
        acrostic: str = "",
        words: str = "",
        mood: str = "",
        style: str = "",
    ) -> "Plan":
        """The plan of a song, or of the one in a file: lengths, rhymes, repeats, sections, and an .lrc's time tags.

        Raises InputError for a file that cannot be read or has no lyrics, OptionError for an option.
        """
        classes = read_classes(rhyme_class, table=rhyme_table)
        name = display_name(Path(source)) if isinstance(source, str | Path) else "the song"
        song = read_model(Path(source)) if isinstance(source, str | Path) else source
        found, layout = lines_like(song, name=name, table=table_of(rhyme_table), near=near)
        planned = add_heads(found, read_acrostic(acrostic) if acrostic else ())
        groups = len({line.rhyme for line in planned} - {None})
        fixed = _fix(classes, range(groups), kinds=groups)
        wanted = _words(words, planned)
        return cls(planned, fixed, rhyme_table, near, wanted, mood.strip(), style.strip(), layout)

    def describe(self, *, chinese: bool = False) -> list[str]:
        """What was understood: a table of the lines, and what holds for the whole song."""
        notes = {"words": " ".join(self.words), "mood": self.mood, "style": self.style}
        return plan_table(self.lines, self.classes, notes=notes, near=self.near, table=self.table, chinese=chinese)


def _fix(classes: Sequence[str], kinds_of_groups: Sequence[int], *, kinds: int) -> dict[int, str]:
    """The class of each group: one class for all, or one for each letter of the scheme."""
    if classes and not kinds_of_groups:
        raise OptionError("a rhyme class is given, and no line rhymes; leave it out, or give a scheme such as AABB")
    if len(classes) > max(kinds, 1):
        raise OptionError(f"there are {len(classes)} rhyme classes for {kinds} rhymes; give one, or one a letter")
    if len(classes) == 1:
        return dict.fromkeys(range(len(kinds_of_groups)), classes[0])
    return {group: classes[kind] for group, kind in enumerate(kinds_of_groups) if kind < len(classes)}


def _words(words: str, lines: Sequence[LinePlan]) -> tuple[str, ...]:
    wanted = read_words(words) if words else ()
    check_words(wanted, lines)
    return wanted
