# ruff: noqa: E501 — the page's own lines
"""The card of the starter: its figures, measured now, and twenty songs as they come.

python benchmarks/starter_card.py checkpoints/starter > checkpoints/starter/README.md
"""

import argparse
from pathlib import Path

from lyricgen.evaluation.held_out import evaluate_documents
from lyricgen.generation.lyricist import Lyricist, load
from lyricgen.model.checkpoint import NOVELTY, WEIGHTS, describe
from lyricgen.text.documents import read_documents
from lyricgen.text.phonetics import is_han
from lyricgen.text.readers import read_songs
from lyricgen.text.resources import songbook
from lyricgen.text.song import Song

CARD = """# The starter

The model that lyricgen writes with where nobody has trained one. It learned the [songbook](../../data/README.md)
alone, from nothing; model and songbook are free for anyone for anything (CC0 1.0).

| | |
|---|---|
| network | {layers}×{cell} {hidden}, embedding {embedding} (tied), {parameters:,} weights, {weights:.1f} MB in half precision |
| level | characters, {vocab:,} of them |
| knows | plans (length and rhyme of each line), {moods} moods, {styles} styles |
| index of its songs | {novelty:.2f} MB (`novelty.bin`, see [novelty](../../docs/novelty.md)) |
| trained by | `{command}`, seed 0: {seconds:.0f} s on two shared cores of an AMD EPYC without bfloat16, {date} |
| read | {tokens:,} tokens, {epochs:.1f} times the {songs:,} training songs |

| songs | nats per character |
|---|---|
{held_out}

(`lyricgen evaluate data/songbook --split test --model checkpoints/starter`; the plan's own terms are counted in.)

Of {lines:,} lines of six characters or more in 200 songs at the default temperature, {copied:.2f} % stand word for word
in the training songs.

**As a start.** Measured when the songbook had 1,800 songs: a starter made for this test (eight minutes, without the
styles 摇滚 and 校园) and then two minutes on the 300 songs that those two styles had: 4.338 nats per held-out character;
the same model trained on them from nothing for the same two minutes: 4.910. (In a run before it, which other work
disturbed, 4.327 and 4.820.)

```sh
python benchmarks/starter.py --leave-out 摇滚 --leave-out 校园 --minutes 8 --out without
python benchmarks/fine_tuning.py --starter without --style 摇滚 --style 校园 --minutes 2
```

## What it cannot do

It is small, and {han:,} characters of songs are little. Its phrases and pictures are whole and its rhymes are
there, and neighbouring lines keep to one scene; but what a line says often does not follow from the one before, it
keeps no story from verse to verse, and it knows no name, place or fact. It writes in the manner of the songbook,
simplified characters only, no English. It is meant as a start for a model of your own songs
(`lyricgen train my-songs/ --init-from starter`) and as a partner that hands you lines to change. An earlier trial with
a base of Song-dynasty and early modern verse lowered the held-out loss by 0.02 nats only; more songs did much more.

## Twenty songs, unpicked

`lyricgen generate --start 星星 --seed 1`, then 2, and so on to 20 (`python benchmarks/starter_card.py` writes this
page). Section headings are not written by the model; the empty lines are.
"""


def recited(lyricist: Lyricist, known: set[str]) -> tuple[int, float]:
    """Lines of six characters or more in 200 songs, and the percentage of them that are known."""
    written = [line for song in lyricist.write(count=200, seed=1) for line in song.lines]
    long = [line for line in written if sum(map(is_han, line)) >= 6]
    return len(long), 100 * sum(line in known for line in long) / len(long)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model", type=Path)
    parser.add_argument("--date", default="2026-11-21")
    given = parser.parse_args()
    lyricist = load(given.model, device="cpu")
    told, card = describe(given.model), lyricist.checkpoint.card
    songs = [song for song in read_songs([songbook()]) if isinstance(song, Song)]
    rows = []
    for split in ("train", "valid", "test"):
        documents = [document for document in read_documents([songbook()]) if document.split == split]
        found = evaluate_documents(lyricist.checkpoint, documents)
        rows.append(f"| {split} | {found.nats_per_char:.4f} |")
    lines, copied = recited(lyricist, {line for song in songs if song.split == "train" for line in song.lines})
    results, corpus = card.results, card.corpus
    print(CARD.format(
        layers=card.model.layers, cell=card.model.cell.upper(), hidden=card.model.hidden,
        embedding=card.model.embedding, parameters=told["parameters"],
        weights=(given.model / WEIGHTS).stat().st_size / 1e6, vocab=len(lyricist.vocab), moods=len(card.moods),
        styles=len(card.styles), novelty=(given.model / NOVELTY).stat().st_size / 1e6, command=card.command,
        seconds=results["seconds"], date=given.date, tokens=results["tokens"],
        epochs=results["tokens"] / corpus["train_tokens"], songs=corpus["train_songs"], held_out="\n".join(rows),
        lines=lines, copied=copied, han=sum(map(is_han, "".join(song.text() for song in songs))),
    ))  # fmt: skip
    for seed in range(1, 21):
        (song,) = lyricist.write("星星", seed=seed)
        print(f"### Seed {seed}\n\n```\n{song.text.rstrip()}\n```\n")


if __name__ == "__main__":
    main()
