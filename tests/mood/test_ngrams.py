"""N-grams counted against a plain dictionary of tuples, and weights against NumPy."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lyricgen.mood import ngrams
from lyricgen.mood.linear import fit, sparse
from lyricgen.mood.ngrams import MOST, MOST_WEIGHTS, NgramTable, groups, most_ngrams

TEXTS = ["星星在天上星星", "星星在水里\n在", "Good day, good DAY"] * 1


def by_hand(text: str) -> Counter[tuple[str, ...]]:
    """The n-grams of a text of single characters: one, two, three in a row, and two with a gap."""
    pieces = [piece for piece in text if piece == "\n" or not piece.isspace()]
    found: Counter[tuple[str, ...]] = Counter()
    for k in range(len(pieces)):
        for n in (1, 2, 3):
            if k + n <= len(pieces):
                found[tuple(pieces[k : k + n])] += 1
        if k + 3 <= len(pieces):
            found[(pieces[k], "…gap", pieces[k + 2])] += 1
    return found


@given(st.lists(st.text(alphabet="星月在水 \n", min_size=1, max_size=12), min_size=2, max_size=6))
def test_rows_are_those_of_a_plain_dictionary(texts: list[str]) -> None:
    table = NgramTable.of(texts)
    counts = [by_hand(text) for text in texts]
    df = Counter(gram for count in counts for gram in count)
    assert len(table) == len(df)
    rows = table.rows(texts)
    for k, count in enumerate(counts):
        weights = {
            gram: (1 + np.log(n))
            * (np.log((1 + len(texts)) / (1 + df[gram])) + 1) ** 0.5
            * (0.55 if len(gram) == 3 and gram[1] == "…gap" else 1)
            for gram, n in count.items()
        }
        length = np.sqrt(sum(weight**2 for weight in weights.values()))
        expected = sorted(weight / length for weight in weights.values())
        values = rows.values[rows.starts[k] : rows.starts[k + 1]]
        np.testing.assert_allclose(sorted(values), expected, rtol=1e-5)


def test_a_text_is_the_same_alone_and_among_others() -> None:
    table = NgramTable.of(TEXTS)
    together = table.rows(TEXTS)
    for k, text in enumerate(TEXTS):
        alone = table.rows([text])
        inside = slice(together.starts[k], together.starts[k + 1])
        np.testing.assert_array_equal(alone.columns, together.columns[inside])
        np.testing.assert_allclose(alone.values, together.values[inside])


def test_words_count_as_words_whatever_their_case_and_by_their_letters() -> None:
    table = NgramTable.of(["Good day", "cat"])
    good = table.rows(["good DAY"])
    np.testing.assert_array_equal(table.rows(["GOOD day"]).columns, good.columns)
    assert 0 < len(table.rows(["goodness"]).columns) < len(good.columns)  # <go, goo, good, <goo, <good …


def test_rare_ones_are_left_out_of_many_texts_and_unknown_ones_ignored() -> None:
    texts = [f"天{chr(0x4E00 + k)}" for k in range(40)] + ["地", "地"]
    table = NgramTable.of(texts)
    assert len(table) == 2  # 天 and 地
    assert len(table.rows(["海"]).columns) == 0
    np.testing.assert_array_equal(table.rows(["海", "天"]).starts, [0, 0, 1])


def test_only_so_many_are_kept_the_most_frequent() -> None:
    assert len(NgramTable.of(["天地", "天人", "天"], most=1)) == 1
    [value] = NgramTable.of(["天地", "天人", "天"], most=1).rows(["天"]).values
    assert value == 1


@pytest.mark.parametrize("classes", [2, 32, 33, 100, 1000])
def test_the_more_classes_the_fewer_are_kept(classes: int) -> None:
    most = most_ngrams(classes)
    assert most * classes <= MOST_WEIGHTS
    assert most == MOST or (most + 1) * classes > MOST_WEIGHTS  # and no fewer than need be


@pytest.mark.parametrize(("limit", "size"), [("TOGETHER", 1), ("TOGETHER", 3), ("CHARACTERS", 4), ("CHARACTERS", 9)])
def test_texts_in_chunks_make_the_same_table(limit: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["星星在天上", "月在水里", "星在水里", "天上有月", "海"] * 2
    whole = NgramTable.of(texts)
    monkeypatch.setattr(ngrams, limit, size)
    parted = NgramTable.of(texts)
    np.testing.assert_array_equal(whole.keys, parted.keys)
    np.testing.assert_array_equal(whole.scales, parted.scales)
    np.testing.assert_array_equal(whole.rows(texts).columns, parted.rows(texts).columns)


def test_of_many_texts_each_n_gram_is_sorted_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [chr(0x4E00 + k) for k in range(500)]  # each with an n-gram of its own
    monkeypatch.setattr(ngrams, "TOGETHER", 1)
    work: list[int] = []
    sort = np.unique
    monkeypatch.setattr(np, "unique", lambda keys, **more: work.append(len(keys)) or sort(keys, **more))
    NgramTable.of([*texts, *texts])
    assert sum(work) < 4 * 1000 * np.log2(1000)  # with all that went before sorted each time, some 500,000


@given(st.lists(st.text(max_size=9)), st.integers(1, 4))
def test_groups_are_of_so_many_texts_and_characters(texts: list[str], most: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ngrams, "CHARACTERS", 12)
        found = [list(group) for group in groups(texts, most=most)]
    assert [text for group in found for text in group] == texts
    assert all(1 <= len(group) <= most and sum(map(len, group)) <= 12 for group in found)
    for group, after in pairwise(found):
        assert len(group) == most or sum(map(len, group)) + len(after[0]) > 12  # no smaller than need be


def test_long_texts_are_read_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["星在天上" * 5, "月在水里" * 9, "海"] * 4  # at most 36 characters
    monkeypatch.setattr(ngrams, "CHARACTERS", 40)
    sizes: list[int] = []
    read = ngrams._occurrences
    monkeypatch.setattr(ngrams, "_occurrences", lambda texts: sizes.append(sum(map(len, texts))) or read(texts))
    table = NgramTable.of(texts)
    table.rows(texts)
    assert sum(sizes) == 2 * sum(map(len, texts)) and max(sizes) <= 40


def test_weights_are_those_where_the_gradient_is_zero() -> None:
    texts = ["星星天上", "月亮水里", "星在天上", "月在水里", "星月", "水天"]
    classes = np.array([0, 1, 0, 1, 2, 2])
    table = NgramTable.of(texts)
    rows = table.rows(texts)
    importance = np.array([1.0, 2.0, 0.5], np.float32)
    x = sparse(rows, width=len(table))
    weight, bias = (part.numpy().astype(float) for part in fit(
        x, torch.from_numpy(classes), importance=torch.from_numpy(importance), strength=3.0))  # fmt: skip
    dense = np.zeros((6, len(table)))
    for k in range(6):
        inside = slice(rows.starts[k], rows.starts[k + 1])
        dense[k, rows.columns[inside]] = rows.values[inside]
    odds = dense @ weight + bias
    odds = np.exp(odds - odds.max(axis=1, keepdims=True))
    odds /= odds.sum(axis=1, keepdims=True)
    share = importance[classes] / importance[classes].sum()
    pull = (odds - np.eye(3)[classes]) * share[:, None]
    np.testing.assert_allclose(dense.T @ pull + weight / (3.0 * 6), 0, atol=1e-4)
    np.testing.assert_allclose(pull.sum(axis=0), 0, atol=1e-4)
