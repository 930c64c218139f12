"""The text that a run is measured on while it learns."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from lyricgen.model.device import mixed_precision
from lyricgen.model.likelihood import Unseen, stream_nats
from lyricgen.model.network import LyricModel
from lyricgen.text.labels import Labeler
from lyricgen.text.vocab import END, START, Vocab
from lyricgen.training.distributed import ALONE, Ranks
from lyricgen.training.prepare import load_ids

MOST_TOKENS = 1 << 18  # at most so many are scored
ROWS = 32


class HeldOut:
    """The first ids of a held-out text, as rows that are scored side by side; with their labels, if `planned`.

    `blank`: an end of song stands for an empty line of the file and counts as its character.
    """

    def __init__(self, path: Path, vocab: Vocab, *, tokens: int, planned: bool, blank: bool) -> None:
        ids = load_ids(path, tokens=tokens, vocab_size=len(vocab))[:MOST_TOKENS]
        self.characters = max(1, int(vocab.lengths[ids].sum()) + (int((ids == END).sum()) if blank else 0))
        # What stands before a song is an end, from which its first line is planned.
        ids = np.insert(ids, 0, END) if ids[0] == START else ids
        self._labeler = Labeler(vocab)
        self._unseen = Unseen.of(vocab)
        labels = self._labeler.of(ids) if planned else None
        cuts = np.linspace(1, len(ids), min(ROWS, 1 + len(ids) // 256) + 1).astype(int)
        self._rows = [ids[a - 1 : b].astype(np.int64) for a, b in pairwise(cuts)]
        self._labels = [labels[a - 1 : b] for a, b in pairwise(cuts)] if labels is not None else None

    def nats(self, model: LyricModel, *, ranks: Ranks = ALONE) -> float:
        """What the text costs under a model; several ranks score some rows each."""
        labels = self._labels[ranks.rank :: ranks.size] if self._labels is not None else None
        model.eval()
        with mixed_precision(model.bias.device):
            found = stream_nats(model, self._rows[ranks.rank :: ranks.size], unseen=self._unseen,
                                labeler=self._labeler, labels=labels)  # fmt: skip
        mean = torch.tensor([sum(float(row.sum()) for row in found)], dtype=torch.float64)
        ranks.mean([mean])
        return float(mean) * ranks.size
