"""Neighbours in an embedding that is written by hand."""

from pathlib import Path

import numpy as np
import pytest
import torch

from lyricgen.errors import InputError, OptionError
from lyricgen.evaluation.neighbours import find_neighbours, principal_plane
from lyricgen.model.checkpoint import Card, Checkpoint
from lyricgen.model.config import ModelConfig
from lyricgen.model.network import LyricModel
from lyricgen.text.tokenizer import Tokenizer
from lyricgen.text.vocab import SPECIALS, Vocab
from tests.narrow import on_a_narrow_device

VECTORS = {"\n": (1, 0, 0), "星": (2, 0, 0), "月": (3, 0.3, 0), "雨": (1, 1, 0), "风": (0, 5, 1), "山": (-1, 0, 0)}


@pytest.fixture
def checkpoint() -> Checkpoint:
    vocab = Vocab((*SPECIALS, *VECTORS), Tokenizer("char"))
    model = LyricModel(ModelConfig(len(vocab), embedding=3, hidden=4))
    with torch.no_grad():
        model.embedding.weight[:3] = torch.tensor([1.0, 0, 0])  # nearer than any, but no text
        model.embedding.weight[3:] = torch.tensor(list(VECTORS.values()))
    return Checkpoint(Path("none"), Card(model.config), vocab, model)


def test_the_nearest_come_first_whatever_their_length(checkpoint: Checkpoint) -> None:
    found = find_neighbours(checkpoint, "星", count=3)
    assert found.tokens == ("月", "雨", "风")
    assert found.cosines == pytest.approx((3 / np.hypot(3, 0.3), np.sqrt(0.5), 0))
    assert found.points.shape == (4, 2)


def test_on_a_device_without_float64_they_are_the_same(checkpoint: Checkpoint) -> None:
    expected = find_neighbours(checkpoint, "星", count=3).cosines
    with on_a_narrow_device(checkpoint.model):
        assert find_neighbours(checkpoint, "星", count=3).cosines == expected


def test_a_word_of_several_characters_stands_at_their_mean(checkpoint: Checkpoint) -> None:
    found = find_neighbours(checkpoint, "星风", count=2)
    mean = np.array([1, 2.5, 0.5])
    assert found.tokens == ("雨", "月")
    assert found.cosines[0] == pytest.approx(3.5 / (np.linalg.norm(mean) * np.sqrt(2)))


def test_the_plane_is_that_of_the_greatest_variance() -> None:
    vectors = np.random.default_rng(0).normal(size=(12, 5)) * [5, 1, 3, 0.1, 0.2]
    points, explained = principal_plane(vectors)
    values, axes = np.linalg.eigh(np.cov(vectors.T))
    projected = (vectors - vectors.mean(axis=0)) @ axes[:, [-1, -2]]
    np.testing.assert_allclose(np.abs(points), np.abs(projected), atol=1e-9)
    assert explained == pytest.approx(values[-2:].sum() / values.sum())


def test_vectors_on_a_line_and_at_one_place() -> None:
    assert principal_plane(np.array([[1.0], [2.0], [4.0]]))[0].shape == (3, 2)
    points, explained = principal_plane(np.ones((3, 2)))
    assert not points.any() and explained == 1


@pytest.mark.parametrize("word", ["鲲", "星鲲", " ", ""])
def test_a_word_that_the_model_does_not_know(checkpoint: Checkpoint, word: str) -> None:
    with pytest.raises(InputError, match="does not know"):
        find_neighbours(checkpoint, word)


def test_settings_out_of_range(checkpoint: Checkpoint) -> None:
    with pytest.raises(OptionError, match="count"):
        find_neighbours(checkpoint, "星", count=0)
