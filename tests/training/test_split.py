"""Where one long text is cut: at the break that is nearest, however little of it is read at a time."""

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricgen.training import split
from lyricgen.training.split import UNLABELLED, split_songs
from lyricgen.training.spool import Spool

BREAK = 10


def one_text(ids: list[int]) -> Spool:
    spool = Spool(BytesIO())
    spool.add(np.array(ids, dtype=np.uint32), side=UNLABELLED)
    spool.close()
    return spool


@given(
    text=st.lists(st.sampled_from([7, 8, 9, BREAK]), min_size=1, max_size=60),
    share=st.floats(0.05, 0.6),
    chunk=st.integers(1, 9),
)
def test_the_nearest_break_is_found_in_pieces_of_the_text(text: list[int], share: float, chunk: int) -> None:
    spool = one_text([*text, BREAK])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(split, "CHUNK", chunk)
        found = split_songs(spool, share=share, seed=0, line_break=BREAK)
    whole = spool.read(slice(0, spool.tokens)).tolist()
    aim, reach = len(whole) - max(1, round(share * len(whole))), max(1, len(whole) // 4)
    lines = [k + 1 for k, token in enumerate(whole[:-2]) if token == BREAK]
    near = [k for k in lines if max(1, aim - reach) < k <= aim + reach]
    assert found.train[0, 1] == min(near, key=lambda k: (abs(k - aim), k), default=len(whole))


@pytest.mark.parametrize("chunk", range(1, 7))
def test_of_two_breaks_that_are_as_near_the_first_is_taken(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split, "CHUNK", chunk)
    for distance in range(1, 9):
        text = [7] * 60
        for place in (
            29 - distance,
            29 + distance,
        ):  # with its ends the text has 62 ids, and half of them are aimed at
            text[place] = BREAK
        assert split_songs(one_text(text), share=0.5, seed=0, line_break=BREAK).train[0, 1] == 31 - distance


def test_a_long_text_is_not_taken_into_memory_to_be_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split, "CHUNK", 1000)
    spool, read = one_text([7, 8, 9, BREAK] * 100_000), []
    honest = spool.read
    monkeypatch.setattr(spool, "read", lambda run: read.append(run.stop - run.start) or honest(run))
    ((cut, stop),) = split_songs(spool, share=0.1, seed=0, line_break=BREAK).valid.tolist()
    assert abs(stop - cut - 40_000) <= 2 and sum(read) <= 2000  # where breaks abound
    assert not len(split_songs(spool, share=0.1, seed=0, line_break=11).valid)
    assert max(read) <= 1000
