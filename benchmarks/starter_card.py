# ruff: noqa: E501 — the page's own lines
r"""The card of the starter: its figures, measured now, and twenty songs as they come.

    python benchmarks/starter_card.py checkpoints/starter > checkpoints/starter/README.md
    python benchmarks/starter_card.py checkpoints/starter --fine-tuning FROM_NOTHING FROM_STARTER --leave-out 摇滚 \
        --leave-out 校园

`--fine-tuning` are the two figures that benchmarks/fine_tuning.py printed, from nothing and from the starter, in nats
per character, and `--leave-out` the styles; without them the card is silent about fine-tuning.
"""

import argparse
import datetime
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
| trained by | `{command}`, seed 0: {seconds:.0f} s on {machine}, {date} |
| read | {tokens:,} tokens, {epochs:.1f} times the {songs:,} training songs |

| songs | nats per character |
|---|---|
{held_out}

(`lyricgen evaluate data/songbook --split test --model checkpoints/starter`; the plan's own terms are counted in.)

Of {lines:,} lines of six characters or more in 200 songs at the default temperature, {copied:.2f} % stand word for word
in the training songs, spaces and punctuation aside.
{fine_tuning}
## What it cannot do

It is small, and {han:,} characters of songs are little. Its phrases and pictures are whole and its rhymes are
there, and neighbouring lines keep to one scene; but what a line says often does not follow from the one before, it
keeps no story from verse to verse, and it knows no name, place or fact. It writes in the manner of the songbook,
simplified characters only, no English. It is meant as a start for a model of your own songs
(`lyricgen train my-songs/ --init-from starter`) and as a partner that hands you lines to change. It has learned the
songbook alone, no older verse and no other text.

## Twenty songs, unpicked

`lyricgen generate --start 星星 --seed 1`, then 2, and so on to 20 (`python benchmarks/starter_card.py` writes this
page). Section headings are not written by the model; the empty lines are.
"""

FINE_TUNING = """
**As a start.** A starter made for this test (eight minutes, without the styles {styles}), and then two minutes on eight
tenths of the {songs:,} songs of those styles: {from_starter:.3f} nats per character of a tenth that it never saw. The
same model trained on the same songs from nothing for the same two minutes: {from_nothing:.3f} ({machine}, {date}).

```sh
python benchmarks/starter.py {left_out} --minutes 8 --out without
python benchmarks/fine_tuning.py --starter without {chosen} --minutes 2
```
"""


def fine_tuning(given: argparse.Namespace, songs: list[Song]) -> str:
    """The paragraph about what the starter is worth to other songs, if its figures were given."""
    if not given.fine_tuning:
        return ""
    from_nothing, from_starter = given.fine_tuning
    names = given.leave_out
    return FINE_TUNING.format(
        styles=" and ".join(names), songs=sum(song.style in names for song in songs), from_nothing=from_nothing,
        from_starter=from_starter, machine=given.machine, date=given.date,
        left_out=" ".join(f"--leave-out {name}" for name in names),
        chosen=" ".join(f"--style {name}" for name in names),
    )  # fmt: skip


def han(line: str) -> str:
    """What two lines are compared by: a copy with other spaces or punctuation is a copy."""
    return "".join(filter(is_han, line))


def recited(lyricist: Lyricist, known: set[str]) -> tuple[int, float]:
    """Lines of six characters or more in 200 songs, and the percentage of them that are known."""
    written = [han(line) for song in lyricist.write(count=200, seed=1) for line in song.lines]
    long = [line for line in written if len(line) >= 6]
    return len(long), 100 * sum(line in known for line in long) / len(long)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model", type=Path)
    parser.add_argument("--date", default=datetime.date.today().isoformat())
    parser.add_argument("--machine", default="two shared cores of an AMD EPYC without bfloat16")
    parser.add_argument("--fine-tuning", nargs=2, type=float, metavar=("FROM_NOTHING", "FROM_STARTER"))
    parser.add_argument("--leave-out", action="append", default=[], metavar="STYLE")
    given = parser.parse_args()
    if bool(given.fine_tuning) != bool(given.leave_out):
        parser.error("--fine-tuning and --leave-out belong together: give both, or neither")
    lyricist = load(given.model, device="cpu")
    told, card = describe(given.model), lyricist.checkpoint.card
    songs = [song for song in read_songs([songbook()]) if isinstance(song, Song)]
    if unknown := {*given.leave_out} - {song.style for song in songs}:
        parser.error(f"the songbook has no style {', '.join(sorted(unknown))}; choose another for --leave-out")
    rows = []
    for split in ("train", "valid", "test"):
        documents = [document for document in read_documents([songbook()]) if document.split == split]
        found = evaluate_documents(lyricist.checkpoint, documents)
        rows.append(f"| {split} | {found.nats_per_char:.4f} |")
    lines, copied = recited(lyricist, {han(line) for song in songs if song.split == "train" for line in song.lines})
    results, corpus = card.results, card.corpus
    print(CARD.format(
        layers=card.model.layers, cell=card.model.cell.upper(), hidden=card.model.hidden,
        embedding=card.model.embedding, parameters=told["parameters"],
        weights=(given.model / WEIGHTS).stat().st_size / 1e6, vocab=len(lyricist.vocab), moods=len(card.moods),
        styles=len(card.styles), novelty=(given.model / NOVELTY).stat().st_size / 1e6, command=card.command,
        seconds=results["seconds"], date=given.date, machine=given.machine, tokens=results["tokens"],
        epochs=results["tokens"] / corpus["train_tokens"], songs=corpus["train_songs"], held_out="\n".join(rows),
        fine_tuning=fine_tuning(given, songs),
        lines=lines, copied=copied, han=sum(map(is_han, "".join(song.text() for song in songs))),
    ))  # fmt: skip
    for seed in range(1, 21):
        (song,) = lyricist.write("星星", seed=seed)
        print(f"### Seed {seed}\n\n```\n{song.text.rstrip()}\n```\n")


if __name__ == "__main__":
    main()
