"""What a model that plans its lines expects next: the same as by brute force over every plan of the last line."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
import torch

from lyricgen.generation import opening
from lyricgen.generation.lyricist import Lyricist
from lyricgen.text.labels import CLASSES, ENDS, LENGTHS, LONGEST, MORE, RHYMES
from lyricgen.text.vocab import END, START

from .conftest import make_lyricist

TINY = "\n花光ab"
RHYME = {"花": "发花", "光": "江阳"}
Shares = npt.NDArray[np.float64]


@pytest.fixture(autouse=True)
def every_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans are weighed to the last one."""
    monkeypatch.setattr(opening, "KEPT", 2.0)
    monkeypatch.setattr(opening, "MOST", LENGTHS * RHYMES)


def units_after(line: str) -> list[int]:
    """The units of each beginning of a line, a Latin word counted once."""
    counts, before = [0], ""
    for character in line:
        counts.append(counts[-1] + (not (character in "ab" and before in ("a", "b"))))
        before = character
    return counts


def may_follow(left: int, rhyme: int) -> npt.NDArray[np.bool_]:
    """The end, the break, 花, 光, a, b."""
    if left == ENDS:
        return np.array([True, *[False] * 5])
    sung = [left > 1 or (left == 1 and CLASSES[rhyme] == RHYME[c]) for c in "花光"]
    return np.array([left == 0, left == 0, *sung, True, True])


def softmax(scores: npt.NDArray[np.float64], allowed: npt.NDArray[np.bool_] | None = None) -> Shares:
    if allowed is not None:
        scores = np.where(allowed, scores, -np.inf)
    shares: Shares = np.exp(scores - scores.max())
    return shares / shares.sum()


def run(lyricist: Lyricist, ids: list[int], labels: Sequence[tuple[int, int]]) -> tuple[Shares, Shares]:
    """Features and log-odds `(T, …)` of the module, by whole sequences."""
    model = lyricist.checkpoint.model
    told = torch.tensor([(*label, 0, 0) for label in labels])[:, None]
    with torch.no_grad():
        features, _ = model.features(torch.tensor(ids)[:, None], model.initial_state(1), told)
        return features[:, 0].double().numpy(), model.logits(features)[:, 0].double().numpy()


def by_brute_force(lyricist: Lyricist, whole: str, begun: str) -> Shares:
    """What follows `whole` lines and the beginning of another: the sum over all plans of that line."""
    vocab, planner = lyricist.vocab, lyricist.checkpoint.model.planner
    assert planner is not None
    feed = [START, *vocab.encode(whole).tolist()]
    known = [(0, 0)]  # the end before the song
    for at in range(len(feed) - 1):  # before the character `at` of the whole lines
        begin = whole.rfind("\n", 0, at) + 1
        line = whole[begin:].partition("\n")[0]
        units = units_after(line)
        known.append((units[-1] - units[at - begin], CLASSES.index(RHYME.get(line[-1:], ""))))
    features, _ = run(lyricist, [END, *feed[:-1]], known)
    weights = {name: weight.detach().double().numpy() for name, weight in planner.named_parameters()}
    x, counts = features[-1] if features[-1].any() else weights["start"], units_after(begun)
    lengths = softmax(weights["length.weight"] @ x + weights["length.bias"])
    total = np.zeros(len(vocab) - END)
    for length in range(LENGTHS):
        if begun and (length == ENDS or length < max(1, counts[-1])):
            continue  # a line is at least as long as what stands of it
        rhymes = softmax(
            weights["rhyme.weight"] @ x + weights["rhyme.bias"] + weights["rhyme_of_length.weight"][length]
        )
        for rhyme in range(RHYMES) if length not in (0, ENDS) else (0,):
            share = lengths[length] * (rhymes[rhyme] if length not in (0, ENDS) else 1)
            left = [length if length >= MORE else max(0, length - count) for count in counts]
            ids = [END, *feed, *vocab.encode(begun).tolist()]
            _, logits = run(lyricist, ids, [*known, *((each, rhyme) for each in left)])
            for at, each in enumerate(left[:-1]):
                allowed = may_follow(each, rhyme)
                following = vocab.ids[begun[at]] - END
                row = logits[len(feed) + at]
                share *= softmax(row, allowed)[following] if allowed[following] else 0
            if share and may_follow(left[-1], rhyme).any():
                total += share * softmax(logits[-1], may_follow(left[-1], rhyme))
    shares: Shares = total / total.sum()
    return shares


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_what_is_expected_is_the_sum_over_all_plans(cell: str) -> None:
    lyricist = make_lyricist(cell, tokens=TINY, labelled=True)
    for whole, begun in (("", ""), ("", "花"), ("花光\n", "光"), ("花\n\nab光\n", ""), ("", "ab")):
        expected = by_brute_force(lyricist, whole, begun)
        found = lyricist.expect(whole + begun, top=100)
        assert sum(each.probability for each in found) == pytest.approx(0.99, rel=1e-5)
        names = {"<end>": 0, **{token: number - END for token, number in lyricist.vocab.ids.items()}}
        shares = np.zeros(len(expected))
        for each in found:
            shares[names[each.token]] = each.probability
        np.testing.assert_allclose(shares, 0.99 * expected, rtol=1e-3, atol=1e-7, err_msg=whole + begun)


def test_a_model_without_rhymes_for_a_plan_expects_by_the_others() -> None:
    """A vocabulary of one class: plans that no token can keep are nothing, not a number that is none."""
    lyricist = make_lyricist(tokens="\n花", labelled=True)
    with torch.no_grad():
        lyricist.checkpoint.model.planner.rhyme.bias.zero_()  # type: ignore[union-attr]
    for text in ("", "花", "花花\n"):
        found = lyricist.expect(text, top=9)
        assert all(math.isfinite(each.probability) for each in found)
        assert sum(each.probability for each in found) == pytest.approx(0.99, rel=1e-5)
    assert len(lyricist.write("花", count=3, seed=1)) == 3


def test_words_that_no_plan_has_are_read_all_the_same() -> None:
    lyricist = make_lyricist(tokens=TINY, labelled=True)
    for text in ("怪", "怪怪\n怪", "花" * (LONGEST + 9)):
        found = lyricist.expect(text, top=9)
        assert sum(each.probability for each in found) == pytest.approx(0.99, rel=1e-5)
        assert lyricist.write(text, seed=1)[0].text.startswith(text)
