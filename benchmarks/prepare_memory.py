"""How much time and memory a large text takes to become ids on disk.

    python benchmarks/prepare_memory.py FILE --bytes 1000000000 --songs blank --level char

FILE is repeated with one character in twenty exchanged for another of its own until there are so many bytes.
"""

import argparse
import random
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from lyricgen.text.corpus import Corpus
from lyricgen.text.survey import WORD_MIN_COUNT
from lyricgen.text.tokenizer import Tokenizer
from lyricgen.training.prepare import prepare


def noisy(text: str, *, size: int, seed: int = 0) -> Iterator[str]:
    """Copies of a text, each with other exchanges, until they have `size` bytes in UTF-8."""
    rng = random.Random(seed)
    alphabet = sorted(set(text) - {"\n"})
    written = 0
    while written < size:
        characters = list(text)
        for at in rng.sample(range(len(characters)), len(characters) // 20):
            if characters[at] != "\n":
                characters[at] = rng.choice(alphabet)
        copy = "".join(characters).rstrip("\n") + "\n\n"
        written += len(copy.encode("utf-8"))
        yield copy


def main() -> None:
    """Makes the text, prepares it, prints figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("file", type=Path)
    parser.add_argument("--bytes", type=int, default=1_000_000_000)
    parser.add_argument("--songs", choices=["file", "blank"], default="blank")
    parser.add_argument("--level", choices=["char", "word"], default="char")
    given = parser.parse_args()
    with TemporaryDirectory() as work:
        large = Path(work, "large.txt")
        with large.open("w", encoding="utf-8") as file:
            file.writelines(noisy(given.file.read_text(encoding="utf-8"), size=given.bytes))
        began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        tokenizer, rare = Tokenizer.of_level(given.level), WORD_MIN_COUNT if given.level == "word" else 1
        corpus = Corpus([large], songs=given.songs)
        ready = prepare(corpus, Path(work), tokenizer=tokenizer, min_count=rare, blank=given.songs == "blank")
        seconds, peak = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(f"{large.stat().st_size / 1e6:,.0f} MB, {given.level}, songs by {given.songs}: {ready.train.songs:,}, "
              f"{ready.train.tokens:,} tokens, {len(ready.vocab):,} in the vocabulary; {seconds:,.0f} s; "
              f"peak {peak / 1024:,.0f} MiB, mapped files included ({before / 1024:,.0f} before)")  # fmt: skip


if __name__ == "__main__":
    main()
