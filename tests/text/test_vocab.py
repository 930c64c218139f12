"""The vocabulary: counts against a plain counter, ids that give the text back, files that are not trusted."""

import json
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lyricgen.errors import CheckpointError
from lyricgen.text import tokenizer as tokenizer_module
from lyricgen.text.tokenizer import Tokenizer
from lyricgen.text.vocab import SPECIALS, Vocab, VocabBuilder, assigned_characters, count_vocab

CHARACTERS = Tokenizer()
WORDS = Tokenizer("word", "jieba", "0.42.1")
TOKENIZERS = [CHARACTERS, WORDS]

PIECES = ["星星", "月亮", "我们", "没有", "星", "月", "，", "\n", " ", "la", "🌙", "é", "<unk>", "<end>", "\ufffd"]
songs = st.lists(st.sampled_from(PIECES)).map("".join) | st.text(max_size=20)
corpora = st.lists(songs, max_size=6)
levels = st.sampled_from(TOKENIZERS)
few = settings(max_examples=40)  # each counts in an array as long as Unicode


def expected_counts(texts: list[str], tokenizer: Tokenizer, min_count: int) -> dict[str, int]:
    """How often each token occurs, counted the long way."""
    pieces = Counter(piece for text in texts for piece in tokenizer.split(text))
    tokens: Counter[str] = Counter()
    for piece, count in pieces.items():
        if len(piece) > 1 and count < min_count:
            for character in piece:
                tokens[character] += count
        else:
            tokens[piece] += count
    return dict.fromkeys("".join(texts), 0) | dict(tokens)


@few
@given(corpora, levels, st.integers(1, 3))
@example(["aab\n", ""], CHARACTERS, 1)
@example([], WORDS, 1)
def test_counts_are_those_of_a_plain_counter(texts: list[str], tokenizer: Tokenizer, min_count: int) -> None:
    vocab, counts = count_vocab(texts, tokenizer=tokenizer, min_count=min_count)
    expected = expected_counts(texts, tokenizer, min_count)
    assert dict(zip(vocab.tokens[3:], counts[3:].tolist(), strict=True)) == expected
    assert vocab.tokens[:3] == SPECIALS and not counts[:3].any()
    assert list(vocab.tokens[3:]) == sorted(expected, key=lambda token: (-expected[token], token))


def test_rare_words_break_into_characters() -> None:
    texts = ["星星 月亮", "星星 月"]
    kept, _ = count_vocab(texts, tokenizer=WORDS, min_count=1)
    vocab, counts = count_vocab(texts, tokenizer=WORDS, min_count=2)
    assert set(kept.tokens[3:]) == {"星星", "月亮", "星", "月", "亮", " "}
    assert dict(zip(vocab.tokens, counts.tolist(), strict=True)) == {
        "<unk>": 0, "<start>": 0, "<end>": 0, "星星": 2, " ": 2, "月": 2, "亮": 1, "星": 0,
    }  # fmt: skip
    assert [vocab.tokens[i] for i in vocab.encode("星星月亮")] == ["星星", "月", "亮"]
    assert [kept.tokens[i] for i in kept.encode("星星月亮")] == ["星星", "月亮"]


def test_a_corpus_is_read_once() -> None:
    def stream() -> Iterator[str]:
        yield from ("ab", "b")

    texts = stream()
    vocab, counts = count_vocab(texts, tokenizer=CHARACTERS)
    assert (vocab.tokens[3:], counts[3:].tolist()) == (("b", "a"), [2, 1])
    assert next(texts, None) is None


@few
@given(corpora, st.lists(songs, max_size=2), levels, st.integers(1, 3))
def test_provisional_ids_become_those_of_the_vocabulary(
    texts: list[str], later: list[str], tokenizer: Tokenizer, min_count: int
) -> None:
    builder = VocabBuilder(tokenizer)
    provisional = [builder.add(text) for text in texts]
    counted = len(provisional)
    provisional += [builder.add(text) for text in later]  # held out: seen, and not counted
    counts = np.zeros(len(builder), dtype=np.int64)
    for ids in provisional[:counted]:
        np.add.at(counts, ids, 1)
    vocab, pieces = builder.build(counts, min_count=min_count)
    assert set(vocab.tokens[3:]) == set(expected_counts(texts, tokenizer, min_count))
    for text, ids in zip(texts + later, provisional, strict=True):
        assert pieces.expand(ids).tolist() == vocab.encode(text).tolist()


@few
@given(corpora, levels, st.integers(1, 3))
def test_texts_come_back_character_for_character(texts: list[str], tokenizer: Tokenizer, min_count: int) -> None:
    vocab, _ = count_vocab(texts, tokenizer=tokenizer, min_count=min_count)
    for text in [*texts, "".join(texts), "".join(texts)[::-1]]:
        ids = vocab.encode(text)
        assert vocab.decode(ids) == text
        assert ids.dtype == np.int32 and vocab.lengths[ids].sum() == len(text)


@few
@given(corpora, songs, levels)
def test_characters_never_seen_show_as_such(texts: list[str], text: str, tokenizer: Tokenizer) -> None:
    vocab, _ = count_vocab(texts, tokenizer=tokenizer)
    seen = set("".join(texts))
    ids = vocab.encode(text)
    assert vocab.decode(ids) == "".join(c if c in seen else "\ufffd" for c in text)
    assert (ids == 0).sum() == sum(c not in seen for c in text)
    assert vocab.lengths[ids].sum() == len(text)


def test_the_ends_of_a_song_are_no_text() -> None:
    vocab, _ = count_vocab(["<end>ab"], tokenizer=CHARACTERS)
    assert vocab.decode([1, *vocab.encode("<end>").tolist(), 0, 2]) == "<end>\ufffd"
    assert vocab.lengths[:3].tolist() == [1, 0, 0]
    assert not {"<unk>", "<start>", "<end>"} & vocab.ids.keys()


def test_the_chance_of_an_unseen_character_by_hand() -> None:
    # Good and Turing: one of three characters was seen once. Half an unseen one more, so that it is never nothing.
    assert count_vocab(["aab"], tokenizer=CHARACTERS)[0].unseen == 1.5 / 4
    assert count_vocab(["aabb"], tokenizer=CHARACTERS)[0].unseen == 0.5 / 5
    # 月亮 breaks into two characters seen once; the two 星星 are no characters.
    assert count_vocab(["星星星星月亮"], tokenizer=WORDS, min_count=2)[0].unseen == 2.5 / 5
    assert 0 < count_vocab(["a"], tokenizer=CHARACTERS)[0].unseen < 1


def test_how_many_characters_an_unknown_one_could_be() -> None:
    vocab, _ = count_vocab(["a星\ue000星星"], tokenizer=WORDS)  # one of them for private use, one a word
    assert vocab.unseen_characters == assigned_characters() - 2
    count = int(
        np.sum([unicodedata.category(chr(point)) not in {"Cn", "Co", "Cs"} for point in range(sys.maxunicode + 1)])
    )
    assert assigned_characters() == count > 140_000


def test_a_vocabulary_grows_from_another() -> None:
    base, _ = count_vocab(["ab"], tokenizer=CHARACTERS)
    builder = VocabBuilder(CHARACTERS)
    counts = np.bincount(builder.add("bcddd"), minlength=len(builder))
    vocab, pieces = builder.build(counts, min_count=1, base=base)
    assert vocab.tokens == (*base.tokens, "d", "c")
    assert pieces.expand(builder.add("abcdx")).tolist() == vocab.encode("abcdx").tolist() == [3, 4, 6, 5, 0]
    assert vocab.unseen == 1.5 / 6  # c; b is known of old


@few
@given(corpora, levels)
def test_what_was_written_is_read_back(texts: list[str], tokenizer: Tokenizer) -> None:
    vocab, _ = count_vocab(texts, tokenizer=tokenizer)
    read = Vocab.from_json(json.loads(json.dumps(vocab.to_json())))
    assert (read.tokens, read.tokenizer, read.unseen) == (vocab.tokens, vocab.tokenizer, vocab.unseen)


def test_the_file_of_a_vocabulary(tmp_path: Path) -> None:
    vocab, _ = count_vocab(["星\n"], tokenizer=CHARACTERS)
    (tmp_path / "vocab.json").write_text(vocab.dumps(), encoding="utf-8")
    assert json.loads((tmp_path / "vocab.json").read_text(encoding="utf-8")) == {
        "level": "char", "segmenter": "", "segmenter_version": "", "unseen": 2.5 / 3,
        "tokens": ["<unk>", "<start>", "<end>", "\n", "星"],
    }  # fmt: skip


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: None,
        lambda data: [data],
        lambda data: {**data, "tokens": None},
        lambda data: {**data, "tokens": "".join(data["tokens"])},
        lambda data: {**data, "tokens": data["tokens"][1:]},
        lambda data: {**data, "tokens": [*data["tokens"], "星"]},
        lambda data: {**data, "tokens": [*data["tokens"], ""]},
        lambda data: {**data, "tokens": [*data["tokens"], {}]},
        lambda data: {**data, "unseen": float("nan")},
        lambda data: {**data, "unseen": 10**400},
        lambda data: {**data, "unseen": None},
        lambda data: {**data, "level": "word"},
        lambda data: {**data, "level": {}},
        lambda data: {**data, "segmenter": []},
        lambda data: {name: value for name, value in data.items() if name != "segmenter_version"},
    ],
)
def test_what_is_no_vocabulary_is_refused(spoil: Any) -> None:
    data = count_vocab(["星月"], tokenizer=CHARACTERS)[0].to_json()
    with pytest.raises(CheckpointError, match=r"vocab\.json is .*; take an intact copy of the model"):
        Vocab.from_json(spoil(data))


@pytest.mark.skipif(find_spec("rjieba") is None, reason="needs rjieba")
def test_a_vocabulary_made_with_the_faster_library_works_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "我们站在星光下\n没有人回答\n"
    data = count_vocab([text], tokenizer=Tokenizer.of_level("word"))[0].to_json()
    assert data["segmenter"] == "rjieba"
    monkeypatch.setattr(tokenizer_module, "_loaded", {})
    monkeypatch.setitem(sys.modules, "rjieba", None)
    vocab = Vocab.from_json(data)
    ids = vocab.encode(text)
    assert vocab.decode(ids) == text and 0 not in ids
    assert vocab.tokens[ids[0]] == "我们"
