"""Who takes part in a comparison: cells and named settings, brought to one size."""

import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, get_args

import torch

from lyricgen.errors import InputError, OptionError
from lyricgen.model.config import CELL_NAMES, ModelConfig, TrainConfig
from lyricgen.model.network import LyricModel
from lyricgen.training.recipe import HIGHEST_DECAY, HIGHEST_LR, Recipe, Wishes

EQUALS = ("parameters", "width")
SHARED = ("seed", "epochs", "minutes")  # of the whole comparison, not of one who takes part
ALIKE = 0.05  # how far off parameters that are called equal may be
WIDEST = 16_384
SOME_VOCAB = 100  # tokens, where settings are checked before there is a text
_NAME = re.compile(r"\w[\w.-]{0,39}")


@dataclass(frozen=True)
class Contender:
    """One who takes part: a name, and all that decides its runs but their seeds and their length."""

    name: str
    wishes: Wishes


def read_configs(path: Path | None) -> dict[str, Wishes]:
    """Named settings from a TOML file: a table for each, its keys those of `Wishes`.

    Raises InputError for a file that is no TOML, OptionError for a name or a setting that cannot be.
    """
    if path is None:
        return {}
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))  # as some editors save it, with a mark in front
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise InputError(f"{path} cannot be read ({why}); give --configs a TOML file") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f'{path} is not TOML ({error}); write `["name"]` and under it `cell = "gru"`') from error
    if not data:
        raise InputError(f'{path} names no settings; write `[name]` and under it `cell = "gru"`')
    return {name: _read_config(name, table, path=path) for name, table in data.items()}


def _read_config(name: str, table: Any, *, path: Path) -> Wishes:
    where = f"{path}: [{name}]"
    if not _NAME.fullmatch(name):
        raise OptionError(f"{where} names a folder; use at most 40 letters, digits, '-', '_' and '.'")
    if not isinstance(table, dict):
        raise OptionError(f"{path}: {name} stands outside of any table; write `[name]` above it")
    kinds = {field.name: get_args(field.type)[0] for field in fields(Wishes) if field.name not in SHARED}
    for key, value in table.items():
        if key in SHARED:
            raise OptionError(f"{where} sets {key}, which a comparison gives to all alike; leave it out")
        if key not in kinds:
            raise OptionError(f"{where} has no setting {key!r}; there are {', '.join(kinds)}")
        wanted = (int, float) if kinds[key] is float else kinds[key]
        if not isinstance(value, wanted) or isinstance(value, bool) != (kinds[key] is bool):
            raise OptionError(f"{where} {key} must be {kinds[key].__name__}, got {value!r}")
    try:
        wishes = Wishes(**table)
        model_config(wishes, SOME_VOCAB)
        check_training(wishes)
    except OptionError as error:
        raise OptionError(f"{where} {error}") from error
    return wishes


def reference_wishes(recipe: Recipe) -> Wishes:
    """What all share that do not say otherwise: the settings chosen for one of them, all spelled out.

    Nobody stops early, so that equal time is equal time.
    """
    model, training = vars(recipe.model), vars(recipe.training)
    left_out = (*SHARED, "cell", "patience")
    both = {name: value for name, value in {**training, **model}.items() if name not in left_out}
    known = {field.name for field in fields(Wishes)}
    return Wishes(**{name: value for name, value in both.items() if name in known}, patience=0)


def line_up(
    cells: Sequence[str],
    configs: Mapping[str, Wishes],
    *,
    base: Wishes,
    equal: str,
    vocab_size: int,
    lr_by_width: bool = True,
) -> tuple[Contender, ...]:
    """The cells, then the named settings, with the width of `base` or with as many parameters as an LSTM of it.

    Settings that name a width of their own keep it. `lr_by_width`: see `_learning_rate`. Raises OptionError for a
    name that is there twice, and for settings that no width brings to as many parameters.
    """
    named = {**{cell: Wishes(cell=cell) for cell in cells}, **configs}
    check_names(cells, configs)
    goal = count_parameters(model_config(base.over(Wishes(cell="lstm")), vocab_size))
    found = []
    for name, wishes in named.items():
        full = wishes.over(base).over(Wishes(cell="lstm"))
        config = model_config(full, vocab_size)
        if equal == "parameters" and wishes.hidden is None:
            full = replace(full, hidden=_equal_hidden(name, config, goal))
        if lr_by_width and wishes.lr is None:
            lr = _learning_rate(full, base=base)
            decay = wishes.weight_decay if wishes.weight_decay is not None else _weight_decay(lr, base=base)
            full = replace(full, lr=lr, weight_decay=decay)
        found.append(Contender(name, full))
    return tuple(found)


def _equal_hidden(name: str, config: ModelConfig, goal: int) -> int:
    """`matching_hidden`. Raises OptionError where even that is not near."""
    hidden = matching_hidden(config, goal)
    count = count_parameters(replace(config, hidden=hidden))
    if abs(count - goal) > ALIKE * goal:
        remedy = f"give {name} a smaller embedding" if hidden == 1 else "give all a greater --hidden"
        raise OptionError(
            f"{name} cannot have as many parameters as the others: {count:,} at the nearest width, {hidden}, and not "
            f"{goal:,}; {remedy}, or compare with --equal width"
        )
    return hidden


def _learning_rate(wishes: Wishes, *, base: Wishes) -> float | None:
    """The learning rate that `base` has with Muon, brought to another width: by the rule, the root of 1 / width."""
    if wishes.optimizer not in (None, "muon") or not (base.lr and base.hidden and wishes.hidden):
        return wishes.lr
    height = base.lr * math.sqrt(base.hidden / wishes.hidden)
    return min(HIGHEST_LR, float(f"{height:.2g}"))


def _weight_decay(lr: float | None, *, base: Wishes) -> float | None:
    """The decay with which weights remember at this learning rate as far back as those of `base` do at its own."""
    if not (lr and base.lr and base.weight_decay):
        return base.weight_decay
    return min(HIGHEST_DECAY, float(f"{base.weight_decay * base.lr / lr:.2g}"))


def model_config(wishes: Wishes, vocab_size: int) -> ModelConfig:
    """The model that wishes describe, its defaults where they say nothing."""
    given = {field.name: getattr(wishes, field.name, None) for field in fields(ModelConfig)}
    return ModelConfig(**{**{k: v for k, v in given.items() if v is not None}, "vocab_size": vocab_size})


def check_training(wishes: Wishes) -> None:
    """Raises OptionError for wishes of a training that cannot be, told before anything is read or trained."""
    given = {field.name: getattr(wishes, field.name, None) for field in fields(TrainConfig)}
    TrainConfig(**{**{k: v for k, v in given.items() if v is not None and k not in SHARED}, "epochs": 1})


def matching_hidden(config: ModelConfig, parameters: int) -> int:
    """The width with which a model of this kind comes nearest to so many parameters."""

    def count(hidden: int) -> int:
        return count_parameters(replace(config, hidden=hidden))

    low, high = 1, WIDEST
    while low < high:  # the narrowest that has as many
        middle = (low + high) // 2
        low, high = (middle + 1, high) if count(middle) < parameters else (low, middle)
    return min((max(1, low - 1), low), key=lambda hidden: abs(count(hidden) - parameters))


def count_parameters(config: ModelConfig) -> int:
    """The parameters of a model, without the memory that it takes."""
    with torch.device("meta"):
        return sum(weight.numel() for weight in LyricModel(config).parameters())


def check_names(cells: Sequence[str], configs: Mapping[str, Wishes]) -> None:
    """Raises OptionError for a name of settings that is a cell's or other settings' already.

    Case does not count: each name is one of a folder, and on many a disk "GRU" and "gru" are the same.
    """
    taken: dict[str, str] = {}
    for name in configs:
        key = name.casefold()
        if key in cells:
            raise OptionError(f"{name} is both a cell and a name of --configs, whatever the case; rename it")
        if key in taken:
            raise OptionError(f"{taken[key]} and {name} of --configs differ only in case; rename one")
        taken[key] = name


def check_cells(cells: Sequence[str]) -> None:
    """Raises OptionError for a cell that there is not."""
    for cell in cells:
        if cell not in CELL_NAMES:
            raise OptionError(f"cells must be some of {', '.join(CELL_NAMES)}, got {cell!r}")
