"""The loss of a large vocabulary, block by block, is that of all its logits, and so are its gradients."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from lyricgen.model import likelihood, output_loss
from lyricgen.model.config import ModelConfig
from lyricgen.model.network import LyricModel
from lyricgen.model.output_loss import linear_cross_entropy


def some(rows: int = 7, classes: int = 5, width: int = 3, *, kind: torch.dtype = torch.float64) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    shapes = ((rows, width), (classes, width), (classes,))
    tensors = [torch.randn(shape, generator=generator, dtype=kind).requires_grad_() for shape in shapes]
    return [*tensors, torch.tensor([0, 4, -1, 2, 2, -1, 3][:rows])]


@pytest.mark.parametrize("block", [1, 5, 15, 34, 1 << 20])
def test_blocks_of_any_size_give_the_loss_and_the_gradients(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output_loss, "BLOCK", block)
    x, w, b, targets = some()
    loss = linear_cross_entropy(x, w, b, targets)
    expected = F.cross_entropy(F.linear(x, w, b), targets, ignore_index=-1, reduction="sum")
    assert loss.item() == pytest.approx(expected.item(), rel=1e-12)
    found = torch.autograd.grad(3 * loss, (x, w, b))
    for mine, theirs in zip(found, torch.autograd.grad(3 * expected, (x, w, b)), strict=True):
        assert torch.allclose(mine, theirs, rtol=1e-10, atol=1e-12)
    assert not found[0][2].any()  # an ignored target teaches nothing


def test_numerical_gradients() -> None:
    *inputs, targets = some()
    assert torch.autograd.gradcheck(lambda x, w, b: linear_cross_entropy(x, w, b, targets), inputs)


def test_large_logits_do_not_overflow() -> None:
    x, w, b, targets = some(kind=torch.float32)
    loss = linear_cross_entropy(x * 1e4, w, b, targets)
    expected = F.cross_entropy(
        F.linear(x.double() * 1e4, w.double(), b.double()), targets, ignore_index=-1, reduction="sum"
    )
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)


def test_under_autocast_products_are_made_in_half_precision_and_gradients_kept_in_full() -> None:
    x, w, b, targets = some(kind=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = linear_cross_entropy(x.bfloat16(), w, b, targets)
    assert loss.dtype == torch.float32
    expected = F.cross_entropy(F.linear(x, w, b), targets, ignore_index=-1, reduction="sum")
    assert loss.item() == pytest.approx(expected.item(), rel=0.02)
    dx, dw, db = torch.autograd.grad(loss, (x, w, b))
    assert (dx.dtype, dw.dtype, db.dtype) == (torch.float32,) * 3


def test_a_model_takes_blocks_where_its_logits_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(2)
    model = LyricModel(ModelConfig(40, embedding=6, hidden=5, tied=True))
    features, targets, count = torch.randn(4, 3, 6), torch.randint(-1, 38, (4, 3)), torch.tensor(10.0)
    whole = likelihood.feature_nats(model, features, targets, count=count)
    monkeypatch.setattr(likelihood, "MOST_LOGITS", 100)
    monkeypatch.setattr(LyricModel, "logits", None)  # never all of them
    blocks = likelihood.feature_nats(model, features, targets, count=count)
    assert blocks.item() == pytest.approx(whole.item(), rel=1e-6)
    weights = model.embedding.weight, model.bias
    for mine, theirs in zip(torch.autograd.grad(blocks, weights), torch.autograd.grad(whole, weights), strict=True):
        assert torch.allclose(mine, theirs, atol=1e-6)
