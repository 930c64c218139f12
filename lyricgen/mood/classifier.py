"""A trained classifier: texts in, labels with their confidence out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lyricgen.errors import InputError
from lyricgen.mood.data import Indices, Labelled
from lyricgen.mood.metrics import Scores
from lyricgen.mood.network import MoodModel, batches, lay_out, shortened
from lyricgen.mood.ngrams import groups
from lyricgen.mood.preparation import Preparation
from lyricgen.text.vocab import Ids, Vocab

TOGETHER = 2**14  # texts at a time, fewer if they are long: memory stays small whatever comes

Odds = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Prediction:
    """A label, and the probability that the classifier gives it."""

    label: str
    confidence: float

    def to_json(self) -> dict[str, Any]:
        """The prediction as a JSON object."""
        return {"label": self.label, "confidence": self.confidence}


@dataclass(frozen=True, eq=False)
class Classifier:
    """A model with all that turns a text into what it reads. `length` is in tokens of a text."""

    model: MoodModel
    vocab: Vocab
    labels: tuple[str, ...]
    length: int
    preparation: Preparation = field(default_factory=Preparation)

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """The likeliest label of each text. Raises InputError where a text has nothing to read."""
        odds = self.probabilities(texts)
        best = odds.argmax(axis=1)
        return [Prediction(self.labels[k], float(row[k])) for k, row in zip(best, odds, strict=True)]

    def probabilities(self, texts: Sequence[str]) -> Odds:
        """The probability of each class for each text, `(n, C)`. Raises InputError for a text without content."""
        prepared = [self.preparation(text) for text in texts]
        for number, text in enumerate(prepared, 1):
            if not text:
                raise InputError(
                    f"text {number} of {len(prepared)} is empty, or emptied by cleaning and stop words: leave it out"
                )
        return self._odds(prepared)

    def _odds(self, prepared: Sequence[str]) -> Odds:
        """The same of texts that are prepared, and not empty."""
        odds = [self._group(group) for group in groups(prepared, most=TOGETHER)]
        return np.concatenate(odds) if odds else np.zeros((0, len(self.labels)), np.float32)

    @torch.inference_mode()
    def _group(self, texts: Sequence[str]) -> Odds:
        self.model.eval()
        if self.model.encoder_share:
            encoded = encode_all(self.model, self.ids(texts))
        else:  # it takes most of the time, and would count nothing
            encoded = torch.zeros(len(texts), len(self.labels), device=self.model.device)
        counted = self.model.counted(self.model.table().rows(texts))
        odds: Odds = self.model.mixed(encoded, counted).exp().float().cpu().numpy()
        return odds

    def ids(self, texts: Sequence[str]) -> list[Ids]:
        """What the encoder reads of each text: a long one's beginning and end."""
        return text_ids(self.vocab, texts, length=self.length)

    def measure(self, data: Labelled, of: Indices) -> Scores:
        """How well it tells the classes of these examples, whose texts are prepared: twice would be once too often.

        `&lt;br&gt;` is cleaned to `<br>`, and that to nothing. A class that it has not learned is always missed.
        """
        learned = np.array([data.labels.index(label) for label in self.labels])  # its classes as the data count them
        return Scores.of(data.labels, data.numbers(of), learned[self._odds(data.texts(of)).argmax(axis=1)])


def text_ids(vocab: Vocab, texts: Sequence[str], *, length: int) -> list[Ids]:
    """The ids of texts, at most `length` of each; only as much of a text is cut into words as that takes."""
    return [shortened(vocab.encode(_ends(text, 8 * length)), length) for text in texts]


def _ends(text: str, size: int) -> str:
    return text if len(text) <= 2 * size else text[:size] + text[-size:]


@torch.inference_mode()
def pool_all(model: MoodModel, ids: Sequence[Ids]) -> Tensor:
    """What the encoder makes of each text, `(n, width)`; texts of about one length are read side by side."""
    pooled = torch.zeros(len(ids), model.encoder.width, device=model.device)
    for group in batches([len(each) for each in ids]):
        pooled[group] = model.encoder(*lay_out([ids[k] for k in group], device=model.device))
    return pooled


@torch.inference_mode()
def encode_all(model: MoodModel, ids: Sequence[Ids]) -> Tensor:
    """Log-odds by the encoder for each text, `(n, C)`."""
    return model.judge(pool_all(model, ids))
