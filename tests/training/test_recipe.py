"""What a run uses where its user has not said: wishes win, small texts get small sizes, epochs get dropout."""

import math
from dataclasses import asdict, fields
from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lyricgen.errors import OptionError
from lyricgen.model.config import ModelConfig, TrainConfig
from lyricgen.training import recipe
from lyricgen.training.probe import tokens_per_second
from lyricgen.training.recipe import PRESETS, Recipe, Wishes, choose, matrix_rate

CPU = torch.device("cpu")
BIG = 1_000_000  # tokens

WISHES = {
    "cell": "gru", "hidden": 77, "layers": 3, "embedding": 33, "dropout": 0.33, "tied": True, "residual": False,
    "window": 19, "batch": 13, "turns": 3, "lr": 0.123, "epochs": 7, "seed": 99, "carry": False, "optimizer": "adam",
    "schedule": "constant", "weight_decay": 0.5, "warmup": 0.25, "clip": 3.0, "patience": 2,
    "weight_drop": 0.44, "token_drop": 0.11, "average": 0.2,
}  # fmt: skip


def chosen(wishes: Wishes, *, tokens: int = BIG, vocab_size: int = 1000, **known: Any) -> dict[str, Any]:
    """The settings of the model and its training together."""
    found = choose(wishes, tokens=tokens, vocab_size=vocab_size, device=CPU, **known)
    return {**asdict(found.training), **asdict(found.model)}


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that multiplies 10¹¹ numbers a second, of which a training step reaches half."""
    monkeypatch.setattr(recipe, "matrix_rate", lambda device: 1e11)


def by_minutes(minutes: float, *, tokens: int = BIG, **wishes: Any) -> Recipe:
    return choose(Wishes(minutes=minutes, **wishes), tokens=tokens, vocab_size=1000, device=CPU)


def test_every_wish_is_tested() -> None:
    assert {*WISHES, "minutes"} == {field.name for field in fields(Wishes)}


@pytest.mark.parametrize("name", WISHES)
def test_a_wish_wins(name: str) -> None:
    found = chosen(Wishes(**{"epochs": 1, name: WISHES[name]}))
    assert found[name] == WISHES[name]
    assert chosen(Wishes(epochs=2))[name] != WISHES[name]  # it is not what the rule would take


def test_all_wishes_win_together() -> None:
    found = chosen(Wishes(**WISHES))
    assert {name: found[name] for name in WISHES} == WISHES
    assert found["vocab_size"] == 1000 and found["minutes"] == 0


@pytest.mark.usefixtures("fast")
def test_minutes() -> None:
    assert (by_minutes(2.5).training.minutes, by_minutes(2.5).training.epochs) == (2.5, 0)
    assert chosen(Wishes())["minutes"] == 5


@pytest.mark.parametrize(("dropout", "residual", "tied"), [(0.0, False, False), (0.5, True, True)])
def test_nothing_and_no_are_wishes_too(dropout: float, residual: bool, tied: bool) -> None:
    found = chosen(Wishes(epochs=50, dropout=dropout, residual=residual, tied=tied), vocab_size=9000)
    assert (found["dropout"], found["residual"], found["tied"]) == (dropout, residual, tied)


@pytest.mark.parametrize(
    "wish", ["hidden", "layers", "embedding", "window", "batch", "epochs", "minutes", "lr", "dropout", "seed"]
)
@pytest.mark.parametrize("value", [-1, 0])
def test_a_wish_that_cannot_be_is_refused(wish: str, value: int) -> None:
    if wish in ("dropout", "seed") and not value:
        return
    counted = {} if wish in ("epochs", "minutes") else {"epochs": 1}
    with pytest.raises(OptionError, match=f"{wish} must be from .* got {value}"):
        chosen(Wishes(**{**counted, wish: value}))


def test_a_run_is_counted_in_one_way() -> None:
    with pytest.raises(OptionError, match="in epochs or in minutes"):
        Wishes(epochs=1, minutes=1)


def test_wishes_over_others() -> None:
    base = Wishes(cell="rnn", dropout=0.5, carry=True)
    assert Wishes(dropout=0.0, carry=False, layers=3).over(base) == Wishes(
        cell="rnn", dropout=0.0, carry=False, layers=3
    )
    assert Wishes(cell="gru", tied=False, epochs=2).shape() == ["cell", "tied"]


def test_the_classic_preset() -> None:
    found = chosen(PRESETS["classic"], tokens=100_000)
    expected = {
        "cell": "rnn", "embedding": 128, "hidden": 256, "layers": 1, "window": 32, "batch": 5, "lr": 1e-4,
        "epochs": 10, "optimizer": "adam", "schedule": "constant", "dropout": 0.0, "carry": False,
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected


@given(st.integers(1, 3000), st.integers(5, 300))
def test_a_tiny_corpus_shrinks_window_and_batch(tokens: int, vocab_size: int) -> None:
    found = chosen(Wishes(epochs=3), tokens=tokens, vocab_size=vocab_size)
    assert 1 <= found["window"] <= max(2, tokens // 4)
    assert found["batch"] == 1 or found["batch"] * found["window"] * 2 <= tokens
    assert found["window"] == 64 or tokens < 64 * 4


def test_a_window_longer_than_the_text_shrinks_even_where_it_was_wished_for() -> None:
    assert chosen(Wishes(epochs=1, window=500, batch=400), tokens=100)["window"] == 25
    assert chosen(Wishes(epochs=1, window=500, batch=400), tokens=100)["batch"] == 100


def test_streams_take_turns_and_have_eight_windows_each() -> None:
    sizes = (100, 8192, 8193, 65_536)  # eight windows of 64 in each of sixteen rows are 8,192
    found = [chosen(Wishes(epochs=1, batch=16), tokens=tokens)["turns"] for tokens in sizes]
    assert found == [1, 1, 1, 8]  # two streams for 8,193 tokens would have windows of one token at their ends
    for tokens, least in ((BIG, 8), (2 * BIG, 16)):  # with eight windows there would be too many of them to keep
        turns = chosen(Wishes(epochs=1, batch=16), tokens=tokens)["turns"]
        stream = math.ceil(tokens / 16 / turns)
        assert turns <= 128 and least * 64 - 64 < stream <= 1.5 * least * 64 + 64
        assert math.ceil(stream / 64) * 64 * 16 * turns < 1.003 * tokens  # hardly a place is empty
    assert chosen(Wishes(epochs=1, carry=False))["turns"] == 1  # nothing to carry along
    assert chosen(PRESETS["classic"])["turns"] == 1


def test_a_large_corpus_fills_a_batch() -> None:
    assert (chosen(Wishes(epochs=1))["window"], chosen(Wishes(epochs=1))["batch"]) == (64, 16)
    assert chosen(Wishes(epochs=100))["batch"] == 64


def test_dropout_grows_with_the_number_of_epochs() -> None:
    found = [chosen(Wishes(epochs=epochs))["dropout"] for epochs in (1, 2, 4, 12, 30, 42)]
    assert found == [0.0, 0.0, 0.1, 0.2, 0.35, 0.5]


def test_a_model_too_small_to_recite_the_text_needs_less() -> None:
    found = [chosen(Wishes(epochs=4, hidden=hidden), vocab_size=66)["dropout"] for hidden in (48, 160, 512)]
    assert found == [0.0, 0.0, 0.1]  # 0.04, 0.40 and 3.4 weights for each token


@pytest.mark.usefixtures("fast")
def test_dropout_grows_with_the_time_for_a_text() -> None:
    found = [by_minutes(5, tokens=tokens).model.dropout for tokens in (3_000, 100_000, 300_000, 10**6, 10**8)]
    assert found == sorted(found, reverse=True) and found[0] == 0.5 and found[-1] == 0.0


@pytest.mark.usefixtures("fast")
def test_more_time_and_more_text_make_a_wider_model() -> None:
    by_time = [by_minutes(minutes, tokens=10**8).model.hidden for minutes in (0.1, 1, 10, 1000)]
    assert by_time == sorted(set(by_time))
    by_text = [by_minutes(1000, tokens=tokens).model.hidden for tokens in (1_000, 10_000, 10**5, 10**6)]
    assert by_text == sorted(set(by_text))


@pytest.mark.usefixtures("fast")
def test_a_model_sees_four_tokens_for_each_of_its_weights() -> None:
    def needed(hidden: int) -> float:
        """Minutes."""
        weights = 4 * hidden * (128 + hidden) + hidden * 1000
        work = 6 * weights * 4 * weights  # two operations forward and four backward for each weight and token
        return work / (0.5 * 1e11) / 60

    def chosen_in(minutes: float) -> ModelConfig:
        return by_minutes(minutes, tokens=10**8, cell="lstm", layers=1).model

    for narrower, hidden in pairwise(width for width in recipe.WIDTHS if width >= 128):
        enough, little = chosen_in(1.01 * needed(hidden)), chosen_in(0.99 * needed(hidden))
        assert (enough.hidden, little.hidden) == (hidden, narrower)
        assert enough.embedding == 128


def paced(minutes: float, pace: recipe.Pace, **wishes: Any) -> Recipe:
    return choose(Wishes(minutes=minutes, **wishes), tokens=10**8, vocab_size=1000, device=CPU, pace=pace)


@pytest.mark.usefixtures("fast")
def test_a_slow_cell_gets_a_narrower_model_than_the_matrix_rate_promises() -> None:
    def rate(flops: float) -> recipe.Pace:
        return lambda model, training: flops / (6 * recipe._weights(model))

    expected = by_minutes(5, tokens=10**8)
    assert paced(5, rate(0.5 * 1e11)).model == expected.model
    slow, fast = paced(5, rate(0.1 * 1e11)), paced(5, rate(2e11))
    assert slow.model.hidden < expected.model.hidden < fast.model.hidden
    assert slow.model == by_minutes(1, tokens=10**8).model  # a fifth of the speed is a fifth of the time
    assert "in 5 minutes" in slow.why
    assert paced(1.4, rate(1e9)).model == by_minutes(1.4, tokens=10**8).model  # no time to try


@pytest.mark.usefixtures("fast")
def test_a_batch_that_falls_off_a_cliff_is_left_out() -> None:
    def pace(model: ModelConfig, training: TrainConfig) -> float:
        return 1e5 / (6 if training.batch == 64 else 1)

    assert paced(5, lambda model, training: 1e5, hidden=384).training.batch == 64
    found = paced(5, pace, hidden=384)
    assert found.training.batch == 32
    assert found.why.endswith("for about 30 M tokens (0.3 times the text) in 5 minutes")
    assert paced(5, pace, hidden=384, batch=64).training.batch == 64  # as it was asked
    assert paced(5, lambda model, training: 1e5 + training.batch, hidden=384).training.batch == 64  # hardly faster


@pytest.mark.usefixtures("fast")
def test_what_cannot_be_tried_is_not_tried() -> None:
    tried: list[tuple[int, int]] = []

    def pace(model: ModelConfig, training: TrainConfig) -> float:
        tried.append((model.hidden, training.batch))
        return 0.0 if training.batch > 8 else 1000.0 * training.batch

    assert paced(2, pace, hidden=4096).model.hidden == 4096 and not tried  # its steps would take the run's time
    short = choose(Wishes(minutes=5), tokens=2300, vocab_size=1000, device=CPU, pace=pace)
    assert short.training.batch <= 17 and max(batch for _, batch in tried) <= 17  # two windows for each row
    tried.clear()
    expected = by_minutes(5, tokens=10**8)
    assert paced(5, pace).model == expected.model  # no memory for any: as if it had not been tried
    assert [hidden for hidden, _ in tried] == sorted({hidden for hidden, _ in tried}, reverse=True)
    assert tried[0][0] == expected.model.hidden and tried[-1][0] == 32
    tried.clear()
    four = choose(Wishes(minutes=5, batch=32), tokens=10**8, vocab_size=1000, device=CPU, pace=pace, ranks=4)
    assert {batch for _, batch in tried} == {8} and "about 9.6 M tokens" in four.why  # 4 × 8,000 a second


@pytest.mark.usefixtures("fast")
def test_a_model_for_which_memory_does_not_suffice_gets_narrower() -> None:
    def pace(model: ModelConfig, training: TrainConfig) -> float:
        return 1e4 if model.hidden < 100 else 0.0

    assert by_minutes(5, tokens=10**8).model.hidden > 100
    assert 48 <= paced(5, pace).model.hidden < 100
    assert paced(5, pace, hidden=224).model.hidden == 224  # as it was asked


@pytest.mark.parametrize(("epochs", "time"), [(1, 2 / 3), (3, 2.0), (30, 2.0)])
def test_weights_are_a_mean_over_two_epochs_or_two_thirds_of_a_run(epochs: int, time: float) -> None:
    found = chosen(Wishes(epochs=epochs))
    steps = BIG / (found["window"] * found["batch"])
    assert 1 / (found["lr"] * found["weight_decay"]) == pytest.approx(time * steps, rel=0.06)  # two digits of each


def test_the_weight_decay_has_bounds_and_others_keep_their_own() -> None:
    assert chosen(Wishes(epochs=9), tokens=500)["weight_decay"] == 1.0
    for wishes in (Wishes(epochs=3, optimizer="adamw"), Wishes(epochs=3, weight_decay=0.01)):
        assert chosen(wishes)["weight_decay"] == 0.01
    assert chosen(Wishes(epochs=3), model=ModelConfig(1000))["weight_decay"] == 0.01  # it would forget what it knows


def test_a_shape_that_does_not_fit_into_memory_has_no_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr("lyricgen.training.probe.LyricModel", refuse)
    assert tokens_per_second(ModelConfig(30), TrainConfig(epochs=1), CPU) == 0


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_the_pace_is_measured_with_real_steps_and_leaves_no_trace(cell: str) -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    shapes = [ModelConfig(30, cell=cell, embedding=8, hidden=hidden) for hidden in (8, 512)]
    small, large = (tokens_per_second(shape, TrainConfig(window=8, batch=4, epochs=1), CPU) for shape in shapes)
    assert small > 1.5 * large > 0
    assert torch.rand(1) == expected


def test_the_fewer_steps_and_units_the_higher_the_learning_rate() -> None:
    def height(epochs: int, hidden: int, batch: int = 64) -> float:
        rate: float = chosen(Wishes(epochs=epochs, hidden=hidden, batch=batch), tokens=64 * 64 * 100)["lr"]
        return rate

    assert height(5, 192) == 0.02  # 500 steps
    assert [height(160, 192), height(1, 192)] == [0.005, 0.032]  # a 32nd, four times as high; and as high as it gets
    assert [height(5, 768), height(5, 48)] == [0.01, 0.032]  # by the root of the width
    assert height(5, 192, batch=2) == height(160, 192)


@pytest.mark.parametrize("optimizer", ["adamw", "adam"])
def test_other_optimizers_have_a_learning_rate_of_their_own(optimizer: str) -> None:
    assert chosen(Wishes(epochs=1, optimizer=optimizer))["lr"] == TrainConfig.lr
    assert chosen(Wishes(epochs=1, optimizer=optimizer, lr=0.5))["lr"] == 0.5


def test_the_learning_rate_fits_the_steps_of_the_batch_that_was_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe, "matrix_rate", lambda _: 1e11)
    paces = {16: 1000.0, 32: 2000.0, 64: 9000.0}
    found = choose(Wishes(minutes=20, hidden=32), tokens=BIG, vocab_size=1000, device=CPU,
                   pace=lambda _, training: paces[training.batch]).training  # fmt: skip
    steps = paces[found.batch] * 20 * 60 / (found.batch * found.window)
    assert found.lr == pytest.approx(0.02 * 6**0.5 * (500 / steps) ** 0.4, rel=0.05)
    assert found.lr < recipe.HIGHEST_LR


def test_a_large_vocabulary_shares_its_weights() -> None:
    small, large = (chosen(Wishes(epochs=1), vocab_size=size) for size in (1500, 1501))
    assert (small["tied"], large["tied"]) == (False, True)


def test_a_model_that_has_learned_is_kept_and_trained_gently() -> None:
    known = ModelConfig(1000, cell="gru", embedding=9, hidden=10, layers=1, dropout=0.7, residual=False, tied=True)
    found = chosen(Wishes(epochs=1), model=known)
    assert {**asdict(known), "dropout": 0.0} == {name: found[name] for name in asdict(known)}
    assert found["lr"] == 0.001 < chosen(Wishes(epochs=1))["lr"] / 4
    assert chosen(Wishes(epochs=1, lr=0.5, dropout=0.2), model=known)["lr"] == 0.5


@pytest.mark.usefixtures("fast")
def test_the_choice_is_told_in_one_line() -> None:
    why = choose(Wishes(**WISHES), tokens=BIG, vocab_size=1000, device=CPU).why
    assert why.startswith("3×GRU 77, embedding 33 (tied), dropout 0.33, batch 13×19, lr 0.123: ")
    assert why.endswith("for about 7 M tokens (7 times the text) in 7 epochs")
    assert by_minutes(2.5).why.endswith("in 2.5 minutes")


def test_the_rate_of_this_machine_is_measured() -> None:
    assert 1e7 < matrix_rate(CPU) < 1e16
