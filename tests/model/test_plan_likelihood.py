"""The likelihood of a model that plans its lines: a measure over texts, and equal to one worked out by hand."""

import math
from collections.abc import Callable
from itertools import pairwise, product

import numpy as np
import numpy.typing as npt
import pytest
import torch

from lyricgen.model import likelihood
from lyricgen.model.likelihood import Masks, Unseen, plan_nats, stream_nats, token_nats
from lyricgen.model.network import CELLS, LyricModel
from lyricgen.text.labels import CLASSES, ENDS, LENGTHS, RHYMES, Labeler
from lyricgen.text.tokenizer import Tokenizer
from lyricgen.text.vocab import END, SPECIALS, START, UNKNOWN, Ids, Vocab
from tests.narrow import on_a_narrow_device

BREAK, HUA, GUANG = 3, 4, 5  # a line break, 花 (发花), 光 (江阳)
VOCAB = Vocab((*SPECIALS, *"\n花光"), Tokenizer(), 0.1)
LABELER = Labeler(VOCAB)
RHYME = {HUA: CLASSES.index("发花"), GUANG: CLASSES.index("江阳")}
SURE, UNSEEN = Unseen(0.0, 1), Unseen(0.1, 7)

Make = Callable[..., LyricModel]


def planning(make_model: Make, cell: str = "lstm", **changes: int) -> LyricModel:
    sizes = {"vocab_size": len(VOCAB), "lengths": LENGTHS, "rhymes": RHYMES, "moods": 3, "styles": 2}
    return make_model(cell, **{**sizes, **changes})


def as_ids(text: tuple[int, ...] | list[int]) -> Ids:
    return np.array(text, dtype=np.int32)


# By hand


def labels_by_hand(text: list[int]) -> list[tuple[int, int]]:
    """Left and rhyme at the start and at each id of a text."""
    labels = []
    for at in range(-1, len(text)):
        if at >= 0 and text[at] == END:
            labels.append((0, 0))
            continue
        stop = next((k for k in range(at + 1, len(text)) if text[k] in (BREAK, END)), len(text))
        begun = next((k + 1 for k in range(at, -1, -1) if text[k] == BREAK), 0)
        opens = at < 0 or text[at] == BREAK
        line = text[at + 1 if opens else begun : stop]
        sung = [number for number in line if number in RHYME]
        ends = opens and text[at + 1 : at + 2] == [END]
        left = min(stop - at - 1, 31)  # 31: more than 30
        # An unknown character at the line's end leaves it without a class.
        labels.append((ENDS, 0) if ends else (left, RHYME[line[-1]] if sung and line[-1] in RHYME else 0))
    return labels


def may_follow(left: int, rhyme: int) -> npt.NDArray[np.bool_]:
    """The classes (the end, the break, 花, 光) that may follow under labels."""
    if left == ENDS:
        return np.array([True, False, False, False])
    closed = left == 0
    return np.array([closed, closed, *(left > 1 or (left == 1 and rhyme == RHYME[k]) for k in (HUA, GUANG))])


def softmax(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    shares: npt.NDArray[np.float64] = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()
    return shares


def nats_by_hand(
    model: LyricModel, text: list[int], unseen: Unseen, *, temperature: float = 1.0
) -> npt.NDArray[np.float64]:
    """Nats of each id of a text, from the module's log-odds, the planner's weights and the masks."""
    labels = [(0, 0), *labels_by_hand(text)]
    ids = [END, START, *text]
    with torch.no_grad():
        told = torch.tensor([(*label, 0, 0) for label in labels])[:, None]
        features, _ = model.features(torch.tensor(ids)[:, None], model.initial_state(1), told)
        logits = model.logits(features)[:, 0].double().numpy() / temperature
    x = features[:, 0].double().numpy()
    assert model.planner is not None
    weights = {name: weight.detach().double().numpy() for name, weight in model.planner.named_parameters()}
    x[0] = x[0] if x[0].any() else weights["start"]  # an LSTM's state is empty at the end of a song

    def plan(at: int) -> float:
        """Nats of the line that the id after `at` opens."""
        length, rhyme = labels[at + 1]
        cost = -math.log(softmax(weights["length.weight"] @ x[at] + weights["length.bias"])[length])
        if length in (0, ENDS):
            return cost
        scores = weights["rhyme.weight"] @ x[at] + weights["rhyme.bias"] + weights["rhyme_of_length.weight"][length]
        return cost - math.log(softmax(scores)[rhyme])

    nats = []
    for at, following in enumerate(text, 1):
        if following == UNKNOWN:
            cost = -math.log(unseen.probability / unseen.choices)
        else:
            scores = np.where(may_follow(*labels[at]), logits[at], -np.inf)
            cost = -math.log(softmax(scores)[following - END] * (1 - unseen.probability))
        opened = following == BREAK and at < len(text)  # a text that stops there tells of no line to come
        nats.append(cost + (plan(at) if opened else 0.0))
    if nats:
        nats[0] += plan(0)
    return np.array(nats)


TEXTS = [
    [HUA, GUANG, BREAK, GUANG, BREAK, END],
    [BREAK, HUA, END],
    [END],
    [HUA, HUA, GUANG],  # only the beginning of a song
    [HUA, BREAK, BREAK, GUANG, BREAK],
    [BREAK],
    [HUA, UNKNOWN, BREAK, UNKNOWN, GUANG, BREAK, END],
    [HUA] * 35 + [BREAK, GUANG],
]


@pytest.mark.parametrize("cell", CELLS)
def test_every_token_costs_what_it_does_by_hand(cell: str, make_model: Make) -> None:
    model = planning(make_model, cell)
    found = list(token_nats(model, map(as_ids, TEXTS), unseen=UNSEEN, labeler=LABELER))
    for text, nats in zip(TEXTS, found, strict=True):
        np.testing.assert_allclose(nats, nats_by_hand(model, text, UNSEEN), rtol=1e-4, atol=1e-5)


def test_temperature_divides_the_log_odds_of_tokens_only(make_model: Make) -> None:
    model = planning(make_model)
    [nats] = token_nats(model, [as_ids(TEXTS[0])], unseen=UNSEEN, labeler=LABELER, temperature=2.0)
    np.testing.assert_allclose(nats, nats_by_hand(model, TEXTS[0], UNSEEN, temperature=2.0), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("tied", [False, True])
def test_texts_laid_in_streams_cost_what_each_costs_alone(
    tied: bool, make_model: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = planning(make_model, tied=tied, embedding=4)
    rng = np.random.default_rng(0)
    texts = [rng.choice([BREAK, HUA, GUANG], size=n).tolist() + [END] * (n % 2) for n in [*range(14), 40]]
    alone = [next(token_nats(model, [as_ids(text)], unseen=UNSEEN, labeler=LABELER)) for text in texts]
    monkeypatch.setattr(likelihood, "WINDOW", 4)
    monkeypatch.setattr(likelihood, "STREAMS", 3)
    together = token_nats(model, map(as_ids, texts), unseen=UNSEEN, labeler=LABELER)
    for one, nats in zip(alone, together, strict=True):
        np.testing.assert_allclose(nats, one, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("planned", [False, True])
def test_on_a_device_without_float64_a_text_costs_the_same(planned: bool, make_model: Make) -> None:
    model = planning(make_model) if planned else make_model(vocab_size=len(VOCAB))

    def nats() -> list[list[float]]:
        return [row.tolist() for row in token_nats(model, map(as_ids, TEXTS), unseen=UNSEEN, labeler=LABELER)]

    expected = nats()
    with on_a_narrow_device(model):
        assert nats() == expected


def test_a_text_cut_in_pieces_costs_what_it_does_whole(make_model: Make) -> None:
    model = planning(make_model)
    row = np.array([END, START, HUA, GUANG, BREAK, BREAK, GUANG, BREAK, HUA, END, START, GUANG, END])
    labels = LABELER.of(row)
    [whole] = stream_nats(model, [row], unseen=UNSEEN, labeler=LABELER)
    # A piece that begins at an end of song reads all that it needs, and its labels are those of the whole.
    pieces = stream_nats(model, [row[:10], row[9:]], unseen=UNSEEN, labeler=LABELER, labels=[labels[:10], labels[9:]])
    np.testing.assert_allclose(np.concatenate(pieces), whole, rtol=1e-4, atol=1e-5)
    cut = stream_nats(model, [row[:5]], unseen=UNSEEN, labeler=LABELER, labels=[labels[:5]])[0]
    np.testing.assert_allclose(cut, whole[:4], rtol=1e-4, atol=1e-5)


# A measure over texts


def total(model: LyricModel, longest: int) -> list[float]:
    """The probability of all songs of up to 0, 1, …, `longest` tokens."""
    sums = []
    for n in range(longest + 1):
        texts = [as_ids((*text, END)) for text in product((BREAK, HUA, GUANG), repeat=n)]
        sums.append(sum(math.exp(-nats.sum()) for nats in token_nats(model, texts, unseen=SURE, labeler=LABELER)))
    return np.cumsum(sums).tolist()


@pytest.mark.parametrize("cell", CELLS)
def test_the_probabilities_of_all_short_songs_grow_and_stay_below_one(cell: str, make_model: Make) -> None:
    sums = total(planning(make_model, cell), 5)
    assert all(a < b for a, b in pairwise(sums))
    assert sums[0] > 0 and sums[-1] < 1


def test_of_a_model_that_writes_little_they_sum_to_one(make_model: Make) -> None:
    model = planning(make_model)
    assert model.planner is not None
    with torch.no_grad():
        for weight in model.parameters():
            weight *= 0.3  # so that what is asked of the planner prevails
        model.planner.length.bias[[0, 1, ENDS]] += torch.tensor([16.0, 17.0, 19.0])
        model.planner.rhyme.bias[list(RHYME.values())] += 20
    sums = total(model, 6)
    assert sums[0] < 0.9 and 0.97 < sums[-1] <= 1 + 1e-6


# Its parts


def test_what_a_plan_costs(make_model: Make) -> None:
    model = planning(make_model)
    features = torch.zeros(5, 4)
    assert model.planner is not None
    with torch.no_grad():
        model.planner.start.zero_()
        model.planner.length.bias.zero_()
        model.planner.rhyme.bias.zero_()
        model.planner.rhyme_of_length.weight.zero_()
        model.planner.rhyme_of_length.weight[7, 2] = math.log(RHYMES - 1)  # of a line of 7: even odds for the class 2
    plan = torch.tensor([[7, 2], [7, 1], [0, 0], [ENDS, 0], [-1, -1]])
    costs = plan_nats(model, features, plan).tolist()
    of_length = math.log(LENGTHS)
    expected = [of_length + math.log(2), of_length + math.log(2 * (RHYMES - 1)), of_length, of_length, 0]
    assert costs == pytest.approx(expected, rel=1e-5)


def test_masks_are_those_of_the_labels_in_any_order_and_shape() -> None:
    masks = Masks(LABELER, torch.device("cpu"))
    rng = np.random.default_rng(1)
    for _ in range(5):
        labels = np.stack((rng.integers(0, LENGTHS, (3, 4)), rng.integers(0, RHYMES, (3, 4))), axis=-1)
        found = masks(torch.from_numpy(labels))
        assert found.shape == (3, 4, 4)
        for b, t in product(range(3), range(4)):
            assert found[b, t].tolist() == may_follow(*labels[b, t].tolist()).tolist()


def test_a_model_without_plans_needs_no_labeler_and_does_not_mind_one(make_model: Make) -> None:
    model = make_model(vocab_size=len(VOCAB))
    one, other = (
        next(token_nats(model, [as_ids(TEXTS[0])], unseen=UNSEEN, labeler=given)) for given in (None, LABELER)
    )
    assert one.tolist() == other.tolist()
