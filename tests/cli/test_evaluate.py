"""`lyricgen evaluate` with all that it can be asked for."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from .conftest import Run, write_songs
from .test_bad_input import refused


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three songs that the model has not seen, two of them labelled, in the songbook's form."""
    folder = write_songs(tmp_path_factory.mktemp("held-out") / "songs", count=3, seed=9)
    parts = []
    for number, path in enumerate(sorted(folder.iterdir())):
        label = ("split: test\n", "split: valid\n", "")[number]
        parts.append(f"=== 歌{number}\n{label}\n{path.read_text(encoding='utf-8')}")
    (folder / "all.txt").write_text("\n".join(parts), encoding="utf-8")
    return folder / "all.txt"


def test_songs_and_lines_on_request(run: Run, model: Path, text: Path) -> None:
    plain = json.loads(run("evaluate", text, "--model", model, "--json").out)
    assert plain["texts"] == 3 and plain["nats_per_char_se"] > 0 and "songs" not in plain
    full = json.loads(run("evaluate", text, "--model", model, "--json", "--per-line").out)
    assert sum(song["nats"] for song in full["songs"]) == pytest.approx(plain["nats_per_char"] * plain["chars"])
    for song in full["songs"]:
        assert sum(line["nats"] for line in song["lines"]) == pytest.approx(song["nats"])
    shown = run("evaluate", text, "--model", model, "--per-song").out
    assert "± " in shown and shown.rstrip().endswith("歌2")
    assert len(run("evaluate", text, "--model", model, "--per-line").out.splitlines()) > 3 * 11


def test_only_songs_with_a_label(run: Run, model: Path, text: Path) -> None:
    data = json.loads(run("evaluate", text, "--model", model, "--split", "test", "--per-song", "--json").out)
    assert [song["title"] for song in data["songs"]] == ["歌0"]
    for name in ("TEST", "testing"):
        same = run("evaluate", text, "--model", model, "--split", name, "--per-song", "--json")
        assert json.loads(same.out) == data
    assert "no song is labelled 'train'" in refused(run, "evaluate", text, "--model", model, "--split", "train")


def test_the_best_temperature_gains_what_it_says(run: Run, model: Path, text: Path) -> None:
    data = json.loads(run("evaluate", text, "--model", model, "--temperature-fit", "--json").out)
    fit = data["temperature_fit"]
    assert fit["temperature"] > 0 and 0 <= fit["gain_nats_per_char"] < data["nats_per_char"]
    assert "best temperature" in run("evaluate", text, "--model", model, "--temperature-fit").out


def test_what_a_model_writes_is_measured(run: Run, model: Path, songs: Path, text: Path) -> None:
    asked = ("evaluate", text, "--model", model, "--samples", 3, "--seed", 4, "--train", songs)
    data = json.loads(run(*asked, "--json").out)["samples"]
    assert data["training_songs"] == 14
    assert data["seed"] == 4 and len(data["songs"]) == 3
    assert 0 < data["written"]["copied_4"] <= 1  # a model of few words learned by heart
    written = json.loads(run("generate", "--model", model, "--count", 3, "--seed", 4, "--json").out)
    assert [song["lines"] for song in data["songs"]] == [song["lines"] for song in written["songs"]]
    assert json.loads(run(*asked, "--json").out)["samples"] == data
    assert "self-BLEU" in run(*asked).out


def test_where_the_training_songs_are_not_at_hand_the_index_tells_copies(
    run: Run, model: Path, text: Path, tmp_path: Path
) -> None:
    asked = ("evaluate", text, "--samples", 2, "--model")
    done = run(*asked, model)
    assert "index of its training songs" in done.err
    assert "copied runs of 6" in done.out and "copied runs of 4" not in done.out and "copied lines" not in done.out
    data = json.loads(run(*asked, model, "--json").out)["samples"]
    assert data["copied_by"] == "index" and data["training_songs"] > 0 and 0 < data["written"]["copied_6"] <= 1
    page = tmp_path / "report.html"
    assert run(*asked, model, "--report", page).code == 0
    assert "index of its training songs" in page.read_text(encoding="utf-8")
    bare = Path(shutil.copytree(model, tmp_path / "bare"))
    (bare / "novelty.bin").unlink()
    done = run(*asked, bare)
    assert "not known here" in done.err and "--train" in done.err
    assert "copied" not in done.out


def test_a_report_is_written_once(run: Run, model: Path, songs: Path, text: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    asked = ("evaluate", text, "--model", model, "--report", page)
    done = run(*asked, "--samples", 2, "--train", songs)
    assert done.code == 0 and f"wrote {page}" in done.err
    shown = page.read_text(encoding="utf-8")
    assert "歌" in shown and "self-BLEU" in shown
    assert "choose another name for --report" in refused(run, *asked)
    assert page.read_text(encoding="utf-8") == shown


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--samples", -1], "samples must be from 1"),
        (["--samples", 1, "--seed", -1], "seed must be"),
        (["--samples", 1, "--train", "nowhere"], "nowhere"),
        (["--train", "nowhere"], "add --samples N"),
        (["--report", "nowhere/r.html"], "there is no folder"),
        (["--songs", "foo"], "songs must be"),
    ],
)
def test_settings_that_cannot_be(run: Run, model: Path, text: Path, arguments: list[object], says: str) -> None:
    assert says in refused(run, "evaluate", text, "--model", model, *arguments)


def test_a_missing_package_names_the_extra(
    run: Run, model: Path, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    said = refused(run, "evaluate", text, "--model", model, "--samples", 1)
    assert "pip install 'lyricgen[report]'" in said
    assert run("evaluate", text, "--model", model).code == 0  # all the rest needs no extra


def test_an_empty_text_is_refused(run: Run, model: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    for more in ([], ["--samples", 1], ["--temperature-fit"], ["--report", tmp_path / "r.html"]):
        assert "no text to evaluate" in refused(run, "evaluate", tmp_path / "empty.txt", "--model", model, *more)
    assert not (tmp_path / "r.html").exists()


def test_training_songs_that_are_not_there_are_told_before_any_is_written(
    run: Run, model: Path, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lyricgen.evaluation.samples.write_samples", None)
    assert "nowhere" in refused(run, "evaluate", text, "--model", model, "--samples", 1, "--train", "nowhere")


def test_characters_that_a_page_cannot_bring_are_told(run: Run, model: Path, tmp_path: Path) -> None:
    pytest.importorskip("fontTools")
    for name, says in (("星", False), ("龘", True)):
        (tmp_path / f"{name}.txt").write_text(f"{name}\n", encoding="utf-8")
        done = run("evaluate", tmp_path / f"{name}.txt", "--model", model, "--report", tmp_path / f"{name}.html")
        assert done.code == 0 and (f"shows boxes for 1 of its characters ({name})" in done.err) is says
