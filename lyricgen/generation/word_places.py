"""In which lines of a song the words stand that its plan asks for."""

from collections.abc import Callable

from lyricgen.generation.constraints import MAX_LINES
from lyricgen.generation.plan import Plan
from lyricgen.text.phonetics import line_units


def word_places(plan: Plan, *, lines: int = 0, count: Callable[[str], int] = line_units) -> dict[str, int]:
    """The index of the line in which each of a plan's words is to stand: they are spread over the song.

    Of a free song, so many `lines`, or 0; `count` says how much of a line a word takes.
    """
    if not plan.lines:
        apart = min(2.0, (lines or MAX_LINES) / max(1, len(plan.words)))
        return {word: int((k + 0.5) * apart) for k, word in enumerate(plan.words)}
    places: dict[str, int] = {}
    for number, word in enumerate(plan.words):
        room = [k for k, line in enumerate(plan.lines) if line.has_room(count(word))]
        fresh = [k for k in room if k not in places.values()] or room
        if fresh:
            aim = (number + 0.5) * len(plan.lines) / len(plan.words)
            places[word] = min(fresh, key=lambda k: abs(k + 0.5 - aim))
        else:
            places[word] = len(plan.lines) - 1
    return places
