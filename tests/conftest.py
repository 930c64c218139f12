"""What the tests of several parts share: tiny models, and a disk that is full."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
import torch
from hypothesis import settings

from lyricgen.model.config import ModelConfig
from lyricgen.model.network import LyricModel

# Property tests are judged by what they find, not by the clock of a busy machine.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

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


@pytest.fixture
def full_disk() -> Callable[[int], AbstractContextManager[None]]:
    """A context in which no file can grow beyond so many bytes."""
    resource = pytest.importorskip("resource", reason="needs limits on the size of files")

    @contextmanager
    def limited(size: int) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limited
