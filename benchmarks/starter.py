"""Trains the model that ships with lyricgen: on verse in the public domain first, then on the songbook.

    python benchmarks/starter.py --verse FOLDER --out checkpoints/starter

FOLDER holds `xinshi/poems.jsonl` and `songci/train.txt` (each blank line ends a song). Without --verse the songbook
alone is learned. `--leave-out STYLE` keeps a style's songs away from it, for tests of fine-tuning.
"""

import argparse
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from safetensors.torch import load_file

from lyricgen.cli.display import follow
from lyricgen.model.checkpoint import WEIGHTS, read_card, save_weights
from lyricgen.model.device import pick_device, prepare_torch
from lyricgen.text.corpus import Corpus, write_songbook
from lyricgen.text.resources import songbook
from lyricgen.text.song import Section, Song
from lyricgen.training.recipe import Wishes
from lyricgen.training.session import RunOptions, start_session

PAUSE = re.compile(r"[，。！？；：、…—,.!?;:“”‘’「」『』（）()《》\s]+")
SHAPE = {"hidden": 512, "embedding": 256, "layers": 2, "tied": True, "residual": True}
KEPT = (WEIGHTS, "config.json", "vocab.json", "history.jsonl")


def sung(songs: Iterator[Song], *, classical: bool) -> Iterator[Song]:
    """Verse in the songbook's manner: no punctuation, pauses as line breaks or spaces.

    A classical song's first line names its tune and is not sung.
    """
    for song in songs:
        sections = []
        for number, section in enumerate(song.sections):
            lines = [PAUSE.sub(" ", line).strip() for line in section.lines]
            if classical:
                lines = [part for line in lines[number == 0 :] for part in line.split(" ")]
            sections.append(Section(tuple(line for line in lines if line)))
        yield replace(song, sections=tuple(section for section in sections if section.lines), title="", artist="")


def write_verse(verse: Path, folder: Path) -> None:
    """The verse as files that `lyricgen train` reads."""
    write_songbook(sung(iter(Corpus([verse / "xinshi" / "poems.jsonl"])), classical=False), folder / "xinshi.txt")
    songci = iter(Corpus([verse / "songci" / "train.txt"], songs="blank"))
    write_songbook(sung(songci, classical=True), folder / "songci.txt")


def write_songs(folder: Path, *, leave_out: list[str]) -> None:
    """The songbook without some styles."""
    songs = (song for song in Corpus([songbook()]) if song.style not in leave_out)
    write_songbook(songs, folder / "songbook.txt")


def run(options: RunOptions) -> Path:
    """One training run, shown as the command line shows it."""
    session = start_session(options, device=pick_device("auto"), began=time.monotonic())
    print("\n".join(session.lines))
    follow(session)
    return session.folder


def main() -> None:
    """Parses the command line and trains."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--verse", type=Path, help="a folder of verse in the public domain")
    parser.add_argument("--out", type=Path, default=Path("checkpoints/starter"))
    parser.add_argument("--base", type=Path, help="a model of the verse that is trained already")
    parser.add_argument("--keep-base", type=Path, help="keep the model of the verse here")
    parser.add_argument("--leave-out", action="append", default=[], metavar="STYLE")
    parser.add_argument("--verse-minutes", type=float, default=20)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--dropout", type=float, default=0.45)
    parser.add_argument("--lr", type=float, default=0.0015)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    prepare_torch()
    with TemporaryDirectory() as work:
        base = given.base
        if given.verse and base is None:
            verse = Path(work, "verse")
            verse.mkdir()
            write_verse(given.verse, verse)
            wishes = Wishes(**SHAPE, dropout=0.2, minutes=given.verse_minutes, seed=given.seed)
            base = run(RunOptions((str(verse),), given.keep_base or Path(work, "base"), wishes=wishes))
        songs = Path(work, "songs")
        songs.mkdir()
        write_songs(songs, leave_out=given.leave_out)
        wishes = Wishes(**({} if base else SHAPE), dropout=given.dropout, minutes=given.minutes, batch=32,
                        lr=given.lr if base else None, seed=given.seed)  # fmt: skip
        trained = run(RunOptions((str(songs),), Path(work, "trained"), init_from=base, wishes=wishes))
        finish(trained, given.out)


def finish(trained: Path, out: Path) -> None:
    """Copies a model, its weights in half precision."""
    out.mkdir(parents=True, exist_ok=True)
    weights = load_file(trained / WEIGHTS)
    save_weights(out / WEIGHTS, {name: tensor.to(torch.float16) for name, tensor in weights.items()})
    replace(read_card(trained), command="python benchmarks/starter.py --verse FOLDER").save(out)
    for name in KEPT[2:]:
        (out / name).write_bytes((trained / name).read_bytes())


if __name__ == "__main__":
    main()
