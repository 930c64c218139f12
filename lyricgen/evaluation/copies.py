"""What of some songs stands in others: shares of character n-grams and lines, and the copied runs themselves."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lyricgen.evaluation.metrics import letters, ngrams, song_letters
from lyricgen.model.checkpoint import Card
from lyricgen.text.corpus import Corpus
from lyricgen.text.documents import Songs
from lyricgen.text.novelty import NoveltyIndex
from lyricgen.text.resources import songbook
from lyricgen.text.song import Song
from lyricgen.text.units import GRAM, Units, cut, fingerprints, to_points

ORDERS = (4, 6, 8, 12)
TOLD = (6, 8, 12)  # by an index, which has eleven bits of four units: nearly all of their values stand in any corpus
RUN = 6  # characters from which on a copied run is shown


@dataclass(frozen=True)
class Copies:
    """Shares of what stands in other songs: of all n-grams, by n, and of all lines; no share where none is known."""

    ngrams: dict[int, float | None]
    lines: float | None


class Comparison:
    """Songs whose n-grams and lines are looked up in others, which stream by: memory is that of the songs alone.

    An n-gram is a run of n letters of one song, spaces and punctuation left out, that may go on over line ends.
    """

    def __init__(self, songs: Iterable[Song]) -> None:
        wanted = list(songs)
        texts = [song_letters(song) for song in wanted]
        self._wanted = {n: {gram for text in texts for gram in ngrams(text, n)} for n in ORDERS}
        self._lines = {letters(line) for song in wanted for line in song.lines}
        self._found: dict[int, set[str]] = {n: set() for n in ORDERS}
        self._found_lines: set[str] = set()
        self.songs = 0  # that were looked through

    def look_through(self, others: Iterable[Song]) -> None:
        """Looks the n-grams and lines up in other songs."""
        for song in others:
            self.songs += not song.continues
            text = song_letters(song)
            for n in ORDERS:
                self._found[n].update(self._wanted[n].intersection(ngrams(text, n)))
            self._found_lines.update(self._lines.intersection(map(letters, song.lines)))

    def copies(self, songs: Sequence[Song]) -> Copies:
        """What of songs, among those given at first, was found."""
        texts = [song_letters(song) for song in songs]
        grams = {n: _share([gram in self._found[n] for text in texts for gram in ngrams(text, n)]) for n in ORDERS}
        lines = [found in self._found_lines for song in songs for line in song.lines if (found := letters(line))]
        return Copies(grams, _share(lines))

    def marks(self, song: Song) -> list[list[bool]]:
        """For each character of each line whether it belongs to a run of RUN or more letters that was found.

        Spaces and punctuation inside a run belong to it.
        """
        flat = [character for line in song.lines for character in line]
        at = [place for place, character in enumerate(flat) for _ in letters(character)]
        text = song_letters(song)
        marked = [False] * len(flat)
        for start, gram in enumerate(ngrams(text, RUN)):
            if gram in self._found[RUN]:
                first, last = at[start], at[start + RUN - 1]
                marked[first : last + 1] = [True] * (last + 1 - first)
        rest = iter(marked)
        return [[next(rest) for _ in line] for line in song.lines]


class Indexed:
    """Songs whose n-grams are looked up in a model's index of its training songs, where the songs are not at hand.

    An n-gram is a run of n units (`lyricgen.text.units`) for n of TOLD; where all is Chinese, units are letters.
    None that stands there is missed; of an index of N units, one that stands nowhere passes for one that does with
    a probability of about N · 2^(-11 (n - 3)). The index has no lines.
    """

    def __init__(self, index: NoveltyIndex) -> None:
        index.sort()
        self._index = index
        self.songs = index.songs
        self.partial = index.partial

    def copies(self, songs: Sequence[Song]) -> Copies:
        """What of songs stands in the index."""
        found = [self._found(_units(song)) for song in songs]
        return Copies({n: _share([hit for each in found for hit in each[n]]) for n in TOLD}, None)

    def marks(self, song: Song) -> list[list[bool]]:
        """For each character of each line whether it belongs to a run of RUN or more units that was found."""
        units = _units(song)
        marked = np.zeros(sum(len(line) + 1 for line in song.lines), dtype=bool)
        for start, hit in enumerate(self._found(units)[RUN]):
            if hit:
                marked[units.starts[start] : units.ends[start + RUN - 1]] = True
        rest = iter(marked.tolist())
        return [[next(rest) for _ in f"{line}\n"][:-1] for line in song.lines]

    def _found(self, units: Units) -> dict[int, list[bool]]:
        """For each n whether the n units from each place on, that has n to come, stand in a song."""
        written = fingerprints(units.codes)
        found = {n: [False] * max(0, len(units) - n + 1) for n in TOLD}
        pairs = self._index.pairs.have(written[:-1], written[1:])
        for at in np.flatnonzero(pairs[:-1] & pairs[1:]).tolist():
            places, known = self._index.pairs.places(int(written[at]), int(written[at + 1])), 2
            for n in TOLD:
                places = self._index.follow(places, written[at : at + n - GRAM + 1], first=known)
                if at >= len(found[n]) or not len(places):
                    break
                found[n][at], known = True, n - GRAM + 1
        return found


def _units(song: Song) -> Units:
    return cut(to_points("".join(f"{line}\n" for line in song.lines)))


def _share(hits: Sequence[bool]) -> float | None:
    return sum(hits) / len(hits) if hits else None


def runs(song: Song, marks: Sequence[Sequence[bool]]) -> list[str]:
    """The marked runs as text, ` / ` where a run goes on over a line end."""
    found: list[str] = []
    going = False
    for line, row in zip(song.lines, marks, strict=True):
        for place, (character, marked) in enumerate(zip(line, row, strict=True)):
            if marked and going:
                found[-1] += (" / " if place == 0 else "") + character
            elif marked:
                found.append(character)
            going = marked
    return found


def training_songs(card: Card, paths: Sequence[str] = (), *, songs: Songs = "file") -> Iterable[Song] | None:
    """The songs that a model learned from: those at `paths`, else the songbook's where its card says so, else None.

    Songs labelled as held out are left out. Raises InputError for paths that cannot be read.
    """
    if paths:
        return _learned(Corpus(paths, songs=songs))
    if card.corpus.get("names") != ["songbook"]:
        return None
    book = Corpus([songbook()])
    read = list(book)
    # A folder of one's own may have that name, and the songbook may have changed since.
    return _learned(read) if book.report.characters == card.corpus.get("characters") else None


def _learned(songs: Iterable[Song]) -> Iterator[Song]:
    return (song for song in songs if song.split.lower() not in ("valid", "test"))
