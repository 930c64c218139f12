"""Encodings are found out; what is no text is refused."""

import io
import os
import sys
import threading
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricgen.errors import InputError
from lyricgen.text.encoding import detect_encoding, open_text, read_text

SIMPLIFIED = "星星在天上\n我在人间想你\r\n风吹过旧时光，\n没有人回答。\n"
TRADITIONAL = "星星在天上\n我在人間想妳\r\n風吹過舊時光，\n沒有人回答。\n讓愛隨夢飛翔\n"
ENGLISH = "Stars above me\nwhere are you tonight\n"


def detect(data: bytes) -> str:
    return detect_encoding(io.BytesIO(data), name="a.txt")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", [SIMPLIFIED, TRADITIONAL, "你好吗"])
def test_chinese(text: str, encoding: str) -> None:
    assert detect(text.encode(encoding)) == encoding


@pytest.mark.parametrize("text", [TRADITIONAL, *TRADITIONAL.split(), "愛情"])
def test_big5(text: str) -> None:
    assert detect(text.encode("big5")) == "big5hkscs"


@pytest.mark.parametrize("encoding", ["gb18030", "big5"])
@pytest.mark.parametrize("utf8_first", [True, False])
def test_lines_of_two_encodings_are_refused_with_the_number_of_one(encoding: str, utf8_first: bool) -> None:
    text = "星光在天上\n我在人間想你\n" * 3
    parts = [text.encode("utf-8"), text.encode(encoding)]
    data = b"".join(parts if utf8_first else parts[::-1])
    with pytest.raises(
        InputError, match=f"a.txt mixes encodings, or is damaged: line {7 if utf8_first else 1} is not"
    ):
        detect(data)


def test_one_line_of_utf8_among_many_of_gb18030_is_enough() -> None:
    data = "星光在天上\n".encode("gb18030") * 5000 + "我在人间".encode()
    with pytest.raises(InputError, match="line 1 is not UTF-8, as others are"):
        detect(data)


def test_a_line_of_gb18030_that_could_be_utf8_is_no_mixture() -> None:
    data = "婵娟。\n月光\n明月几时有\n".encode("gb18030")
    data.split(b"\n")[0].decode("utf-8")  # it is valid there, by chance
    assert detect(data) == "gb18030"


def test_cantonese_characters_of_hong_kong() -> None:
    text = "佢哋嘅歌仲喺度唱緊啲咩嘢\n我哋一齊行過嗰條街\n"
    assert text.encode("big5hkscs").decode(detect(text.encode("big5hkscs"))) == text


def test_rare_characters_beside_an_everyday_one() -> None:
    assert detect("鹧鸪天".encode("gb18030")) == "gb18030"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-16"])
def test_english(encoding: str) -> None:
    assert detect(ENGLISH.encode(encoding)) == encoding


def test_a_big_endian_mark() -> None:
    data = b"\xfe\xff" + SIMPLIFIED.encode("utf-16-be")
    assert data.decode(detect(data)) == SIMPLIFIED


def test_characters_cut_by_chunks_and_by_the_sample() -> None:
    for shift in range(4):
        for encoding in ("utf-8", "gb18030", "utf-16-le"):
            text = "a" * shift * 2 + "星光𠀀" * 20_000
            assert detect(text.encode(encoding)) == encoding


def test_an_encoding_is_right_to_the_end_of_the_file() -> None:
    data = SIMPLIFIED.encode("gb18030") * 3000
    assert detect(data) == "gb18030"
    with pytest.raises(InputError, match=r"a\.txt is in an unknown encoding, or damaged: .* save it as UTF-8"):
        detect(data + b"\xff\xff\xff")


@pytest.mark.parametrize(
    "data",
    [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", bytes(range(256)) * 50, b"\x7fELF\2\1\1" + bytes(40), b"\1\2\3\4" * 9],
)
def test_binary_files_are_refused(data: bytes) -> None:
    with pytest.raises(InputError, match=r"a\.txt is binary"):
        detect(data)


@pytest.mark.parametrize("damage", [b"\xff", b"\xe4\xb8", b"\x80"])
def test_damaged_utf_8_is_not_read_as_something_else(damage: bytes) -> None:
    data = SIMPLIFIED.encode()
    for place in (3, 15, len(data)):
        with pytest.raises(InputError, match="save it as UTF-8"):
            detect(data[:place] + damage + data[place:])


def test_a_mark_that_lies() -> None:
    with pytest.raises(InputError, match=r"a\.txt is damaged"):
        detect(b"\xff\xfe\x00")


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_or_decode(data: bytes) -> None:
    try:
        encoding = detect(data)
    except InputError:
        return
    assert "\0" not in data.decode(encoding)


@given(st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"])))
def test_utf_8_reads_back(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "round.txt"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read_text(path) == text


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_line_ends_become_lf_and_other_separators_stay(tmp_path: Path, encoding: str) -> None:
    text = "星星在天上\r\n月亮\r在水里\n\u2028风\x0b光\n"
    (tmp_path / "a.txt").write_bytes(text.encode(encoding))
    with open_text(tmp_path / "a.txt") as stream:
        assert list(stream) == ["星星在天上\n", "月亮\n", "在水里\n", "\u2028风\x0b光\n"]


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(SIMPLIFIED.encode("gb18030"))))
    assert read_text(Path("-")) == SIMPLIFIED.replace("\r\n", "\n")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes among its files")
def test_a_pipe_can_be_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(SIMPLIFIED.encode()))
    writer.start()
    assert read_text(pipe).startswith("星星")
    writer.join()


@pytest.mark.parametrize(("name", "message"), [("missing.txt", "does not exist"), ("", "is a folder")])
def test_what_cannot_be_opened(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        open_text(tmp_path / name)


def test_memory_stays_constant(tmp_path: Path) -> None:
    with (tmp_path / "big.txt").open("wb") as file:
        for _ in range(30):
            file.write(SIMPLIFIED.encode("gb18030") * (2**20 // 60))
    tracemalloc.start()
    with open_text(tmp_path / "big.txt") as stream:
        peak = tracemalloc.get_traced_memory()[1]
        assert stream.encoding == "gb18030"
    tracemalloc.stop()
    assert peak < 5 * 2**20
