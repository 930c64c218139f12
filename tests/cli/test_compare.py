"""`lyricgen compare`: four sentences, JSON, pictures, what a kill leaves, and what is refused."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch

from lyricgen.model import checkpoint
from lyricgen.model.network import LyricModel

from .conftest import Run, write_songs
from .test_bad_input import refused

FOUR = "I like to sing\nYou like to dance\nWe like the sea\nThey like rain\n"


@pytest.fixture
def four(tmp_path: Path) -> Path:
    path = tmp_path / "four.txt"
    path.write_text(FOUR, encoding="utf-8")
    return path


def test_four_sentences_are_enough(run: Run, four: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    configs = tmp_path / "more.toml"
    configs.write_text('["small-宽"]\ncell = "gru"\nhidden = 5\n', encoding="utf-8")
    command = (
        "compare",
        four,
        "--cells",
        "rnn, LSTM",
        "--configs",
        configs,
        "--epochs",
        1,
        "--seeds",
        2,
        "--start",
        "We",
    )
    done = run(*command)
    assert done.code == 0, done.err
    head, *rows = done.out.split("\n\n")[0].splitlines()
    assert [row.split()[0] for row in rows] == ["rnn", "lstm", "small-宽"]
    assert all("±" in row and "→" in row for row in rows)
    assert head.startswith("model")
    assert done.out.count("\n    We") == 3
    # Without --out the same command finds its folder, and trains nothing anew.
    folder = tmp_path / "comparisons" / "four-1"
    before = {path: path.stat().st_mtime_ns for path in folder.glob("runs/*/*")}
    assert "going on with" not in done.err
    again = run(*command, "--json", "--loss", 4.5)
    assert f"going on with {Path('comparisons', 'four-1')}\n" in again.err
    data = json.loads(again.out)
    assert {path: path.stat().st_mtime_ns for path in folder.glob("runs/*/*")} == before
    assert data["out"] == str(Path("comparisons", "four-1"))
    assert (data["loss"], data["epochs"], data["seeds"], data["equal"]) == (4.5, 1, 2, "parameters")
    rnn = data["models"][0]
    assert len(rnn["nats_per_char"]["seeds"]) == 2
    assert rnn["sample"][0].startswith("We")
    assert f"{rnn['parameters']:,}" in rows[0] and f"{rnn['nats_per_char']['mean']:.4f}" in rows[0]
    assert rnn["context"]["1"] > 0
    assert rnn["held_out"] and rnn["measured_held_out"] and "training text" not in done.out
    assert rnn["gradient"][0] > 0 and len(rnn["gradient"]) == len(rnn["gradient_at_start"])
    assert rnn["rate_per_step"] is None and "of the gradient," not in done.out  # too short a text
    assert data["failed"] == [] and len(data["corpus"]) == 64
    assert run("compare", four, "--epochs", 2, "--cells", "rnn").code == 0
    assert (tmp_path / "comparisons" / "four-2").is_dir()


def test_the_rate_per_step_of_gradients_is_told(run: Run, tmp_path: Path) -> None:
    long = tmp_path / "long.txt"  # whose tail, held out, is long enough for 64 steps back
    rng = random.Random(1)
    long.write_text("".join("".join(rng.choices("星月雨风山海", k=9)) + "\n" for _ in range(300)), encoding="utf-8")
    command = ("compare", long, "--cells", "rnn,gru", "--epochs", 1, "--hidden", 16, "--out", tmp_path / "out")
    models = {model["name"]: model for model in json.loads(run(*command, "--json").out)["models"]}
    told = {}
    for name, model in models.items():
        for when in ("", "_at_start"):
            norms = model[f"gradient{when}"]
            assert model[f"rate_per_step{when}"] == pytest.approx((norms[64] / norms[32]) ** (1 / 32))
        told[name] = [f"{model['rate_per_step_at_start']:.3f}", f"{model['rate_per_step']:.3f}"]
    table = run(*command).out.split("What a step leaves of the gradient, 32 to 64 steps back:\n")[1].split("\n\n")[0]
    assert [row.split() for row in table.splitlines()] == [
        ["model", "untrained", "trained"], *([name, *rates] for name, rates in told.items()),
    ]  # fmt: skip


def test_a_contender_that_failed_is_told_in_the_table(
    run: Run, four: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = LyricModel.logits

    def logits(self: LyricModel, features: torch.Tensor) -> torch.Tensor:
        if self.training and self.config.cell == "rnn":
            raise RuntimeError("can't allocate memory")
        return honest(self, features)

    monkeypatch.setattr(LyricModel, "logits", logits)
    command = ("compare", four, "--cells", "rnn,gru", "--epochs", 1, "--out", tmp_path / "out")
    done = run(*command)
    assert done.code == 0, done.err
    _, gru, rnn, why = done.out.split("\n\n")[0].splitlines()
    assert gru.startswith("gru ") and "→" in gru
    assert rnn.split()[0] == "rnn" and rnn.endswith("failed")
    assert why == "rnn, seed 0 failed: can't allocate memory; a lower hidden or batch takes less memory"
    data = json.loads(run(*command, "--json").out)
    assert [model["name"] for model in data["models"]] == ["gru"]
    assert [(each["name"], each["seed"]) for each in data["failed"]] == [("rnn", 0)]


def test_the_table_stands_where_a_finished_model_is_damaged(run: Run, four: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ("compare", four, "--cells", "rnn,gru", "--epochs", 1, "--start", "We", "--out", out)
    whole = run(*command)
    (out / "runs" / "rnn-0" / "model.safetensors").write_bytes(b"half")
    done = run(*command)
    assert done.code == 0, done.err
    path = out / "runs" / "rnn-0"
    what = f"{path / 'model.safetensors'} is not a safetensors file, or only half of one"
    why = f"{what}; remove {path} to make that run anew"
    assert f"\nrnn:\n    no sample: {why}\ngru:\n    We" in done.out
    assert done.out.split("\nrnn:\n")[0] == whole.out.split("\nrnn:\n")[0]
    assert done.out.split("\ngru:\n")[1] == whole.out.split("\ngru:\n")[1]
    rnn, gru = json.loads(run(*command, "--json").out)["models"]
    assert (rnn["damaged"], rnn["sample"]) == (why, []) and rnn["nats_per_char"]["mean"] > 0
    assert "damaged" not in gru and gru["sample"]


def test_without_a_corpus_the_songbook_is_compared_on(
    run: Run, songs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lyricgen.evaluation.comparison_setup.songbook", lambda: songs)  # a small one
    done = run("compare", "--cells", "rnn", "--epochs", 1, "--hidden", 8, "--json")
    assert done.code == 0, done.err
    assert "14 songs from 14 files" in done.err
    data = json.loads(done.out)
    assert (data["paths"], data["out"]) == ([], str(Path("comparisons", "songbook-1")))
    kept = tmp_path / data["out"]
    assert "星星" in (kept / "corpus.txt").read_text(encoding="utf-8")
    corpus = json.loads((kept / "runs" / "rnn-0" / "config.json").read_text(encoding="utf-8"))["corpus"]
    assert corpus["songs"] == 14


def test_minutes_are_those_of_each_run(run: Run, four: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ("compare", four, "--cells", "rnn,gru", "--minutes", 0.02, "--out", out)
    done = run(*command, "--json")
    assert done.code == 0, done.err
    data = json.loads(done.out)
    assert (data["minutes"], data["epochs"]) == (0.02, None)
    for model in data["models"]:
        (folder,) = model["folders"]
        training = json.loads((Path(folder) / "config.json").read_text(encoding="utf-8"))["training"]
        assert (training["minutes"], training["epochs"], training["patience"]) == (0.02, 0, 0)
        assert model["curves"][0] and model["tokens_per_second"] > 0
        history = (Path(folder) / "history.jsonl").read_text(encoding="utf-8").splitlines()
        assert json.loads(history[-1])["done"] == 1  # it ended because its time was over
    pytest.importorskip("matplotlib")
    assert "<!-- seconds of training -->" in (out / "curves.svg").read_text(encoding="utf-8")


def test_words_of_songs_between_empty_lines(run: Run, tmp_path: Path) -> None:
    folder = write_songs(tmp_path / "songs")  # each of two stanzas
    one, out = tmp_path / "one.txt", tmp_path / "out"
    one.write_text("\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.iterdir())), encoding="utf-8")
    command = ("compare", one, "--cells", "gru", "--epochs", 1, "--hidden", 8, "--out", out)
    done = run(*command, "--level", "word", "--songs", "blank", "--start", "星星", "--json")
    assert done.code == 0, done.err
    data = json.loads(done.out)
    assert (data["level"], data["songs"]) == ("word", "blank")
    (model,) = data["models"]
    trained = checkpoint.load(model["folders"][0])
    assert trained.vocab.tokenizer.level == "word" and "月亮" in trained.vocab.tokens
    corpus = trained.card.corpus
    assert trained.card.songs == "blank" and corpus["songs"] == corpus["train_songs"] + corpus["valid_songs"] == 28
    assert model["network"]["vocab_size"] == len(trained.vocab) and model["sample"][0].startswith("星星")


def test_equal_width_is_one_width_for_all(run: Run, four: Path, tmp_path: Path) -> None:
    command = ("compare", four, "--equal", "width", "--epochs", 1, "--hidden", 12, "--out", tmp_path / "out")
    models = json.loads(run(*command, "--json").out)["models"]
    assert [model["name"] for model in models] == ["rnn", "lstm", "gru"]
    for model in models:
        trained = checkpoint.load(model["folders"][0])
        assert trained.card.model.hidden == model["network"]["hidden"] == 12
    assert len({model["parameters"] for model in models}) == 3


def test_pictures_are_drawn_where_they_can_be(
    run: Run, four: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("compare", four, "--epochs", 1, "--cells", "rnn", "--out", tmp_path / "out")
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "matplotlib", None)
        done = run(*command)
        assert done.code == 0
        assert done.err.count("pip install 'lyricgen[plots]'") == 1
    assert not list((tmp_path / "out").glob("*.png"))
    pytest.importorskip("matplotlib")
    assert "lyricgen[plots]" not in run(*command).err
    for name in ("curves", "gradients", "context"):
        assert (tmp_path / "out" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert (tmp_path / "out" / f"{name}.svg").read_bytes().startswith(b"<?xml")
    again = tmp_path / "again.svg"
    assert run("plot", tmp_path / "out", "--kind", "gradients", "--out", again).code == 0
    assert again.read_bytes() == (tmp_path / "out" / "gradients.svg").read_bytes()


@pytest.mark.parametrize(
    ("text", "losses", "says"),
    [
        ("I like to sing and to dance in the rain all day\n", "training", "losses are those of the training text"),
        ("星星月亮\n大海回来\n" * 6, "held-out", "Fewer than 8 tokens are held out: gradients and"),
    ],
    ids=["nothing is held out", "six tokens are"],
)
def test_what_is_of_the_training_text_is_called_so(
    run: Run, tmp_path: Path, text: str, losses: str, says: str
) -> None:
    """Six tokens are enough for a loss, not for distances."""
    pytest.importorskip("matplotlib")
    (tmp_path / "one.txt").write_text(text, encoding="utf-8")
    command = ("compare", tmp_path / "one.txt", "--epochs", 1, "--cells", "rnn", "--out", tmp_path / "out")
    assert says in run(*command).out
    (model,) = json.loads(run(*command, "--json").out)["models"]
    assert (model["held_out"], model["measured_held_out"]) == (losses == "held-out", False)
    for picture, name in (("curves", losses), ("context", "training")):
        shown = (tmp_path / "out" / f"{picture}.svg").read_text(encoding="utf-8")
        assert f"<!-- {name} nats per character -->" in shown


def test_a_killed_comparison_goes_on(run: Run, four: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ["compare", str(four), "--epochs", "15", "--cells", "rnn,gru", "--out", str(out)]
    with subprocess.Popen([sys.executable, "-m", "lyricgen", *arguments], stderr=subprocess.DEVNULL) as process:
        while not (out / "runs" / "gru-0" / "compare.json").exists():
            assert process.poll() is None
            time.sleep(0.02)
        process.kill()
    finished = (out / "runs" / "rnn-0" / "last.safetensors").stat().st_mtime_ns
    done = run(*arguments, "--json")
    assert [model["name"] for model in json.loads(done.out)["models"]] == ["rnn", "gru"]
    assert (out / "runs" / "rnn-0" / "last.safetensors").stat().st_mtime_ns == finished
    assert not (out / "runs" / "gru-0" / "training.pt").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals between processes")
def test_ctrl_c_saves_and_says_so(run: Run, four: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def interrupt() -> None:
        while not (out / "runs" / "rnn-0" / "compare.json").exists():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    done = run("compare", four, "--epochs", 20_000, "--out", out)
    assert done.code == 130
    assert f"saved in {out}; the same command goes on from here" in done.err
    assert (out / "runs" / "rnn-0" / "training.pt").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--cells", "rnn,elman"], "got 'elman'"),
        (["--cells", ","], "nothing to compare"),
        (["--seeds", 0], "seeds must be from 1"),
        (["--equal", "luck"], "equal must be one of"),
        (["--epochs", 2, "--minutes", 2], "give one of the two"),
        (["--minutes", "nan"], "minutes"),
        (["--loss", 0], "loss must be above 0"),
        (["--start", " "], "only white space"),
        (["--configs", "nowhere.toml"], "nowhere.toml"),
        (["--device", "tpu"], "device must be one of"),
        (["--level", "byte"], "level"),
    ],
)
def test_settings_that_cannot_be(run: Run, four: Path, tmp_path: Path, arguments: list[object], says: str) -> None:
    assert says in refused(run, "compare", four, "--out", tmp_path / "out", *arguments)
    assert not (tmp_path / "out").exists()


def test_usage_that_cannot_be(run: Run, four: Path) -> None:
    refused(run, "compare", four, "--epochs", "many", code=2)
    refused(run, "compare", four, "--nonsense", code=2)


def test_an_unknown_setting_and_an_empty_corpus(run: Run, four: Path, tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("[a]\nhiden = 3\n", encoding="utf-8")
    assert "hiden" in refused(run, "compare", four, "--configs", path, "--out", tmp_path / "out")
    (tmp_path / "empty.txt").write_bytes(b"")
    assert "empty" in refused(run, "compare", tmp_path / "empty.txt", "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".out*"))


def test_a_name_that_is_also_a_cell(run: Run, four: Path, tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("[gru]\nlr = 0.1\n", encoding="utf-8")
    assert "both a cell and a name" in refused(run, "compare", four, "--configs", path, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()
