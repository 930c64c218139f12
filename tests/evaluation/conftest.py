"""Songs by hand."""

from lyricgen.text.song import Section, Song


def song(*sections: str, title: str = "") -> Song:
    """A song whose sections are given as lines with `/` between them."""
    return Song(tuple(Section(tuple(section.split("/"))) for section in sections), title=title)
