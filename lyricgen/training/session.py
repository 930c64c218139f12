"""From what a user asks to a run that is ready to go: corpus, vocabulary, recipe, model, folder."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import torch

from lyricgen import __version__
from lyricgen.errors import InputError, OptionError, TrainingError
from lyricgen.model import checkpoint
from lyricgen.model.checkpoint import Card, Checkpoint, read_vocab
from lyricgen.model.config import ModelConfig, check_choice, check_range
from lyricgen.model.locate import RUNS, find_model
from lyricgen.model.network import LyricModel
from lyricgen.text.corpus import Corpus
from lyricgen.text.documents import Songs, read_documents
from lyricgen.text.labels import LENGTHS, RHYMES
from lyricgen.text.novelty import MOST, NoveltyBuilder
from lyricgen.text.resources import songbook
from lyricgen.text.survey import WORD_MIN_COUNT
from lyricgen.text.tokenizer import LEVELS, Tokenizer
from lyricgen.training.distributed import ALONE, Ranks
from lyricgen.training.prepare import Prepared, prepare
from lyricgen.training.probe import tokens_per_second
from lyricgen.training.recipe import PRESETS, WINDOW, Recipe, Wishes, check_batch, choose
from lyricgen.training.run_folder import BorrowedFolder, RunFolder
from lyricgen.training.schedule import Clock
from lyricgen.training.song_labels import Names
from lyricgen.training.trainer import Trainer
from lyricgen.training.transfer import grow
from lyricgen.training.vectors import read_vectors

LEAST_LEFT = 0.05  # of a run's minutes, that reading has to leave
TRIAL_MINUTES = 1.0  # a shorter run only tries what the command does, and is made at any rate


@dataclass(frozen=True)
class RunOptions:
    """What a run is asked for. No `paths` means the songbook; no `out` a new folder in ./checkpoints.

    `plan`: whether the model learns plans; left open, where the lines of the corpus are sung Chinese.
    `split_seed` decides which songs are held out; without it the run's own seed does.
    """

    paths: tuple[str, ...] = ()
    out: Path | None = None
    valid: str | None = None
    songs: Songs = "file"
    level: str | None = None
    min_count: int | None = None
    preset: str | None = None
    vectors: Path | None = None
    init_from: Path | None = None
    wishes: Wishes = field(default_factory=Wishes)
    command: str = ""
    plan: bool | None = None
    split_seed: int | None = None

    def __post_init__(self) -> None:
        check_choice("level", self.level or "char", LEVELS)
        check_choice("songs", self.songs, ("file", "blank"))
        check_range("min-count", 1 if self.min_count is None else self.min_count, 1, 1e9)
        if self.preset is not None:
            check_choice("preset", self.preset, tuple(PRESETS))
        if self.init_from is not None and (self.wanted.shape() or self.preset or self.vectors):
            fixed = ", ".join(f"--{name}" for name in self.wanted.shape()) or "--preset or --vectors"
            raise OptionError(f"a model that goes on learning keeps its shape; leave out {fixed}, or --init-from")
        if self.init_from is not None and self.level is not None:
            raise OptionError("a model that goes on learning keeps its level; leave out --level, or --init-from")

    @property
    def wanted(self) -> Wishes:
        """The wishes, with the preset's where there is none."""
        if self.preset is None:
            return self.wishes
        base = PRESETS[self.preset]
        return self.wishes.over(replace(base, epochs=None) if self.wishes.minutes else base)


@dataclass(frozen=True)
class Session:
    """A run that is ready, and what there is to say about it, one line each."""

    trainer: Trainer
    folder: Path
    lines: tuple[str, ...]


def start_session(
    options: RunOptions, *, device: torch.device, began: float, ranks: Ranks = ALONE, clock: Clock = time.monotonic
) -> Session:
    """Reads the corpus and makes a run of it. `began`, on the `clock` of its minutes, is when the command started.

    Where several `ranks` train together the first does this, and the others take part in the run that it saved.
    Raises LyricgenError, and then leaves no folder behind.
    """
    check_batch(options.wanted, ranks=ranks.size)
    session: Session | None = None
    with ranks.agreed(patient=True):
        if ranks.first:
            session = _begin(options, device=device, began=began, ranks=ranks, clock=clock)
    path = ranks.same(session.folder if session else Path())
    with _removed_on_failure(session.trainer.folder) if session else nullcontext(), ranks.agreed(patient=True):
        return session or _take_part(path, device=device, ranks=ranks)


def resume_session(
    path: Path, *, device: torch.device, ranks: Ranks = ALONE, clock: Clock = time.monotonic
) -> Session:
    """The run in a folder, where it was saved last. Raises TrainingError where there is none to go on with."""
    session: Session | None = None
    with ranks.agreed(patient=True):
        if ranks.first:
            folder = RunFolder.reopen(path)
            trainer = Trainer.resume(folder, read_vocab(path), device=device, ranks=ranks, clock=clock)
            session = Session(trainer, path, (f"going on with {path}",))
    with ranks.agreed(patient=True):
        return session or _take_part(path, device=device, ranks=ranks)


def _take_part(path: Path, *, device: torch.device, ranks: Ranks) -> Session:
    """The run that the first rank saved, for another."""
    if not path.is_dir():
        raise TrainingError(f"its machine has no {path}; a run's folder must be one that all machines share")
    return Session(Trainer.resume(BorrowedFolder(path), read_vocab(path), device=device, ranks=ranks), path, ())


def _begin(options: RunOptions, *, device: torch.device, began: float, ranks: Ranks, clock: Clock) -> Session:
    """A new run in a folder of its own, saved before its first step."""
    corpus = Corpus(options.paths or (songbook(),), songs=options.songs)
    folder = RunFolder.create(options.out or _next_folder(options.paths))
    with _removed_on_failure(folder):
        source = checkpoint.load(find_model(options.init_from)) if options.init_from else None
        prepared = _prepare(options, corpus, folder, source=source)
        if prepared.novelty is not None:
            folder.save_novelty(prepared.novelty)
        if options.valid and prepared.valid is None:
            raise InputError(f"{options.valid} is empty; give --valid a text to measure on, or leave it out")
        shape = _fitted(source.card.model, prepared) if source else None
        left, late = _after_reading(options, used=clock() - began)
        recipe = choose(left, tokens=prepared.train.tokens, vocab_size=len(prepared.vocab), device=device,
                        model=shape, ranks=ranks.size, pace=partial(tokens_per_second, device=device))  # fmt: skip
        model, lines = _make_model(options, recipe, prepared, source)
        card = Card(model.config, corpus=_describe(options, corpus), songs=options.songs,
                    command=options.command, lyricgen=__version__)  # fmt: skip
        training = replace(recipe.training, minutes=options.wanted.time)  # of which reading was a part
        trainer = Trainer.start(model, prepared, training, folder, card, device=device, used=clock() - began,
                                clock=clock, ranks=ranks)  # fmt: skip
    text = f"{prepared.train.characters:,} characters, {len(prepared.vocab):,} tokens in the vocabulary"
    said = (*corpus.report.lines(), f"training text: {text}; {prepared.split}", *lines, recipe.why, *late)
    said += _unindexed(prepared, source)
    return Session(trainer, folder.path, said + _shrunk(options, recipe))


def _after_reading(options: RunOptions, *, used: float) -> tuple[Wishes, tuple[str, ...]]:
    """The wishes with the minutes that remain after `used` seconds, and what there is to say of it.

    Raises TrainingError where hardly any remain: the model would know next to nothing, and not say so.
    """
    wishes, asked = options.wanted, options.wanted.time
    if not asked:
        return wishes, ()
    left = asked - used / 60
    wishes = replace(wishes, minutes=max(0.01, round(left, 1 if left >= 1 else 2)))
    if left >= LEAST_LEFT * asked:
        return wishes, ()
    late = f"reading took {used / 60:.3g} of {asked:g} minutes; give more --minutes"
    if asked >= TRIAL_MINUTES:
        raise TrainingError(late)
    return wishes, (late,)


def _fitted(config: ModelConfig, prepared: Prepared) -> ModelConfig:
    """The configuration with as many tokens and values of labels as the corpus has."""
    config = replace(config, vocab_size=len(prepared.vocab))
    if prepared.names is None:
        return config
    moods, styles = len(prepared.names.moods) + 1, len(prepared.names.styles) + 1
    return replace(config, lengths=LENGTHS, rhymes=RHYMES, moods=moods, styles=styles)


def _prepare(options: RunOptions, corpus: Corpus, folder: RunFolder, *, source: Checkpoint | None) -> Prepared:
    base, parent = (source.vocab, source.novelty) if source else (None, None)
    level = options.level or ("word" if options.preset == "classic" else "char")
    rare = options.min_count or (1 if options.preset == "classic" or level == "char" else WORD_MIN_COUNT)
    tokenizer = base.tokenizer if base else Tokenizer.of_level(level)
    valid = read_documents([options.valid], songs=options.songs) if options.valid else None
    return prepare(
        corpus,
        folder.path,
        tokenizer=tokenizer,
        min_count=rare,
        valid=valid,
        base=base,
        plan=bool(source.card.model.lengths) if source else options.plan,
        names=Names(source.card.moods, source.card.styles) if source else None,
        novelty=NoveltyBuilder(base=parent, partial=source is not None and parent is None),
        blank=options.songs == "blank",
        seed=(options.wishes.seed or 0) if options.split_seed is None else options.split_seed,
    )


def _make_model(
    options: RunOptions, recipe: Recipe, prepared: Prepared, source: Checkpoint | None
) -> tuple[LyricModel, tuple[str, ...]]:
    """The model at its start: one that has learned already, or random under the run's seed, or with vectors."""
    vectors = read_vectors(options.vectors, prepared.vocab) if options.vectors else None
    config = _fitted(recipe.model, prepared)
    if vectors and options.wishes.embedding not in (None, vectors.width):
        raise OptionError(f"the vectors have {vectors.width} numbers each; leave --embedding out, or set it to that")
    if vectors:
        config = replace(config, embedding=vectors.width)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.training.seed)
        if source:
            new = len(prepared.vocab) - len(source.vocab)
            return grow(source, prepared.vocab, config=config), (f"from {source.folder}: {new:,} new tokens",)
        try:
            model = LyricModel(config)
        except RuntimeError as error:
            raise TrainingError(
                "there is not enough memory for a model of this size; try a lower --hidden"
            ) from error
    if vectors:
        vectors.start(model)
        return model, (vectors.summary(),)
    return model, ()


def _describe(options: RunOptions, corpus: Corpus) -> dict[str, object]:
    report = corpus.report
    names = [Path(path).name for path in options.paths] or ["songbook"]
    return {"names": names, "songs": report.songs, "characters": report.characters}


def _shrunk(options: RunOptions, recipe: Recipe) -> tuple[str, ...]:
    window, asked = recipe.training.window, options.wanted.window or WINDOW
    if window >= asked:
        return ()
    return (f"the text is short: the window is {window} tokens instead of {asked}",)


def _unindexed(prepared: Prepared, source: Checkpoint | None) -> tuple[str, ...]:
    """What the model will not be able to tell of copies."""
    if prepared.novelty is None:
        return (f"too much text for an index ({MOST:,} characters at most): this model will not tell copies",)
    if prepared.novelty.partial and source is not None:
        return (f"{source.folder} has no full index of its songs: copies from those will not be told",)
    return ()


def _next_folder(paths: tuple[str, ...]) -> Path:
    """checkpoints/<corpus>-<n>, the first that is free."""
    name = "songbook" if not paths else "stdin" if paths[0] == "-" else Path(paths[0]).absolute().stem[:40]
    number = 1
    while (RUNS / f"{name}-{number}").exists():
        number += 1
    return RUNS / f"{name}-{number}"


@contextmanager
def _removed_on_failure(folder: RunFolder) -> Iterator[None]:
    try:
        yield
    except BaseException:
        folder.release()
        shutil.rmtree(folder.path, ignore_errors=True)
        raise
