"""One training step of a model so small that it can be followed with a pocket calculator.

    python benchmarks/one_step.py

A plain RNN of two units reads 星星 and shall say 星月. It prints every number between the two: forwards, the loss,
backwards through time, one step of gradient descent, the loss after it. docs/cells.md quotes what it prints.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lyricgen.model.config import ModelConfig
from lyricgen.model.likelihood import cross_entropy, to_classes
from lyricgen.model.network import LyricModel

Array = npt.NDArray[np.float64]

XING, YUE = 4, 5  # the ids 0 to 3 are an unseen character, the start and the end of a song, and the line break
CLASSES = ("<end>", "⏎", "星", "月")
READ, EXPECTED = (XING, XING), (XING, YUE)
RATE = 0.5

E_XING, E_YUE = (1.0, -1.0), (0.5, 1.0)
W = ((0.5, -0.5), (0.2, 0.4))  # from the input
U = ((0.3, 0.1), (-0.2, 0.6))  # from the state before
V = ((-0.5, 0.0), (0.0, -0.5), (0.8, 0.3), (-0.2, 0.9))  # to the four classes


def tiny_model() -> LyricModel:
    """The model with the weights above; all others are zero."""
    config = ModelConfig(6, cell="rnn", embedding=2, hidden=2, layers=1, dropout=0.0, residual=False, tied=False)
    model = LyricModel(config).double()
    (layer,) = model.layers
    assert model.output is not None
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
        model.embedding.weight[XING] = torch.tensor(E_XING)
        model.embedding.weight[YUE] = torch.tensor(E_YUE)
        layer.weight_ih_l0[:, :2] = torch.tensor(W)  # the columns after these are not of the embedding
        layer.weight_hh_l0[:] = torch.tensor(U)
        model.output.weight[:] = torch.tensor(V)
    model.pin_resets()
    return model


def forwards(model: LyricModel) -> dict[str, Tensor]:
    """Both steps: h the state that the output layer reads, s the same as the next step reads it, z the logits."""
    found: dict[str, Tensor] = {}
    handle = model.layers[0].register_forward_hook(lambda layer, inputs, output: found.update(h=output[0]))
    state = model.initial_state(1)
    for t, number in enumerate(READ, 1):
        found[f"z{t}"], state = model(torch.tensor([[number]]), state)
        found[f"h{t}"], found[f"s{t}"] = found.pop("h"), state[0][0]
    handle.remove()
    logits = torch.cat((found["z1"], found["z2"]))  # (T, 1, 4)
    found["L"] = cross_entropy(logits, to_classes(torch.tensor(EXPECTED))[:, None])
    return found


def one_step() -> dict[str, Array]:
    """All numbers of the step by name: d_x is the gradient of the loss with respect to x, new_x is x after it."""
    model = tiny_model()
    (layer,) = model.layers
    assert model.output is not None
    weights = {
        "E": model.embedding.weight,
        "W": layer.weight_ih_l0,
        "U": layer.weight_hh_l0,
        "V": model.output.weight,
    }
    found = forwards(model)
    watched = {name: found[name] for name in ("z1", "z2", "h1", "h2", "s1")} | weights
    slopes = torch.autograd.grad(found["L"], list(watched.values()))
    found |= {f"d_{name}": slope for name, slope in zip(watched, slopes, strict=True)}
    with torch.no_grad():
        for name, weight in weights.items():
            weight -= RATE * found[f"d_{name}"]
            found[f"new_{name}"] = weight
    after = forwards(model)
    found |= {"p1": found["z1"].softmax(-1), "p2": found["z2"].softmax(-1)}
    found |= {"new_L": after["L"], "new_p2": after["z2"].softmax(-1)}
    numbers = {name: value.detach().squeeze(0).squeeze(0).numpy() for name, value in found.items()}
    return numbers | {name: numbers[name][:, :2] for name in ("d_W", "new_W")}


def lines(found: dict[str, Array]) -> list[str]:
    """The numbers as the page quotes them, to four places."""
    text = ["forwards 前向"]
    for t in (1, 2):
        text += [f"  {name}{t} = {matrix(found[f'{name}{t}'])}" for name in ("h", "z", "p")]
    text += [f"  L = {found['L']:.4f}", "backwards 反向"]
    text += [f"  ∂L/∂{name} = {matrix(found[f'd_{name}'])}" for name in ("z2", "h2", "z1")]
    text += [f"  ∂L/∂h1 = {row(found['d_h1'])} from 星 + {row(found['d_s1'])} from 月, a step later"]
    text += [f"  ∂L/∂{name} = {matrix(found[f'd_{name}'])}" for name in ("V", "U", "W")]
    text += [f"  ∂L/∂x(星) = {row(found['d_E'][XING])}", f"one step 更新, learning rate {RATE}"]
    text += [f"  {name} = {matrix(found[f'new_{name}'])}" for name in ("V", "U", "W")]
    text += [f"  x(星) = {row(found['new_E'][XING])}"]
    text += [f"  L = {found['new_L']:.4f}, p2(月) = {found['new_p2'][YUE - 2]:.4f}"]
    return text


def row(numbers: Array) -> str:
    """A vector."""
    return "[" + " ".join(f"{number + 0.0:7.4f}" for number in np.round(numbers, 4)) + "]"


def matrix(numbers: Array) -> str:
    """A vector, or a matrix row after row."""
    return row(numbers) if numbers.ndim == 1 else " ".join(row(each) for each in numbers)


if __name__ == "__main__":
    print("\n".join(lines(one_step())))
