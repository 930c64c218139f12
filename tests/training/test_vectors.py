"""Pretrained vectors: both text formats, what is found, and what is refused."""

from pathlib import Path

import pytest
import torch

from lyricgen.errors import InputError
from lyricgen.model.config import ModelConfig
from lyricgen.model.network import LyricModel
from lyricgen.text.tokenizer import Tokenizer
from lyricgen.text.vocab import SPECIALS, Vocab
from lyricgen.training.vectors import Vectors, read_vectors

VOCAB = Vocab((*SPECIALS, "星星", "月亮", "星", "\n", "la"), Tokenizer("word", "jieba", "0"))

WORD2VEC = "3 2\n月亮 1 -2.5 \n太阳 3 4 \n星 5e-1 6 \n"  # a header, and a space at line ends
GLOVE = "月亮 1 -2.5\n太阳 3 4\n星 5e-1 6\n"


def write(folder: Path, text: str) -> Path:
    (folder / "vectors.txt").write_text(text, encoding="utf-8")
    return folder / "vectors.txt"


@pytest.mark.parametrize("text", [WORD2VEC, GLOVE, GLOVE.replace("\n", "\r\n"), GLOVE.rstrip("\n")])
def test_both_formats(text: str, tmp_path: Path) -> None:
    vectors = read_vectors(write(tmp_path, text), VOCAB)
    assert vectors.ids.tolist() == [4, 5]
    assert vectors.values.tolist() == [[1, -2.5], [0.5, 6]] and vectors.values.dtype == torch.float32
    assert vectors.width == 2
    assert vectors.summary() == "vectors: found 2 of 5 tokens (40 %), 2 numbers each"


def test_the_ends_of_a_song_are_no_words(tmp_path: Path) -> None:
    vectors = read_vectors(write(tmp_path, "<unk> 1 2\n<end> 3 4\nla 5 6\n"), VOCAB)
    assert vectors.ids.tolist() == [7]


def test_a_word_that_comes_twice_counts_once(tmp_path: Path) -> None:
    vectors = read_vectors(write(tmp_path, "la 5 6\nla 1 2\n月亮 1 1\n"), VOCAB)
    assert vectors.ids.tolist() == [7, 4]
    assert vectors.values.tolist() == [[5, 6], [1, 1]]


def test_tokens_may_hold_spaces_once_the_width_is_known(tmp_path: Path) -> None:
    vectors = read_vectors(write(tmp_path, "la 5 6\n. . . 1 2\nat name@domain.com 3 4\n星 7 8\n"), VOCAB)
    assert (vectors.ids.tolist(), vectors.values.tolist()) == ([7, 5], [[5, 6], [7, 8]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("月亮 1 2\n星 1 2 3\n", "line 2: expected a token and 2 numbers, as GloVe writes"),
        ("月亮 1 2\n\n", "line 2: expected a token and 2 numbers"),
        ("月亮\n", "line 1: expected a token and 2 numbers"),
        ("3 2\n月亮 1 2\n星 1\n", "line 3: expected a token and 2 numbers"),
        ("月亮 1 zwei\n", "line 1: expected numbers after '月亮'"),
        ("月亮 1 nan\n", "line 1: expected numbers after '月亮'"),
        ("月亮 1 1e39\n", "line 1: expected numbers after '月亮'"),  # more than a float32 holds
        ("太阳 1 2\n", "has none of the vocabulary's tokens; are they words of the same language?"),
        ("3 2\n", "has none of the vocabulary's tokens"),
        ("", "has none of the vocabulary's tokens"),
    ],
)
def test_what_is_refused(text: str, message: str, tmp_path: Path) -> None:
    path = write(tmp_path, text)
    with pytest.raises(InputError) as refused:
        read_vectors(path, VOCAB)
    assert str(refused.value).startswith(str(path)) and message in str(refused.value)


def test_files_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "vectors.bin").write_bytes(b"3 2\n\xe6\x9c\x88 \x00\x00\x80?\x00\x00\x00@\n")
    with pytest.raises(InputError, match="binary"):
        read_vectors(tmp_path / "vectors.bin", VOCAB)
    with pytest.raises(InputError, match="does not exist"):
        read_vectors(tmp_path / "none.txt", VOCAB)


def test_they_start_an_embedding_with_the_spread_of_the_others() -> None:
    model = LyricModel(ModelConfig(8, embedding=4, hidden=4))
    before = model.embedding.weight.detach().clone()
    values = 100 * torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    Vectors(torch.tensor([3, 6, 4]), values, 5).start(model)
    after = model.embedding.weight.detach()
    for row in (0, 1, 2, 5, 7):
        assert torch.equal(after[row], before[row])
    rows = after[[3, 6, 4]]
    torch.testing.assert_close(rows / rows.std(), values / values.std())
    assert rows.std().item() == pytest.approx(before[3:].std().item())
    assert model.embedding.weight.requires_grad


def test_vectors_that_are_all_the_same_start_an_embedding_too() -> None:
    model = LyricModel(ModelConfig(8, embedding=2, hidden=4))
    Vectors(torch.tensor([3]), torch.zeros(1, 2), 5).start(model)
    assert model.embedding.weight[3].tolist() == [0, 0]
