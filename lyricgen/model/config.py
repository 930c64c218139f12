"""What can be set about a model and its training: frozen, checked, and the only place where a default lives."""

import dataclasses
from dataclasses import dataclass
from typing import Any, Self

from lyricgen.errors import CheckpointError, OptionError

CELL_NAMES = ("rnn", "lstm", "gru")
OPTIMIZERS = ("muon", "adamw", "adam")
SCHEDULES = ("linear", "cosine", "constant")


def check_range(name: str, value: float, low: float, high: float) -> None:
    """Raises OptionError, quoting the value, where it is outside `low` to `high`."""
    if not low <= value <= high:
        got = value if isinstance(value, int) else f"{value:g}"  # an int may be too large for a float
        raise OptionError(f"{name} must be from {low:g} to {high:g}, got {got}")


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raises OptionError, quoting the value, where it is none of the choices."""
    if value not in choices:
        raise OptionError(f"{name} must be one of {', '.join(choices)}, got {value!r}")


class _Stored:
    """Reading back from JSON what `dataclasses.asdict` wrote."""

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """The configuration from a JSON object; unknown fields and wrong types raise CheckpointError."""
        try:
            kinds = {field.name: field.type for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
            for name, value in data.items():
                if type(value).__name__ not in str(kinds[name]) and not (
                    isinstance(value, int) and "float" in str(kinds[name])
                ):
                    raise TypeError(name)
            return cls(**data)
        except (AttributeError, KeyError, TypeError) as error:
            raise CheckpointError(
                f"config.json does not describe a {cls.__name__} ({error}); take an intact copy of the model, "
                "or a newer lyricgen if a newer one wrote it"
            ) from error


@dataclass(frozen=True)
class ModelConfig(_Stored):
    """Embedding → `layers` × cell → Linear. Sizes are numbers of units.

    `residual` adds a layer's input to its output where their widths agree; `tied` shares the embedding's weights
    with the output layer (Press and Wolf 2017, arXiv:1608.05859), through a projection where widths differ.
    `dropout` is the share of units silenced between layers, the same ones over a whole window; `weight_drop` the
    share of recurrent weights, `token_drop` the share of tokens whose embedding is silenced, anew each window (all
    three as in AWD-LSTM: Merity, Keskar and Socher 2018, arXiv:1708.02182).

    A model with `lengths` knows the plan of the line it is in (see `text/labels.py`): `lengths` and `rhymes` are how
    many values those labels have, `moods` and `styles` those of the song's labels; 0 where there are none.
    """

    vocab_size: int
    cell: str = "lstm"
    embedding: int = 128
    hidden: int = 256
    layers: int = 2
    dropout: float = 0.2
    weight_drop: float = 0.0
    token_drop: float = 0.0
    residual: bool = True
    tied: bool = False
    lengths: int = 0
    rhymes: int = 0
    moods: int = 0
    styles: int = 0

    def __post_init__(self) -> None:
        check_choice("cell", self.cell, CELL_NAMES)
        check_range("vocab_size", self.vocab_size, 5, 10_000_000)
        check_range("embedding", self.embedding, 1, 16_384)
        check_range("hidden", self.hidden, 1, 16_384)
        check_range("layers", self.layers, 1, 64)
        check_range("dropout", self.dropout, 0, 0.95)
        check_range("weight_drop", self.weight_drop, 0, 0.95)
        check_range("token_drop", self.token_drop, 0, 0.95)
        for name, size in zip(("lengths", "rhymes", "moods", "styles"), self.labels, strict=True):
            check_range(name, size, 0, 256)
        if any(self.labels) and not (self.lengths and self.rhymes):
            raise OptionError("a model with labels has lengths and rhymes among them")

    @property
    def labels(self) -> tuple[int, int, int, int]:
        """How many values each label has: lengths, rhymes, moods, styles."""
        return self.lengths, self.rhymes, self.moods, self.styles


@dataclass(frozen=True)
class TrainConfig(_Stored):
    """How a model is trained. Either `epochs` or `minutes` ends the run.

    `window` is in tokens, `batch` in parallel streams, `lr` is the schedule's height, `warmup` its share of the
    run. `carry` passes the hidden state from window to window (else windows are shuffled and stand alone); of
    `turns` times as many streams as a batch has rows, each batch goes on with others.
    The `optimizer` muon moves the recurrent matrices by Muon and all else by AdamW (see training/optimizer.py).
    `patience` stops the run after so many evaluations without a better held-out loss (0: never). `average` is the
    share of the steps so far over which the weights are averaged for measuring and for the model that is kept (0:
    none; Polyak and Juditsky 1992).
    """

    window: int = 64
    batch: int = 32
    lr: float = 0.004
    epochs: int = 0
    minutes: float = 0.0
    optimizer: str = "muon"
    weight_decay: float = 0.01
    schedule: str = "linear"
    warmup: float = 0.02
    clip: float = 1.0
    carry: bool = True
    turns: int = 1
    patience: int = 8
    average: float = 0.0
    evaluations: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        check_range("window", self.window, 1, 65_536)
        check_range("batch", self.batch, 1, 65_536)
        check_range("lr", self.lr, 1e-9, 10)
        check_range("epochs", self.epochs, 0, 1_000_000)
        check_range("minutes", self.minutes, 0, 1e6)
        if (self.epochs > 0) == (self.minutes > 0):
            raise OptionError("a run needs either epochs or minutes above 0, and not both")
        check_choice("optimizer", self.optimizer, OPTIMIZERS)
        check_choice("schedule", self.schedule, SCHEDULES)
        check_range("weight_decay", self.weight_decay, 0, 10)
        check_range("warmup", self.warmup, 0, 0.9)
        check_range("clip", self.clip, 1e-6, 1e6)
        check_range("turns", self.turns, 1, 65_536)
        check_range("patience", self.patience, 0, 1_000_000)
        check_range("average", self.average, 0, 1)
        check_range("evaluations", self.evaluations, 1, 10_000)
        check_range("seed", self.seed, 0, 2**63 - 1)
