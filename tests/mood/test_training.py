"""A classifier learns, gives the same again, survives small and crooked data, and starts from a language model."""

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from lyricgen.errors import InputError, OptionError, TrainingError
from lyricgen.model.checkpoint import Card, Checkpoint
from lyricgen.model.config import ModelConfig
from lyricgen.model.network import LyricModel
from lyricgen.mood import ngrams
from lyricgen.mood.classifier import encode_all
from lyricgen.mood.config import MoodWishes, choose_training, encoder_config, importance
from lyricgen.mood.data import Example, Labelled, part, read_labelled
from lyricgen.mood.ngrams import NgramTable
from lyricgen.mood.preparation import Preparation
from lyricgen.mood.training import FEW, SHARES, USUAL_SHARE, MoodTrainer, Report
from lyricgen.text.tokenizer import Tokenizer
from lyricgen.text.vocab import SPECIALS, Vocab

from .conftest import write_examples

SMALL = MoodWishes(hidden=8, epochs=3, lr=0.02)


def train(
    data: Labelled, wishes: MoodWishes = SMALL, source: Checkpoint | None = None
) -> tuple[MoodTrainer, list[Report]]:
    trainer = MoodTrainer(data, part(data, seed=0), wishes=wishes, preparation=Preparation(), source=source)
    return trainer, list(trainer.run())


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("level", ["char", "word"])
def test_it_learns_and_gives_the_same_again(data: Labelled, cell: str, level: str) -> None:
    wishes = MoodWishes(cell=cell, level=level, hidden=8, epochs=2)
    (first, reports), (second, _) = train(data, wishes), train(data, wishes)
    assert first.classifier.measure(data, first.parts.test).macro_f1 > 0.7
    assert [report.part for report in reports] == ["n-grams", "encoder", "encoder"]
    texts = ["今天眼泪离开", "我们大笑跳舞"]
    np.testing.assert_array_equal(first.classifier.probabilities(texts), second.classifier.probabilities(texts))
    assert [each.label for each in first.classifier.predict(texts)] == ["悲", "喜"]


def test_the_encoder_alone_learns(data: Labelled) -> None:
    trainer, reports = train(data, MoodWishes(hidden=16, epochs=12, lr=0.02))
    trainer.model.mix.copy_(torch.tensor((1.0, 0.0)))
    assert any(report.best for report in reports[1:])
    assert trainer.classifier.measure(data, trainer.parts.test).accuracy > 0.6


def test_a_label_of_order_is_learned_by_the_encoder_and_not_by_its_n_grams() -> None:
    """What no short run of characters tells: whether 甲 comes before 乙, far apart."""
    rng = np.random.default_rng(0)
    examples = []
    for k in range(400):
        fill = ["天地玄黄"[i] for i in rng.integers(0, 4, 16)]
        first, second = sorted(rng.choice((3, 6, 9, 12), 2, replace=False))
        fill[first], fill[second] = "甲乙" if k % 2 else "乙甲"
        examples.append(Example("".join(fill), str(k % 2)))
    data = Labelled(tuple({example.text: example for example in examples}.values()), ("0", "1"))
    trainer, reports = train(data, MoodWishes(hidden=16, epochs=15, lr=0.02, dropout=0.0))
    assert reports[0].macro_f1 < 0.75 < trainer.classifier.measure(data, trainer.parts.test).macro_f1
    assert trainer.model.encoder_share in SHARES
    assert trainer.outcome == f"the encoder counts with a share of {trainer.model.encoder_share:g}"


class TestWithoutNgrams:
    """The encoder alone, as in the textbooks: its loss starts from even odds, and no other half decides."""

    def test_it_learns_and_decides_alone(self, data: Labelled) -> None:
        trainer, reports = train(data, MoodWishes(hidden=16, epochs=12, lr=0.02, ngrams=False))
        assert {report.part for report in reports} == {"encoder"} and len(trainer.model.keys) == 0
        assert trainer.model.mix.tolist() == [1, 0] and trainer.outcome.endswith("the encoder decides alone")
        texts = data.texts(trainer.parts.test)
        odds = encode_all(trainer.model, trainer.classifier.ids(texts))
        np.testing.assert_allclose(trainer.classifier.probabilities(texts), odds.softmax(dim=1), rtol=1e-5)
        assert trainer.classifier.measure(data, trainer.parts.test).accuracy > 0.6

    def test_its_loss_starts_from_even_odds(self, data: Labelled) -> None:
        for beside, low, high in ((False, 1.05, 1.15), (True, 0.0, 1.0)):  # ln 3 = 1.099
            _, reports = train(data, MoodWishes(hidden=4, epochs=1, lr=1e-9, ngrams=beside))
            assert low < reports[-1].loss < high

    def test_its_best_epoch_counts_fully_however_bad_it_is(self, data: Labelled) -> None:
        labels = np.random.default_rng(0).choice(data.labels, 240).tolist()  # texts say nothing about them
        many = Labelled(
            tuple(replace(example, label=labels[k]) for k, example in enumerate(write_examples(240))), data.labels
        )
        trainer, [report] = train(many, MoodWishes(hidden=4, epochs=1, lr=1.0, ngrams=False))
        assert len(trainer.parts.valid) >= FEW
        assert report.nats > math.log(3) and report.best  # worse than even odds
        assert trainer.model.mix.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("count", "wishes", "share", "says"),
    [
        (240, MoodWishes(hidden=4, epochs=2, lr=1.0), 0.0, "gained nothing certain on the texts held out to stop by"),
        (90, MoodWishes(hidden=4, epochs=0), 0.0, "was given no epochs: it is left out, the n-grams alone decide"),
        (
            60,
            MoodWishes(hidden=4, epochs=1),
            USUAL_SHARE,
            "a share of 0.25, the usual one: too few texts are held out",
        ),
    ],
)
def test_it_is_said_how_much_the_encoder_counts(count: int, wishes: MoodWishes, share: float, says: str) -> None:
    trainer, _ = train(Labelled(tuple(write_examples(count)), ("喜", "怒", "悲")), wishes)
    assert trainer.model.encoder_share == share
    assert says in trainer.outcome and "\n" not in trainer.outcome


@pytest.mark.parametrize("beside", [True, False])
def test_training_ends_after_three_epochs_without_a_gain(data: Labelled, beside: bool) -> None:
    many = Labelled(tuple(write_examples(240)), data.labels)
    _, reports = train(many, MoodWishes(hidden=4, epochs=50, lr=1.0, ngrams=beside))
    gains = [report.best for report in reports if report.epoch]
    assert gains[-3:] == [False, False, False] and len(gains) < 50 == reports[-1].epochs
    if beside:
        assert len(gains) == 3  # n-grams are better from the first
    else:
        assert gains[0] and gains[-4]  # it went on as long as there was a gain, of which the first epoch is one


@pytest.mark.parametrize("count", [4, 5, 9])
def test_a_handful_of_texts(count: int) -> None:
    examples = write_examples(count, classes=("喜", "悲"))
    trainer, _ = train(Labelled(tuple(examples), ("喜", "悲")))
    assert len(trainer.classifier.predict(["天", "x"])) == 2


@pytest.mark.parametrize(("rows", "learned", "batch"), [(199, 161, None), (49, 41, 2), (99, 81, 2)])
def test_one_text_more_than_a_pool_of_twenty_batches(rows: int, learned: int, batch: int | None) -> None:
    """It goes to a batch among others: alone it has no variance to be normalized by."""
    data = Labelled(tuple(write_examples(rows, classes=("喜", "悲"))), ("喜", "悲"))
    trainer, reports = train(data, MoodWishes(hidden=4, epochs=1, batch=batch))
    assert (len(trainer.parts.train), learned % (20 * trainer.training.batch)) == (learned, 1)
    assert math.isfinite(reports[-1].loss)


@pytest.mark.parametrize("size", [2, 3, 8])
def test_each_text_is_in_one_batch_and_none_is_alone(data: Labelled, size: int) -> None:
    wishes = MoodWishes(hidden=4, batch=size)
    trainer = MoodTrainer(data, part(data, seed=0), wishes=wishes, preparation=Preparation())
    for count in range(2, 41 * size + 3):
        groups = list(trainer._groups([np.zeros(1 + k % 5, np.int64) for k in range(count)]))
        assert sorted(k for group in groups for k in group) == list(range(count))
        sizes = set(map(len, groups))
        assert min(sizes) >= 2 and max(sizes) <= size + (size == 2)  # three texts are one batch, whatever is asked


def test_n_grams_are_as_many_as_the_classes_allow_the_most_frequent(
    data: Labelled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lyricgen.mood.ngrams.MOST_WEIGHTS", 100)
    trainer, _ = train(data, MoodWishes(epochs=0))
    assert trainer.model.weight.shape == (33, 3)
    expected = NgramTable.of(data.texts(trainer.parts.train), most=33)
    np.testing.assert_array_equal(trainer.model.keys.numpy(), expected.keys)


def test_a_class_with_one_example_is_learned(data: Labelled) -> None:
    lonely = Labelled((*data.examples, Example("别人都没有说的话", "孤")), ("喜", "孤", "怒", "悲"))
    trainer, _ = train(lonely)
    assert trainer.classifier.predict(["别人都没有说的话"])[0].label == "孤"


def test_a_gain_must_be_larger_than_its_standard_error(data: Labelled) -> None:
    trainer, _ = train(Labelled(tuple(write_examples(240)), data.labels), MoodWishes(epochs=0, class_weights=False))
    trainer.model.mix[0] = 1.0
    classes = trainer._valid
    counted = torch.zeros(len(classes), 3)
    right = torch.nn.functional.one_hot(classes, 3).float()
    assert trainer._surely_gains(right, counted)  # every text gains
    assert not trainer._surely_gains(-right, counted)
    lucky = torch.zeros_like(right)
    lucky[0] = right[0]  # one text gains, the others do not: mean g / n, standard error the same
    assert not trainer._surely_gains(lucky - 0.001 * right, counted)


def test_rare_classes_count_as_much_as_frequent_ones() -> None:
    assert importance([30, 10], weighted=True) == [40 / 60, 40 / 20]
    assert importance([30, 10], weighted=False) == [1.0, 1.0]
    rng = np.random.default_rng(0)
    texts = ["".join("天地玄黄宇宙洪荒"[i] for i in rng.integers(0, 8, 9)) for _ in range(260)]
    examples = [
        Example(text, "少" if k % 6 == 0 else "多") for k, text in enumerate(texts[:240])
    ]  # texts say nothing
    data = Labelled(tuple(examples), ("多", "少"))
    shares = []
    for weighted in (False, True):
        trainer, _ = train(data, MoodWishes(epochs=0, class_weights=weighted))
        shares.append(float(trainer.classifier.probabilities(texts[240:])[:, 1].mean()))
    assert shares[0] < 0.3 and 0.35 < shares[1] < 0.65


def test_a_text_is_told_the_same_alone_and_among_others(data: Labelled) -> None:
    trainer, _ = train(data)
    trainer.model.mix.copy_(torch.tensor((1.0, 1.0)))
    texts = [*data.texts(trainer.parts.test), "短", "今天" * 400]
    together = trainer.classifier.probabilities(texts)
    alone = np.concatenate([trainer.classifier.probabilities([text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-5)


def test_long_texts_are_told_a_few_at_a_time(data: Labelled, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer, _ = train(data, MoodWishes(epochs=0))
    texts = data.texts(trainer.parts.test)
    expected = trainer.classifier.probabilities(texts)
    monkeypatch.setattr(ngrams, "CHARACTERS", 40)
    sizes: list[int] = []
    rows = NgramTable.rows
    monkeypatch.setattr(
        NgramTable, "rows", lambda self, texts: sizes.append(sum(map(len, texts))) or rows(self, texts)
    )
    np.testing.assert_allclose(trainer.classifier.probabilities(texts), expected, atol=1e-6)
    assert max(sizes) <= 40 < sum(sizes) == sum(map(len, texts))


def test_texts_are_measured_as_they_were_prepared_and_not_once_more(tmp_path: Path) -> None:
    prepare = Preparation(clean=True, stop_words=("的了",))
    rows = [(example.text, example.label) for example in write_examples(60)]
    twice = [("&lt;br&gt;", "喜"), ("的的了了", "悲"), ("&amp;lt;大笑&gt;", "怒")]  # once: <br>, 的了, &lt;大笑>
    path = tmp_path / "texts.csv"
    lines = [f"{text},{label},train" for text, label in rows] + [f"{text},{label},test" for text, label in twice]
    path.write_text("\n".join(["text,label,split", *lines]), encoding="utf-8")
    data = read_labelled(path, prepare=prepare)
    parts = part(data, seed=0)
    assert data.texts(parts.test) == ["<br>", "的了", "&lt;大笑>"]
    trainer = MoodTrainer(data, parts, wishes=MoodWishes(epochs=0), preparation=prepare)
    for _ in trainer.run():
        pass
    plain = replace(trainer.classifier, preparation=Preparation())
    told = [each.label for each in plain.predict(data.texts(parts.test))]
    found = trainer.classifier.measure(data, parts.test)
    assert found.accuracy == np.mean([a == b for a, b in zip(told, "喜悲怒", strict=True)])


def test_a_class_that_was_not_learned_is_missed_wherever_it_is_measured() -> None:
    learned = [Example(example.text, example.label, "train") for example in write_examples(60)]
    asked = [("大笑跳舞太阳", "喜"), ("眼泪冷雨", "悲"), ("别人的话", "孤"), ("吼叫砸门", "怒"), ("大笑开心", "孤")]
    examples = (*learned, *(Example(text, label, "test") for text, label in asked))
    data = Labelled(examples, ("喜", "孤", "怒", "悲"))  # what is not learned stands among the others
    parts = part(data, seed=0)
    trainer = MoodTrainer(data.learnable(parts.train), parts, wishes=MoodWishes(epochs=0), preparation=Preparation())
    list(trainer.run())
    assert trainer.classifier.labels == ("喜", "怒", "悲")
    scores = trainer.classifier.measure(data, parts.test)
    told = [each.label for each in trainer.classifier.predict([text for text, _ in asked])]
    assert [told[k] for k in (0, 1, 3, 4)] == ["喜", "悲", "怒", "喜"]
    expected = np.zeros((4, 4), np.int64)
    for (_, label), guess in zip(asked, told, strict=True):
        expected[data.labels.index(label), data.labels.index(guess)] += 1
    np.testing.assert_array_equal(scores.confusion, expected)
    assert scores.accuracy == 3 / 5
    assert scores.to_json()["classes"]["孤"] == {"precision": 0, "recall": 0, "f1": 0, "texts": 2}
    assert scores.macro_f1 == pytest.approx(sum(scores.f1) / 4)  # it counts among the classes, with 0


def test_an_encoder_that_counts_nothing_is_not_run(data: Labelled) -> None:
    trainer, _ = train(data, MoodWishes(hidden=4, epochs=1))
    trainer.model.mix[0] = 0
    texts = data.texts(trainer.parts.test)
    encoded = encode_all(trainer.model, trainer.classifier.ids(texts))
    counted = trainer.model.counted(trainer.model.table().rows(texts))
    with torch.no_grad():
        expected = trainer.model.mixed(encoded, counted).exp().numpy()
        trainer.model.encoder.model.embedding.weight.fill_(math.nan)  # which nothing that ran would hide
    np.testing.assert_array_equal(trainer.classifier.probabilities(texts), expected)


def test_texts_of_one_character_are_refused() -> None:
    data = Labelled(tuple(Example("啊" * k, "ab"[k > 3]) for k in range(1, 7)), ("a", "b"))
    with pytest.raises(TrainingError, match="fewer than two different characters; give other texts"):
        train(data, MoodWishes(hidden=4, epochs=1))


def test_an_empty_text_is_refused_by_its_number(data: Labelled) -> None:
    trainer, _ = train(data, MoodWishes(epochs=0))
    with pytest.raises(InputError, match="text 2 of 2 is empty"):
        trainer.classifier.predict(["好", " \n"])
    assert trainer.classifier.predict([]) == []


class TestFromALanguageModel:
    """Embedding and layers carried over with their vocabulary; unfrozen from the top."""

    @pytest.fixture
    def source(self, data: Labelled) -> Checkpoint:
        torch.manual_seed(1)
        characters = sorted(set("".join(example.text for example in data.examples)) - {"吼"})
        vocab = Vocab((*SPECIALS, *characters), Tokenizer(), 0.01)
        model = LyricModel(
            ModelConfig(len(vocab), cell="gru", embedding=6, hidden=8, layers=2, tied=True, lengths=4, rhymes=3)
        )
        return Checkpoint(Path("none"), Card(model.config), vocab, model)

    def test_its_weights_are_there_and_the_rest_learns_first(self, data: Labelled, source: Checkpoint) -> None:
        wishes = MoodWishes(epochs=1, lr=0.02)
        trainer = MoodTrainer(data, part(data, seed=0), wishes=wishes, preparation=Preparation(), source=source)
        carried = dict(trainer.model.encoder.model.named_parameters())
        assert {name.split(".")[0] for name in carried} == {"embedding", "layers", "projection", "bias"}
        head = trainer.model.head.weight.clone()
        list(
            trainer._train_encoder(torch.zeros(len(trainer.parts.train), 3), torch.zeros(len(trainer.parts.valid), 3))
        )
        for name, weight in carried.items():
            torch.testing.assert_close(weight, source.model.state_dict()[name])
        assert not torch.equal(head, trainer.model.head.weight)

    def test_then_one_layer_more_each_epoch_and_deeper_ones_slower(self, data: Labelled, source: Checkpoint) -> None:
        trainer = MoodTrainer(
            data, part(data, seed=0), wishes=MoodWishes(epochs=9), preparation=Preparation(), source=source
        )
        for epoch, open_ones in ((1, 0), (2, 1), (3, 2), (9, 4)):
            trainer._unfreeze(epoch)
            depths = trainer.model.encoder.depths()
            assert [all(weight.requires_grad for weight in part) for part in depths] == [
                k < open_ones for k in range(4)
            ]
        slower = [group["slower"] for group in trainer._make_optimizer().param_groups]
        assert slower[0] == 1 and all(b / a == pytest.approx(slower[1]) for a, b in pairwise(slower))

    def test_a_shape_cannot_be_asked_of_it(self, data: Labelled, source: Checkpoint) -> None:
        with pytest.raises(OptionError, match="leave out --hidden, or --init-from"):
            train(data, MoodWishes(hidden=4), source)

    def test_it_learns(self, data: Labelled, source: Checkpoint) -> None:
        trainer, _ = train(data, MoodWishes(epochs=3, lr=0.02), source)
        assert trainer.classifier.measure(data, trainer.parts.test).macro_f1 > 0.7


def test_what_is_read_of_a_text_follows_from_the_texts() -> None:
    chosen = choose_training(MoodWishes(), lengths=[10] * 95 + [90] * 5, fine_tuning=False)
    assert chosen.length == 16  # nineteen of twenty are read whole, and never less than sixteen tokens
    assert choose_training(MoodWishes(), lengths=[10_000] * 9, fine_tuning=False).length == 512
    assert choose_training(MoodWishes(length=7), lengths=[90] * 9, fine_tuning=False).length == 7
    few, many = (choose_training(MoodWishes(), lengths=[20] * n, fine_tuning=False).epochs for n in (100, 100_000))
    assert few > many >= 1
    again = choose_training(MoodWishes(), lengths=[20] * 100, fine_tuning=True).epochs
    assert again > few  # its layers open one after the other


def test_more_text_feeds_a_wider_encoder() -> None:
    widths = [encoder_config(MoodWishes(), vocab_size=9, tokens=n).hidden for n in (10**5, 10**7)]
    assert widths[0] < widths[1]


def test_without_n_grams_and_without_an_encoder_there_is_nothing() -> None:
    with pytest.raises(OptionError, match="--no-ngrams and --epochs 0 leave nothing that could learn"):
        MoodWishes(ngrams=False, epochs=0)
    assert choose_training(MoodWishes(ngrams=False), lengths=[9], fine_tuning=False).epochs > 0


@pytest.mark.parametrize(
    "wish", [{"cell": "elman"}, {"level": "byte"}, {"hidden": 0}, {"batch": 1}, {"lr": math.nan}]
)
def test_wishes_that_cannot_be(wish: dict[str, object]) -> None:
    with pytest.raises(OptionError, match=next(iter(wish))):
        MoodWishes(**wish)
