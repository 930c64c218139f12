"""How English words sound: their syllables, and the sounds that they rhyme by.

The common words stand in a pronouncing dictionary (data/english); all others are judged by their spelling.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from lyricgen.text.resources import resource

_FULL_VOWELS = ("IY", "EY", "AY", "OW", "UW", "AW", "OY")
_NEAR = {
    phone: family.split()[0]
    for family in ("M N NG", "T D", "P B", "K G", "F V", "S Z", "SH ZH CH JH", "TH DH", "AA AO", "IH IY", "UH UW")
    for phone in family.split()
}


@dataclass(frozen=True)
class Sound:
    """A pronunciation: how many syllables, and its phones from the last stressed vowel on, such as `AY T`."""

    syllables: int
    rhyme: str


@dataclass(frozen=True)
class Entry:
    """A word of the dictionary: how common it is (0: among the commonest, 7: rare) and how it sounds."""

    tier: int
    sounds: tuple[Sound, ...]


def syllables(word: str) -> int:
    """The syllables of a word, at least 1."""
    return sounds(word)[0].syllables


def rhyme_sounds(word: str, *, near: bool = False) -> frozenset[str]:
    """The names of the sounds that a word rhymes by; with `near`, those that it nearly rhymes by (time, fine)."""
    names = {name for sound in sounds(word) for name in rhyme_names(sound.rhyme)}
    return frozenset(map(near_sound, names)) if near else frozenset(names)


@cache
def rhyme_names(sound: str) -> tuple[str, ...]:
    """What a sound rhymes by: also a last full vowel that light syllables part from the stress (melody, me)."""
    phones = sound.split()
    vowels = [place for place, phone in enumerate(phones) if phone[0] in "AEIOU"]
    if len(vowels) > 2 and phones[vowels[-1]] in _FULL_VOWELS:
        return sound, " ".join(phones[vowels[-1] :])
    return (sound,)


@cache
def near_sound(name: str) -> str:
    """The name that sounds share whose last vowels are alike and whose consonants are of one kind."""
    return " ".join(_NEAR.get(phone, phone) for phone in name.split())


@lru_cache(maxsize=2**16)
def sounds(word: str) -> tuple[Sound, ...]:
    """How a word may sound, the usual way first."""
    word = word.casefold().replace("’", "'")
    for spelling in (word, f"{word}g" if word.endswith("in") else ""):  # singin' as singing
        if entry := look_up(spelling):
            return entry.sounds
    plain = "".join(char for char in unicodedata.normalize("NFD", word) if char.isascii())
    if entry := look_up(plain):
        return entry.sounds
    stem, apostrophe, ending = plain.rpartition("'")
    if apostrophe and ending == "s" and stem:
        return tuple(map(_with_s, sounds(stem)))
    rhyme = "EY" if word.endswith("é") else _guess_rhyme(plain.replace("'", "") or word)
    return (Sound(estimate_syllables(word), rhyme),)


def _with_s(sound: Sound) -> Sound:
    """The sound of a word with 's."""
    last = sound.rhyme.split()[-1]
    if last in ("S", "Z", "SH", "ZH", "CH", "JH"):
        return Sound(sound.syllables + 1, f"{sound.rhyme} IH Z")
    return Sound(sound.syllables, f"{sound.rhyme} {'S' if last in ('P', 'T', 'K', 'F', 'TH') else 'Z'}")


def look_up(word: str) -> Entry | None:
    """What the dictionary says of a word in lower case."""
    if not (found := dictionary().get(word)):
        return None
    tier, heard = found
    parts = (sound.split(" ", maxsplit=1) for sound in heard.split(" | "))
    return Entry(tier, tuple(Sound(int(count), rhyme) for count, rhyme in parts))


@cache
def dictionary() -> Mapping[str, tuple[int, str]]:
    """The known words, the commonest first: the tier of each, and its sounds as they are written in the file."""
    found: dict[str, tuple[int, str]] = {}
    tier = 0
    for line in resource("data/english/words.txt").read_text(encoding="utf-8").splitlines():
        word, _, heard = line.partition(" ")
        if word:
            found[word] = tier, heard
        else:
            tier += 1
    return found


# Groups of vowel letters that are not heard …
_SILENT = re.compile(
    r"(?:[aeiouyl]l|[^aeiouyl])e$"  # make, while; not table
    r"|(?:[aeiouyl]l|[^aeiouyldt])ed$"  # loved, called; not wanted, tabled
    r"|(?:[aeiouyl]l|[^aeiouylscgxzh]|th|ph)es$"  # makes, clothes; not boxes, tables
    r"|(?:[aeiouyl]l|[^aeiouyl])e(?:ly|less|ness|ment|ful|some)$"  # lonely, careless
    r"|^(?:some|home|love|life|time|fire|fore|here|there|where)[^aeiouyrds]"  # something
)
# … and syllables that begin inside a group, or without one.
_HIDDEN = re.compile(
    r"[aeouy](?=ing)"  # being, flying
    r"|(?<![tcsg])i(?=a[^g]|a$|o(?!u))"  # piano, violin; not social, nation, marriage
    r"|i(?=u[ms]|et)|(?<=[dlnrv])i(?=en[ct])"  # radium, quiet, audience
    r"|(?<=.[^aeiouy])i(?=e(?:r|st)$)"  # happiest; not pier
    r"|(?<=[aeiouy][^aeiouy])e(?=a$)"  # idea, area; not sea
    r"|(?<![gp])e(?=o(?!u))|(?<=g)e(?=o[glm])"  # video, geology; not people, pigeon
    r"|o(?=e[mt])"  # poem
    r"|(?<=[^aeiougq])u(?=a[lt]|e[ln]|ou)|(?<=g)u(?=ou)"  # usual, cruel, fluent, ambiguous
    r"|(?<=cr)e(?=at[^u])"  # create
    r"|[st]h?(?=m$)"  # rhythm, prism
    r"|[ds](?=n't$)"  # didn't
    r"|(?<=[^aeiouyw])'(?=(?:ll|ve)$)"  # that'll
)


def estimate_syllables(word: str) -> int:
    """The syllables of a word by its spelling alone: groups of vowels, and the letters that are not as they look."""
    word = word.casefold().replace("’", "'")
    pronounced = len(re.findall("[éè]$", word))  # café
    word = "".join(char for char in unicodedata.normalize("NFD", word) if char.isascii())
    word = re.sub(r"^y(?=[aeiou])|(?<=[aeiou])y(?=[aeiou])", "j", word).replace("qu", "q")  # yes, player, queen
    groups = len(re.findall("[aeiouy]+", word))
    silent = 0 if pronounced else len(_SILENT.findall(word))
    return max(1, groups - silent + len(_HIDDEN.findall(word)))


@cache
def _by_ending() -> Mapping[str, tuple[str, ...]]:
    """The known words by their last two letters."""
    endings = defaultdict(list)
    for word in dictionary():
        endings[word[-2:]].append(word)
    return {ending: tuple(words) for ending, words in endings.items()}


def _guess_rhyme(word: str) -> str:
    """The rhyme that most of the known words have that end like this one, in as many letters as any does."""
    alike = _by_ending().get(word[-2:], ())
    for letters in range(min(len(word), 12), 1, -1):
        if endings := [known for known in alike if known.endswith(word[-letters:])]:
            heard = Counter(entry.sounds[0].rhyme for known in endings if (entry := look_up(known)))
            return heard.most_common(1)[0][0]
    return word[-3:].upper()
