"""What can be set about a classifier and its training: frozen, checked, and the only place where a default lives."""

import math
from dataclasses import dataclass

from lyricgen.errors import OptionError
from lyricgen.model.config import CELL_NAMES, ModelConfig, check_choice, check_range

LEVELS = ("char", "word")
LENGTHS = (16, 512)  # tokens that the encoder reads of a text, at least and at most
WIDE_FROM = 2_000_000  # tokens of training text from which on the encoder is wide
WORK = 1_000_000  # tokens that the encoder reads in training, about
EPOCHS = (4, 12)
UNFREEZING = 3  # epochs more where layers open one after the other


@dataclass(frozen=True)
class MoodWishes:
    """What the user fixed; None leaves it to the rule."""

    level: str | None = None
    cell: str | None = None
    hidden: int | None = None
    layers: int | None = None
    epochs: int | None = None
    batch: int | None = None
    lr: float | None = None
    dropout: float | None = None
    length: int | None = None
    ngrams: bool = True
    class_weights: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        for name, choices in (("level", LEVELS), ("cell", CELL_NAMES)):
            if (value := getattr(self, name)) is not None:
                check_choice(name, value, choices)
        for name, low, high in (("hidden", 1, 4096), ("layers", 1, 16), ("epochs", 0, 10_000), ("batch", 2, 65_536),
                                ("lr", 1e-9, 10), ("dropout", 0, 0.95), ("length", 1, 65_536),
                                ("seed", 0, 2**62)):  # fmt: skip
            if (value := getattr(self, name)) is not None:
                check_range(name, value, low, high)
        if not self.ngrams and self.epochs == 0:
            raise OptionError("--no-ngrams and --epochs 0 leave nothing that could learn: leave out one of the two")

    def check_init(self) -> None:
        """Raises OptionError where a wish contradicts a model that has its shape already."""
        for name in ("level", "cell", "hidden", "layers"):
            if getattr(self, name) is not None:
                raise OptionError(f"a model that has learned keeps its {name}; leave out --{name}, or --init-from")


@dataclass(frozen=True)
class MoodTraining:
    """How the encoder is trained. `length` is in tokens of a text, `window` of those in training; it ends after
    `patience` epochs without a gain. Without `ngrams` it is all that there is.
    """

    epochs: int
    batch: int
    lr: float
    length: int
    window: int
    patience: int = 3
    ngrams: bool = True
    class_weights: bool = True
    seed: int = 0


def encoder_config(wishes: MoodWishes, *, vocab_size: int, tokens: int) -> ModelConfig:
    """An encoder that fits so many tokens of training text.

    Embedding and layers are of one width, so that the residual connection adds the embedding to what is pooled.
    """
    width = wishes.hidden or (128 if tokens >= WIDE_FROM else 96)
    return ModelConfig(
        vocab_size,
        cell=wishes.cell or "lstm",
        embedding=width,
        hidden=width,
        layers=wishes.layers or 1,
        dropout=0.3 if wishes.dropout is None else wishes.dropout,
        token_drop=0.1,
        tied=True,
    )


def choose_training(wishes: MoodWishes, *, lengths: list[int], fine_tuning: bool) -> MoodTraining:
    """A schedule for training texts of these lengths in tokens."""
    ranked = sorted(lengths)
    usual = ranked[math.ceil(0.95 * len(ranked)) - 1]
    length = wishes.length or min(max(usual, LENGTHS[0]), LENGTHS[1])
    window = min(length, 256)
    an_epoch = sum(min(size, window) for size in lengths)
    epochs = min(max(round(WORK / an_epoch), EPOCHS[0]), EPOCHS[1])
    epochs += UNFREEZING if fine_tuning else 0
    return MoodTraining(
        epochs=epochs if wishes.epochs is None else wishes.epochs,
        batch=wishes.batch or min(64, max(8, len(lengths) // 25)),
        lr=wishes.lr or 0.002,
        length=length,
        window=window,
        ngrams=wishes.ngrams,
        class_weights=wishes.class_weights,
        seed=wishes.seed,
    )


def importance(counts: list[int], *, weighted: bool) -> list[float]:
    """How much a text of each class counts: inverse to how many there are, where that is wished; 1 on average."""
    if not weighted:
        return [1.0] * len(counts)
    total, classes = sum(counts), len(counts)
    return [total / (classes * max(1, count)) for count in counts]
