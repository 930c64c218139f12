"""RNN and GRU layers with gradients by hand, against torch's own layers and against finite differences."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lyricgen.model import recurrence
from lyricgen.model.network import LyricModel, detached
from lyricgen.model.recurrence import OWN, TORCHS, GatedLayer, TanhLayer, recur

CELLS = {"rnn": (TanhLayer, nn.RNN), "gru": (GatedLayer, nn.GRU)}
END = 2


def tensors(cell: str, *, seed: int = 0, width: int = 3, steps: int = 4, **kind: Any) -> list[Tensor]:
    """Random inputs `(T, 2, 5)`, a state `(2, H)`, and weights and biases, all asking for gradients."""
    generator = torch.Generator().manual_seed(seed)
    rows = width * (3 if cell == "gru" else 1)
    shapes = [(steps, 2, 5), (2, width), (rows, 5), (rows, width), (rows,), (rows,)]
    parts = [torch.randn(shape, generator=generator, **kind) / width**0.5 for shape in shapes]
    return [part.requires_grad_() for part in parts]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The cells that were run with gradients by hand, in order."""
    called: list[str] = []

    def counted(cell: str, kernel: Callable[..., tuple[Tensor, Tensor]]) -> Callable[..., tuple[Tensor, Tensor]]:
        def run(*given: Tensor) -> tuple[Tensor, Tensor]:
            called.append(cell)
            return kernel(*given)

        return run

    monkeypatch.setattr(recurrence, "OWN", {cell: counted(cell, kernel) for cell, kernel in OWN.items()})
    return called


@pytest.mark.parametrize("steps", [1, 4])
@pytest.mark.parametrize("cell", OWN)
def test_gradients_are_those_of_finite_differences(cell: str, steps: int) -> None:
    assert torch.autograd.gradcheck(OWN[cell], tuple(tensors(cell, steps=steps, dtype=torch.float64)))


@pytest.mark.parametrize("used", [(1.0, 1.0), (1.0, 0.0), (0.0, 1.0)])  # all states, the last one, or both
@pytest.mark.parametrize("width", [3, 40])
@pytest.mark.parametrize("cell", OWN)
def test_values_and_gradients_are_those_of_torch(cell: str, width: int, used: tuple[float, float]) -> None:
    given = tensors(cell, width=width, steps=7)
    x, state, *weights = given
    found = []
    for y, last in (
        TORCHS[cell](x, state[None], weights, True, 1, 0.0, True, False, False),
        recur(cell, x, state[None], weights, training=True),
    ):
        generator = torch.Generator().manual_seed(1)
        slopes = [w * torch.randn(part.shape, generator=generator) for w, part in zip(used, (y, last), strict=True)]
        found.append([y, last, *torch.autograd.grad((y, last), given, slopes)])
    for expected, got in zip(*found, strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cell", OWN)
def test_only_gradients_that_are_asked_for(cell: str) -> None:
    given = tensors(cell)
    every = torch.autograd.grad(OWN[cell](*given)[0].sum(), given)
    for n, expected in enumerate(every):
        alone = [part.detach().requires_grad_(m == n) for m, part in enumerate(given)]
        torch.autograd.backward(OWN[cell](*alone)[0].sum())
        assert [part.grad is not None for part in alone] == [m == n for m in range(6)]
        torch.testing.assert_close(alone[n].grad, expected)


@pytest.mark.parametrize("cell", OWN)
def test_a_graph_that_is_kept_gives_its_gradients_twice(cell: str) -> None:
    given = tensors(cell)
    loss = OWN[cell](*given)[0].square().sum()
    first = torch.autograd.grad(loss, given, retain_graph=True)
    assert all(torch.equal(a, b) for a, b in zip(first, torch.autograd.grad(loss, given), strict=True))


@pytest.mark.parametrize("cell", OWN)
def test_second_gradients_are_refused(cell: str) -> None:
    given = tensors(cell)
    slopes = torch.autograd.grad(OWN[cell](*given)[0].square().sum(), given, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        torch.autograd.backward(slopes[0].sum())


# Layers


@pytest.mark.parametrize("cell", CELLS)
def test_a_layer_is_torchs_layer_by_another_way(cell: str, calls: list[str]) -> None:
    own, torchs = (kind(5, 4) for kind in CELLS[cell])
    assert list(own.state_dict()) == list(torchs.state_dict())
    torchs.load_state_dict(own.state_dict())
    x = torch.randn(6, 2, 5, generator=torch.Generator().manual_seed(0))
    for y, expected in zip(own(x), torchs(x), strict=True):
        torch.testing.assert_close(y, expected)
    assert calls == [cell]


@pytest.mark.parametrize("cell", CELLS)
def test_torchs_kernels_where_nobody_asks_for_gradients_or_for_full_precision(cell: str, calls: list[str]) -> None:
    layer, x = CELLS[cell][0](5, 4), torch.randn(6, 2, 5)
    with torch.no_grad():
        layer(x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y, _ = layer(x)
    torch.autograd.backward(y.float().sum())
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in layer.parameters())
    torch.autograd.backward(layer.bfloat16()(x.bfloat16())[0].float().sum())
    assert calls == []


# Models


def trained(model: LyricModel, ids: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """Logits of two windows, the state carried across with its gradient, and the gradients of all weights."""
    model.train()
    model.generator = torch.Generator().manual_seed(3)
    state = model.initial_state(ids.shape[1])
    logits = []
    for window in ids.chunk(2):
        found, state = model(window, state)
        logits.append(found)
    model.zero_grad()
    torch.autograd.backward(torch.cat(logits).square().mean())
    assert all(weight.grad is not None for weight in model.parameters())
    return logits, [weight.grad for weight in model.parameters() if weight.grad is not None]


@pytest.mark.parametrize("drops", [{}, {"dropout": 0.4, "weight_drop": 0.4, "token_drop": 0.2}])
@pytest.mark.parametrize("cell", CELLS)
def test_a_model_learns_the_same_from_both_kernels(
    cell: str,
    drops: dict[str, float],
    calls: list[str],
    make_model: Callable[..., LyricModel],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = make_model(cell, layers=3, hidden=8, embedding=8, **drops)
    ids = torch.randint(3, 8, (12, 4), generator=torch.Generator().manual_seed(0))
    ids[4, 0] = ids[9, 2] = END
    logits, gradients = trained(model, ids)
    assert calls == [cell] * 6
    monkeypatch.setattr(recurrence, "PRECISIONS", ())
    expected_logits, expected_gradients = trained(model, ids)
    assert calls == [cell] * 6
    for got, expected in zip(logits + gradients, expected_logits + expected_gradients, strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_a_carried_state_is_the_same_with_and_without_gradients(
    cell: str, make_model: Callable[..., LyricModel]
) -> None:
    model = make_model(cell)
    ids = torch.tensor([[3], [4], [5], [6]])
    _, state = model(ids, model.initial_state(1))
    with torch.no_grad():
        _, expected = model(ids, model.initial_state(1))
    for layer, expected_layer in zip(detached(state), expected, strict=True):
        assert layer[0].shape == expected_layer[0].shape == (1, 1, 4)
        torch.testing.assert_close(layer, expected_layer)


# Threads


@pytest.mark.parametrize("cell", OWN)
def test_small_steps_take_one_thread_and_give_the_others_back(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = tensors(cell)
    state, w_hh = given[1], given[3]
    try:
        torch.set_num_threads(2)
        with recurrence._threads_for(state, w_hh):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
        with pytest.raises(RuntimeError, match="shapes"), recurrence._threads_for(state, w_hh):
            torch.mm(state, state)
        assert torch.get_num_threads() == 2
        monkeypatch.setattr(recurrence, "ALONE", state.shape[0] * w_hh.numel())
        with recurrence._threads_for(state, w_hh):
            assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
