"""A song while a person writes it with a model: candidates for one line at a time, taken, refused or overruled."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from lyricgen.errors import OptionError
from lyricgen.generation.constraints import MAX_LINE
from lyricgen.generation.line_plan import MOST_LINES, MOST_UNITS, LinePlan
from lyricgen.generation.lyricist import Lyricist
from lyricgen.generation.manuscript import Manuscript
from lyricgen.generation.plan import Plan
from lyricgen.generation.sampler import SamplingConfig
from lyricgen.generation.weighing import Candidate, Scale
from lyricgen.generation.word_places import word_places
from lyricgen.model.config import check_range
from lyricgen.text.phonetics import line_end, line_rhyme, line_units, table_of

MOST_CANDIDATES = 50
DRAWN = 2  # lines that are written for each that is shown: some come twice, and the best are kept
AS_PLANNED = 0


@dataclass(frozen=True)
class Settings:
    """How candidates are made: so many at a time, from this seed on, with no copied run of `novel` characters."""

    candidates: int = 5
    seed: int = 0
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    novel: int = 0

    def __post_init__(self) -> None:
        check_range("candidates", self.candidates, 1, MOST_CANDIDATES)


@dataclass(frozen=True)
class _State:
    """What can be gone back to: the page, the index of the line at hand, and its length where the user set it."""

    page: Manuscript
    at: int | None
    length: int | None = AS_PLANNED


class Workbench:
    """One song at work. It prints nothing and reads nothing: whoever shows it asks for what is to be shown.

    A new song goes on line by line, to the plan where there is one. With a `page`, a finished song is opened
    instead, and lines are chosen to be rewritten. Raises InputError and OptionError for what cannot be.
    """

    def __init__(
        self,
        lyricist: Lyricist,
        *,
        plan: Plan | None = None,
        start: str = "",
        page: Manuscript | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.plan = plan or Plan()
        if page is None:  # a song that stands has its mood already
            self.plan = lyricist.settled(self.plan, seed=self.settings.seed)
        self.candidates: tuple[Candidate, ...] = ()
        self.standing: Candidate | None = None  # the line that is rewritten, weighed as its candidates are
        lyricist.stream(start, seed=self.settings.seed, plan=self.plan, novel=self.settings.novel)  # refuses at once
        self._lyricist = lyricist
        self._scale = Scale(lyricist)
        self._editing = page is not None
        whole, found, self._begun = start.rpartition("\n")
        self._first = page or Manuscript.of(whole + found)
        self._state = _State(self._first, None if self._editing else len(self._first.lines))
        self._past: list[_State] = []
        self._seen: set[str] = set()
        self._round = 0
        self._words: Mapping[str, int] = word_places(self.plan)

    # --- what there is

    @property
    def page(self) -> Manuscript:
        """The song as it stands."""
        return self._state.page

    @property
    def at(self) -> int | None:
        """The index of the line at hand: one that is rewritten, or the next one; None where none is chosen."""
        return self._state.at

    @property
    def rewriting(self) -> bool:
        """Whether the line at hand stands in the song already."""
        return self.at is not None and self.at < len(self.page.lines)

    @property
    def complete(self) -> bool:
        """Whether every planned line stands, and the line at hand would be one more."""
        return bool(self.plan.lines) and not self.rewriting and len(self.page.lines) >= len(self.plan.lines)

    @property
    def wish(self) -> LinePlan:
        """What is asked of the line at hand. Raises OptionError where none is chosen."""
        return self._plan().lines[-1]

    # --- what is done

    def propose(self) -> tuple[Candidate, ...]:
        """New candidates for the line at hand, the best first; what was shown before does not come again.

        A line that rhymes, or keeps another rule, comes before one in which that gave way. There are none where the
        model found no new line; the old ones can still be picked then. Raises OptionError where no line is chosen
        or the line cannot be.
        """
        before, after = self._around()
        settings, plan = self.settings, self._plan()
        begun = self._begun if self._at == len(self._first.lines) and not self.rewriting else ""
        self._round += 1
        key = np.random.SeedSequence((settings.seed, self._at, self._round)).generate_state(2)
        songs = self._lyricist.write(before + begun, count=settings.candidates * DRAWN, plan=plan,
                                     seed=int(key[0]) << 31 | int(key[1]) >> 1, sampling=settings.sampling,
                                     novel=settings.novel)  # fmt: skip
        here = f"line {self._at + 1}:"  # of lines that stand, nothing is told
        relaxed = {
            song.lines[-1]: tuple(rule for rule in song.relaxed if rule.startswith(here)) for song in reversed(songs)
        }
        old = self.page.lines[self._at] if self.rewriting else ""
        fresh = [line for line in dict.fromkeys(song.lines[-1] for song in songs) if line not in {*self._seen, old}]
        fresh = self._varied(fresh)
        weighed = self._scale.weigh([*fresh, old] if old else fresh, before=before, after=after) if fresh else []
        if old and weighed:
            self.standing = weighed.pop()
        found = [replace(each, relaxed=relaxed[each.line]) for each in weighed]
        by_all = bool(old) and plan.lines[-1].length is not None  # of open length the shortest would cost least
        found.sort(key=lambda each: (len(each.relaxed), each.total if by_all else each.mean))
        best = tuple(found[: settings.candidates])
        self._seen.update(each.line for each in best)
        self.candidates = best or self.candidates
        return best

    def pick(self, number: int) -> None:
        """Takes a candidate, by its number from 1. Raises OptionError where there is none."""
        if not 1 <= number <= len(self.candidates):
            have = f"from 1 to {len(self.candidates)}" if self.candidates else "when there are candidates"
            raise OptionError(f"there is no candidate {number}; give a number {have}")
        self.take(self.candidates[number - 1].line)

    def take(self, line: str) -> None:
        """Puts a line of the user's own in its place, whatever was planned. Raises OptionError for none at all."""
        line = " ".join("".join(c if c.isprintable() else " " for c in line).split())
        if not line:
            raise OptionError("an empty line is no line; type / for a blank line between sections")
        if len(line) > MAX_LINE and line not in (each.line for each in self.candidates):
            raise OptionError(f"a line has at most {MAX_LINE} characters, got {len(line)}; break it in two")
        at, page = self._at, self.page
        if not self.rewriting:
            if at >= MOST_LINES:
                raise OptionError(f"a song has at most {MOST_LINES} lines; save it and begin another")
            page = page.part() if self._opens() else page
        page = page.sing(at, line)
        self._go(page, len(page.lines) if at == len(self.page.lines) else self._home(page))

    def part(self) -> None:
        """Puts a blank line at the end: the next line opens a section. Raises OptionError where it cannot stand."""
        if self.at is None or self.rewriting:
            raise OptionError("a blank line goes to the end of the song; choose the end first, by e alone")
        if not self.page.lines or self._parted():
            raise OptionError("a blank line stands between two lines; write a line first")
        self._go(self.page.part(), self.at)

    def undo(self) -> None:
        """Goes back to before the last change of the song. Raises OptionError where there is none."""
        if not self._past:
            raise OptionError("there is nothing to take back")
        self._turn(self._past.pop())

    def set_length(self, length: int | None) -> None:
        """Asks another length of the line at hand; None for any. Raises OptionError for one that cannot be."""
        if length is not None and not 1 <= length <= MOST_UNITS:
            raise OptionError(f"a line must have from 1 to {MOST_UNITS} characters, got {length}")
        self._turn(_State(self.page, self._at, length))

    def choose(self, line: int | None = None) -> None:
        """Goes to a line, by its number from 1, to rewrite it; or to the end of the song. Raises OptionError."""
        lines = len(self.page.lines)
        if line is not None and not 1 <= line <= lines:
            have = f"give a number from 1 to {lines}" if lines else "the song has none yet"
            raise OptionError(f"there is no line {line}; {have}")
        self._turn(_State(self.page, lines if line is None else line - 1))

    # --- where things stand

    @property
    def _at(self) -> int:
        if self.at is None:
            raise OptionError("no line is chosen; choose one first, such as e 3")
        return self.at

    def _home(self, page: Manuscript) -> int | None:
        """The line at hand when one has been rewritten: none of a finished song, else the next one."""
        return None if self._editing else len(page.lines)

    def _go(self, page: Manuscript, at: int | None) -> None:
        self._past.append(self._state)
        self._turn(_State(page, at))

    def _turn(self, state: _State) -> None:
        self._state = state
        self.candidates, self.standing = (), None
        self._seen, self._round = set(), 0

    def _parted(self) -> bool:
        """Whether a blank line stands at the end of the song."""
        sections = self.page.sections
        return len(sections) > 1 and sections[-1] != sections[-2]

    def _opens(self) -> bool:
        """Whether the plan wants a blank line before the next line, and none is there."""
        return self.wish.opens and bool(self.page.lines) and not self._parted()

    def _around(self) -> tuple[str, str]:
        """What is sung before and after the line at hand."""
        before, after = self.page.around(self._at)
        return before + "\n" * (not self.rewriting and self._opens()), after

    # --- what is asked of a line

    def _plan(self) -> Plan:
        """The plan of the song up to the line at hand."""
        at = self._at
        planned = (*self.plan.lines[: at + 1], *[LinePlan()] * (at + 1 - len(self.plan.lines)))
        wish, classes = planned[-1], self.plan.classes
        # Of lines that stand only the rhyme matters still: their writer may have wanted others than were planned.
        lines = tuple(LinePlan(rhyme=line.rhyme, opens=line.opens) for line in planned[:-1])
        length = wish.length
        if self.rewriting:
            mates, name = self._mates(at)
            length = _length(self.page.lines[at])
            wish = replace(wish, length=length, tones="", rhyme=0 if mates or name else None, repeats=None)
            lines = tuple(LinePlan(rhyme=0 if number in mates else None) for number in range(at))
            classes = {0: name} if name in table_of(self.plan.table) else {}
        if self._state.length != AS_PLANNED:
            length = self._state.length
            wish = replace(wish, length=length, tones="", repeats=None)
        tones = planned[-1].tones
        wish = replace(wish, word=self._due(wish), tones=tones if len(tones) == length else "")
        return replace(self.plan, lines=(*lines, wish), classes=classes, words=(), layout=())

    def _due(self, wish: LinePlan) -> str:
        """The word that is to come now: the first whose line has come, and that no other line has."""
        others = "\n".join(line for number, line in enumerate(self.page.lines) if number != self._at)
        for word, place in self._words.items():
            if place <= self._at and word not in others and wish.has_room(line_units(word)):
                return word
        return ""

    def _mates(self, at: int) -> tuple[list[int], str]:
        """The lines that a line rhymes with, and the class that they share: as it was planned, or in its section.

        Of several classes it is the one that most lines have. English lines follow only those before them. Where
        nothing was planned, not all of them end as the line does.
        """
        table = table_of(self.plan.table)
        lines, sections = self.page.lines, self.page.sections
        sounds = [line_rhyme(line, table=table, near=self.plan.near) for line in lines]
        if at < len(self.plan.lines) and any(line.rhyme is not None for line in self.plan.lines):
            return self._planned_mates(at, sounds)
        best: tuple[list[int], str] = ([], "")
        for name in sorted(sounds[at]):
            near = [k for k in range(len(lines)) if k != at and sections[k] == sections[at] and name in sounds[k]]
            known = name in table or any(k < at for k in near)
            if known and any(line_end(lines[k]) != line_end(lines[at]) for k in near) and len(near) > len(best[0]):
                best = near, name
        return best

    def _planned_mates(self, at: int, sounds: list[frozenset[str]]) -> tuple[list[int], str]:
        """The lines that stand of a line's group, and the class that it was given, or that most of them have."""
        group = self.plan.lines[at].rhyme
        if group is None:
            return [], ""
        planned = self.plan.lines[: len(sounds)]
        near = [k for k, line in enumerate(planned) if k != at and line.rhyme == group]
        known = [name for k in near for name in sorted(sounds[k]) if name in table_of(self.plan.table) or k < at]
        return near, self.plan.classes.get(group) or max(known, key=known.count, default="")

    def _varied(self, lines: list[str]) -> list[str]:
        """Lines that do not end as a rhyming line does that stands after them; all, where every one does."""
        if not self.rewriting:
            return lines
        ends = {line_end(self.page.lines[k]) for k in self._mates(self._at)[0] if k > self._at}
        return [line for line in lines if line_end(line) not in ends] or lines


def _length(line: str) -> int | None:
    """The length of a line as a plan asks it; None where no plan could."""
    length = line_units(line)
    return length if 1 <= length <= MOST_UNITS else None
