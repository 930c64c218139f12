"""What a comparison is asked for, and the folder in which it begins."""

import json
import os
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from lyricgen.errors import InputError, OptionError
from lyricgen.evaluation.contenders import EQUALS, check_cells, read_configs, reference_wishes
from lyricgen.model.checkpoint import write_text
from lyricgen.model.config import check_choice, check_range
from lyricgen.text.corpus import Corpus, write_songbook
from lyricgen.text.documents import Songs
from lyricgen.text.resources import songbook
from lyricgen.text.survey import WORD_MIN_COUNT
from lyricgen.text.tokenizer import LEVELS, Tokenizer
from lyricgen.training.prepare import Prepared, prepare
from lyricgen.training.recipe import Wishes, choose

DEFAULT_MINUTES = 1.0
COMPARISONS = Path("comparisons")
PLAN, CORPUS = "comparison.json", "corpus.txt"


@dataclass(frozen=True)
class CompareOptions:
    """What is compared. No `paths` means the songbook; no `out` a folder in ./comparisons.

    `equal`: whether all have as many parameters or the same width. A run lasts `epochs` or `minutes` (default: 1
    minute); each contender is trained with the seeds 0, 1, …, `seeds` − 1, all on the same split of the songs.
    """

    paths: tuple[str, ...] = ()
    out: Path | None = None
    songs: Songs = "file"
    level: str = "char"
    cells: tuple[str, ...] = ("rnn", "lstm", "gru")
    configs: Path | None = None
    equal: str = "parameters"
    epochs: int | None = None
    minutes: float | None = None
    seeds: int = 1
    hidden: int | None = None
    layers: int | None = None
    embedding: int | None = None
    command: str = ""

    def __post_init__(self) -> None:
        check_cells(self.cells)
        check_choice("equal", self.equal, EQUALS)
        check_choice("level", self.level, LEVELS)
        check_choice("songs", self.songs, ("file", "blank"))
        check_range("seeds", self.seeds, 1, 1000)
        if not self.cells and self.configs is None:
            raise OptionError("there is nothing to compare; name --cells or a file of --configs")
        _ = self.shape  # checks itself

    @property
    def shape(self) -> Wishes:
        """What the user fixed of every run."""
        minutes = self.minutes if self.minutes is not None or self.epochs else DEFAULT_MINUTES
        return Wishes(hidden=self.hidden, layers=self.layers, embedding=self.embedding, epochs=self.epochs,
                      minutes=minutes, patience=0)  # fmt: skip

    def asked(self) -> dict[str, Any]:
        """What decides a run whatever its name and seed: a folder holds runs that have all this in common."""
        paths = [path if path == "-" else str(Path(path).absolute()) for path in self.paths]
        sizes = {name: getattr(self, name) for name in ("hidden", "layers", "embedding")}
        length = {"epochs": self.shape.epochs, "minutes": self.shape.minutes}
        return {"paths": paths, "songs": self.songs, "level": self.level, "equal": self.equal, **length, **sizes}


@dataclass(frozen=True)
class Plan:
    """What was settled when a comparison began: the settings all share, and what the corpus holds."""

    asked: dict[str, Any]
    base: Wishes
    vocab_size: int
    lines: tuple[str, ...]

    def save(self, folder: Path) -> None:
        """Writes it into the comparison's folder."""
        write_text(folder / PLAN, json.dumps(asdict(self), ensure_ascii=False, indent=2) + "\n")

    @classmethod
    def read(cls, folder: Path) -> "Plan":
        """The plan in a folder. Raises InputError where it is none."""
        try:
            data = json.loads((folder / PLAN).read_text(encoding="utf-8"))
            return cls(dict(data["asked"]), Wishes(**data["base"]), int(data["vocab_size"]), tuple(data["lines"]))
        except (OSError, ValueError, KeyError, TypeError, RecursionError, OptionError) as error:
            raise InputError(f"{folder / PLAN} is damaged; choose another --out") from error


def open_folder(options: CompareOptions, *, device: torch.device) -> tuple[Path, Plan]:
    """The folder of a comparison, begun now or before, and its plan.

    Raises OptionError where the folder holds another comparison, and leaves nothing behind where it cannot begin.
    """
    read_configs(options.configs)  # before anything is made
    folder = options.out or _default_folder(options)
    if folder.exists() and not (folder / PLAN).is_file():
        if not folder.is_dir() or any(folder.iterdir()):
            raise InputError(f"{folder} exists already and holds no comparison; choose another --out")
        folder.rmdir()
    if not folder.exists():
        _begin(options, folder, device=device)
    plan, asked = Plan.read(folder), options.asked()
    other = [name for name in {**plan.asked, **asked} if plan.asked.get(name) != asked.get(name)]
    if other:
        raise OptionError(
            f"{folder} holds a comparison with other settings ({', '.join(other)}); choose another --out"
        )
    return folder, plan


def _default_folder(options: CompareOptions) -> Path:
    """comparisons/<corpus>-<n>: the one that these settings began, else the first that is free."""
    first = options.paths[0] if options.paths else "songbook"
    name = "stdin" if first == "-" else Path(first).absolute().stem[:40]
    number = 1
    while (folder := COMPARISONS / f"{name}-{number}").exists():
        if (folder / PLAN).is_file() and Plan.read(folder).asked == options.asked():
            return folder
        number += 1
    return folder


def _begin(options: CompareOptions, folder: Path, *, device: torch.device) -> None:
    """Makes the folder of a comparison, whole or not at all: the cleaned corpus and what all runs share."""
    making = folder.parent / f".{folder.name}-{os.getpid()}"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    try:
        corpus = Corpus(options.paths or (songbook(),), songs=options.songs)
        write_songbook(corpus, making / CORPUS)
        prepared = _survey(options, making)
        recipe = choose(replace(options.shape, cell="lstm"), tokens=prepared.train.tokens,
                        vocab_size=len(prepared.vocab), device=device)  # fmt: skip
        text = f"{prepared.train.characters:,} characters, {len(prepared.vocab):,} tokens in the vocabulary"
        lines = (*corpus.report.lines(), f"training text: {text}; {prepared.split}")
        Plan(options.asked(), reference_wishes(recipe), len(prepared.vocab), lines).save(making)
        making.replace(folder)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise


def _survey(options: CompareOptions, making: Path) -> Prepared:
    """How many tokens and of how many kinds the runs will read."""
    rare = 1 if options.level == "char" else WORD_MIN_COUNT
    work = making / "survey"
    work.mkdir()
    prepared = prepare(
        Corpus((making / CORPUS,), songs=options.songs),
        work,
        tokenizer=Tokenizer.of_level(options.level),
        min_count=rare,
        blank=options.songs == "blank",
        seed=0,
    )
    shutil.rmtree(work)
    return prepared
