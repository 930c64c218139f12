"""The words that a model's embedding puts near a word, laid out in the plane."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lyricgen.errors import InputError
from lyricgen.model.checkpoint import Checkpoint
from lyricgen.model.config import check_range
from lyricgen.text.vocab import FIRST, UNKNOWN


@dataclass(frozen=True)
class Neighbours:
    """A word and the tokens nearest to it, the nearest first: cosines with the word, places in the plane.

    `points` `(n + 1, 2)`: first the word, then the tokens, on the two principal components of all of them, of which
    `explained` is the share of the variance.
    """

    word: str
    tokens: tuple[str, ...]
    cosines: tuple[float, ...]
    points: npt.NDArray[np.float64]
    explained: float


def find_neighbours(checkpoint: Checkpoint, word: str, *, count: int = 30) -> Neighbours:
    """The `count` tokens whose embeddings have the greatest cosine with a word's.

    A word that is several tokens stands at their mean. Raises InputError for a word with an unknown character.
    """
    check_range("count", count, 2, 1000)
    vocab = checkpoint.vocab
    ids = sorted(set(vocab.encode(word).tolist()))
    if not word.strip() or UNKNOWN in ids:
        raise InputError(f"the model does not know {word!r}; give a word of characters that it learned")
    weight = checkpoint.model.embedding.weight.detach().cpu().double().numpy()  # (V, E)
    target = weight[vocab.encode(word)].mean(axis=0)  # (E,)
    lengths = np.maximum(np.linalg.norm(weight, axis=1) * np.linalg.norm(target), 1e-12)
    cosines = weight @ target / lengths  # (V,)
    near = [k for k in np.argsort(-cosines, kind="stable").tolist() if k >= FIRST and k not in ids]
    near = [k for k in near if vocab.tokens[k].strip()][:count]
    if len(near) < 2:
        raise InputError(f"the vocabulary is too small to show what is near {word!r}; name another model")
    points, explained = principal_plane(np.vstack((target, weight[near])))
    tokens = tuple(vocab.tokens[k] for k in near)
    return Neighbours(word, tokens, tuple(float(cosines[k]) for k in near), points, explained)


def principal_plane(vectors: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], float]:
    """Vectors `(n, d)` on their first two principal components, `(n, 2)`, and the share of variance these hold."""
    centred = vectors - vectors.mean(axis=0)
    left, values, axes = np.linalg.svd(centred, full_matrices=False)
    # The sign of an axis is free: it is set so that its largest entry is positive.
    signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])
    points = (left * values * signs)[:, :2]
    if points.shape[1] < 2:
        points = np.pad(points, ((0, 0), (0, 1)))
    total = float((values**2).sum())
    return points, float((values[:2] ** 2).sum()) / total if total else 1.0
