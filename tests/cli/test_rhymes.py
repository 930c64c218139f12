"""`lyricgen rhymes`: the list, the JSON, the errors."""

import json

import pytest

from .conftest import Run


def test_the_list_by_class_and_length(run: Run) -> None:
    done = run("rhymes", "星光", "--limit", 30)
    assert (done.code, done.err) == (0, "")
    rows = dict(row.split(": ", maxsplit=1) for row in done.out.splitlines())
    assert next(iter(rows)) == "江阳 double"
    assert "影响" in rows["江阳 double"].split()
    assert all(len(word) == 2 for word in rows["江阳 2"].split())
    assert sum(len(words.split()) for words in rows.values()) == 30


def test_json(run: Run) -> None:
    done = run("rhymes", "--class", "ang", "--length", 2, "--tone", "平", "--limit", 5, "--json")
    found = json.loads(done.out)
    assert (found["class"], found["text"], len(found["rhymes"])) == ("ang", "", 5)
    assert set(found["rhymes"][0]) == {"word", "classes", "frequency", "length", "double", "near"}
    assert found["rhymes"][0]["classes"] == ["江阳"]


def test_nothing_found_is_no_error(run: Run) -> None:
    done = run("rhymes", "orange")
    assert (done.code, done.out) == (0, "")
    assert "--near" in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("星光", "--class", "ang"),
        ("……",),
        ("--class", "xyz"),
        ("星光", "--table", 15),
        ("星光", "--limit", 0),
        ("星光", "--length", -1),
        ("星光", "--tone", "x"),
    ],
)
def test_mistakes_are_one_line(run: Run, arguments: tuple[object, ...]) -> None:
    done = run("rhymes", *arguments)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("lyricgen: ")
    assert done.err.count("\n") == 1
