"""Texts in pieces: nothing is lost, and words are found with or without the faster library."""

import subprocess
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lyricgen.errors import OptionError
from lyricgen.text import tokenizer as tokenizer_module
from lyricgen.text.tokenizer import Tokenizer, load_segmenter

needs_rjieba = pytest.mark.skipif(find_spec("rjieba") is None, reason="needs rjieba")
SEGMENTERS = ["jieba", pytest.param("rjieba", marks=needs_rjieba)]

SONG = "我们站在星光下\n听见风说：\nhello moon 2024!\n\n没有人回答\n"
# Words and what stands between them, beside whatever Unicode holds.
texts = st.text() | st.lists(
    st.sampled_from(
        ["星星", "月亮", "我们", "没有人", "，", "\n", "\n\n", " ", "\t", "\r", "hello", "3.14", "🌙", "é", "\0"]
    )
).map("".join)


@given(texts)
@example("")
@example("\n")
@example(SONG)
def test_characters_are_single(text: str) -> None:
    pieces = Tokenizer().split(text)
    assert "".join(pieces) == text and all(len(piece) == 1 for piece in pieces)


@pytest.mark.parametrize("segmenter", SEGMENTERS)
@given(text=texts)
@example(text="")
@example(text="\n\n星")
@example(text=SONG)
@example(text="👩‍👩‍👧 \u200b\ufeff\u2028\x85é𠀀")
def test_words_give_the_text_back_and_do_not_cross_line_breaks(segmenter: str, text: str) -> None:
    pieces = Tokenizer("word", segmenter, "1").split(text)
    assert "".join(pieces) == text
    assert all(piece and (piece == "\n" or "\n" not in piece) for piece in pieces)


@pytest.mark.parametrize("segmenter", SEGMENTERS)
def test_words_are_words(segmenter: str) -> None:
    assert Tokenizer("word", segmenter, "1").split(SONG)[:9] == [
        "我们", "站", "在", "星光", "下", "\n", "听见", "风说", "：",
    ]  # fmt: skip


def test_the_tokenizer_of_a_level(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Tokenizer.of_level("char") == Tokenizer("char", "", "")
    monkeypatch.setitem(sys.modules, "rjieba", None)
    assert Tokenizer.of_level("word") == Tokenizer("word", "jieba", metadata.version("jieba"))


@needs_rjieba
def test_the_faster_library_is_taken_where_it_is() -> None:
    assert Tokenizer.of_level("word") == Tokenizer("word", "rjieba", metadata.version("rjieba"))


def test_words_of_the_faster_library_are_found_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenizer_module, "_loaded", {})
    monkeypatch.setitem(sys.modules, "rjieba", None)
    words = Tokenizer("word", "rjieba", "0.1").split(SONG)
    assert words == Tokenizer("word", "jieba", "0.42").split(SONG)
    with pytest.raises(ImportError):
        __import__("rjieba")


def test_a_segmenter_is_loaded_once() -> None:
    assert load_segmenter("jieba") is load_segmenter("jieba")


def test_what_is_no_tokenizer_is_refused() -> None:
    with pytest.raises(OptionError, match="level must be char or word, got 'verse'"):
        Tokenizer.of_level("verse")
    for segmenter in ("os", ""):
        with pytest.raises(OptionError, match=f"segmenter must be one of jieba, rjieba, got '{segmenter}'"):
            Tokenizer("word", segmenter)


CUT = "from lyricgen.text.tokenizer import Tokenizer; print(Tokenizer('word', 'jieba').split('星光下'))"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep caches elsewhere")
@pytest.mark.parametrize("taken", [False, True])
def test_the_dictionary_is_kept_in_the_users_cache_and_nothing_is_said(taken: bool, tmp_path: Path) -> None:
    cache = tmp_path / "cache" / "lyricgen" / "jieba.cache"
    if taken:  # by something that cannot be written over
        cache.mkdir(parents=True)
    environment = {
        "PATH": "",
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "TMPDIR": str(tmp_path),
        "PYTHONUTF8": "1",
        "PYTHONPATH": ":".join(sys.path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPYCACHEPREFIX": str(tmp_path / "compiled"),  # so that the compiler's warnings come too
    }
    run = subprocess.run(
        [sys.executable, "-W", "always", "-c", CUT], env=environment, capture_output=True, text=True, check=True
    )
    assert (run.stdout, run.stderr) == ("['星光', '下']\n", "")
    assert cache.is_dir() if taken else cache.stat().st_size > 1_000_000
    assert not list(tmp_path.glob("*.cache"))
