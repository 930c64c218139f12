"""The hard rules of a song's form: which tokens may not come next."""

from collections.abc import Callable
from dataclasses import dataclass, field

from lyricgen.errors import OptionError
from lyricgen.text.vocab import END, Vocab

MIN_LINES, MAX_LINES = 4, 40
MAX_LINE = 200  # characters of a line that comes to no end by itself
MAX_TOKENS = 4000  # of a free song that comes to no end by itself


@dataclass(frozen=True)
class Form:
    """How long a song becomes: so many lines, or `length` tokens after the start, or, with neither, its own end.

    `repeats` allows a line that has just been written to come again at once.
    """

    lines: int = 0
    length: int = 0
    repeats: bool = False

    def __post_init__(self) -> None:
        for name, value, most in (("lines", self.lines, 10_000), ("length", self.length, 1_000_000)):
            if not 0 <= value <= most:
                raise OptionError(f"{name} must be from 1 to {most}, got {value}")
        if self.lines and self.length:
            raise OptionError("a song has either so many lines or a length in tokens; give one of the two")


@dataclass
class Draft:
    """A song as far as it is written: its text, split into lines as it grows."""

    text: str = ""
    lines: list[str] = field(default_factory=list)  # finished ones that are sung, the empty ones left out
    line: str = ""  # the one at hand
    ids: list[int] = field(default_factory=list)
    breaks: int = 0  # line breaks since the last character of a line
    written: int = 0  # tokens after the start text
    ended: bool = False
    relaxed: tuple[str, ...] = ()  # rules that gave way, when the song is finished

    def add(self, piece: str) -> None:
        """Takes in the text of one token."""
        self.text += piece
        *finished, self.line = (self.line + piece).split("\n")
        for line in finished:
            self.breaks = 1 if line else self.breaks + 1
            if line:
                self.lines.append(line)
        if self.line:
            self.breaks = 0


Rule = Callable[[Draft], tuple[int, ...]]  # ids that may not come next


class FormRules:
    """The rules for one form under one vocabulary, the most important first."""

    def __init__(self, form: Form, vocab: Vocab, *, also: tuple[tuple[str, Rule], ...] = ()) -> None:
        self.form = form
        self._ids = vocab.ids
        self._break = vocab.ids.get("\n", -1)
        self._space = vocab.ids.get(" ", -1)
        own = [self._ends, self._breaks, self._spaces, *([] if form.repeats else [self._repeats])]
        # Those without a name give way without a word.
        self.rules: tuple[tuple[str, Rule], ...] = (*(("", rule) for rule in own), *also)

    def finished(self, draft: Draft) -> bool:
        """Whether the song is complete."""
        if self.form.length:
            return draft.written >= self.form.length
        if self.form.lines and self._break >= 0:
            return draft.breaks > 0 and len(draft.lines) >= self.form.lines
        return draft.ended or (draft.breaks > 0 and len(draft.lines) >= MAX_LINES) or draft.written >= MAX_TOKENS

    def forced(self, draft: Draft) -> int | None:
        """The id that must come next whatever the model thinks: the break of a line that has grown too long."""
        if self.form.length or self._break < 0 or len(draft.line) < MAX_LINE:
            return None
        return self._break

    def _ends(self, draft: Draft) -> tuple[int, ...]:
        """A song ends after a finished line, when it has lines enough."""
        free = not self.form.length and not self.form.lines
        return () if free and len(draft.lines) >= MIN_LINES and draft.breaks == 1 else (END,)

    def _breaks(self, draft: Draft) -> tuple[int, ...]:
        """One empty line parts sections; none opens a song."""
        return (self._break,) if draft.breaks >= 2 or not draft.text else ()

    def _spaces(self, draft: Draft) -> tuple[int, ...]:
        """No space opens or closes a line, and none follows another."""
        if self._space < 0 or (draft.line and not draft.line.endswith(" ")):
            return ()
        return (self._space, self._break) if draft.line else (self._space,)

    def _repeats(self, draft: Draft) -> tuple[int, ...]:
        """The token that would make this line the one before it again."""
        last = draft.lines[-1] if draft.lines else ""
        if not draft.text or not last.startswith(draft.line):
            return ()
        closing = self._ids.get(last[len(draft.line) :])
        return (closing,) if closing is not None else ()
