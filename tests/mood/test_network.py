"""Pooling against plain loops, a text alone and among others, and what of a long text is read."""

import numpy as np
import pytest
import torch

from lyricgen.model.config import ModelConfig
from lyricgen.mood.network import Encoder, MoodModel, batches, lay_out, shortened
from lyricgen.mood.ngrams import NgramTable

CPU = torch.device("cpu")
TEXTS = [np.array(ids, np.int32) for ids in ([3, 4, 5, 6, 7], [4], [5, 5, 3])]


def make(cell: str = "lstm", *, layers: int = 2) -> MoodModel:
    torch.manual_seed(0)
    config = ModelConfig(8, cell=cell, embedding=4, hidden=4, layers=layers, tied=True)
    model = MoodModel(config, classes=3, ngrams=0).eval()
    torch.nn.init.normal_(model.head.weight)
    return model


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_pooling_is_last_mean_and_maximum(cell: str) -> None:
    encoder = make(cell).encoder
    with torch.no_grad():
        pooled = encoder(*lay_out(TEXTS, device=CPU))
        for k, ids in enumerate(TEXTS):
            alone = torch.tensor([[1, *ids.tolist()]]).T
            states, _ = encoder.model.features(alone, encoder.model.initial_state(1))
            rows = states[:, 0].numpy()
            expected = np.concatenate([rows[-1], rows.mean(axis=0), rows.max(axis=0)])
            np.testing.assert_allclose(pooled[k].numpy(), expected, atol=1e-6)


def test_what_is_normal_is_taken_from_the_texts_that_are_shown() -> None:
    model = make()
    pooled = torch.randn(50, model.encoder.width) * 3 + 7
    model.settle(pooled)
    normal = (pooled - pooled.mean(dim=0)) / (pooled.var(dim=0, correction=0) + 1e-5).sqrt()
    with torch.no_grad():
        torch.testing.assert_close(model.judge(pooled), model.head(normal), rtol=1e-4, atol=1e-4)


def test_both_halves_are_mixed_as_the_mix_says() -> None:
    model = make()
    model.mix.copy_(torch.tensor((0.5, 2.0)))
    one, two = torch.randn(2, 4, 3).unbind(0)
    torch.testing.assert_close(model.mixed(one, two), (one / 2 + two * 2).log_softmax(dim=1))


def test_a_bag_is_the_sum_of_its_weights() -> None:
    texts = ["星月星", "月", "海"]
    table = NgramTable.of(texts[:2])
    model = MoodModel(ModelConfig(8, embedding=2, hidden=2, layers=1), classes=2, ngrams=len(table))
    model.take(table)
    torch.nn.init.normal_(model.weight)
    torch.nn.init.normal_(model.bias)
    rows = model.table().rows(texts)
    with torch.no_grad():
        told = model.counted(rows)
        for k in range(3):
            inside = slice(rows.starts[k], rows.starts[k + 1])
            weights = model.weight[torch.from_numpy(rows.columns[inside])]
            expected = (torch.from_numpy(rows.values[inside])[:, None] * weights).sum(dim=0) + model.bias
            torch.testing.assert_close(told[k], expected)
        torch.testing.assert_close(model.counted(model.table().rows(["海"]))[0], model.bias)


def test_of_a_long_text_the_beginning_and_the_end_are_read() -> None:
    ids = np.arange(100, dtype=np.int32)
    assert shortened(ids, 8).tolist() == [0, 1, 2, 3, 4, 5, 98, 99]
    assert shortened(ids, 100) is ids
    assert shortened(ids, 1).tolist() == [0]


def test_batches_hold_every_text_once_and_no_more_than_fits() -> None:
    lengths = [5, 300, 2, 2, 90, 7, 41]
    groups = list(batches(lengths, tokens=200, most=3))
    assert sorted(k for group in groups for k in group) == list(range(7))
    for group in groups:
        assert len(group) == 1 or len(group) * (1 + max(lengths[k] for k in group)) <= 200
        assert len(group) <= 3


def test_the_encoder_takes_no_more_of_a_language_model_than_it_reads() -> None:
    config = ModelConfig(8, embedding=3, hidden=5, layers=2)
    names = {name.split(".")[1] for name, _ in Encoder(config).named_parameters()}
    assert names == {"embedding", "layers", "bias"}
    depths = Encoder(config).depths()
    assert [weight.shape[0] for weight, *_ in depths] == [20, 20, 8]  # the upper layer, the lower, the embedding
