"""Each command on real files: what it prints, what it writes, what it returns."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lyricgen.cli.display import sparkline
from lyricgen.text.vocab import Vocab

from .conftest import Run, write_songs


def test_train_says_what_it_does_and_leaves_a_model(run: Run, songs: Path, tmp_path: Path) -> None:
    done = run("train", songs, "--out", tmp_path / "m", "--epochs", 2, "--hidden", 16)
    assert done.code == 0
    assert done.out == ""  # results of training are files
    for said in (
        "14 songs from 14 files",
        "held out: 1 songs",
        "dropout",
        "held-out loss",
        "lyricgen generate --model",
    ):
        assert said in done.err
    history = [json.loads(line) for line in (tmp_path / "m" / "history.jsonl").read_text().splitlines()]
    assert history[-1]["done"] == 1
    assert {"step", "loss", "held_out", "lr", "tokens"} <= set(history[0])
    losses = [record["held_out"] for record in history]
    assert len(losses) > 1 and f"held-out {losses[-1]:.3f} {sparkline(losses)}, " in done.err


def test_without_out_runs_are_numbered_and_the_newest_is_used(
    run: Run, songs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for number in (1, 2):
        assert run("train", songs, "--epochs", 1, "--hidden", 8).code == 0
        assert (tmp_path / "checkpoints" / f"songs-{number}" / "model.safetensors").is_file()
    later = time.time() + 5
    os.utime(tmp_path / "checkpoints" / "songs-2" / "model.safetensors", (later, later))
    assert f"model: {Path('checkpoints', 'songs-2')}" in run("generate", "--lines", 2, "--seed", 1).err


def test_minutes_bound_the_whole_command(run: Run, songs: Path, tmp_path: Path) -> None:
    began = time.monotonic()
    assert run("train", songs, "--out", tmp_path / "m", "--minutes", 0.1, "--hidden", 16).code == 0
    assert time.monotonic() - began < 12  # six seconds were asked for; a shared machine may stall


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("level", ["char", "word"])
def test_every_cell_and_level_writes(run: Run, songs: Path, tmp_path: Path, cell: str, level: str) -> None:
    folder = tmp_path / "m"
    assert run("train", songs, "--out", folder, "--epochs", 1, "--cell", cell, "--level", level).code == 0
    done = run("generate", "--model", folder, "--start", "星星", "--lines", 3, "--seed", 1)
    assert done.code == 0
    assert done.out.startswith("星星")


def test_the_classic_preset_is_the_tutorials_program(run: Run, songs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "classic"
    assert run("train", songs, "--out", folder, "--preset", "classic").code == 0
    card = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    network, training = card["model"], card["training"]
    assert (network["cell"], network["embedding"], network["hidden"], network["layers"]) == ("rnn", 128, 256, 1)
    assert (training["window"], training["batch"], training["optimizer"]) == (32, 5, "adam")
    assert (training["lr"], training["epochs"]) == (1e-4, 10)
    done = run("generate", "--model", folder, "--start", "星星", "--greedy", "--length", 20)
    assert done.code == 0


def test_four_short_sentences_are_a_corpus(run: Run, tmp_path: Path) -> None:
    text = tmp_path / "four.txt"
    text.write_text("I like to sing\nYou like to dance\nWe like the sea\nThey like rain\n", encoding="utf-8")
    done = run("train", text, "--out", tmp_path / "m", "--epochs", 3)
    assert done.code == 0
    assert "the text is short: the window is" in done.err
    assert run("generate", "--model", tmp_path / "m", "--start", "We", "--lines", 2).code == 0


def test_generate_is_the_same_text_under_a_seed(run: Run, model: Path) -> None:
    texts = [run("generate", "--model", model, "--start", "星星", "--seed", 7).out for _ in range(2)]
    assert texts[0] == texts[1]
    several = json.loads(
        run("generate", "--model", model, "--start", "星星", "--seed", 7, "--count", 5, "--json").out
    )
    assert [line for line in texts[0].splitlines() if line] == several["songs"][0]["lines"]
    assert several["seed"] == 7
    assert set(several["songs"][0]) >= {"lines", "nats_per_char", "relaxed"}


def test_generate_streams_as_it_writes(model: Path) -> None:
    command = [sys.executable, "-m", "lyricgen", "generate", "--model", str(model), "--length", "200000"]

    def heeding() -> None:
        """As started by hand: what a shell starts in the background ignores Ctrl-C."""
        signal.signal(signal.SIGINT, signal.default_int_handler)

    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          preexec_fn=heeding) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.read(9)  # text comes long before the end
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130


def test_a_closed_pipe_ends_quietly(model: Path) -> None:
    command = f"{sys.executable} -m lyricgen generate --model {model} --length 20000 | head -c 30"
    done = subprocess.run(["bash", "-c", command], capture_output=True, timeout=60)
    assert b"Traceback" not in done.stderr
    assert b"BrokenPipe" not in done.stderr


def test_generate_writes_a_file_and_never_over_one(run: Run, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "song.txt"
    assert run("generate", "--model", model, "--out", out, "--count", 2, "--seed", 1).code == 0
    text = out.read_text(encoding="utf-8")
    assert text.count("=== ") == 2
    again = run("generate", "--model", model, "--out", out)
    assert again.code == 1
    assert "exists already" in again.err
    assert out.read_text(encoding="utf-8") == text
    assert run("corpus", out).code == 0  # what was written can be read


def test_the_starts_words_need_not_be_known(run: Run, model: Path) -> None:
    done = run("generate", "--model", model, "--start", "鲲鹏 Zzz 🚀", "--lines", 1, "--seed", 3)
    assert done.out.startswith("鲲鹏 Zzz 🚀")


def test_evaluate_counts_the_decoded_file(run: Run, model: Path, tmp_path: Path) -> None:
    text = "星星月亮\r\n\r\n大海火车鲲\r\n"
    path = tmp_path / "t.txt"
    path.write_bytes(text.encode("gb18030"))
    data = json.loads(run("evaluate", path, "--model", model, "--json").out)
    assert data["chars"] == len(text.replace("\r\n", "\n"))
    assert data["unknown_chars"] == 1
    assert data["bits_per_char"] == pytest.approx(data["nats_per_char"] / 0.6931471805599453)
    assert data["perplexity"] == pytest.approx(
        2.718281828459045 ** (data["nats_per_char"] * data["chars"] / data["tokens"])
    )


def test_a_run_reports_what_evaluate_finds(run: Run, songs: Path, tmp_path: Path) -> None:
    valid = write_songs(tmp_path / "valid", count=1, seed=9) / "song0.txt"
    assert run("train", songs, "--valid", valid, "--out", tmp_path / "m", "--epochs", 5, "--hidden", 16).code == 0
    said = json.loads((tmp_path / "m" / "config.json").read_text(encoding="utf-8"))["results"]["held_out"]
    found = json.loads(run("evaluate", valid, "--model", tmp_path / "m", "--json").out)["nats_per_char"]
    assert found == pytest.approx(said, abs=0.02)  # bfloat16 during a run, float32 after it


def test_next_shows_what_a_model_expects(run: Run, model: Path) -> None:
    done = run("next", "星星", "--model", model, "--top", 3)
    assert done.code == 0
    assert len(done.out.splitlines()) == 3
    data = json.loads(run("next", "星星", "--model", model, "--json").out)
    assert data["text"] == "星星"
    assert 0 < sum(each["probability"] for each in data["next"]) <= 1


def test_vocab_shows_sizes_coverage_and_top_words(run: Run, songs: Path, tmp_path: Path) -> None:
    data = json.loads(run("vocab", songs, "--json", "--top", 3, "--out", tmp_path / "v.json").out)
    assert data["level"] == "word"
    assert data["words"] > 0
    assert 0 < data["coverage"] <= 1
    assert len(data["top"]) == 3
    saved = Vocab.from_json(json.loads((tmp_path / "v.json").read_text(encoding="utf-8")))
    assert len(saved) - 3 == data["tokens"]
    assert "in the text" in run("vocab", songs, "--level", "char", "--min-count", 2).out


def test_corpus_reports_and_writes_what_it_read(run: Run, songs: Path, tmp_path: Path) -> None:
    out = tmp_path / "tidy.txt"
    done = run("corpus", songs, "--out", out)
    assert "14 songs" in done.out
    assert json.loads(run("corpus", out, "--json").out)["songs"] == 14


def test_info_tells_how_a_model_was_trained(run: Run, model: Path) -> None:
    done = run("info", model)
    assert "lyricgen train" in done.out
    data = json.loads(run("info", model, "--json").out)
    assert data["network"]["hidden"] == 32
    assert data["parameters"] > 0


def test_standard_input_is_a_corpus(model: Path, songs: Path, tmp_path: Path) -> None:
    text = (songs / "song0.txt").read_bytes()
    done = subprocess.run([sys.executable, "-m", "lyricgen", "vocab", "-", "--json"], input=text, capture_output=True)
    assert json.loads(done.stdout)["tokens"] > 0


def test_ctrl_c_saves_and_says_how_to_go_on(songs: Path, tmp_path: Path) -> None:
    out = tmp_path / "m"
    command = [sys.executable, "-m", "lyricgen", "train", str(songs), "--out", str(out), "--minutes", "5"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8") as process:
        while not (out / "training.pt").exists():
            assert process.poll() is None
            time.sleep(0.05)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"saved; go on with: lyricgen train --resume {out}" in err
    assert "Traceback" not in err
    assert (out / "training.pt").exists()
