"""How one song keeps to its plan: what its next line may be, and what may follow in the line at hand."""

import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from lyricgen.generation.constraints import MIN_LINES, Draft, Form
from lyricgen.generation.plan import LinePlan, Plan
from lyricgen.generation.tokens import Mask, Tokens, tones_off
from lyricgen.generation.word_places import word_places
from lyricgen.text.labels import CLASSES, ENDS, LENGTHS, LONGEST, MORE, RHYMES
from lyricgen.text.phonetics import is_han, line_end, line_rhyme, near_classes, table_of
from lyricgen.text.vocab import END

THIRTEEN_OF = {
    "麻": "发花", "波": "梭坡", "皆": "乜斜", "开": "怀来", "微": "灰堆", "豪": "遥条", "尤": "油求", "寒": "言前",
    "文": "人辰", "唐": "江阳", "庚": "中东", "齐": "一七", "支": "一七", "姑": "姑苏",
}  # fmt: skip
SLACK = 12  # units that a line without a length of its own goes on for, at most, where the model says only "long"
GIVEN = "the start text has it otherwise"
LETTERS = 12  # of a syllable, at most, with signs and spaces
PULL = 2.5  # nats by which a word that must come is favoured before it has to come


@dataclass
class Line:
    """The line at hand. `length` is None where it is open; `label` is the rhyme that the model was told."""

    plan: LinePlan = field(default_factory=LinePlan)
    length: int | None = None
    label: int = 0
    classes: frozenset[str] = frozenset()
    taken: frozenset[str] = frozenset()
    word: str = ""
    copy: str = ""
    ids: tuple[int, ...] = ()  # of the copy, as far as the vocabulary has it
    stops: tuple[int, ...] = ()  # how much of the copy stands after each of them
    empty: bool = False
    ends: bool = False
    given: bool = False  # in the start text


class Course:
    """One song on its way. `relaxed` tells which rules gave way, and where."""

    def __init__(self, plan: Plan, form: Form, tokens: Tokens) -> None:
        self.plan = plan
        self.form = form
        self.line = Line()
        self.relaxed: list[str] = []
        self._tokens = tokens
        self._table = table_of(plan.table)
        self._classes: dict[int, frozenset[str]] = {
            group: near_classes(name) if plan.near else frozenset({name}) for group, name in plan.classes.items()
        }
        self._near = plan.near and not tokens.spelled  # English rhymes by exact sounds
        self._settled: set[int] = set()
        self._rich = self._rich_classes()
        self._ends: dict[int, set[str]] = {}
        self._words = word_places(plan, lines=form.lines, count=tokens.count)

    def twin(self) -> "Course":
        """The same song on another way from here."""
        other = copy.copy(self)
        other.line, other.relaxed = copy.copy(self.line), list(self.relaxed)
        other._classes, other._words = dict(self._classes), dict(self._words)
        other._settled = set(self._settled)
        other._ends = {group: set(ends) for group, ends in self._ends.items()}
        return other

    @property
    def planned(self) -> bool:
        """Whether the song has lines that were asked for."""
        return bool(self.plan.lines)

    def finished(self, draft: Draft) -> bool:
        """Whether all planned lines are written."""
        return self.planned and draft.breaks > 0 and len(draft.lines) >= len(self.plan.lines)

    def lengths(self, draft: Draft) -> Mask:
        """What the next line's length may be, `(LENGTHS,)`."""
        allowed = np.zeros(LENGTHS, dtype=bool)
        if self._gap(draft):
            allowed[0] = True
            return allowed
        wish = self.next_wish(draft)
        if wish.repeats is not None:
            length = self._tokens.count(draft.lines[wish.repeats])
        elif wish.length is not None:
            length = wish.length
        else:
            need = len(wish.head) + (wish.rhyme is not None)
            need += self._tokens.count(word) if (word := self._word_for(draft)) else 0
            allowed[min(MORE, max(1, need)) : MORE + 1] = True
            if not self.planned:
                first = draft.breaks == 1
                allowed[0] = first
                free = not self.form.length and not self.form.lines
                allowed[ENDS] = free and first and len(draft.lines) >= MIN_LINES and not self._words
            return allowed
        allowed[length if length <= LONGEST else MORE] = True
        return allowed

    def rhymes(self, draft: Draft, length: int) -> Mask:
        """What the rhyme of the next line may be if it has that length, `(RHYMES,)`."""
        allowed = np.zeros(RHYMES, dtype=bool)
        if length in (0, ENDS):
            allowed[0] = True
            return allowed
        wish = self.next_wish(draft)
        if wish.repeats is not None:
            names = line_rhyme(draft.lines[wish.repeats])
        elif wish.rhyme is None:
            allowed[:] = True
            return allowed
        else:
            classes = self._classes.get(wish.rhyme, self._rich.get(wish.rhyme, frozenset()))
            names = frozenset(THIRTEEN_OF.get(name, name) for name in classes)
        for label in range(1, RHYMES):
            allowed[label] = CLASSES[label] in names
        allowed[0] = not allowed.any()
        return allowed

    def open(self, draft: Draft, length: int | None, rhyme: int, *, extra: int = 0) -> None:
        """Begins the next line as it was decided; `extra` are the units of a long line past what labels count."""
        wish = self.next_wish(draft)
        if self._gap(draft) or (length in (0, ENDS) and wish.repeats is None):
            self.line = Line(length=0, empty=length == 0, ends=length == ENDS)
            return
        if wish.length is not None:
            length = wish.length
        elif length == MORE:
            length = MORE + extra
        line = Line(wish, length, rhyme)
        if wish.repeats is not None:
            line.copy = draft.lines[wish.repeats]
            line.ids, line.stops = self._tokens.spelled_out(line.copy)
            line.length = self._tokens.count(line.copy)
        elif wish.rhyme is not None:
            if wish.rhyme not in self._classes and rhyme:
                name = CLASSES[rhyme]
                found = frozenset(each for each in self._table if THIRTEEN_OF.get(each, each) == name)
                self._classes[wish.rhyme] = self._widened(found)
            line.classes = self._classes.get(wish.rhyme, self._rich[wish.rhyme])
            line.taken = frozenset(self._ends.get(wish.rhyme, ()))
        if not line.copy:
            line.word = self._word_for(draft)
        self.line = line

    def close(self, draft: Draft) -> None:
        """Takes note of how the line ended that was just finished."""
        line, text = self.line, draft.lines[-1]
        group = line.plan.rhyme
        if group is not None and line.plan.repeats is None:
            if line.given:
                self._check_given(group, text, number=len(draft.lines))
            self._ends.setdefault(group, set()).add(line_end(text))
            self._settle(group, text)
        if line.plan.tones and tones_off(line.plan.tones, text):
            self._give_way(self._tones_name, len(draft.lines))
        if line.word and not self._tokens.holds(text, line.word):
            self._give_way(f"word {line.word}", len(draft.lines))
            self._words.pop(line.word, None)
        for word in [word for word in self._words if self._tokens.holds(text, word)]:
            del self._words[word]

    def _check_given(self, group: int, text: str, *, number: int) -> None:
        """Takes note that a line of the start text does not rhyme as it was to."""
        classes = self._classes.get(group)
        if classes and not line_rhyme(text, table=self._table) & classes:
            self._give_way(_rhyme_name(classes), number, why=GIVEN)
        elif line_end(text) in self._ends.get(group, ()):
            self._give_way("another last character", number, why=GIVEN)

    def _settle(self, group: int, text: str) -> None:
        """Keeps a group whose class nobody gave to the one class that its first line ended in.

        An English word may have two sounds; there every line narrows what the others may rhyme with.
        """
        if group in self.plan.classes or (group in self._settled and not self._tokens.spelled):
            return
        known, found = self._classes.get(group), line_rhyme(text, table=self._table)
        if not (found := found & known if known else found):
            return
        if is_han(line_end(text)):
            found = frozenset({min(found - {"一七", "齐"} or found)})  # 花儿 as 花 where it has the choice
        self._classes[group] = self._widened(found)
        self._settled.add(group)

    def _widened(self, classes: frozenset[str]) -> frozenset[str]:
        """What rhymes with one of these classes: with near rhymes, their neighbours too."""
        return frozenset().union(*map(near_classes, classes)) if self._near else classes

    def finish(self, draft: Draft) -> None:
        """Takes note of the words that found no place in the song."""
        for word in self._words:
            if not self._tokens.holds(draft.line, word):  # a song cut to a length ends in a line
                self._give_way(f"word {word}", len(draft.lines))
        self._words = {}

    def in_bounds(self, draft: Draft) -> bool:
        """Whether the line may grow however long it is: what is repeated, and syllables as long as they last."""
        most = LETTERS * (self.line.length or 0) if self._tokens.spelled else 0
        return bool(self.line.copy) or len(draft.line) < most

    def label(self, draft: Draft) -> tuple[int, int]:
        """What the model is told beside the id that came last: left and rhyme."""
        if self.line.ends:
            return ENDS, 0
        left = self.left(draft)
        return (MORE if left is None or left > LONGEST else left), self.line.label

    def left(self, draft: Draft) -> int | None:
        """Units that the line at hand still lacks; None where its length is open."""
        if self.line.length is None:
            return None
        return max(0, self.line.length - self._tokens.count(draft.line))

    def masks(self, draft: Draft) -> Iterator[tuple[str, Mask]]:
        """What the plan allows to follow, rule by rule, the most important first."""
        tokens, line = self._tokens, self.line
        if line.ends:
            yield "end", tokens.only((END,))
            return
        if line.empty:
            yield "empty line", tokens.only((tokens.line_break,))
            return
        if line.copy:
            yield "repeat", tokens.only((self.copied(draft)[0],))
            return
        if self.planned and (spelling := tokens.spelling(draft.line)) is not None:
            yield "whole words", spelling
        left = self.left(draft)
        if left is not None:
            fits = tokens.length(left, line.plan.length is None)
            if not left and line.plan.length is None and tokens.goes_on(draft.line):
                fits = fits | tokens.letters
            yield "length", fits
        if self._words and not self.planned:
            yield "words to come", ~tokens.only((END,))
        if (head := line.plan.head) and (rest := tokens.rest_of_head(head, draft.line)):
            yield f"head {head}", tokens.head(rest)
        if line.classes and left:
            yield self.rhyme_name, tokens.closing(left, line.classes, self.plan.table)
            if line.classes and line.taken:
                yield "another last character", tokens.closing(left, line.classes, self.plan.table, line.taken)
        if left is None and self.planned:
            yield self.rhyme_name if line.classes else "not empty", self._open_end(draft)
        if line.plan.tones and left:
            yield self._tones_name, tokens.tone(line.plan.tones[len(line.plan.tones) - left :])
        if line.word and not tokens.holds(draft.line, line.word):
            yield f"word {line.word}", self._way_to_word(draft, left)

    def copied(self, draft: Draft) -> tuple[int, str]:
        """The next id of a line that is repeated, and the text that comes with it: what has no id comes along."""
        line, at = self.line, len(draft.line)
        for number, stop in zip(line.ids, line.stops, strict=True):
            if stop > at:
                return number, line.copy[at:stop]
        return self._tokens.line_break, line.copy[at:] + "\n"

    @property
    def rhyme_name(self) -> str:
        """What the rule is called that the line at hand rhymes by."""
        return _rhyme_name(self.line.classes)

    @property
    def _tones_name(self) -> str:
        return f"tones {self.line.plan.tones}"

    def _open_end(self, draft: Draft) -> Mask:
        """What may follow in a line of open length: it ends in a rhyme, and does not go on for ever to reach it."""
        line, units = self.line, self._tokens.count(draft.line)
        stop = self._tokens.only((self._tokens.line_break,))
        if not units:
            return ~stop
        if not line.classes:
            return np.ones_like(stop)
        fits = line_rhyme(draft.line, table=self._table) & line.classes and line_end(draft.line) not in line.taken
        if units < SLACK - 1 or (not fits and self._tokens.pauses(draft.line)):
            return np.ones_like(stop) if fits else ~stop
        if not fits:
            stop[:] = False
            stop[self._tokens.ending(line.classes, self.plan.table, line.taken)] = True
        return stop

    def pull(self, draft: Draft) -> Mask | None:
        """What is favoured now: the beginning of a word that must come."""
        word = self.line.word
        if not word or self._tokens.holds(draft.line, word):
            return None
        return self._tokens.part_of(word)

    def broken(self, draft: Draft, piece: str) -> str:
        """The rule that the line would break with what was drawn, by its reading in the line; empty for none."""
        line, left = self.line, self.left(draft)
        if not left:
            return ""
        text = draft.line + piece
        if (
            line.classes
            and self._tokens.count(piece) == left
            and not line_rhyme(text, table=self._table) & line.classes
        ):
            return self.rhyme_name
        marks = line.plan.tones
        return self._tones_name if marks and tones_off(marks, text) > tones_off(marks, draft.line) else ""

    def note_relaxed(self, rule: str, draft: Draft) -> None:
        """Takes note that a rule gave way in the line at hand, which goes on without it."""
        if rule == self.rhyme_name:
            self.line.classes = frozenset()
        self._give_way(rule, len(draft.lines) + 1)

    def _give_way(self, rule: str, number: int, why: str = "nothing that this model can write fits") -> None:
        said = f"line {number}: {rule}: {why}"
        if said not in self.relaxed:
            self.relaxed.append(said)

    def next_wish(self, draft: Draft) -> LinePlan:
        """What was asked of the next line."""
        number = len(draft.lines)
        return self.plan.lines[number] if number < len(self.plan.lines) else LinePlan()

    def _rich_classes(self) -> dict[int, frozenset[str]]:
        """For each group of lines that rhyme: the classes with an end of its own for every line."""
        groups = Counter(line.rhyme for line in self.plan.lines if line.rhyme is not None and line.repeats is None)
        plan = self.plan
        return {group: self._tokens.rich(lines, plan.table, near=self._near) for group, lines in groups.items()}

    def _word_for(self, draft: Draft) -> str:
        """The word of the next line: its own, or the first whose place has come."""
        number, wish = len(draft.lines), self.next_wish(draft)
        due = (
            word for word, place in self._words.items() if place <= number and wish.has_room(self._tokens.count(word))
        )
        return wish.word or next(due, "")

    def _gap(self, draft: Draft) -> bool:
        """Whether an empty line comes next."""
        return bool(draft.lines) and draft.breaks == 1 and self.next_wish(draft).opens

    def _way_to_word(self, draft: Draft, left: int | None) -> Mask:
        """What leaves the line's word its room: the word's next part, or while there is time what is short enough."""
        word, text = self.line.word, draft.line
        begun = self._tokens.begun(text, word)
        rest = self._tokens.part_of(word[begun:])
        tail = self._tail()
        if left is None:
            return rest if begun or not text else np.ones_like(rest)
        if begun and left >= self._tokens.count(word[begun:]) + tail:
            return rest
        return rest | self._tokens.short(left - self._tokens.count(word) - tail)

    def _tail(self) -> int:
        """How many units must follow the line's word: one, where the word itself does not rhyme."""
        line = self.line
        if not line.classes:
            return 0
        fits = line_rhyme(line.word, table=self._table) & line.classes and line_end(line.word) not in line.taken
        return 0 if fits else 1


def _rhyme_name(classes: frozenset[str]) -> str:
    return f"rhyme {'/'.join(sorted(classes)) if len(classes) < 3 else 'any'}"
