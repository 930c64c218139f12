"""The figures of a text, against ones worked out by hand."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from lyricgen.errors import InputError
from lyricgen.evaluation.held_out import document_nats, evaluate_documents
from lyricgen.model.checkpoint import Card, Checkpoint
from lyricgen.model.config import ModelConfig
from lyricgen.model.network import LyricModel
from lyricgen.text.documents import Document, split_blank
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


def test_the_perplexity_of_a_uniform_model_is_the_number_of_tokens_it_can_write(uniform: Checkpoint) -> None:
    certain = replace(uniform, vocab=replace(uniform.vocab, unseen=0.0))
    found = evaluate_documents(certain, [Document("星月\n", 3, ended=True)])
    assert found.to_json()["perplexity"] == pytest.approx(len(certain.vocab) - 2)  # all but <unk> and <start>


def test_the_error_over_songs_is_in_the_figures(uniform: Checkpoint) -> None:
    # Two tokens on two characters, and one word, a break, an end on three: of 5 tokens 5 characters.
    texts = [Document("月\n", 2, ended=False), Document("星星\n", 3, ended=True)]
    token = math.log(5) - math.log(0.8)
    data = evaluate_documents(uniform, texts).to_json()
    assert data["nats_per_char_se"] == pytest.approx(0, abs=1e-9)
    data = evaluate_documents(uniform, [*texts, Document("月", 1, ended=True)]).to_json()
    # 7 tokens on 6 characters; songs are off by 2 − 7/3, 3 − 7/2 and 2 − 7/6 tokens.
    squares = (1 / 3) ** 2 + (1 / 2) ** 2 + (5 / 6) ** 2
    assert data["nats_per_char_se"] == pytest.approx(token * math.sqrt(3 / 2 * squares) / 6)
    assert data["bits_per_char_se"] == pytest.approx(data["nats_per_char_se"] / math.log(2))
    assert evaluate_documents(uniform, texts[:1]).to_json()["nats_per_char_se"] is None


def test_lines_and_songs_add_up(uniform: Checkpoint) -> None:
    texts = [
        Document("星星月\n\n鲲\n", 7, ended=True, title="歌"),
        *split_blank("月\n\n星"),
        Document("月\n", 2, False),
    ]
    found = evaluate_documents(uniform, texts, by_line=True)
    token, unseen = math.log(5) - math.log(0.8), math.log(uniform.vocab.unseen_characters) - math.log(0.2)
    assert [[line.text for line in song.lines] for song in found.songs] == [
        ["星星月", "", "鲲", ""], ["月", ""], ["星"], ["月"],
    ]  # fmt: skip
    expected = [[3 * token, token, unseen + token, token], [2 * token, token], [token], [2 * token]]
    for song, costs in zip(found.songs, expected, strict=True):
        assert [line.nats for line in song.lines] == pytest.approx(costs)
        assert sum(line.nats for line in song.lines) == pytest.approx(song.nats)
        assert sum(line.chars for line in song.lines) == song.chars
    assert [line.end for line in found.songs[0].lines] == [False, False, False, True]
    assert [line.nats_per_char for line in found.songs[1].lines] == pytest.approx(
        [token, token]
    )  # its end is a break
    assert found.songs[0].lines[-1].nats_per_char is None  # its end is no character
    assert found.nats == pytest.approx(sum(song.nats for song in found.songs))


def test_tables_on_request(uniform: Checkpoint) -> None:
    texts = [Document("星\n", 2, ended=True, title="歌"), Document("月\n", 2, ended=True)]
    found = evaluate_documents(uniform, texts, by_line=True)
    assert "songs" not in found.to_json()
    first, second = found.to_json(per_song=True)["songs"]
    assert first["title"] == "歌" and "lines" not in first
    assert {"nats", "nats_per_char", "bits_per_char", "perplexity", "chars", "tokens", "unknown_chars"} <= set(second)
    assert [line["text"] for line in found.to_json(per_line=True)["songs"][0]["lines"]] == ["星", ""]
    assert [row.split()[-1] for row in found.table()[2:]] == ["歌", "–"]
    assert [row.split()[-1] for row in found.table(per_line=True)[2:5]] == ["歌", "星", "end)"]


def test_a_text_of_infinite_cost_is_valid_json(uniform: Checkpoint) -> None:
    certain = replace(uniform, vocab=replace(uniform.vocab, unseen=0.0))
    data = evaluate_documents(certain, [Document("鲲", 1, ended=False)] * 2).to_json(per_line=True)
    json.dumps(data, allow_nan=False)
    assert data["nats_per_char"] is None and data["nats_per_char_se"] is None
    assert data["perplexity"] is None and data["songs"][0]["perplexity"] is None
    assert "perplexity – per token" in evaluate_documents(certain, [Document("鲲", 1, ended=False)]).lines()


def test_each_text_comes_with_its_ids_and_nats(uniform: Checkpoint) -> None:
    texts = [Document("星", 1, ended=True), Document("月星", 2, ended=False)]
    found = list(document_nats(uniform, texts))
    assert [document for document, _, _ in found] == texts
    assert [len(ids) for _, ids, _ in found] == [len(nats) for _, _, nats in found] == [2, 2]


def test_nothing_cannot_be_evaluated(uniform: Checkpoint) -> None:
    with pytest.raises(InputError, match="no text to evaluate"):
        evaluate_documents(uniform, [])
