"""The network's newer inputs and noises: the plan beside each token, and weights and tokens silenced in training."""

from collections.abc import Callable
from typing import cast

import pytest
import torch
from torch import Tensor, nn

from lyricgen.model.network import CELLS, LyricModel
from lyricgen.text.labels import LENGTHS, RHYMES

END = 2
LABELS = {"lengths": LENGTHS, "rhymes": RHYMES, "moods": 3, "styles": 2}
IDS = torch.tensor([[1, 1], [3, 7], [5, 6], [4, 4]])

Make = Callable[..., LyricModel]


def plans(steps: int, songs: int, seed: int = 0) -> Tensor:
    """Random labels, `(T, B, 4)`."""
    generator = torch.Generator().manual_seed(seed)
    sizes = LABELS.values()
    return torch.stack([torch.randint(size, (steps, songs), generator=generator) for size in sizes], dim=-1)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# Labels


def first_input(model: LyricModel, ids: Tensor, labels: Tensor | None = None) -> Tensor:
    """What the first layer reads, without the column that marks the end, `(T, B, E)`."""
    read: list[Tensor] = []
    hook = model.layers[0].register_forward_pre_hook(lambda _, args: read.append(args[0][..., :-1]))
    model.features(ids, model.initial_state(ids.shape[1]), labels)
    hook.remove()
    return read[0]


@pytest.mark.parametrize(("moods", "styles"), [(3, 2), (0, 2), (3, 0), (0, 0)])
def test_labels_are_added_to_the_embedding_of_their_token(moods: int, styles: int, make_model: Make) -> None:
    model = make_model(**{**LABELS, "moods": moods, "styles": styles})
    labels = plans(4, 2)
    expected = model.embedding(IDS).detach().clone()
    tables = [table.weight for table in model.labels]
    used = [k for k, size in enumerate(model.config.labels) if size]
    assert used == [0, 1] + [2] * bool(moods) + [3] * bool(styles)
    for t in range(4):
        for b in range(2):
            for table, which in zip(tables, used, strict=True):
                expected[t, b] += table[labels[t, b, which]]
    torch.testing.assert_close(first_input(model, IDS, labels), expected)


@pytest.mark.parametrize("which", range(4))
def test_each_label_tells_the_model_something(which: int, make_model: Make) -> None:
    model = make_model(**LABELS)
    labels = plans(4, 2)
    other = labels.clone()
    other[1, 0, which] = (other[1, 0, which] + 1) % list(LABELS.values())[which]
    one, two = (model(IDS, model.initial_state(2), told)[0] for told in (labels, other))
    differ = (one != two).any(dim=-1)
    assert differ.tolist() == [[False, False], [True, False], [True, False], [True, False]]


@pytest.mark.parametrize("cell", CELLS)
def test_nothing_crosses_the_end_of_a_song_with_labels(cell: str, make_model: Make) -> None:
    model = make_model(cell, embedding=4, layers=3, **LABELS)
    found = []
    for past, seed in (([1, 3, 4], 1), ([1, 7, 7], 2)):
        labels = plans(7, 1, seed)
        labels[3:] = plans(4, 1, 3)
        labels[3] = 0  # at the end of a song stands no plan, and neither its mood nor its style
        ids = torch.tensor([*past, END, 1, 5, 6])[:, None]
        found.append(model.features(ids, model.initial_state(1), labels)[0][3:])
    assert torch.equal(*found)


def test_the_planner_by_hand(make_model: Make) -> None:
    model = make_model(**LABELS)
    planner = model.planner
    assert planner is not None
    features, lengths = torch.randn(5, 4, generator=seeded(0)), torch.tensor([0, 7, 7, 31, 32])
    of_length, of_rhyme = planner(features, lengths)
    for k in range(5):
        expected = planner.length.weight @ features[k] + planner.length.bias
        torch.testing.assert_close(of_length[k], expected)
        expected = (
            planner.rhyme.weight @ features[k] + planner.rhyme.bias + planner.rhyme_of_length.weight[lengths[k]]
        )
        torch.testing.assert_close(of_rhyme[k], expected)


def test_how_a_song_begins_is_learned_apart_from_its_other_lines(make_model: Make) -> None:
    model = make_model("lstm", **LABELS)
    planner = model.planner
    assert planner is not None
    ids = torch.tensor([[3], [END], [1]])
    features, _ = model.features(ids, model.initial_state(1), plans(3, 1) * (ids != END)[..., None])
    assert not features[1].any() and features[0].any()  # an LSTM's state is empty there, and what is read from it
    with torch.no_grad():
        planner.start.copy_(torch.randn(planner.start.shape, generator=seeded(1)))
    lengths = torch.tensor([[4], [4], [4]])
    of_length, of_rhyme = planner(features, lengths)
    expected = planner.length(planner.start), planner.rhyme(planner.start) + planner.rhyme_of_length(lengths[1])
    torch.testing.assert_close((of_length[1, 0], of_rhyme[1]), (expected[0], expected[1]))
    torch.testing.assert_close(of_length[0], planner.length(features[0]))
    (gradient,) = torch.autograd.grad(of_length[0].sum(), planner.start, retain_graph=True)
    assert not gradient.any()
    (gradient,) = torch.autograd.grad(of_length[1, 0, 4], planner.start)
    torch.testing.assert_close(gradient, planner.length.weight[4])


def test_a_model_without_labels_has_no_planner(make_model: Make) -> None:
    model = make_model()
    assert model.planner is None and len(model.labels) == 0


# Weight drop


@pytest.mark.parametrize("cell", CELLS)
def test_recurrent_weights_are_dropped_anew_in_training_and_never_change(cell: str, make_model: Make) -> None:
    model, plain = make_model(cell, weight_drop=0.5), make_model(cell)
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    state = model.initial_state(2)
    whole = plain(IDS, state)[0]
    assert torch.equal(model(IDS, state)[0], whole)  # nothing is dropped when writing
    model.train()
    found = []
    for seed in (1, 1, 2):
        model.generator = seeded(seed)
        found.append(model(IDS, state)[0])
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2]) and not torch.equal(found[0], whole)
    assert all(torch.equal(weight, before[name]) for name, weight in model.named_parameters())
    assert torch.equal(model.eval()(IDS, state)[0], whole)


@pytest.mark.parametrize("cell", CELLS)
def test_a_weight_drop_that_keeps_all_is_the_cell_itself(
    cell: str, make_model: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, plain = make_model(cell, weight_drop=0.5), make_model(cell)
    monkeypatch.setattr(LyricModel, "_kept", lambda self, shape, p, like: like.new_ones(shape))
    state = [tuple(torch.randn(1, 2, 4, generator=seeded(3)) for _ in layer) for layer in model.initial_state(2)]
    (logits, after), (expected, expected_after) = model.train()(IDS, state), plain(IDS, state)
    torch.testing.assert_close(logits, expected)
    for layer, other in zip(after, expected_after, strict=True):
        assert len(layer) == len(other)
        for part, other_part in zip(layer, other, strict=True):
            torch.testing.assert_close(part, other_part)


@pytest.mark.parametrize("cell", CELLS)
def test_only_the_weights_that_were_kept_learn(cell: str, make_model: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_model(cell, hidden=16, weight_drop=0.3)
    kept: list[Tensor] = []
    real = LyricModel._kept

    def keep(self: LyricModel, shape: torch.Size, p: float, like: Tensor) -> Tensor:
        kept.append(real(self, shape, p, like))
        return kept[-1]

    monkeypatch.setattr(LyricModel, "_kept", keep)
    model.train()
    model.generator = seeded(0)
    logits, _ = model(IDS, model.initial_state(2))
    torch.autograd.backward(logits.square().sum())
    assert len(kept) == len(model.layers)  # one mask a layer, for its recurrent weights alone
    for layer, mask in zip(model.layers, kept, strict=True):
        weights = cast(nn.RNNBase, layer)
        gradient = cast(Tensor, cast(Tensor, weights.weight_hh_l0).grad)
        assert mask.shape == gradient.shape
        assert torch.equal(gradient == 0, mask == 0) or cell == "rnn"  # saturated units learn nothing either
        assert not gradient[mask == 0].any() and gradient[mask != 0].any()
        assert cast(Tensor, cast(Tensor, weights.weight_ih_l0).grad).any()


def test_the_share_that_is_dropped(make_model: Make) -> None:
    model = make_model(weight_drop=0.3)
    model.generator = seeded(0)
    mask = model._kept((300, 300), 0.3, model.bias)
    assert (mask == 0).float().mean().item() == pytest.approx(0.3, abs=0.01)
    torch.testing.assert_close(mask[mask != 0].unique(), torch.tensor([1 / 0.7]))


# Token drop


def test_a_dropped_token_is_silent_wherever_it_stands(make_model: Make) -> None:
    model = make_model(vocab_size=400, token_drop=0.3).train()
    ids = torch.randint(3, 400, (60, 20), generator=seeded(1))
    found = []
    for seed in (1, 1, 2):
        model.generator = seeded(seed)
        found.append(first_input(model, ids))
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])
    silent = (found[0] == 0).all(dim=-1)
    gone = ids[silent].unique()
    assert torch.equal(torch.isin(ids, gone), silent)
    assert len(gone) / len(ids.unique()) == pytest.approx(0.3, abs=0.08)
    expected = torch.where(silent.unsqueeze(-1), 0, model.embedding(ids) / 0.7)
    torch.testing.assert_close(found[0], expected)
    assert torch.equal(first_input(model.eval(), ids), model.embedding(ids))


def test_only_the_tokens_that_were_kept_learn(make_model: Make) -> None:
    model = make_model(vocab_size=40, token_drop=0.5).train()
    model.generator = seeded(4)
    ids = torch.arange(3, 40)[:, None]
    read = first_input(model, ids)
    torch.autograd.backward(read.sum())
    gradient = cast(Tensor, model.embedding.weight.grad)
    kept = (read != 0).any(dim=-1).squeeze(1)
    assert 5 < kept.sum() < 32
    assert torch.equal(gradient[3:].any(dim=1), kept)
    torch.testing.assert_close(gradient[3:][kept], torch.full((int(kept.sum()), 3), 2.0))


def test_a_dropped_token_still_has_its_plan(make_model: Make) -> None:
    model = make_model(token_drop=0.5, **LABELS).train()
    labels = plans(4, 2)
    model.generator = seeded(0)
    tokens = first_input(model, IDS)
    model.generator = seeded(0)
    both = first_input(model, IDS, labels)
    assert 0 < (tokens == 0).all(dim=-1).sum() < 8
    plan = sum(table.weight[labels[..., k]] for k, table in enumerate(model.labels))
    torch.testing.assert_close(both - tokens, cast(Tensor, plan))
