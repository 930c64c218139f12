"""Writes a song as .lrc, with the time tags of the song that its plan was taken from."""

from collections.abc import Sequence

from lyricgen.errors import OptionError
from lyricgen.generation.plan import Plan


def check_times(plan: Plan) -> None:
    """Raises OptionError where a plan has no time tags."""
    if not any(line.times for line in plan.lines):
        raise OptionError("the plan has no time tags: to write .lrc, give --like an .lrc file")


def lrc_text(plan: Plan, lines: Sequence[str]) -> str:
    """The sung lines under the plan's time tags: the rows of the old file, its pauses and metadata as they were.

    Raises OptionError where the plan has no time tags, or another number of lines.
    """
    check_times(plan)
    if len(lines) != len(plan.lines):
        raise OptionError(f"the song has {len(lines)} lines, and its plan {len(plan.lines)} with time tags")
    tagged = ["".join(line.times) + new for line, new in zip(plan.lines, lines, strict=True)]
    rows = plan.layout or range(len(lines))
    return "".join((row if isinstance(row, str) else tagged[row]) + "\n" for row in rows).rstrip("\n") + "\n"
