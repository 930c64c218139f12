"""The figures of a text, against ones worked out by hand."""

import math
from pathlib import Path

import pytest
import torch

from lyricgen.errors import InputError
from lyricgen.evaluation.held_out import evaluate_documents
from lyricgen.model.checkpoint import Card, Checkpoint
from lyricgen.model.config import ModelConfig
from lyricgen.model.network import LyricModel
from lyricgen.text.documents import Document
from lyricgen.text.tokenizer import Tokenizer
from lyricgen.text.vocab import SPECIALS, Vocab


@pytest.fixture
def uniform() -> Checkpoint:
    """A model to which every token is as likely as any other: the end, a line break, 星, 月, 星星."""
    vocab = Vocab((*SPECIALS, "\n", "星", "月", "星星"), Tokenizer("word", "jieba", "0"), unseen=0.2)
    model = LyricModel(ModelConfig(len(vocab), embedding=4, hidden=4, tied=False))
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
    return Checkpoint(Path("none"), Card(model.config), vocab, model.eval())


def test_a_uniform_model_spends_the_logarithm_of_its_classes(uniform: Checkpoint) -> None:
    found = evaluate_documents(uniform, [Document("星星\n月\n", 5, ended=True)])
    token = math.log(5) - math.log(0.8)  # one of five, and not an unseen character
    assert found.tokens == 5  # 星星, a break, 月, a break, the end
    assert found.nats == pytest.approx(5 * token)
    assert found.to_json()["nats_per_char"] == pytest.approx(5 * token / 5)
    assert found.to_json()["bits_per_char"] == pytest.approx(token / math.log(2))
    assert found.to_json()["perplexity"] == pytest.approx(5 / 0.8)
    assert found.bound and "a bound" in found.lines()[0]


def test_an_unknown_character_pays_for_all_that_it_could_have_been(uniform: Checkpoint) -> None:
    found = evaluate_documents(uniform, [Document("鲲", 1, ended=False)])
    assert found.unknown_chars == 1
    assert found.nats == pytest.approx(math.log(uniform.vocab.unseen_characters) - math.log(0.2))


def test_texts_add_up(uniform: Checkpoint) -> None:
    texts = [Document("星\n", 2, ended=True), Document("月月月", 3, ended=False)]
    both = evaluate_documents(uniform, texts)
    apart = [evaluate_documents(uniform, [text]) for text in texts]
    assert both.nats == pytest.approx(sum(part.nats for part in apart))
    assert (both.chars, both.tokens, both.texts) == (5, 6, 2)


def test_nothing_cannot_be_evaluated(uniform: Checkpoint) -> None:
    with pytest.raises(InputError, match="no text to evaluate"):
        evaluate_documents(uniform, [])
