"""From labelled texts to a classifier in a folder, with what it measures on texts it has not seen."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from lyricgen import __version__
from lyricgen.errors import InputError
from lyricgen.model import checkpoint as language_models
from lyricgen.model.locate import find_model
from lyricgen.mood import checkpoint
from lyricgen.mood.config import MoodWishes
from lyricgen.mood.data import Labelled, Parts, gaps, part, read_labelled
from lyricgen.mood.metrics import Scores
from lyricgen.mood.preparation import Preparation
from lyricgen.mood.training import MoodTrainer, Report
from lyricgen.text.resources import songbook


@dataclass(frozen=True)
class MoodOptions:
    """What a run is asked for. Without `data` it learns the songbook's moods."""

    data: Path | None
    out: Path
    text_column: str | None = None
    label_column: str | None = None
    init_from: Path | None = None
    preparation: Preparation = field(default_factory=Preparation)
    wishes: MoodWishes = field(default_factory=MoodWishes)
    command: str = ""


@dataclass(frozen=True, eq=False)
class Results:
    """What a classifier scores on the test part, and how much its encoder counts in it; `outcome` says that."""

    scores: Scores
    encoder_share: float
    outcome: str

    def to_json(self) -> dict[str, Any]:
        """The figures as a JSON object."""
        return {**self.scores.to_json(), "encoder_share": self.encoder_share}


@dataclass(frozen=True, eq=False)
class MoodSession:
    """A run that is ready: `lines` say what was read and chosen, `run()` trains, `finish()` measures and saves."""

    options: MoodOptions
    data: Labelled
    parts: Parts
    trainer: MoodTrainer
    lines: tuple[str, ...]

    def run(self) -> Iterator[Report]:
        """Trains, and yields where that stands."""
        return self.trainer.run()

    def finish(self) -> Results:
        """Writes the classifier's folder, whole or not at all, and gives what it measures on the test part."""
        classifier = self.trainer.classifier
        scores = classifier.measure(self.data, self.parts.test)
        results = Results(scores, classifier.model.encoder_share, self.trainer.outcome)
        sizes = {name: len(of) for name, of in vars(self.parts).items()}
        corpus = {"data": (self.options.data or songbook()).name, "texts": len(self.data.examples), **sizes}
        notes = checkpoint.Notes(
            asdict(self.trainer.training), results.to_json(), corpus, self.options.command, __version__
        )
        with checkpoint.new_folder(self.options.out) as folder:
            checkpoint.save(folder, classifier, notes)
        return results


def start_session(options: MoodOptions, *, device: torch.device) -> MoodSession:
    """Reads the texts and makes the model.

    Raises InputError for texts that cannot be learned from, CheckpointError where the folder cannot be made or the
    model to start from cannot be read, TrainingError for texts of one character.
    """
    checkpoint.check_new_folder(options.out)
    path = options.data or songbook()
    data = read_labelled(
        path, text_column=options.text_column, label_column=options.label_column, prepare=options.preparation
    )
    parts = part(data, seed=options.wishes.seed)
    if not len(parts.test):
        raise InputError(f"{path}: no class has three texts or more, so nothing can be measured; give more texts")
    source = language_models.load(find_model(options.init_from)) if options.init_from else None
    trainer = MoodTrainer(data.learnable(parts.train), parts, wishes=options.wishes,
                          preparation=options.preparation, source=source, device=device)  # fmt: skip
    return MoodSession(options, data, parts, trainer, (*data.notes, *gaps(data, parts), trainer.why))
