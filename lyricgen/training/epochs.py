"""The training text of a run, epoch by epoch."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lyricgen.model.config import TrainConfig
from lyricgen.text.labels import Labeler
from lyricgen.text.vocab import Vocab
from lyricgen.training.dataset import Batch, WindowDataset, stream_steps
from lyricgen.training.prepare import load_ids
from lyricgen.training.run_folder import DATA, LABELS
from lyricgen.training.song_labels import load_labels


class Epochs:
    """The batches of each epoch: of the ids in a run's folder, with their labels, if `planned`.

    A rank of several gets its rows of each.
    """

    def __init__(
        self, folder: Path, config: TrainConfig, vocab: Vocab, *, tokens: int, planned: bool, rank: int, ranks: int
    ) -> None:
        self.config = config
        self._ids = load_ids(folder / DATA[0], tokens=tokens, vocab_size=len(vocab))
        self._labels = load_labels(folder / LABELS, tokens=tokens) if planned else None
        self._line_break = Labeler(vocab).line_break
        self._place = {"rank": rank, "ranks": ranks}

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        config, n = self.config, len(self._ids)
        if config.carry:
            return stream_steps(n, window=config.window, size=config.batch, turns=config.turns)
        return math.ceil(math.ceil(n / config.window) / config.batch)

    def batches(self, epoch: int, *, first: int) -> Iterator[Batch]:
        """Those of one epoch from the number `first` on. Each epoch begins at an offset of its own."""
        config = self.config
        seed = np.random.SeedSequence((config.seed, epoch)).generate_state(1)
        offset = int(seed[0]) % len(self._ids) if epoch else 0
        data = WindowDataset(self._ids, window=config.window, offset=offset, labels=self._labels,
                             line_break=self._line_break, epoch=epoch)  # fmt: skip
        if config.carry:
            return data.streams(config.batch, turns=config.turns, first=first, **self._place)
        return data.batches(config.batch, first=first, seed=int(seed[0]), **self._place)

    def close(self) -> None:
        """Lets go of the files: Windows removes none that is mapped."""
        self._ids, self._labels = np.zeros(0, dtype=np.uint8), None
