"""Tiny models that several parts are tested with."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from lyricgen.model.config import ModelConfig
from lyricgen.model.network import LyricModel

SIZES = {"vocab_size": 8, "embedding": 3, "hidden": 4, "layers": 2, "dropout": 0.0}


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Models so small are slower on many threads, which wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture
def make_model() -> Callable[..., LyricModel]:
    """Builds models of vocabulary 8 and hidden 4 whose every weight and bias is random, the pinned ones apart."""

    def make(cell: str = "lstm", *, seed: int = 0, **changes: Any) -> LyricModel:
        model = LyricModel(ModelConfig(**{**SIZES, "cell": cell, **changes}))
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for weight in model.parameters():
                weight.normal_(generator=generator)
        model.pin_resets()
        return model.eval()

    return make
