"""Settings that check themselves, and what is read back of them."""

from dataclasses import asdict
from typing import Any

import pytest

from lyricgen.errors import CheckpointError, OptionError
from lyricgen.model.config import ModelConfig, TrainConfig

MODEL = ModelConfig(8, cell="gru", embedding=3, hidden=4, layers=1, dropout=0.5, residual=False, tied=True)
TRAIN = TrainConfig(window=4, batch=2, lr=0.1, epochs=3, carry=False)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cell": "mlp"}, "cell must be one of rnn, lstm, gru, got 'mlp'"),
        ({"vocab_size": 4}, "vocab_size must be from 5 to 1e+07, got 4"),
        ({"embedding": 0}, "embedding must be from 1 to 16384, got 0"),
        ({"hidden": 10**9}, "hidden must be from 1 to 16384, got 1000000000"),
        ({"hidden": 10**400}, "hidden must be from 1 to 16384, got 1000"),  # more than a float can be
        ({"layers": 65}, "layers must be from 1 to 64, got 65"),
        ({"dropout": 1.0}, "dropout must be from 0 to 0.95, got 1"),
        ({"dropout": float("nan")}, "dropout must be from 0 to 0.95, got nan"),
    ],
)
def test_a_model_out_of_range_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError) as refused:
        ModelConfig(**{**asdict(MODEL), **changes})
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"window": 0}, "window must be from 1 to 65536, got 0"),
        ({"batch": -1}, "batch must be from 1 to 65536, got -1"),
        ({"lr": 0.0}, "lr must be from 1e-09 to 10, got 0"),
        ({"lr": float("nan")}, "lr must be from 1e-09 to 10, got nan"),
        ({"minutes": float("inf")}, "minutes must be from 0 to 1e+06, got inf"),
        ({"minutes": 1.0}, "a run needs either epochs or minutes above 0, and not both"),
        ({"epochs": 0}, "a run needs either epochs or minutes above 0, and not both"),
        ({"optimizer": "sgd"}, "optimizer must be one of muon, adamw, adam, got 'sgd'"),
        ({"schedule": "step"}, "schedule must be one of linear, cosine, constant, got 'step'"),
        ({"warmup": 1.0}, "warmup must be from 0 to 0.9, got 1"),
        ({"clip": 0.0}, "clip must be from 1e-06 to 1e+06, got 0"),
        ({"evaluations": 0}, "evaluations must be from 1 to 10000, got 0"),
        ({"seed": -1}, "seed must be from 0 to 9.22337e+18, got -1"),
    ],
)
def test_a_run_out_of_range_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError) as refused:
        TrainConfig(**{**asdict(TRAIN), **changes})
    assert str(refused.value).startswith(message)


def test_what_was_stored_is_read_back() -> None:
    assert ModelConfig.from_json(asdict(MODEL)) == MODEL
    assert TrainConfig.from_json(asdict(TRAIN)) == TRAIN
    assert ModelConfig.from_json({"vocab_size": 8}) == ModelConfig(8)
    assert ModelConfig.from_json({**asdict(MODEL), "dropout": 0}).dropout == 0  # JSON has one kind of number


@pytest.mark.parametrize(
    "stored",
    [
        None,
        [],
        "lstm",
        {},
        {**asdict(MODEL), "heads": 8},
        {**asdict(MODEL), "hidden": "4"},
        {**asdict(MODEL), "hidden": 4.0},
        {**asdict(MODEL), "hidden": True},
        {**asdict(MODEL), "hidden": None},
        {**asdict(MODEL), "tied": 1},
        {**asdict(MODEL), "cell": ["gru"]},
    ],
)
def test_what_is_no_configuration_is_refused_when_read(stored: Any) -> None:
    with pytest.raises(CheckpointError, match=r"config\.json does not describe a ModelConfig .* intact copy"):
        ModelConfig.from_json(stored)
