"""What a songwriter asks of one line."""

from dataclasses import dataclass

from lyricgen.errors import OptionError

MOST_LINES = 1000
MOST_UNITS = 60  # of one line
TONE_MARKS = "平仄中"


@dataclass(frozen=True)
class LinePlan:
    """What one line shall be; what is left at its default is open.

    `length` counts Han characters, or the syllables of an English line. Lines of one `rhyme` group rhyme with each
    other and end in different characters. `tones` has one mark a unit, 中 for either. `section` is the heading of
    the section that begins with the line; where `opens`, an empty line stands before it. A line that `repeats` an
    earlier one, by its index, is that line word for word, and asks nothing else. `times` are the tags of an .lrc. The
    `word` shall stand in this line; those that may stand anywhere are the plan's.
    """

    length: int | None = None
    rhyme: int | None = None
    head: str = ""
    tones: str = ""
    section: str = ""
    opens: bool = False
    repeats: int | None = None
    times: tuple[str, ...] = ()
    word: str = ""

    def has_room(self, units: int) -> bool:
        """Whether a word of so many units has a place in the line, beside its head and an end that rhymes."""
        need = len(self.head) + units + (self.rhyme is not None)
        return self.repeats is None and (self.length is None or need <= self.length)

    def __post_init__(self) -> None:
        if self.length is not None and not 1 <= self.length <= MOST_UNITS:
            raise OptionError(f"a line must have from 1 to {MOST_UNITS} characters, got {self.length}")
        if self.length is not None and self.tones and len(self.tones) != self.length:
            raise OptionError(
                f"a line of {self.length} characters cannot have the {len(self.tones)} tones {self.tones}; "
                "give as many tones as the pattern has characters"
            )
