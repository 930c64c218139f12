"""Cuts training texts into the parts by which the rules of training were found, so that no held-out text was used.

    python benchmarks/parts.py songbook              # book.txt, and book8.txt, an eighth of its songs
    python benchmarks/parts.py plays train.txt       # plays.txt, plays-valid.txt and quarter.txt
    python benchmarks/parts.py poems train.txt       # poems.txt, poems-valid.txt

Of the songbook its training songs are taken, each 25th marked valid; of a long text 60,000 characters from its middle
are held out; of poems that are parted by empty lines a 25th, drawn by lot.
"""

import argparse
import random
from dataclasses import replace
from pathlib import Path

from lyricgen.text.corpus import Corpus, write_songbook
from lyricgen.text.resources import songbook

EACH, FIRST = 25, 7  # of the songs held out
EIGHTH = 8
HELD = 60_000  # characters of a long text
QUARTER = 236_000
LOT = 5


def main() -> None:
    """Parses the command line and writes the files into the folder where it stands."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("what", choices=("songbook", "plays", "poems"))
    parser.add_argument("text", type=Path, nargs="?", help="the training text of plays or poems")
    given = parser.parse_args()
    if given.what == "songbook":
        cut_songbook()
    elif given.text is None:
        parser.error(f"which text are the {given.what}?")
    else:
        text = given.text.read_text(encoding="utf-8")
        train, held = cut_plays(text) if given.what == "plays" else cut_poems(text)
        write(f"{given.what}.txt", train)
        write(f"{given.what}-valid.txt", held)
        if given.what == "plays":
            write("quarter.txt", train[:QUARTER])


def cut_songbook() -> None:
    """Writes the training songs of the songbook, and an eighth of them with the same held-out songs."""
    songs = [song for song in Corpus([songbook()]) if song.split == "train"]
    held = [replace(song, split="valid") for song in songs[FIRST::EACH]]
    marked = [replace(song, split="valid") if k % EACH == FIRST else song for k, song in enumerate(songs)]
    kept = [song for song in marked if song.split == "train"]
    write_songbook(iter(marked), Path("book.txt"))
    write_songbook(iter(kept[::EIGHTH] + held), Path("book8.txt"))


def cut_plays(text: str) -> tuple[str, str]:
    """A long text without a stretch of its middle, and that."""
    start = int(len(text) * 0.45)
    return text[:start] + text[start + HELD :], text[start : start + HELD]


def cut_poems(text: str) -> tuple[str, str]:
    """Poems without those that are drawn, and these."""
    poems = text.split("\n\n")
    random.Random(LOT).shuffle(poems)
    count = len(poems) // EACH
    return "\n\n".join(poems[count:]), "\n\n".join(poems[:count])


def write(name: str, text: str) -> None:
    """A part beside the others."""
    Path(name).write_text(text, encoding="utf-8")
    print(f"{name}: {len(text):,} characters")


if __name__ == "__main__":
    main()
