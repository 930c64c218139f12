"""Makes words.txt from the CMU Pronouncing Dictionary and the word lists of SCOWL; see README.md."""

import json
import re
import sys
from pathlib import Path

TIERS = (10, 20, 35, 40, 50, 55, 60, 70)
DIALECTS = ("english", "american", "british", "canadian", "australian")
VARIANTS = 3  # pronunciations kept of one word

# Words that are sung and that lists of dictionary words leave out. The first belong to the commonest.
SHORT = """
    i i'm i'll i've i'd you're you'll you've you'd he's he'll he'd she's she'll she'd it's it'll it'd we're
    we'll we've we'd they're they'll they've they'd that's that'll there's there'll here's what's what'll who's
    who'll where's how's when's why's let's don't doesn't didn't won't wouldn't can't couldn't shouldn't isn't
    aren't wasn't weren't ain't hasn't haven't hadn't mustn't y'all c'mon 'cause 'til 'bout 'round 'em 'tis
    o'clock ma'am
"""
NAMED = """
    na doo monday tuesday wednesday thursday friday saturday sunday january february march april june july august
    september october november december christmas easter jesus christ america american africa asia europe england
    english france french germany german spain spanish italy italian china chinese japan japanese russia russian india
    paris london york tokyo rome berlin boston chicago texas tennessee memphis nashville hollywood vegas california
    carolina virginia georgia jersey orleans detroit brooklyn harlem broadway mexico jamaica hawaii alabama louisiana
    mary john johnny jack jackie jane james jim jimmy joe joey billy bobby annie anna maria susie lucy sally molly
    michael david daniel peter paul tommy charlie henry george mike sam sarah suzanne emily elizabeth romeo juliet
    caroline angie layla roxanne jolene delilah cadillac chevy mercedes
"""


def read_pronunciations(module: Path) -> dict[str, list[list[str]]]:
    """The phones of each word, its usual pronunciation first."""
    found: dict[str, list[list[str]]] = {}
    for word, phones in re.findall(r'^  "?([^"\s:]+)"?: "([^"]+)"', module.read_text(encoding="utf-8"), re.MULTILINE):
        found.setdefault(re.sub(r"\(\d\)$", "", word), []).append(phones.partition(" #")[0].split())
    return found


def read_tiers(folder: Path) -> list[list[str]]:
    """The words of each tier that no tier before it has, the commonest tier first."""
    tiers, seen = [], set()
    for number in TIERS:
        files = [folder / f"{dialect}-words-{number}.json" for dialect in DIALECTS]
        words = {word.lower() for file in files for word in json.loads(file.read_text(encoding="utf-8"))}
        words = {word for word in words if len(word) > 1 or word in "aio"}  # not the names of letters
        words |= set({TIERS[0]: SHORT, TIERS[2]: NAMED}.get(number, "").split())
        tiers.append(sorted(words - seen))
        seen |= words
    return tiers


def sound(phones: list[str]) -> str:
    """How many syllables, and the phones from the last stressed vowel on: `2 AY T` for tonight."""
    vowels = [place for place, phone in enumerate(phones) if phone[-1].isdigit()]
    stressed = [place for place in vowels if phones[place][-1] != "0"]
    end = phones[(stressed or vowels)[-1] :]
    return f"{len(vowels)} {' '.join(phone.rstrip('012') for phone in end)}"


def sounds(pronunciations: list[list[str]]) -> list[str]:
    """The different ones among a word's sounds."""
    audible = [phones for phones in pronunciations if any(phone[-1].isdigit() for phone in phones)]
    return list(dict.fromkeys(map(sound, audible)))[:VARIANTS]


def main(dictionary: str, lists: str) -> None:
    pronunciations = read_pronunciations(Path(dictionary, "index.js"))
    parts = []
    for words in read_tiers(Path(lists)):
        known = [(word, sounds(pronunciations[word])) for word in words if word in pronunciations]
        parts.append("".join(f"{word} {' | '.join(heard)}\n" for word, heard in known if heard))
    Path(__file__).with_name("words.txt").write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
