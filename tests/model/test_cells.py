"""The cells, and the whole network made of them, against NumPy written from their equations."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from lyricgen.model.network import CELLS, LyricModel

Array = npt.NDArray[np.float64]
Weights = dict[str, Array]
Step = Callable[[Weights, Array, tuple[Array, ...]], tuple[Array, ...]]

STEPS, BATCH, INPUTS, HIDDEN = 5, 2, 3, 4


def sigmoid(x: Array) -> Array:
    return 0.5 * (1 + np.tanh(x / 2))


def of_input(w: Weights, x: Array) -> Array:
    return x @ w["weight_ih_l0"].T + w["bias_ih_l0"]


def of_hidden(w: Weights, h: Array) -> Array:
    return h @ w["weight_hh_l0"].T + w["bias_hh_l0"]


def rnn(w: Weights, x: Array, state: tuple[Array, ...]) -> tuple[Array, ...]:
    return (np.tanh(of_input(w, x) + of_hidden(w, state[0])),)


def lstm(w: Weights, x: Array, state: tuple[Array, ...]) -> tuple[Array, ...]:
    h, c = state
    i, f, g, o = np.split(of_input(w, x) + of_hidden(w, h), 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru(w: Weights, x: Array, state: tuple[Array, ...]) -> tuple[Array, ...]:
    (h,) = state
    r_in, z_in, n_in = np.split(of_input(w, x), 3, axis=-1)
    r_hid, z_hid, n_hid = np.split(of_hidden(w, h), 3, axis=-1)
    r, z = sigmoid(r_in + r_hid), sigmoid(z_in + z_hid)
    n = np.tanh(n_in + r * n_hid)
    return ((1 - z) * n + z * h,)


NUMPY_CELLS: dict[str, Step] = {"rnn": rnn, "lstm": lstm, "gru": gru}
PARTS = {"rnn": 1, "lstm": 2, "gru": 1}


def read(step: Step, w: Weights, xs: Array, state: tuple[Array, ...]) -> tuple[Array, tuple[Array, ...]]:
    """The outputs over all steps, `(T, B, H)`, and the last state."""
    outputs = []
    for x in xs:
        state = step(w, x, state)
        outputs.append(state[0])
    return np.stack(outputs), state


def slopes(function: Callable[[], float], at: Array, *, step: float = 1e-5) -> Array:
    """The gradient of a function that reads `at`, by central differences."""
    gradient = np.empty_like(at)
    for index in np.ndindex(at.shape):
        kept = at[index]
        at[index] = kept + step
        high = function()
        at[index] = kept - step
        low = function()
        at[index] = kept
        gradient[index] = (high - low) / (2 * step)
    return gradient


def copied(module: torch.nn.Module) -> Weights:
    return {name: weight.detach().numpy().copy() for name, weight in module.named_parameters()}


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_computes_its_equations_and_their_gradients(cell: str) -> None:
    rng = np.random.default_rng(1)
    module = CELLS[cell](INPUTS, HIDDEN).double()
    with torch.no_grad():
        for weight in module.parameters():
            weight.copy_(torch.from_numpy(rng.normal(size=tuple(weight.shape))))
    w = copied(module)
    xs = rng.normal(size=(STEPS, BATCH, INPUTS))
    before = tuple(rng.normal(size=(BATCH, HIDDEN)) for _ in range(PARTS[cell]))
    by_output = rng.normal(size=(STEPS, BATCH, HIDDEN))
    by_state = [rng.normal(size=(BATCH, HIDDEN)) for _ in before]

    torch_xs = torch.tensor(xs, requires_grad=True)
    torch_before = [torch.tensor(part[None], requires_grad=True) for part in before]
    ys, after = module(torch_xs, tuple(torch_before) if cell == "lstm" else torch_before[0])
    after = after if cell == "lstm" else (after,)
    expected_ys, expected_after = read(NUMPY_CELLS[cell], w, xs, before)
    np.testing.assert_allclose(ys.detach().numpy(), expected_ys, atol=1e-12)
    for part, expected in zip(after, expected_after, strict=True):
        np.testing.assert_allclose(part[0].detach().numpy(), expected, atol=1e-12)

    loss = (ys * torch.tensor(by_output)).sum()
    for part, factor in zip(after, by_state, strict=True):
        loss = loss + (part[0] * torch.tensor(factor)).sum()
    torch.autograd.backward(loss)

    def numpy_loss() -> float:
        ys, after = read(NUMPY_CELLS[cell], w, xs, before)
        return float((ys * by_output).sum() + sum((a * b).sum() for a, b in zip(after, by_state, strict=True)))

    assert numpy_loss() == pytest.approx(loss.item())
    found = {name: weight.grad for name, weight in module.named_parameters()}
    for name, weight in w.items():
        np.testing.assert_allclose(found[name], slopes(numpy_loss, weight), atol=1e-7, err_msg=name)
    np.testing.assert_allclose(torch_xs.grad, slopes(numpy_loss, xs), atol=1e-7)
    for torch_part, part in zip(torch_before, before, strict=True):
        assert torch_part.grad is not None
        np.testing.assert_allclose(torch_part.grad[0], slopes(numpy_loss, part), atol=1e-7)


def numpy_network(w: Weights, config: dict[str, Any], ids: npt.NDArray[np.int64]) -> tuple[Array, list[Any]]:
    """Logits `(T, B, V - 2)` from the state of nothing read, and the last state of every layer."""
    x = w["embedding.weight"][ids]
    ended = (ids == 2)[..., None].astype(float)
    states = []
    for k in range(config["layers"]):
        of_layer = {name.split(".")[-1]: weight for name, weight in w.items() if name.startswith(f"layers.{k}.")}
        zeros = tuple(np.zeros((ids.shape[1], config["hidden"])) for _ in range(PARTS[config["cell"]]))
        y, state = read(NUMPY_CELLS[config["cell"]], of_layer, np.concatenate([x, ended], axis=-1), zeros)
        x = x + y if config["residual"] and x.shape == y.shape else y
        states.append(state)
    if "projection.weight" in w:
        x = x @ w["projection.weight"].T
    out = w["embedding.weight"][2:] if config["tied"] else w["output.weight"]
    return x @ out.T + w["bias"], states


IDS = np.array([[1, 1], [5, 3], [6, 0], [2, 7], [1, 4], [3, 2], [4, 1]])  # both songs end on the way


@pytest.mark.parametrize(
    ("cell", "tied", "embedding", "residual"), list(product(CELLS, [False, True], [3, 4], [False, True]))
)
def test_the_network_computes_its_equations(
    cell: str, tied: bool, embedding: int, residual: bool, make_model: Callable[..., LyricModel]
) -> None:
    model = make_model(cell, tied=tied, embedding=embedding, residual=residual, dropout=0.5).double()
    assert (model.projection is not None) == (tied and embedding == 3)
    with torch.no_grad():
        logits, state = model(torch.from_numpy(IDS), model.initial_state(2))
    expected, expected_state = numpy_network(copied(model), vars(model.config), IDS)
    assert logits.shape == (7, 2, 6)
    np.testing.assert_allclose(logits.numpy(), expected, atol=1e-12)
    for layer, expected_layer in zip(state, expected_state, strict=True):
        for part, expected_part in zip(layer, expected_layer, strict=True):
            np.testing.assert_allclose(part[0].numpy(), expected_part, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_the_networks_gradients_are_those_of_its_equations(cell: str, make_model: Callable[..., LyricModel]) -> None:
    model = make_model(cell, tied=True).double()
    factor = np.random.default_rng(2).normal(size=(7, 2, 6))
    logits, _ = model(torch.from_numpy(IDS), model.initial_state(2))
    torch.autograd.backward((logits * torch.from_numpy(factor)).sum())
    w = copied(model)

    def numpy_loss() -> float:
        return float((numpy_network(w, vars(model.config), IDS)[0] * factor).sum())

    for name, weight in model.named_parameters():
        np.testing.assert_allclose(weight.grad, slopes(numpy_loss, w[name]), atol=1e-6, err_msg=name)
