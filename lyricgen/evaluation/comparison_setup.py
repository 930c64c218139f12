"""What a comparison is asked for, and the folder in which it begins."""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from lyricgen.errors import InputError, OptionError
from lyricgen.evaluation.contenders import (
    EQUALS,
    Contender,
    check_cells,
    check_names,
    line_up,
    read_configs,
    reference_wishes,
)
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
PLAN, CORPUS, RUNS = "comparison.json", "corpus.txt", "runs"
SONGS = "corpus"  # in what is asked: which songs are compared on


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
        """What decides a run whatever its name and seed, but the songs: a folder's runs have all this in common."""
        paths = [path if path == "-" else str(Path(path).absolute()) for path in self.paths]
        sizes = {name: getattr(self, name) for name in ("hidden", "layers", "embedding")}
        length = {"epochs": self.shape.epochs, "minutes": self.shape.minutes}
        return {"paths": paths, "songs": self.songs, "level": self.level, "equal": self.equal, **length, **sizes}


@dataclass(frozen=True)
class Plan:
    """What was settled when a comparison began: the settings all share, and what the corpus holds.

    `lr_by_width`: whether the learning rate goes by a contender's width; in comparisons of before it does not.
    """

    asked: dict[str, Any]
    base: Wishes
    vocab_size: int
    lines: tuple[str, ...]
    lr_by_width: bool = True

    def save(self, folder: Path) -> None:
        """Writes it into the comparison's folder."""
        write_text(folder / PLAN, json.dumps(asdict(self), ensure_ascii=False, indent=2) + "\n")

    @classmethod
    def read(cls, folder: Path) -> "Plan":
        """The plan in a folder. Raises InputError where it is none."""
        try:
            data = json.loads((folder / PLAN).read_text(encoding="utf-8"))
            return cls(dict(data["asked"]), Wishes(**data["base"]), int(data["vocab_size"]), tuple(data["lines"]),
                       bool(data.get("lr_by_width")))  # fmt: skip
        except (OSError, ValueError, KeyError, TypeError, RecursionError, OptionError) as error:
            raise InputError(f"{folder / PLAN} is damaged; choose another --out") from error


def open_folder(options: CompareOptions, *, device: torch.device) -> tuple[Path, Plan, bool]:
    """The folder of a comparison, its plan, and whether it was begun before.

    The corpus is read in either case: a folder belongs to what the songs were when it was begun, not to their paths.
    Raises OptionError where the folder holds another comparison, and leaves nothing behind where it cannot begin.
    """
    check_names(options.cells, read_configs(options.configs))  # before anything is made
    if options.out is not None:
        _check_out(options.out, options.asked())
    with _workplace(options.out or COMPARISONS / "new") as making:
        corpus = Corpus(options.paths or (songbook(),), songs=options.songs)
        write_songbook(corpus, making / CORPUS)
        asked = {**options.asked(), SONGS: _digest(making / CORPUS)}
        folder = options.out or _default_folder(options, asked)
        begun = (folder / PLAN).is_file()
        if not begun:
            plan = _survey(options, asked, corpus, making, device=device)
            line_up_of(options, plan)
            plan.save(making)
            if folder.exists():
                folder.rmdir()
            making.replace(folder)
    plan = Plan.read(folder)
    _check_same(folder, plan.asked, asked)
    return folder, plan, begun


def line_up_of(options: CompareOptions, plan: Plan) -> tuple[Contender, ...]:
    """Who takes part in a comparison. Raises as `line_up` does."""
    return line_up(options.cells, read_configs(options.configs), base=plan.base, equal=options.equal,
                   vocab_size=plan.vocab_size, lr_by_width=plan.lr_by_width)  # fmt: skip


def _check_out(folder: Path, asked: dict[str, Any]) -> None:
    """Raises LyricgenError for a folder that cannot be the comparison's, as far as that shows without the songs."""
    if (folder / PLAN).is_file():
        begun = Plan.read(folder).asked
        _check_same(folder, begun, {SONGS: begun.get(SONGS), **asked})
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} exists already and holds no comparison; choose another --out")


def _check_same(folder: Path, begun: dict[str, Any], asked: dict[str, Any]) -> None:
    """Raises OptionError where a comparison was begun with something else than is asked."""
    if SONGS not in begun:
        raise OptionError(f"{folder} was begun by an older lyricgen; choose another --out")
    other = [name for name in {**begun, **asked} if begun.get(name) != asked.get(name)]
    if other == [SONGS]:
        raise OptionError(f"{folder} holds a comparison on other songs; choose another --out")
    if other:
        raise OptionError(
            f"{folder} holds a comparison with other settings ({', '.join(other)}); choose another --out"
        )


def _default_folder(options: CompareOptions, asked: dict[str, Any]) -> Path:
    """comparisons/<corpus>-<n>: the one that these settings and songs began, else the first that is free."""
    first = options.paths[0] if options.paths else "songbook"
    name = "stdin" if first == "-" else Path(first).absolute().stem[:40]
    number = 1
    while (folder := COMPARISONS / f"{name}-{number}").exists():
        if (folder / PLAN).is_file() and Plan.read(folder).asked == asked:
            return folder
        number += 1
    return folder


@contextmanager
def _workplace(beside: Path) -> Iterator[Path]:
    """A folder to work in; what was not moved from it is gone afterwards, with the parents that were made for it."""
    made = [each for each in beside.parents if not each.exists()]  # the innermost first
    making = beside.parent / f".{beside.name}-{os.getpid()}"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    try:
        yield making
    finally:
        shutil.rmtree(making, ignore_errors=True)
        with contextlib.suppress(OSError):  # one that holds something stays, and so do those around it
            for each in made:
                each.rmdir()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _survey(
    options: CompareOptions, asked: dict[str, Any], corpus: Corpus, making: Path, *, device: torch.device
) -> Plan:
    """What all runs share, by how many tokens and of how many kinds they will read."""
    prepared = _prepare(options, making)
    recipe = choose(replace(options.shape, cell="lstm"), tokens=prepared.train.tokens,
                    vocab_size=len(prepared.vocab), device=device)  # fmt: skip
    text = f"{prepared.train.characters:,} characters, {len(prepared.vocab):,} tokens in the vocabulary"
    lines = (*corpus.report.lines(), f"training text: {text}; {prepared.split}")
    return Plan(asked, reference_wishes(recipe), len(prepared.vocab), lines)


def _prepare(options: CompareOptions, making: Path) -> Prepared:
    """The corpus as the runs will read it."""
    rare = 1 if options.level == "char" else WORD_MIN_COUNT
    work = making / "survey"
    work.mkdir()
    prepared = prepare(
        Corpus((making / CORPUS,), songs=options.songs),
        work,
        tokenizer=Tokenizer.of_level(options.level),
        min_count=rare,
        plan=False,
        blank=options.songs == "blank",
        seed=0,
    )
    shutil.rmtree(work)
    return prepared
