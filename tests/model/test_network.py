"""The network's own promises: its start, its dropout, and the state that every song begins with."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from lyricgen.model.checkpoint import Card
from lyricgen.model.config import ModelConfig, TrainConfig
from lyricgen.model.device import half_precision
from lyricgen.model.network import CELLS, LyricModel, detached
from lyricgen.text.song import Section, Song
from lyricgen.text.tokenizer import Tokenizer
from lyricgen.training.prepare import prepare
from lyricgen.training.run_folder import RunFolder
from lyricgen.training.trainer import Trainer

END = 2
NO_BF16 = half_precision(torch.device("cpu")) is None  # then oneDNN has no kernel for it
PRECISIONS = [
    torch.float32,
    pytest.param(torch.bfloat16, marks=pytest.mark.skipif(NO_BF16, reason="no bfloat16 on this processor")),
]
PINNED = {
    "rnn": [1e4, -1e4, 1e4, -1e4],
    "lstm": [-1e4] * 8 + [0.0] * 8,  # the input and the forget gates are shut
    "gru": [-1e4] * 8 + [0.0] * 4,  # the reset and the update gates are shut
}


def pinned_columns(model: LyricModel) -> list[list[float]]:
    return [layer.weight_ih_l0[:, -1].tolist() for layer in model.layers]


@pytest.mark.parametrize("cell", CELLS)
def test_a_new_model(cell: str) -> None:
    model = LyricModel(ModelConfig(8, cell=cell, embedding=3, hidden=4))
    for layer in model.layers:
        biases = torch.stack([layer.bias_ih_l0, layer.bias_hh_l0]).tolist()
        open_forget_gate = [0.0] * 4 + [1.0] * 4 + [0.0] * 8
        assert biases[0] == (open_forget_gate if cell == "lstm" else [0.0] * len(biases[0]))
        assert not any(biases[1])
    assert not model.bias.any()
    assert not model.embedding.weight[0].any() and model.embedding.weight[1:].all()
    assert pinned_columns(model) == [PINNED[cell]] * 2
    assert [[part.shape for part in layer] for layer in model.initial_state(5)] == [
        [(1, 5, 4)] * (2 if cell == "lstm" else 1)
    ] * 2
    assert not any(part.any() for layer in model.initial_state(5) for part in layer)


def test_the_weights_that_a_token_passes() -> None:
    model = LyricModel(ModelConfig(8, cell="gru", embedding=3, hidden=4, layers=2))
    assert model.recurrent_weights() == 12 * (3 + 1) + 12 * 4 + 12 * (4 + 1) + 12 * 4


def test_a_detached_state_keeps_its_numbers_and_no_graph(make_model: Callable[..., LyricModel]) -> None:
    model = make_model()
    _, state = model(torch.tensor([[5]]), model.initial_state(1))
    cut = detached(state)
    for layer, cut_layer in zip(state, cut, strict=True):
        for part, cut_part in zip(layer, cut_layer, strict=True):
            assert part.requires_grad and not cut_part.requires_grad and torch.equal(part, cut_part)


# Dropout


def what_layers_read(model: LyricModel, ids: Tensor) -> list[Tensor]:
    """The input of every layer, without the column that marks the end, and then that of the output layer."""
    read: list[Tensor] = []

    def keep(_: nn.Module, args: tuple[Tensor, ...]) -> None:
        read.append(args[0][..., :-1])

    hooks = [layer.register_forward_pre_hook(keep) for layer in model.layers]
    features, _ = model.features(ids, model.initial_state(ids.shape[1]))
    for hook in hooks:
        hook.remove()
    return [*read, features]


@pytest.mark.parametrize("cell", CELLS)
def test_dropout_silences_the_same_units_over_all_time_steps(cell: str) -> None:
    model = LyricModel(ModelConfig(8, cell=cell, embedding=64, hidden=64, dropout=0.5, residual=False)).train()
    model.generator = torch.Generator().manual_seed(0)
    ids = torch.randint(3, 8, (9, 3), generator=torch.Generator().manual_seed(0))
    for x in what_layers_read(model, ids):
        silent = x == 0  # (T, B, W)
        assert torch.equal(silent, silent[:1].expand_as(silent))
        assert 0.3 < silent.float().mean() < 0.7
        assert not torch.equal(silent[0, 0], silent[0, 1])  # each song its own units


def test_dropout_keeps_the_mean_and_draws_from_the_given_generator(make_model: Callable[..., LyricModel]) -> None:
    model = make_model(embedding=64, dropout=0.2).train()
    ids = torch.tensor([[3], [4]])
    drawn = []
    for seed in (1, 1, 2):
        model.generator = torch.Generator().manual_seed(seed)
        drawn.append(what_layers_read(model, ids)[0])
    x = model.embedding(ids)
    torch.testing.assert_close(drawn[0], torch.where(drawn[0] == 0, 0, x / 0.8))
    assert torch.equal(drawn[0], drawn[1]) and not torch.equal(drawn[0], drawn[2])


def test_dropout_is_off_when_writing(make_model: Callable[..., LyricModel]) -> None:
    with_dropout, without = make_model(dropout=0.9), make_model(dropout=0.0)
    ids = torch.tensor([[1, 3], [4, 5], [2, 6]])
    state = without.initial_state(2)
    assert torch.equal(with_dropout(ids, state)[0], without(ids, state)[0])
    assert not torch.equal(with_dropout.train()(ids, state)[0], without(ids, state)[0])


# The end of a song

DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")),
]


def read_past(model: LyricModel, past: list[int], future: list[int], *, seed: int) -> tuple[Tensor, list[Tensor]]:
    """From a random state over a past and the end of its song: logits of what follows, and the state at the end."""
    generator = torch.Generator().manual_seed(seed)
    before = [
        tuple((50 * torch.randn(part.shape, generator=generator)).to(part.device).requires_grad_() for part in layer)
        for layer in model.initial_state(1)
    ]
    ids = torch.tensor([*past, END], device=model.bias.device)[:, None]
    _, at_end = model(ids, before)
    logits, _ = model(torch.tensor(future, device=model.bias.device)[:, None], at_end)
    whole, _ = model(torch.cat([ids, torch.tensor(future, device=ids.device)[:, None]]), before)
    return torch.cat([logits, whole[len(ids) :]]), [part for layer in at_end for part in layer]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("hidden", [4, 40])  # alone, and in the lanes of vector instructions
@pytest.mark.parametrize("cell", CELLS)
def test_nothing_crosses_the_end_of_a_song(
    cell: str, hidden: int, precision: torch.dtype, device: str, make_model: Callable[..., LyricModel]
) -> None:
    model = make_model(cell, hidden=hidden, layers=3).to(device)
    for mode in (model.eval, model.train):
        mode()
        with torch.autocast(device, dtype=precision, enabled=precision is not torch.float32):
            one, one_state = read_past(model, [1, 3, 4, 5], [1, 5, 6], seed=1)
            other, other_state = read_past(model, [7, 7, 6, 0], [1, 5, 6], seed=2)
            same_past, _ = read_past(model, [1, 3, 4, 5], [1, 6, 6], seed=1)
        assert torch.equal(one, other)
        assert all(torch.equal(a, b) for a, b in zip(one_state, other_state, strict=True))
        assert not torch.equal(one, same_past)  # inside a song the state does carry


@pytest.mark.parametrize("cell", CELLS)
def test_a_song_starts_from_the_state_that_an_end_alone_leaves(
    cell: str, make_model: Callable[..., LyricModel]
) -> None:
    model = make_model(cell)
    _, after_text = model(torch.tensor([[5], [6], [END]]), model.initial_state(1))
    _, after_end = model(torch.tensor([[END]]), model.initial_state(1))
    torch.testing.assert_close(after_text, after_end)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("cell", CELLS)
def test_no_gradient_crosses_the_end_of_a_song(
    cell: str, precision: torch.dtype, device: str, make_model: Callable[..., LyricModel]
) -> None:
    model = make_model(cell).to(device).train()
    before = [tuple(part.requires_grad_() for part in layer) for layer in model.initial_state(1)]
    ids = torch.tensor([[3], [4], [END], [1], [5], [6]], device=device)
    with torch.autocast(device, dtype=precision, enabled=precision is not torch.float32):
        logits, _ = model(ids, before)
    torch.autograd.backward(logits[2:].square().sum())
    assert all(part.grad is not None and not part.grad.any() for layer in before for part in layer)
    assert model.embedding.weight.grad is not None
    learning = model.embedding.weight.grad.any(dim=1).tolist()
    assert not any(learning[3:5]) and learning[1] and all(learning[5:7])
    for name, weight in model.named_parameters():
        assert weight.grad is not None and weight.grad.isfinite().all(), name


@pytest.mark.parametrize("cell", CELLS)
def test_training_does_not_move_what_resets_the_state(
    cell: str, tmp_path: Path, make_model: Callable[..., LyricModel]
) -> None:
    songs = [Song((Section(("abc", "cab")),)), Song((Section(("bca", "abca")),)), Song((Section(("cc",)),))]
    folder = RunFolder.create(tmp_path / "run")
    prepared = prepare(songs, folder.path, tokenizer=Tokenizer(), min_count=1)
    model = make_model(cell, vocab_size=len(prepared.vocab))
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    config = TrainConfig(window=4, batch=2, epochs=2, lr=0.1, weight_decay=1.0)
    trainer = Trainer.start(model, prepared, config, folder, Card(model.config), device=torch.device("cpu"))
    assert list(trainer.run())[-1].step >= 4
    assert pinned_columns(model) == [PINNED[cell]] * 2
    for name, weight in model.named_parameters():
        learns = weight[:, :-1] if "weight_ih" in name else weight
        assert not torch.equal(learns, before[name][:, :-1] if "weight_ih" in name else before[name]), name
