"""The project's Chinese font, cut to the characters that a page shows."""

import io
from collections.abc import Iterable
from importlib import import_module

from lyricgen.text.resources import FONT, resource


def lacking(characters: Iterable[str]) -> str:
    """Those of some characters that the project's own font has not; none where fontTools is not at hand to tell."""
    try:
        fonts = import_module("fontTools.ttLib")
    except ImportError:
        return ""
    known = fonts.TTFont(resource(FONT)).getBestCmap()
    return "".join(character for character in characters if ord(character) not in known)


def own_font(characters: Iterable[str]) -> bytes:
    """An OpenType font of these characters, of those that the project's own font has.

    It takes fontTools, which comes with matplotlib, to cut it; without that it is the whole font.
    """
    path = resource(FONT)
    try:
        subset, fonts = import_module("fontTools.subset"), import_module("fontTools.ttLib")
    except ImportError:
        return path.read_bytes()
    font = fonts.TTFont(path, recalcTimestamp=False)  # the same page has the same bytes
    subsetter = subset.Subsetter(subset.Options(name_IDs=["*"]))  # the licence stays
    subsetter.populate(unicodes=map(ord, characters))
    subsetter.subset(font)
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()
