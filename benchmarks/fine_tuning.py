"""What a starter is worth to a new collection: the same model, the same time, from the starter and from nothing.

    python benchmarks/starter.py --leave-out 摇滚 --leave-out 校园 --minutes 8 --out without
    python benchmarks/fine_tuning.py --starter without --style 摇滚 --style 校园 --minutes 2

The collection is every song of the styles, which the starter must not have seen. Of every ten songs eight are trained
on, by one the best weights are chosen, and the figure is that of the last one, which had no say in either.
"""

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from lyricgen.cli.display import follow
from lyricgen.evaluation.held_out import evaluate_documents
from lyricgen.model import checkpoint
from lyricgen.model.device import pick_device, prepare_torch
from lyricgen.text.corpus import Corpus, write_songbook
from lyricgen.text.documents import read_documents
from lyricgen.text.resources import songbook
from lyricgen.text.song import Song
from lyricgen.training.recipe import Wishes
from lyricgen.training.session import RunOptions, start_session


def split(songs: list[Song], folder: Path) -> tuple[Path, Path, Path]:
    """Three files, whatever the songs are marked: those to train on, those to choose by, those to report on."""
    parts = {
        "train.txt": [song for number, song in enumerate(songs) if number % 10 > 1],
        "valid.txt": songs[1::10],
        "test.txt": songs[::10],
    }
    for name, part in parts.items():
        write_songbook((Song(song.sections, title=song.title) for song in part), folder / name)
    return folder / "train.txt", folder / "valid.txt", folder / "test.txt"


def main() -> None:
    """Trains twice and prints what each holds of the songs left aside."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--starter", type=Path, required=True)
    parser.add_argument("--style", action="append", required=True)
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    prepare_torch()
    with TemporaryDirectory() as work:
        chosen = [song for song in Corpus([songbook()]) if song.style in given.style]
        train, valid, test = split(chosen, Path(work))
        shape = checkpoint.read_card(given.starter).model
        same = Wishes(cell=shape.cell, hidden=shape.hidden, layers=shape.layers, embedding=shape.embedding,
                      tied=shape.tied, residual=shape.residual, minutes=given.minutes, seed=given.seed)  # fmt: skip
        ways = {
            "from nothing": RunOptions((str(train),), Path(work, "a"), valid=str(valid), wishes=same),
            "from the starter": RunOptions((str(train),), Path(work, "b"), valid=str(valid), init_from=given.starter,
                                           wishes=Wishes(minutes=given.minutes, seed=given.seed)),
        }  # fmt: skip
        for name, options in ways.items():
            session = start_session(options, device=pick_device("auto"), began=time.monotonic())
            follow(session)
            found = evaluate_documents(checkpoint.load(session.folder), read_documents([test]))
            print(f"{name}: {found.nats_per_char:.4f} nats per character of {found.chars:,} characters held out, "
                  f"{len(chosen)} songs, {given.minutes:g} minutes")  # fmt: skip


if __name__ == "__main__":
    main()
