"""Windows over a text: y is x one step later, and an epoch predicts every token once."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from lyricgen.errors import OptionError
from lyricgen.training.dataset import Batch, WindowDataset, stream_steps

IGNORED = -1


def counting(n: int) -> npt.NDArray[np.uint16]:
    """Ids that tell their place: 3, 4, 5 …"""
    return np.arange(3, n + 3, dtype=np.uint16)


def targets(y: torch.Tensor) -> list[int]:
    """The places, from 0, of the tokens that are predicted. Class c is the token of id c + 2."""
    return [c + 2 - 3 for c in y.flatten().tolist() if c != IGNORED]


def check_pair(x: torch.Tensor, y: torch.Tensor, n: int) -> None:
    """y is x one step later, round the ring, wherever it is not ignored."""
    assert x.dtype == y.dtype == torch.int64 and x.shape == y.shape
    following = (x - 3 + 1) % n
    assert ((y == IGNORED) | (y == following + 3 - 2)).all()
    assert torch.equal(x[1:] - 3, following[:-1])


sizes = st.tuples(st.integers(1, 60), st.integers(1, 17), st.integers(0, 80))


@given(sizes)
@example((1, 1, 0))
@example((1, 9, 3))
@example((12, 4, 11))
@example((13, 4, 0))
def test_every_token_is_predicted_once(sizes: tuple[int, int, int]) -> None:
    n, window, offset = sizes
    data = WindowDataset(counting(n), window=window, offset=offset)
    places: list[int] = []
    for k in range(len(data)):
        x, y = data[k]
        assert x.shape == (window,)
        assert x[0] == 3 + (offset + k * window) % n
        check_pair(x, y, n)
        places += targets(y)
    assert places == [(offset + 1 + k) % n for k in range(n)]


@given(sizes, st.integers(1, 9), st.integers(0, 5))
@example((8, 4, 0), 2, 0)
@example((9, 4, 8), 2, 1)
@example((5, 2, 0), 4, 0)  # a stream too many
@example((3, 2, 0), 9, 0)
def test_every_token_is_predicted_once_in_streams(sizes: tuple[int, int, int], batch: int, first: int) -> None:
    n, window, offset = sizes
    data = WindowDataset(counting(n), window=window, offset=offset)
    epoch = list(data.streams(batch))
    assert len(epoch) == stream_steps(n, window=window, size=batch)
    for x, y, *_ in epoch:
        assert x.shape == (window, batch)
        check_pair(x, y, n)
    assert sorted(place for _, y, *_ in epoch for place in targets(y)) == list(range(n))
    for (x, *_), (following, *_) in pairwise(epoch):
        assert torch.equal(following[0] - 3, (x[-1] - 3 + 1) % n)
    check_same(list(data.streams(batch, first=first)), epoch[first:])


@given(sizes, st.integers(1, 5), st.integers(1, 4), st.integers(0, 5))
@example((3, 2, 0), 5, 4, 0)  # more streams than tokens
def test_streams_that_take_turns(sizes: tuple[int, int, int], batch: int, turns: int, first: int) -> None:
    n, window, offset = sizes
    data = WindowDataset(counting(n), window=window, offset=offset)
    epoch = list(data.streams(batch, turns=turns))
    assert len(epoch) == stream_steps(n, window=window, size=batch, turns=turns)
    assert sorted(place for _, y, *_ in epoch for place in targets(y)) == list(range(n))
    for (x, *_), (following, *_) in zip(epoch, epoch[turns:], strict=False):  # one round later
        assert torch.equal(following[0] - 3, (x[-1] - 3 + 1) % n)
    check_same(list(data.streams(batch, turns=turns, first=first)), epoch[first:])


def test_turns_by_hand() -> None:
    epoch = WindowDataset(counting(12), window=2).streams(2, turns=2)  # four streams of three tokens
    assert [x.T.tolist() for x, *_ in epoch] == [
        [[3, 4], [9, 10]], [[6, 7], [12, 13]],  # the first and the third, the second and the fourth
        [[5, 6], [11, 12]], [[8, 9], [14, 3]],
    ]  # fmt: skip


@given(sizes, st.integers(1, 9), st.integers(0, 5), st.integers(0, 3))
def test_every_token_is_predicted_once_in_shuffled_batches(
    sizes: tuple[int, int, int], batch: int, first: int, seed: int
) -> None:
    n, window, offset = sizes
    data = WindowDataset(counting(n), window=window, offset=offset)
    epoch = list(data.batches(batch, seed=seed))
    assert [x.shape[1] for x, *_ in epoch[:-1]] == [batch] * (len(epoch) - 1)
    for x, y, *_ in epoch:
        check_pair(x, y, n)
    assert sorted(place for _, y, *_ in epoch for place in targets(y)) == list(range(n))
    check_same(list(data.batches(batch, seed=seed, first=first)), epoch[first:])


def check_same(some: list[Batch], others: list[Batch]) -> None:
    assert len(some) == len(others)
    for (x, y, *_), (other_x, other_y, *_) in zip(some, others, strict=True):
        assert torch.equal(x, other_x) and torch.equal(y, other_y)


def test_windows_by_hand() -> None:
    ids = np.array([1, 5, 6, 2, 1, 0, 7, 2], dtype=np.uint8)
    x, y = WindowDataset(ids, window=5, offset=6)[1]
    assert (x.tolist(), y.tolist()) == ([2, 1, 0, 7, 2], [-1, -1, 5, -1, -1])
    x, y = WindowDataset(ids, window=5)[0]
    assert (x.tolist(), y.tolist()) == ([1, 5, 6, 2, 1], [3, 4, 0, -1, -1])  # no start, nothing unseen is predicted
    x, y = WindowDataset(ids, window=5)[1]
    assert (x.tolist(), y.tolist()) == ([0, 7, 2, 1, 5], [5, 0, -1, -1, -1])  # from the second on it has been


def test_streams_by_hand() -> None:
    [(x, y, *_), (later_x, later_y, *_)] = WindowDataset(counting(7), window=2, offset=1).streams(2)
    assert x.T.tolist() == [[4, 5], [8, 9]] and y.T.tolist() == [[3, 4], [7, 1]]
    assert later_x.T.tolist() == [[6, 7], [3, 4]] and later_y.T.tolist() == [[5, 6], [2, -1]]


def test_the_seed_shuffles() -> None:
    data = WindowDataset(counting(90), window=3)
    orders = [[int(x[0, 0]) for x, *_ in data.batches(1, seed=seed)] for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) != orders[0]


def test_another_offset_gives_other_windows() -> None:
    starts = [
        {int(x[0]) for x, *_ in (WindowDataset(counting(20), window=5, offset=offset)[k] for k in range(4))}
        for offset in (0, 1, 20)
    ]
    assert not starts[0] & starts[1]
    assert starts[0] == starts[2]


def test_it_is_a_data_set_like_any_other() -> None:
    data = WindowDataset(counting(10), window=4)
    [x, y] = next(iter(DataLoader(data, batch_size=3)))
    assert x.shape == y.shape == (3, 4)
    for index in (-1, 3):
        with pytest.raises(IndexError):
            data[index]


def test_what_has_no_windows_is_refused() -> None:
    with pytest.raises(OptionError, match=r"window must be at least 1 .* got 0"):
        WindowDataset(counting(3), window=0)
    with pytest.raises(OptionError, match="at least one token"):
        WindowDataset(counting(0), window=4)


# Labels

BREAK = 3
SUNG = np.array([1, 5, 6, 3, 7, 3, 2, 1, 3, 5, 2], dtype=np.uint8)
# left, rhyme, mood, style, and what decides whether these two are hidden
TOLD = np.array(
    [[2, 9, 1, 2, 0], [1, 9, 1, 2, 0], [0, 9, 1, 2, 0], [1, 8, 1, 2, 0], [0, 8, 1, 2, 0], [32, 0, 1, 2, 0],
     [0, 0, 0, 0, 0], [0, 0, 2, 1, 158], [1, 7, 2, 1, 158], [0, 7, 2, 1, 158], [0, 0, 0, 0, 158]],
    dtype=np.uint8,
)  # fmt: skip
NONE = [IGNORED, IGNORED]


def test_labels_stand_at_x_and_plans_one_step_before_their_line() -> None:
    data = WindowDataset(SUNG, window=6, labels=TOLD, line_break=BREAK)
    x, y, labels, plan = data[0]
    assert x.tolist() == [1, 5, 6, 3, 7, 3] and y.tolist() == [3, 4, 1, 5, 1, 0]
    assert labels.tolist() == [
        [2, 9, 0, 0], [1, 9, 0, 0], [0, 9, 0, 0], [1, 8, 0, 0], [0, 8, 0, 0], [32, 0, 0, 0]
    ]  # fmt: skip
    assert plan.tolist() == [NONE, NONE, [1, 8], NONE, [32, 0], NONE]
    x, y, labels, plan = data[1]  # the second song's first line is planned at the end of the first song
    assert x.tolist() == [2, 1, 3, 5, 2, 1]
    assert labels[:, 2:].tolist() == [[0, 0], [2, 1], [2, 1], [2, 1], [0, 0], [0, 0]]
    assert plan.tolist() == [[0, 0], [1, 7], NONE, NONE, [2, 9], NONE]  # the ring comes round to the first song


@given(st.integers(1, 9), st.integers(0, 20), st.integers(1, 5))
def test_every_line_is_planned_once_an_epoch(window: int, offset: int, batch: int) -> None:
    data = WindowDataset(SUNG, window=window, offset=offset, labels=TOLD, line_break=BREAK)
    lines = sorted(TOLD[np.isin(SUNG, (1, BREAK)), :2].tolist())
    for epoch in (data.batches(batch), data.streams(batch)):
        planned: list[list[int]] = []
        for part in epoch:
            assert part.labels is not None and part.plan is not None
            assert part.labels.shape == (*part.x.shape, 4) and part.plan.shape == (*part.x.shape, 2)
            planned += part.plan[part.plan[..., 0] != IGNORED].tolist()
        assert sorted(planned) == lines


def test_mood_and_style_are_hidden_in_half_the_epochs_and_never_a_line() -> None:
    def shown(number: int, epoch: int) -> bool:
        told = TOLD.copy()
        told[:, 4] = number
        _, _, labels, _ = WindowDataset(SUNG, window=11, labels=told, line_break=BREAK, epoch=epoch)[0]
        assert labels[:, :2].tolist() == TOLD[:, :2].tolist()
        named = labels[:, 2:].tolist()
        assert named in ([[0, 0]] * 11, TOLD[:, 2:4].tolist())
        return named != [[0, 0]] * 11

    assert all(sum(shown(number, epoch) for epoch in range(256)) == 128 for number in (0, 101, 255))
    assert all(sum(shown(number, epoch) for number in range(256)) == 128 for epoch in (0, 1, 300))
