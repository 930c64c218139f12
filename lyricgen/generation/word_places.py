"""In which lines of a song the words stand that its plan asks for."""

from lyricgen.generation.plan import Plan
from lyricgen.text.phonetics import count_units


def word_places(plan: Plan, *, lines: int = 0) -> dict[str, int]:
    """The index of the line in which each of a plan's words is to stand: they are spread over the song.

    Of a free song, so many `lines`, or 0.
    """
    if not plan.lines:
        apart = min(2.0, lines / len(plan.words)) if lines and plan.words else 2.0
        return {word: int((k + 0.5) * apart) for k, word in enumerate(plan.words)}
    places: dict[str, int] = {}
    for number, word in enumerate(plan.words):
        need = count_units(word)
        room = [
            k for k, line in enumerate(plan.lines)
            if line.repeats is None
            and (line.length is None or line.length >= len(line.head) + need + (line.rhyme is not None))
        ]  # fmt: skip
        fresh = [k for k in room if k not in places.values()] or room
        if fresh:
            aim = (number + 0.5) * len(plan.lines) / len(plan.words)
            places[word] = min(fresh, key=lambda k: abs(k + 0.5 - aim))
        else:
            places[word] = len(plan.lines) - 1
    return places
