"""Measures of songs and of costs: pure functions, each with its formula and its source (docs/evaluation.md)."""

import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from types import ModuleType

from lyricgen.errors import OptionError
from lyricgen.text.phonetics import count_units, rhyme_class
from lyricgen.text.song import Song

DISTINCT = (1, 2, 4)
BLEU_SONGS = 32  # of more songs so many are drawn: every song is compared with every other


def finite(value: float) -> float | None:
    """A number as JSON can carry it: none where it is infinite or not a number."""
    return value if math.isfinite(value) else None


def standard_error(nats: Sequence[float], chars: Sequence[int]) -> float | None:
    """Standard error of Σ nats / Σ chars over songs, by the delta method; none for fewer than two songs.

    Songs are drawn, not characters: with R the ratio and N songs, the square root of
    N/(N − 1) · Σ (nats − R · chars)² / (Σ chars)² (Cochran 1977, Sampling Techniques, section 6.4).
    """
    songs, total = len(chars), sum(chars)
    if songs < 2 or not total:
        return None
    ratio = math.fsum(nats) / total
    squares = math.fsum((cost - ratio * size) ** 2 for cost, size in zip(nats, chars, strict=True))
    return math.sqrt(songs / (songs - 1) * squares) / total


def perplexity(nats: float, tokens: int) -> float | None:
    """The exponential of the mean nats per token: of a model to which V tokens are equally likely, V.

    None where that is no number that a float can hold.
    """
    try:
        return finite(math.exp(nats / tokens))
    except OverflowError:
        return None


def shown_perplexity(nats: float, tokens: int) -> str:
    """The perplexity for people; a dash where there is none."""
    value = perplexity(nats, tokens)
    return "–" if value is None else f"{value:.2f}"


def letters(line: str) -> str:
    """What two lines are compared by: letters and digits, in one case, without spaces and punctuation."""
    return "".join(character.casefold() for character in line if character.isalnum())


def song_letters(song: Song) -> str:
    """The letters of a song's lines, end to end."""
    return "".join(map(letters, song.lines))


def ngrams(text: str, n: int) -> Iterator[str]:
    """The runs of `n` characters of a text, one from each place that has n to come."""
    return (text[at : at + n] for at in range(len(text) - n + 1))


def distinct(texts: Iterable[str], n: int) -> float | None:
    """Different n-grams of characters, as a share of all (distinct-n; Li et al. 2016, arXiv:1510.03055).

    N-grams end where their text ends. None where no text has n characters. It falls with the amount of text, so
    only amounts that are alike compare.
    """
    counts: Counter[str] = Counter(gram for text in texts for gram in ngrams(text, n))
    return len(counts) / counts.total() if counts else None


def self_bleu(texts: Sequence[str], *, seed: int = 0) -> float | None:
    """How alike texts are, from 0 to 1: the mean BLEU-4 of each against all the others, by character.

    Zhu et al. 2018 (Texygen, arXiv:1802.01886); BLEU by sacrebleu with its default smoothing. Of more than
    BLEU_SONGS texts so many are drawn. None for fewer than two. Raises OptionError where sacrebleu is missing.
    """
    metrics = load_sacrebleu()
    texts = [text for text in texts if text]
    if len(texts) > BLEU_SONGS:
        texts = random.Random(seed).sample(texts, BLEU_SONGS)
    if len(texts) < 2:
        return None
    bleu = metrics.BLEU(tokenize="char", effective_order=True)
    scores = [bleu.sentence_score(text, [*texts[:k], *texts[k + 1 :]]).score for k, text in enumerate(texts)]
    return math.fsum(scores) / len(scores) / 100


def load_sacrebleu() -> ModuleType:
    """sacrebleu's metrics. Raises OptionError, naming the extra, where it is not installed."""
    try:
        from sacrebleu import metrics
    except ImportError:
        raise OptionError("--samples needs sacrebleu; install it with: pip install 'lyricgen[report]'") from None
    return metrics


def repeated_lines(songs: Iterable[Song]) -> float | None:
    """The share of lines that stand word for word earlier in their own song; none where there is no line."""
    lines = repeats = 0
    for song in songs:
        lines += len(song.lines)
        repeats += len(song.lines) - len(set(song.lines))
    return repeats / lines if lines else None


@dataclass(frozen=True)
class Rhymes:
    """How line ends rhyme, by the thirteen classes (十三辙).

    `pairs`: neighbouring lines of a section that both end in Chinese; `rhyming`: of those, the ones that share a
    class and end in different characters; `same`: those that end in one and the same character. `chance`: how
    often two line ends of these songs would rhyme if they were drawn at random. `classes`: line ends by class.
    """

    pairs: int
    rhyming: int
    same: int
    chance: float | None
    classes: Counter[str]

    @property
    def rate(self) -> float | None:
        """The share of pairs that rhyme."""
        return self.rhyming / self.pairs if self.pairs else None

    @property
    def same_rate(self) -> float | None:
        """The share of pairs that end in the same character."""
        return self.same / self.pairs if self.pairs else None


End = tuple[frozenset[str], str]  # the classes that a line's end rhymes in, and its last letter


def rhymes(songs: Iterable[Song]) -> Rhymes:
    """Counts the rhymes of neighbouring line ends."""
    pairs = rhyming = same = 0
    ends: Counter[End] = Counter()
    for song in songs:
        for section in song.sections:
            found = [(rhyme_class(line), letters(line)[-1:]) for line in section.lines]
            ends.update(end for end in found if end[0])
            for (classes, last), (others, other) in pairwise(found):
                if classes and others:
                    pairs += 1
                    same += last == other
                    rhyming += bool(classes & others) and last != other
    by_class: Counter[str] = Counter()
    for (classes, _), count in ends.items():
        by_class.update(dict.fromkeys(classes, count))
    return Rhymes(pairs, rhyming, same, _chance(ends), by_class)


def _chance(ends: Counter[End]) -> float | None:
    """The probability that two ends drawn with replacement share a class and differ in their character."""
    total = ends.total()
    if not total:
        return None
    classes: Counter[frozenset[str]] = Counter()
    characters: dict[str, Counter[frozenset[str]]] = {}
    for (found, last), count in ends.items():
        classes[found] += count
        characters.setdefault(last, Counter())[found] += count
    return (_meeting(classes) - sum(map(_meeting, characters.values()))) / total**2


def _meeting(classes: Counter[frozenset[str]]) -> int:
    return sum(n * m for a, n in classes.items() for b, m in classes.items() if a & b)


@dataclass(frozen=True)
class Style:
    """How some songs are made: what is measured alike of songs that a model wrote and of those of people."""

    songs: tuple[Song, ...]

    @cached_property
    def texts(self) -> list[str]:
        """The letters of each song."""
        return [song_letters(song) for song in self.songs]

    @property
    def letters(self) -> int:
        """Letters of all songs."""
        return sum(map(len, self.texts))

    @cached_property
    def lengths(self) -> Counter[int]:
        """How many lines have each length, in units as singers count them."""
        return Counter(count_units(line) for song in self.songs for line in song.lines)

    @property
    def mean_length(self) -> float | None:
        """Units of a line, on average."""
        lines = self.lengths.total()
        return sum(length * count for length, count in self.lengths.items()) / lines if lines else None

    @property
    def lines_per_song(self) -> float | None:
        """Lines of a song, on average."""
        return self.lengths.total() / len(self.songs) if self.songs else None

    @cached_property
    def rhymes(self) -> Rhymes:
        """How their line ends rhyme."""
        return rhymes(self.songs)

    @property
    def repeated(self) -> float | None:
        """The share of repeated lines."""
        return repeated_lines(self.songs)


def first_letters(texts: Iterable[str], size: int) -> list[str] | None:
    """The beginning of a list of texts, `size` letters in all; none where it has fewer."""
    kept: list[str] = []
    for text in texts:
        if size <= 0:
            break
        kept.append(text[:size])
        size -= len(kept[-1])
    return kept if size <= 0 else None
