"""How much of what a model writes stands in its training songs, and how likely it finds the songs left aside.

Lines are compared by their Han characters.

python benchmarks/recital.py checkpoints/starter
"""

import argparse

from lyricgen.evaluation.held_out import evaluate_documents
from lyricgen.generation.lyricist import load
from lyricgen.text.corpus import Corpus
from lyricgen.text.documents import Document
from lyricgen.text.phonetics import is_han
from lyricgen.text.resources import songbook


def han(line: str) -> str:
    """What two lines are compared by: a copy with other spaces or punctuation is a copy."""
    return "".join(filter(is_han, line))


def main() -> None:
    """Writes 200 songs and counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model")
    given = parser.parse_args()
    lyricist = load(given.model, device="cpu")
    songs = list(Corpus([songbook()]))
    for split in ("train", "valid", "test"):
        texts = [song.text() for song in songs if song.split == split]
        found = evaluate_documents(lyricist.checkpoint, (Document(text, len(text), ended=True) for text in texts))
        print(f"{split}: {found.nats_per_char:.3f} nats per character of {found.chars:,}")
    learned = {han(line) for song in songs if song.split == "train" for line in song.lines}
    apart = {han(line) for song in songs if song.split != "train" for line in song.lines}
    written = [han(line) for song in lyricist.write(count=200, seed=1) for line in song.lines]
    long = [line for line in written if len(line) >= 6]
    print(f"200 songs, {len(written):,} lines, {len(long):,} of six characters or more: "
          f"{sum(line in learned for line in long) / len(long):.2%} stand in the training songs, "
          f"{sum(line in apart for line in long) / len(long):.2%} in the others, "
          f"{1 - len(set(long)) / len(long):.2%} repeat another line")  # fmt: skip


if __name__ == "__main__":
    main()
