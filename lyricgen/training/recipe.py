"""What a run uses where its user has not said: sizes, batch, learning rate, dropout, by rule from data and time."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from lyricgen.errors import OptionError
from lyricgen.model.config import ModelConfig, TrainConfig, check_range
from lyricgen.model.device import half_precision, synchronize

DEFAULT_MINUTES = 5.0
WIDTHS = (32, 48, 64, 96, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 1024, 1536)
EFFICIENCY = 0.5  # of the matrix rate, that a training step reaches
TOKENS_PER_WEIGHT = 4  # a run sees at least so many tokens for every weight that a token passes
WEIGHTS_PER_TOKEN = 20  # and no model has more weights than this many for every token of its text
WIDEST_BY_EPOCHS = 384  # where a run is counted in epochs, nothing says how much time there is
BIG_VOCABULARY = 1500  # from here on the output layer shares the embedding's weights
DROPOUT = ((2.5, 0.0), (5, 0.1), (16, 0.2), (40, 0.35), (math.inf, 0.5))  # by epochs of a model that could recite
STEPS_WANTED = 1500
LR, LR_WIDTH, LR_STEPS = 0.02, 192, 500  # the learning rate's height, for so many units and steps: docs/training.md
HIGHEST_LR = 0.032
EPOCHS_AVERAGED, SHARE_AVERAGED = 2, 2 / 3  # how far back weights remember, or what part of a run that is shorter
HIGHEST_DECAY = 1.0
FINE_TUNING = 0.001  # the learning rate of a model that has learned already
WINDOW = 64
FEWEST_ROWS, MOST_ROWS = 16, 64  # of a batch
WINDOWS_OF_A_STREAM = 8  # about a song: streams are so short, and so many, that each batch comes from other songs
MOST_TURNS = 128  # in which streams go on: each keeps a hidden state for every row
PROBED_MINUTES = 1.5  # a shorter run has no time to try shapes
PROBING = 0.03  # of the time of a run, at most
CLIFF = 1.15  # times as fast another batch must be to be taken instead: on some machines a size falls off a cliff

Pace = Callable[[ModelConfig, TrainConfig], float]  # tokens a second, measured


@dataclass(frozen=True)
class Wishes:
    """What the user fixed; None leaves it to the rule."""

    cell: str | None = None
    hidden: int | None = None
    layers: int | None = None
    embedding: int | None = None
    dropout: float | None = None
    weight_drop: float | None = None
    token_drop: float | None = None
    average: float | None = None
    tied: bool | None = None
    residual: bool | None = None
    window: int | None = None
    batch: int | None = None
    lr: float | None = None
    epochs: int | None = None
    minutes: float | None = None
    seed: int | None = None
    carry: bool | None = None
    turns: int | None = None
    optimizer: str | None = None
    schedule: str | None = None
    weight_decay: float | None = None
    warmup: float | None = None
    clip: float | None = None
    patience: int | None = None

    def __post_init__(self) -> None:
        for name, low, high in (("hidden", 1, 16_384), ("layers", 1, 64), ("embedding", 1, 16_384),
                                ("window", 1, 65_536), ("batch", 1, 65_536), ("turns", 1, 65_536),
                                ("dropout", 0, 0.95), ("lr", 1e-9, 10), ("seed", 0, 2**63 - 1),
                                ("minutes", 0.01, 1e6), ("epochs", 1, 1e6)):  # fmt: skip
            if (value := getattr(self, name)) is not None:
                check_range(name, value, low, high)
        if self.epochs and self.minutes:
            raise OptionError("a run is counted in epochs or in minutes; give one of the two")

    @property
    def time(self) -> float:
        """The minutes of the whole run; 0 where it is counted in epochs."""
        return 0.0 if self.epochs else self.minutes or DEFAULT_MINUTES

    def over(self, base: "Wishes") -> "Wishes":
        """These wishes, and those of `base` where there is none."""
        return Wishes(**{**vars(base), **{k: v for k, v in vars(self).items() if v is not None}})

    def shape(self) -> list[str]:
        """The names of the wishes that are about a model's shape."""
        names = ("cell", "hidden", "layers", "embedding", "tied", "residual")
        return [name for name in names if getattr(self, name) is not None]


# The usual tutorial's program with its sizes, for people who come from it.
PRESETS = {
    "classic": Wishes(
        cell="rnn", embedding=128, hidden=256, layers=1, dropout=0.0, tied=False, residual=False, window=32, batch=5,
        turns=1, lr=1e-4, epochs=10, carry=False, optimizer="adam", schedule="constant", weight_decay=0.0, warmup=0.0,
        clip=1e6, patience=0,
    )
}  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """The choice, and in one line what it is and why."""

    model: ModelConfig
    training: TrainConfig
    why: str


def choose(
    wishes: Wishes,
    *,
    tokens: int,
    vocab_size: int,
    device: torch.device,
    model: ModelConfig | None = None,
    ranks: int = 1,
    pace: Pace | None = None,
) -> Recipe:
    """A model and a schedule that fit a text of so many tokens into the time there is.

    A `model` that is given is one that has learned already: it is taken as it is, and trained more gently.
    The batch is that of all `ranks`, and so is the work of which they are thought capable: by the device's matrix
    rate at first, and where a run in minutes has time to try it, by the `pace` of the model that this gave.
    """
    check_batch(wishes, ranks=ranks)
    minutes = wishes.time
    work = EFFICIENCY * matrix_rate(device) * ranks * minutes * 60 if minutes else 0.0
    if model is not None:
        wishes = wishes.over(Wishes(lr=FINE_TUNING, weight_decay=TrainConfig.weight_decay))
    plan = _Plan(wishes, tokens=tokens, vocab_size=vocab_size, minutes=minutes, ranks=ranks, given=model)
    shape, training, seen = plan.fit(work)
    if pace is not None and minutes >= PROBED_MINUTES and plan.can_try(shape, training, work):
        shape, training, seen = plan.fit_by_pace(pace, shape, training, seen, work=work)
    return Recipe(shape, training, _why(shape, training, seen=seen, tokens=tokens, ranks=ranks))


@dataclass(frozen=True)
class _Plan:
    """What a choice is made from."""

    wishes: Wishes
    tokens: int
    vocab_size: int
    minutes: float
    ranks: int
    given: ModelConfig | None

    def fit(self, work: float) -> tuple[ModelConfig, TrainConfig, float]:
        """A model and its training for so much work (FLOPs), and how many tokens it sees."""
        wishes = self.wishes
        model = self.given or _choose_model(wishes, tokens=self.tokens, vocab_size=self.vocab_size, work=work)
        seen = _tokens_seen(model, tokens=self.tokens, work=work, epochs=wishes.epochs)
        return self._dropped(model, seen), self._training(model, seen), seen

    def can_try(self, model: ModelConfig, training: TrainConfig, work: float) -> bool:
        """Whether some steps of a model are a small part of so much work, that of the whole run."""
        muon = 50 * model.hidden**3 * 2 * model.layers
        step = 6 * training.batch * training.window * _weights(model) + muon
        return 10 * step < PROBING * work

    def fit_by_pace(
        self, measure: Pace, model: ModelConfig, training: TrainConfig, seen: float, *, work: float
    ) -> tuple[ModelConfig, TrainConfig, float]:
        """The same, from what models really do in a second: the model is fitted again, then its batch.

        One for which memory does not suffice gets narrower.
        """

        def pace(model: ModelConfig, training: TrainConfig) -> float:
            """Tokens a second of all ranks, each with its rows."""
            return measure(model, replace(training, batch=training.batch // self.ranks, turns=1)) * self.ranks

        before = model, training, seen
        while not (rate := pace(model, training)) and self._may_shrink(model):
            work /= 4
            model, training, _ = self.fit(work)
        if not rate:
            return before
        tried = model.hidden, training.batch
        model, training, _ = self.fit(rate * 6 * _weights(model) * self.minutes * 60)
        if (model.hidden, training.batch) != tried:
            rate = pace(model, training)
        if not rate:
            return before
        most = _most_rows(self.tokens, training.window)
        for batch in (training.batch * 2, training.batch // 2) if self.wishes.batch is None else ():
            if FEWEST_ROWS <= batch <= most and batch % self.ranks == 0:
                other = replace(training, batch=batch)
                if (found := pace(model, other)) > CLIFF * rate:
                    training, rate = other, found
                    break
        seen = rate * self.minutes * 60
        return self._dropped(model, seen), _paced(self.wishes, training, model, tokens=self.tokens, seen=seen), seen

    def _may_shrink(self, model: ModelConfig) -> bool:
        return self.given is None and self.wishes.hidden is None and model.hidden > WIDTHS[0]

    def _dropped(self, model: ModelConfig, seen: float) -> ModelConfig:
        room = min(1.0, _weights(model) / self.tokens)  # with fewer weights than that, little is learned by heart
        by_rule = next(share for limit, share in DROPOUT if room * seen / self.tokens < limit)
        wishes = self.wishes
        drops = {"dropout": wishes.dropout, "weight_drop": wishes.weight_drop, "token_drop": wishes.token_drop}
        own = {name: share for name, share in drops.items() if share is not None}
        return _with(model, {"dropout": by_rule, **own})

    def _training(self, model: ModelConfig, seen: float) -> TrainConfig:
        training = _choose_training(
            self.wishes, tokens=self.tokens, seen=seen, minutes=self.minutes, ranks=self.ranks
        )
        return _paced(self.wishes, training, model, tokens=self.tokens, seen=seen)


def _why(model: ModelConfig, training: TrainConfig, *, seen: float, tokens: int, ranks: int) -> str:
    shape = f"{model.layers}×{model.cell.upper()} {model.hidden}, embedding {model.embedding}"
    shape += " (tied)" if model.tied else ""
    fit = f"{training.minutes:g} minutes" if training.minutes else f"{training.epochs} epochs"
    fit += f", in {ranks} processes" if ranks > 1 else ""
    return (
        f"{shape}, dropout {model.dropout:g}, batch {training.batch}×{training.window}, lr {training.lr:g}: "
        f"{_weights(model) / 1e6:.2g} M weights for about {seen / 1e6:.2g} M tokens "
        f"({seen / tokens:.2g} times the text) in {fit}"
    )


def check_batch(wishes: Wishes, *, ranks: int) -> None:
    """Raises OptionError for a batch that does not divide among the processes."""
    if wishes.batch and wishes.batch % ranks:
        below = wishes.batch // ranks * ranks
        near = f"{below} or {below + ranks}" if below else str(ranks)
        raise OptionError(f"batch must divide among {ranks} processes, got {wishes.batch}; try {near}")


def _choose_model(wishes: Wishes, *, tokens: int, vocab_size: int, work: float) -> ModelConfig:
    """The widest model that the work (FLOPs) and the text can feed."""
    tied = wishes.tied if wishes.tied is not None else vocab_size > BIG_VOCABULARY
    fixed = {name: getattr(wishes, name) for name in ("cell", "layers", "dropout", "residual")}
    base = ModelConfig(vocab_size, tied=tied, **{name: value for name, value in fixed.items() if value is not None})
    best = None
    for hidden in WIDTHS if wishes.hidden is None else (wishes.hidden,):
        embedding = wishes.embedding or (min(256, hidden) if tied else min(128, hidden))
        model = _with(base, {"hidden": hidden, "embedding": embedding})
        weights = _weights(model)
        seen = _tokens_seen(model, tokens=tokens, work=work, epochs=wishes.epochs)
        fed = hidden <= WIDEST_BY_EPOCHS if wishes.epochs else seen >= TOKENS_PER_WEIGHT * weights
        fits = fed and weights <= WEIGHTS_PER_TOKEN * tokens
        if best is None or fits:
            best = model
    assert best is not None
    return best


def _choose_training(wishes: Wishes, *, tokens: int, seen: float, minutes: float, ranks: int) -> TrainConfig:
    window = min(wishes.window or WINDOW, max(2, tokens // 4))
    batch = wishes.batch
    if batch is None:
        batch = 2 ** round(math.log2(max(1.0, seen / (window * STEPS_WANTED))))
        batch = min(max(FEWEST_ROWS, batch), _most_rows(tokens, window))
    batch = max(1, min(batch, tokens) // ranks) * ranks
    names = ("optimizer", "schedule", "warmup", "clip", "carry", "patience", "average", "seed")
    fixed = {name: getattr(wishes, name) for name in names if getattr(wishes, name) is not None}
    return TrainConfig(window=window, batch=batch, epochs=wishes.epochs or 0, minutes=minutes, **fixed)


def _paced(wishes: Wishes, training: TrainConfig, model: ModelConfig, *, tokens: int, seen: float) -> TrainConfig:
    """The training with what follows from its batch and from how many tokens are seen."""
    step = training.batch * training.window
    lr = _learning_rate(wishes, hidden=model.hidden, steps=seen / step)
    decay = _weight_decay(wishes, lr=lr, steps=min(EPOCHS_AVERAGED * tokens, SHARE_AVERAGED * seen) / step)
    turns = _turns(wishes, tokens=tokens, window=training.window, batch=training.batch)
    return replace(training, lr=lr, weight_decay=decay, turns=turns)


def _turns(wishes: Wishes, *, tokens: int, window: int, batch: int) -> int:
    """In how many turns the streams of a text go on: about eight windows each, the last as full as can be."""
    if wishes.turns is not None or wishes.carry is False:
        return wishes.turns or 1
    windows = max(WINDOWS_OF_A_STREAM, math.ceil(tokens / (window * batch * MOST_TURNS)))

    def empty(turns: int) -> int:
        """Places of the windows that no token takes."""
        stream = math.ceil(tokens / (batch * turns))
        return math.ceil(stream / window) * window * batch * turns - tokens

    fewest = math.ceil(tokens / (window * batch * 1.5 * windows))
    most = math.ceil(tokens / (window * batch * windows))
    return min(range(max(1, fewest), max(1, most) + 1), key=lambda turns: (empty(turns), -turns))


def _learning_rate(wishes: Wishes, *, hidden: int, steps: float) -> float:
    """The height of the learning rate, with Muon: the fewer steps there are, the longer each has to be.

    The norm of a matrix's update grows with the root of its width, as Muon is scaled, and its weights' does not.
    """
    if wishes.lr is not None or wishes.optimizer not in (None, "muon"):
        return wishes.lr or TrainConfig.lr
    height = LR * math.sqrt(LR_WIDTH / hidden) * (LR_STEPS / max(1.0, steps)) ** 0.4
    return float(f"{min(HIGHEST_LR, height):.2g}")


def _weight_decay(wishes: Wishes, *, lr: float, steps: float) -> float:
    """Such that the weights are a mean over the updates of so many steps at the full learning rate.

    Wang and Aitchison 2024, arXiv:2405.13698: counted in epochs, that time is the same from run to run.
    """
    if wishes.weight_decay is not None:
        return wishes.weight_decay
    if wishes.optimizer not in (None, "muon"):
        return TrainConfig.weight_decay
    return float(f"{min(HIGHEST_DECAY, 1 / (lr * steps)):.2g}")


def _most_rows(tokens: int, window: int) -> int:
    """The largest batch that is chosen: each of its rows has two windows at least."""
    return min(MOST_ROWS, tokens // (2 * window))


def _with(model: ModelConfig, changes: dict[str, float | int]) -> ModelConfig:
    return ModelConfig(**{**vars(model), **changes})


def _weights(model: ModelConfig) -> int:
    """Weights that a token passes: recurrent ones and the output layer's."""
    gates = {"rnn": 1, "gru": 3, "lstm": 4}[model.cell]
    widths = [model.embedding] + [model.hidden] * (model.layers - 1)
    recurrent = sum(gates * model.hidden * (width + model.hidden) for width in widths)
    projection = model.hidden * model.embedding if model.tied and model.hidden != model.embedding else 0
    return recurrent + projection + (model.embedding if model.tied else model.hidden) * model.vocab_size


def _tokens_seen(model: ModelConfig, *, tokens: int, work: float, epochs: int | None) -> float:
    return float(epochs * tokens) if epochs else work / (6 * _weights(model))


def matrix_rate(device: torch.device) -> float:
    """Floating-point operations a second of a matrix product in the precision of training, measured in 0.2 s."""
    kind = half_precision(device) or torch.float32
    size = 1024 if device.type == "cpu" else 4096
    a = torch.ones(size, size, dtype=kind, device=device)
    a @ a
    synchronize(device)
    runs, start = 0, time.perf_counter()
    while time.perf_counter() - start < 0.2:
        a @ a
        runs += 1
        synchronize(device)
    return 2 * size**3 * runs / (time.perf_counter() - start)
