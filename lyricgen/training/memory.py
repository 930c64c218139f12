"""Errors that say that memory does not suffice, as one line that names the remedy."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from lyricgen.errors import TrainingError

# What torch's errors say where memory does not suffice, by device and system.
SHORTAGES = ("allocate memory", "not enough memory", "out of memory", "bad_alloc", "ALLOC_FAILED")


def lacks_memory(error: Exception) -> bool:
    """Whether an error of numpy or torch says that memory does not suffice."""
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or (
        isinstance(error, RuntimeError) and any(words in str(error) for words in SHORTAGES)
    )


@contextmanager
def memory_errors(remedy: str = "try a lower --batch, --window or --hidden") -> Iterator[None]:
    """Turns the errors that say that memory does not suffice into one line with a remedy, a TrainingError."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not lacks_memory(error):
            raise
        raise TrainingError(f"there is not enough memory; {remedy}") from error
