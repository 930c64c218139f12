"""Labelled texts: columns by name and by guess, what is left out, and how they are parted."""

import csv
import io
import json
import random
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricgen.errors import InputError
from lyricgen.mood.data import Asked, Example, Labelled, folds, gaps, part, read_labelled, read_texts
from lyricgen.mood.preparation import Preparation
from lyricgen.text.resources import songbook


def write(path: Path, text: str, *, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def pairs(data: Labelled) -> list[tuple[str, str]]:
    return [(example.text, example.label) for example in data.examples]


@pytest.mark.parametrize("text", ["text", "Review", "content", "lyrics", "文本", "text_a", "tweet", "Title"])
@pytest.mark.parametrize(
    "label", ["label", "Mood", "sentiment", "标签", "emotion", "target", "Polarity", "rating", "stars", "score"]
)
def test_columns_are_guessed_by_their_names(tmp_path: Path, text: str, label: str) -> None:
    table = write(tmp_path / "a.csv", f"id,{label},{text}\n1,好,真甜\n2,坏,太苦\n3,好,很香\n")
    assert pairs(read_labelled(table)) == [("真甜", "好"), ("太苦", "坏"), ("很香", "好")]


@pytest.mark.parametrize("text", ["review", "tweet", "body", "lines", "paragraphs", "sections", "正文"])
def test_a_title_is_the_text_only_where_there_is_no_other(tmp_path: Path, text: str) -> None:
    table = write(tmp_path / "a.csv", f"title,score,{text}\n题,5,真甜\n目,1,太苦\n页,5,很香\n")
    assert pairs(read_labelled(table)) == [("真甜", "5"), ("太苦", "1"), ("很香", "5")]


@pytest.mark.parametrize(("name", "mark"), [("a.csv", ","), ("a.csv", "\t"), ("a.csv", ";"), ("a.tsv", "\t")])
def test_what_parts_the_columns(tmp_path: Path, name: str, mark: str) -> None:
    table = write(tmp_path / name, mark.join(("body", "stars")) + "\n" + f"真甜{mark}5\n太苦{mark}1\n很香{mark}5\n")
    data = read_labelled(table, text_column="body", label_column="stars")
    assert (pairs(data), data.labels) == ([("真甜", "5"), ("太苦", "1"), ("很香", "5")], ("1", "5"))


def test_json_lines_with_lists_and_numbers(tmp_path: Path) -> None:
    rows = [{"text": ["一行", "二行"], "label": 1}, {"text": "坏", "label": 0}, {"text": "好", "label": 1.0}]
    table = write(tmp_path / "a.jsonl", "\n".join(json.dumps(row) for row in rows) + "\n")
    assert pairs(read_labelled(table)) == [("一行\n二行", "1"), ("坏", "0"), ("好", "1")]


def test_sections_of_a_song_are_their_lines(tmp_path: Path) -> None:
    rows = [
        {"title": f"第{k}首", "mood": str(k % 2), "sections": [{"name": "主歌", "lines": ["一", str(k)]}, ["完"]]}
        for k in range(3)
    ]
    table = write(tmp_path / "a.jsonl", "\n".join(json.dumps(row) for row in rows) + "\n")
    assert pairs(read_labelled(table)) == [("一\n0\n完", "0"), ("一\n1\n完", "1"), ("一\n2\n完", "0")]


def test_lists_that_lie_too_deep_are_no_text(tmp_path: Path) -> None:
    deep = "[" * 600 + '"深"' + "]" * 600
    rows = [f'{{"text": "甜{k}", "label": {k % 2}}}' for k in range(4)] + [f'{{"text": {deep}, "label": 1}}']
    table = write(tmp_path / "a.jsonl", "\n".join(rows) + "\n")
    assert [text for text, _ in pairs(read_labelled(table))] == ["甜0", "甜1", "甜2", "甜3"]


class TestJson:
    """A list of objects under the name .json: rows like those of a .jsonl, but songs where these have moods."""

    ROWS: ClassVar = [{"review": "甜", "stars": 5}, {"review": "苦", "stars": 1}, {"review": "香", "stars": 5}]
    READ: ClassVar = [("甜", "5"), ("苦", "1"), ("香", "5")]

    def test_rows(self, tmp_path: Path) -> None:
        table = write(tmp_path / "a.json", json.dumps(self.ROWS, indent=1))
        data = read_labelled(table)
        assert pairs(data) == self.READ and not any("left out" in note for note in data.notes)
        rows = [{"text": row["review"], "stars": row["stars"]} for row in self.ROWS]  # songs, but without moods
        table = write(tmp_path / "b.json", json.dumps([*rows, 3, {"text": "辣", "stars": 1}]))
        data = read_labelled(table)
        assert pairs(data) == [*self.READ, ("辣", "1")]
        assert data.notes == (
            f"left out 1 broken row, the first: {table}, row 4: not an object with columns; mend or remove it",
        )

    def test_columns_that_are_named(self, tmp_path: Path) -> None:
        rows = [{"lyrics": row["review"], "mood": "好", "a": row["stars"]} for row in self.ROWS]
        assert pairs(read_labelled(write(tmp_path / "a.json", json.dumps(rows)), label_column="a")) == self.READ

    def test_an_object_on_each_line(self, tmp_path: Path) -> None:
        table = write(tmp_path / "a.json", "\n".join(json.dumps(row) for row in self.ROWS) + "\n")
        assert pairs(read_labelled(table)) == self.READ

    def test_songs_with_moods_stay_songs(self, tmp_path: Path) -> None:
        songs = [{"title": f"第{k}首", "lyrics": f"[主歌]\n星星{k}", "mood": "忧喜"[k % 2]} for k in range(3)]
        assert pairs(read_labelled(write(tmp_path / "a.json", json.dumps({"songs": songs})))) == [
            ("星星0", "忧"), ("星星1", "喜"), ("星星2", "忧"),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            (
                '{"review": "甜"}',
                "is no list of objects with a text and a label: give a list of objects, or a .jsonl",
            ),
            ("[1, 2]", "row 1: not an object with columns"),
            ("[]", "has no labelled texts (it has no rows)"),
            ("", "is empty"),
            ('[{"review": "甜", "fruit": 1}]', "has no label column (it has: review, fruit)"),
            ('[{"review": ', "line 1: broken JSON"),
            ("[" * 100_000, "JSON that cannot be read"),
        ],
    )
    def test_no_rows(self, tmp_path: Path, text: str, says: str) -> None:
        with pytest.raises(InputError) as refused:
            read_labelled(write(tmp_path / "a.json", text))
        assert says in str(refused.value) and "\n" not in str(refused.value)


def test_quoted_cells_hold_commas_and_line_breaks_and_bare_commas_stay_in_the_text(tmp_path: Path) -> None:
    table = write(tmp_path / "a.csv", 'label,text,id\n1,"甜,香\n好",1\n0,苦,涩,2\n1,好,3\n')
    assert pairs(read_labelled(table)) == [("甜,香\n好", "1"), ("苦,涩", "0"), ("好", "1")]


def test_a_stray_quote_in_a_tsv_swallows_nothing(tmp_path: Path) -> None:
    table = write(tmp_path / "a.tsv", 'text\tlabel\n"good\t1\nbad\t0\n"so ""so"""\t1\n')
    assert pairs(read_labelled(table)) == [('"good', "1"), ("bad", "0"), ('so "so"', "1")]


class TestQuotes:
    """In a .csv a stray quote is told with its line and swallows no row; texts of several lines stay readable."""

    ROWS: ClassVar = [f"甜{k},{k % 2}" for k in range(40)]

    def refusal(self, path: Path, lines: list[str]) -> str:
        with pytest.raises(InputError) as refused:
            read_labelled(write(path, "\n".join(lines) + "\n"))
        said = str(refused.value)
        assert "check the quotes of the row that begins there: remove a stray one" in said and "\n" not in said
        return said

    @pytest.mark.parametrize("head", ["text,label", "label,text", "id;label;text"])
    @pytest.mark.parametrize(
        ("strays", "says"),
        [
            ({20: '"{}'}, "line 22: broken table (unexpected end of data)"),
            ({20: '"{}', 30: '"{}'}, "line 22: broken table (',' expected after '\"')"),
            ({20: '"{}', 30: '{}"'}, "line 22: broken table (one cell takes in the rows up to line 32)"),
            ({20: '"{}', 21: '{}"'}, "line 22: broken table (one cell takes in the rows up to line 23)"),
        ],
    )
    def test_a_stray_one(self, tmp_path: Path, head: str, strays: dict[int, str], says: str) -> None:
        mark = ";" if ";" in head else ","
        lines = [head]
        for k in range(40):
            cells = {"text": strays.get(k, "{}").format(f"甜{k}"), "label": str(k % 2), "id": f"n{k}"}
            lines.append(mark.join(cells[column] for column in head.split(mark)))
        assert says.replace("','", f"'{mark}'") in self.refusal(tmp_path / "a.csv", lines)

    def test_text_after_a_closing_quote_is_read(self, tmp_path: Path) -> None:
        lines = ["text,label", '"好" 电影,1', *self.ROWS, '"说 ""好""" 吧,0']
        found = pairs(read_labelled(write(tmp_path / "a.csv", "\n".join(lines) + "\n")))
        assert found[0] == ("好 电影", "1") and found[-1] == ('说 "好" 吧', "0") and len(found) == 42
        lines[1] = '"好" 电影,1,又'
        assert "line 2: broken table" in self.refusal(tmp_path / "b.csv", lines)

    def test_texts_to_tell_are_swallowed_as_little(self, tmp_path: Path) -> None:
        rows = list(self.ROWS)
        rows[20] = '"' + rows[20]
        for head in ("text,label", "text,n"):
            table = write(tmp_path / "a.csv", "\n".join([head, *rows]) + "\n")
            with pytest.raises(InputError, match=r"line 22: broken table"):
                read_texts([table])
        rows[30] = rows[30].replace(",", '",')
        with pytest.raises(InputError, match=r"line 22: .*takes in the rows up to line 32"):
            read_texts([write(tmp_path / "a.csv", "\n".join(["text,label", *rows]) + "\n")])

    def test_where_tabs_part_rows_of_unlike_width(self, tmp_path: Path) -> None:
        lines = ["text\tlabel", *(row.replace(",", "\t") for row in self.ROWS), "辣\t1\t"]
        lines[21] = '"' + lines[21]
        assert "line 22: broken table" in self.refusal(tmp_path / "a.tsv", lines)

    def test_lines_of_a_song_that_have_as_many_commas_as_a_row_are_no_rows(self, tmp_path: Path) -> None:
        song = "Hello, my love\nGoodbye, my friend\nand so, on"
        for head, order in (("text,label", (0, 1)), ("label,text", (1, 0))):
            rows = [(f"{song} {k}", "sad" if k % 2 else "gay") for k in range(6)]
            stream = io.StringIO()
            csv.writer(stream).writerows([row[k] for k in order] for row in rows)
            assert pairs(read_labelled(write(tmp_path / "a.csv", f"{head}\n{stream.getvalue()}"))) == rows

    @given(
        texts=st.lists(
            st.text('ab ,"\n', min_size=1).map(str.strip).filter(bool), min_size=3, max_size=9, unique=True
        ),
        first=st.booleans(),
        mark=st.sampled_from(",;"),
    )
    def test_what_a_program_quoted_is_read_as_it_was(
        self, tmp_path_factory: pytest.TempPathFactory, texts: list[str], first: bool, mark: str
    ) -> None:
        rows = [(text, "喜悲"[k % 2]) for k, text in enumerate(texts)]
        stream = io.StringIO()
        table = [("text", "label"), *rows]
        csv.writer(stream, delimiter=mark).writerows(table if first else [row[::-1] for row in table])
        assert pairs(read_labelled(write(tmp_path_factory.mktemp("a") / "a.csv", stream.getvalue()))) == rows


class TestSplits:
    """Texts that are marked to measure are never learned from, whatever the mark is called and where it stands."""

    @pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
    def test_a_column_that_the_first_records_lack(self, tmp_path: Path, name: str) -> None:
        rows = [{"text": f"甜{k}", "label": k % 2, **({"split": "test"} if k > 5 else {})} for k in range(9)]
        del rows[0]["label"]
        text = json.dumps(rows) if name == "a.json" else "\n".join(map(json.dumps, rows))
        data = read_labelled(write(tmp_path / name, text))
        assert [example.split for example in data.examples] == [""] * 5 + ["test"] * 3
        assert data.notes == ("left out 1 row without a label",)

    @pytest.mark.parametrize(
        ("means", "names"),
        [("train", "train Training"), ("valid", "valid Validation val dev eval"), ("test", "test TESTING")],
    )
    def test_its_usual_names(self, tmp_path: Path, means: str, names: str) -> None:
        rows = [f"甜{k},{k % 2}, {name} " for k, name in enumerate([*names.split(), "", ""])]
        data = read_labelled(write(tmp_path / "a.csv", "text,label,split\n" + "\n".join([*rows, "香,0,", "辣,1,"])))
        assert [example.split for example in data.examples] == [means] * (len(rows) - 2) + [""] * 4

    @pytest.mark.parametrize("unknown", ["held-out", "3", "x" * 100])
    @pytest.mark.parametrize("kind", ["a.csv", "a.jsonl", "songs.json"])
    def test_a_name_that_is_unknown_is_refused(self, tmp_path: Path, kind: str, unknown: str) -> None:
        rows = [{"text": f"甜{k}", "mood": str(k % 2), "split": "train" if k else unknown} for k in range(6)]
        text = {
            "a.csv": "text,mood,split\n" + "\n".join(",".join(row.values()) for row in rows),
            "a.jsonl": "\n".join(map(json.dumps, rows)),
            "songs.json": json.dumps({"songs": rows}),
        }[kind]
        with pytest.raises(InputError) as refused:
            read_labelled(write(tmp_path / kind, text))
        said = str(refused.value)
        assert f"unknown split '{unknown[:40]}', expected one of train, training, valid, " in said
        assert "or rename the column" in said and "\n" not in said


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    rows = "".join(f"我们在天上看见的是一个人的心{k},{k % 2}\n" for k in range(9))
    assert len(read_labelled(write(tmp_path / "a.csv", "text,label\n" + rows, encoding=encoding)).examples) == 9


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    rows = ["甜,1", "苦,0", "甜,1", "苦,1", " ,1", "涩,", "香,1", "辣,2"]
    data = read_labelled(write(tmp_path / "a.csv", "text,label\n" + "\n".join(rows) + "\n"))
    assert pairs(data) == [("甜", "1"), ("苦", "0"), ("香", "1"), ("辣", "2")]
    said = "\n".join(data.notes)
    for what in (
        "1 row that stand there twice",
        "1 row under a second label",
        "1 row without a text",
        "1 row without a label",
    ):
        assert what in said


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("text,fruit\n甜,1\n", "has no label column (it has: text, fruit); expected label, mood"),
        ("fruit,label\n甜,1\n", "has no text column (it has: fruit, label); expected text, review"),
        ("text,label\n甜,1\n苦,1\n", "one class only ('1')"),
        ("text,label\n甜,1\n苦,0\n", "no class has two examples"),
        ("text,label\n,1\n ,0\n", "has no labelled texts (2 without a text)"),
        ("text,label\n", "has no labelled texts (it has no rows)"),
    ],
)
def test_tables_that_cannot_be_learned_from(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputError) as refused:
        read_labelled(write(tmp_path / "a.csv", text))
    assert says in str(refused.value) and "\n" not in str(refused.value)


def test_columns_that_are_asked_for_and_missing(tmp_path: Path) -> None:
    table = write(tmp_path / "a.csv", "text,label\n甜,1\n苦,0\n甜甜,1\n")
    with pytest.raises(InputError, match="has no column 'stars'"):
        read_labelled(table, label_column="stars")
    with pytest.raises(InputError, match="cannot both be column 'text'"):
        read_labelled(table, label_column="text")


def test_bytes_of_no_encoding_are_one_clear_line(tmp_path: Path) -> None:
    rows = "text,label\n我们,1\n".encode() + b"\xff\xfe\x80\x81,0\n" + "你们,0\n".encode("gb18030") * 3
    (tmp_path / "a.csv").write_bytes(rows)
    with pytest.raises(InputError, match=r"a\.csv is in an unknown encoding"):
        read_labelled(tmp_path / "a.csv")


@pytest.mark.parametrize("step", [2, 3, 10, 20])
@pytest.mark.parametrize(("most", "some"), [("utf-8", "gb18030"), ("gb18030", "utf-8")])
def test_lines_in_two_encodings_are_one_clear_line(tmp_path: Path, step: int, most: str, some: str) -> None:
    """Forty lines of five to seven characters, every second to every twentieth in another encoding than the rest."""
    words = ["星星", "月亮", "大海", "火车", "回来", "唱歌", "我们", "你的", "早晨", "下雨", "走过", "听见"]
    rng = random.Random(step)
    rows = [f"{''.join(rng.choices(words, k=4))[: 5 + k % 3]},{k % 2}\n" for k in range(40)]
    (tmp_path / "a.csv").write_bytes(
        b"text,label\n" + b"".join(row.encode(most if k % step else some) for k, row in enumerate(rows))
    )
    with pytest.raises(InputError) as refused:
        read_labelled(tmp_path / "a.csv")
    said = str(refused.value)
    assert "a.csv mixes encodings, or is damaged: line " in said and "\n" not in said and "UTF-8" in said


@pytest.mark.parametrize("line", [0, 1])
def test_a_cell_too_long_to_hold_is_one_clear_line(tmp_path: Path, line: int) -> None:
    lines = ["text,label", "甜,1"]
    lines[line] = "x" * (2**24 + 1) + ",label"
    with pytest.raises(
        InputError,
        match=rf"^[^\n]*a\.csv, line {line + 1}: broken table \(field larger than [^\n]*; check the quotes",
    ):
        read_labelled(write(tmp_path / "a.csv", "\n".join(lines) + "\n"))


def test_broken_lines_among_good_ones_are_counted(tmp_path: Path) -> None:
    table = write(tmp_path / "a.jsonl", '{"text": "甜", "label": 1}\n{"te\n[1]\n{"text": "苦", "label": 0}\n'
                  '{"text": "香", "label": 1}\n')  # fmt: skip
    data = read_labelled(table)
    assert len(data.examples) == 3
    assert "left out 2 broken rows, the first:" in data.notes[0]


def test_the_songbook_is_labelled_and_parted_as_it_is_marked() -> None:
    data = read_labelled(songbook())
    parts = part(data, seed=0)
    assert len(data.labels) == 8
    for name, of in vars(parts).items():
        assert {data.examples[k].split for k in of} == {name}
    assert sum(map(len, vars(parts).values())) == len(data.examples)


def test_songs_without_moods(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="have no moods"):
        read_labelled(write(tmp_path / "song.txt", "星星\n月亮\n"))


class TestParts:
    """Every class gives the same share to each part, and no text is in two."""

    @pytest.fixture
    def data(self) -> Labelled:
        examples = [
            Example(f"{label}{k}", label)
            for label, n in (("a", 200), ("b", 50), ("c", 3), ("d", 1))
            for k in range(n)
        ]
        return Labelled(tuple(examples), ("a", "b", "c", "d"))

    def counts(self, data: Labelled, of: np.ndarray) -> list[int]:
        return np.bincount(data.numbers(of), minlength=4).tolist()

    def test_stratified(self, data: Labelled) -> None:
        parts = part(data, seed=3)
        assert self.counts(data, parts.test) == [20, 5, 1, 0]
        assert self.counts(data, parts.valid) == [18, 4, 0, 0]
        assert self.counts(data, parts.train) == [162, 41, 2, 1]
        assert sorted(np.concatenate(list(vars(parts).values())).tolist()) == list(range(254))

    def test_the_seed_decides(self, data: Labelled) -> None:
        first, same, other = (part(data, seed=seed).test.tolist() for seed in (1, 1, 2))
        assert first == same != other

    def test_folds(self, data: Labelled) -> None:
        parts = folds(data, 5, seed=0)
        assert sorted(np.concatenate(parts).tolist()) == list(range(254))
        for fold in parts:
            counts = self.counts(data, fold)
            assert counts[:2] == [40, 10] and max(counts[2:]) <= 1

    def test_classes_that_cannot_be_measured_are_named(self, data: Labelled) -> None:
        assert gaps(data, part(data, seed=3)) == ["class with no text in the test, learned but not measured: 'd'"]

    def test_classes_that_are_nowhere_to_learn_from(self) -> None:
        marked = [("a", ""), ("b", ""), ("b", "valid"), ("c", "valid"), ("c", "test"), ("d", "test"), ("a", "test"),
                  ("e", "valid")]  # fmt: skip
        examples = tuple(Example(f"x{k}", label, split) for k, (label, split) in enumerate(marked))
        data = Labelled(examples, ("a", "b", "c", "d", "e"))
        parts = part(data, seed=0)
        assert [of.tolist() for of in vars(parts).values()] == [[0, 1], [2], [4, 5, 6]]
        assert data.learnable(parts.train).labels == ("a", "b")
        assert gaps(data, parts) == [
            "classes with no text to learn from, so that test texts of it count as missed: 'c', 'd', 'e'",
            "class with no text in the test, learned but not measured: 'b'",
        ]

    def test_where_no_text_to_stop_by_is_of_a_class_that_is_learned_others_are_held_out(self, data: Labelled) -> None:
        odd = Example("odd", "e", "valid")
        parts = part(Labelled((*data.examples, odd), (*data.labels, "e")), seed=3)
        assert self.counts(data, parts.valid) == [18, 4, 0, 0]

    @pytest.mark.parametrize(
        ("split", "says"), [("", "only texts of class 'a' are marked for training"), ("test", "no text is marked")]
    )
    def test_less_than_two_classes_to_learn_from(self, split: str, says: str) -> None:
        examples = [Example("x", "a", split), Example("y", "a", split), Example("z", "b", "test")]
        with pytest.raises(InputError, match=says):
            part(Labelled(tuple(examples), ("a", "b")), seed=0)


def test_texts_to_tell(tmp_path: Path) -> None:
    table = write(tmp_path / "a.csv", "id,review\n1,甜\n2,苦\n")
    lines = write(tmp_path / "a.txt", "一\n\n二\n")
    texts, notes = read_texts([table, lines])
    assert [(asked.text, asked.line, asked.file) for asked in texts] == [
        ("甜", 1, table), ("苦", 2, table), ("一", 1, lines), ("二", 3, lines),
    ]  # fmt: skip
    assert notes == ["left out 1 of 5 texts: nothing of them is left to read"]
    with pytest.raises(InputError, match="there is no text"):
        read_texts([write(tmp_path / "b.txt", "\n \n")])


@pytest.mark.parametrize(
    ("name", "table", "expected"),
    [
        ("a.csv", 'text,id\n甜,1\n\n,2\n"苦\n涩",3\n香,4\n', [("甜", 1), ("苦\n涩", 3), ("香", 4)]),
        ("a.tsv", "text\tid\n甜\t1\n\n\t2\n香\t3\n", [("甜", 1), ("香", 3)]),
        ("a.jsonl", '{"text": "甜"}\n\n{"te\n{"text": ""}\n{"text": "香"}\n', [("甜", 1), ("香", 5)]),
        ("a.json", '[{"text": "甜"},\n\n3, {"text": ""}, {"text": "香"}]', [("甜", 1), ("香", 4)]),
    ],
)
def test_texts_of_a_table_know_their_row(tmp_path: Path, name: str, table: str, expected: list[object]) -> None:
    texts, _ = read_texts([write(tmp_path / name, table)])
    assert [(asked.text, asked.line) for asked in texts] == expected


def test_broken_lines_of_texts_to_tell_are_counted_and_left_out(tmp_path: Path) -> None:
    some = write(tmp_path / "a.jsonl", '{"te\n{"text": "甜"}\n[1]\n')
    texts, notes = read_texts([some])
    assert texts == [Asked("甜", 2, some)]
    assert notes == [f"left out 2 broken rows, the first: {some}, line 1: broken JSON; mend or remove it"]
    with pytest.raises(InputError, match="line 1: broken JSON"):
        read_texts([write(tmp_path / "b.jsonl", '{"te\n[1]\n')])


def test_texts_of_which_preparation_leaves_nothing(tmp_path: Path) -> None:
    lines = write(tmp_path / "a.txt", "的\n一\n")
    texts, _ = read_texts([lines], prepare=Preparation(stop_words=("的",)))
    assert texts == [Asked("一", 2, lines)]
    with pytest.raises(InputError, match="stop words and cleaning leave nothing of any text"):
        read_texts([lines], prepare=Preparation(stop_words=("的", "一")))


class TestPreparation:
    """What --clean and --stop-words leave of a text."""

    def test_nothing_is_done_unless_it_is_asked_for(self) -> None:
        assert (
            Preparation()(" <b>好</b>\r\n哈哈哈哈哈 http://a.cn @我\ud800") == "<b>好</b>\n哈哈哈哈哈 http://a.cn @我"
        )

    def test_cleaning(self) -> None:
        said = Preparation(clean=True)("<b>Ｇood</b> &amp; 哈哈哈哈哈\u200b http://a.cn/x?y=1 @abc  end\nnext")
        assert said.split() == ["Good", "&", "哈哈哈", "end", "next"]
        assert "\n" in said

    def test_stop_words_are_whole_words_in_latin_letters(self) -> None:
        prepare = Preparation(stop_words=("the", "的", "我们"))
        assert prepare("The theme of the day") == "theme of  day"
        assert prepare("我们的家") == "家"

    def test_a_long_text_is_read_to_a_limit(self) -> None:
        assert len(Preparation()("啊" * 10**6)) == 2**16
