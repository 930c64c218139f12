"""`lyricgen mood` on real files: what it learns, what it prints, and how it refuses."""

import io
import json
import random
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

from lyricgen.text.resources import resource

from .conftest import Run
from .test_startup import probe

GOOD = ["好吃", "新鲜", "很快", "喜欢", "推荐"]
BAD = ["难吃", "冷了", "太慢", "失望", "再不"]
FILLERS = ["今天", "的", "菜", "送来", "一次", "我们", "这家"]


@pytest.fixture(scope="module")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hundred labelled lines."""
    rng = random.Random(5)
    rows = []
    for k in range(200):
        words = rng.choices(FILLERS, k=5) + rng.choices(BAD if k % 2 else GOOD, k=2)
        rng.shuffle(words)
        rows.append(f"{'差' if k % 2 else '好'},{''.join(words)}")
    path = tmp_path_factory.mktemp("reviews") / "reviews.csv"
    path.write_text("label,review\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def moods(reviews: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier trained by the command line."""
    from lyricgen.cli.app import main

    folder = tmp_path_factory.mktemp("moods") / "reviews"
    before = sys.argv
    sys.argv = ["lyricgen", "mood", "train", str(reviews), "--out", str(folder), "--hidden", "8", "--epochs", "2"]
    try:
        main()
    except SystemExit as end:
        assert not end.code
    finally:
        sys.argv = before
    return folder


def refused(run: Run, *arguments: object, code: int = 1, notes: bool = False) -> str:
    """What it says, which is one line; with `notes` it may have said others before."""
    done = run("mood", *arguments)
    assert done.code == code, done.err
    assert done.out == "" and "Traceback" not in done.err
    if code == 1:
        *before, last = done.err.splitlines()
        assert last.startswith("lyricgen: ") and (notes or not before), done.err
    return done.err


def test_train_shows_figures_and_leaves_a_classifier(run: Run, reviews: Path, tmp_path: Path) -> None:
    done = run("mood", "train", reviews, "--out", tmp_path / "m", "--hidden", 8, "--epochs", 1)
    assert done.code == 0, done.err
    for said in ("accuracy", "macro-F1", "precision", "recall", "true \\ told"):
        assert said in done.out
    for said in ("1×LSTM 8 over chars", "encoder, epoch 1 of 1", "lyricgen mood predict TEXT --model"):
        assert said in done.err
    assert {path.name for path in (tmp_path / "m").iterdir()} == {"config.json", "vocab.json", "model.safetensors"}
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_train_gives_json(run: Run, reviews: Path, tmp_path: Path) -> None:
    done = run("mood", "train", reviews, "--out", tmp_path / "m", "--epochs", 0, "--level", "word", "--json")
    told = json.loads(done.out)
    assert told["accuracy"] > 0.8 and set(told["classes"]) == {"好", "差"}
    assert sum(map(sum, told["confusion"])) == told["texts"] == 20
    assert told["encoder_share"] == 0


def test_train_says_how_much_the_encoder_counts(run: Run, reviews: Path, moods: Path, tmp_path: Path) -> None:
    done = run("mood", "train", reviews, "--out", tmp_path / "m", "--epochs", 0)
    assert done.err.splitlines()[-2] == "the encoder was given no epochs: it is left out, the n-grams alone decide"
    done = run(
        "mood", "train", reviews, "--out", tmp_path / "n", "--hidden", 8, "--epochs", 2, "--no-ngrams", "--json"
    )
    assert "there are no n-grams: the encoder decides alone" in done.err.splitlines()
    assert json.loads(done.out)["encoder_share"] == 1
    for folder in (tmp_path / "m", tmp_path / "n", moods):
        results = json.loads((folder / "config.json").read_text(encoding="utf-8"))["results"]
        mix = load_file(folder / "model.safetensors")["mix"]
        assert results["encoder_share"] == float(mix[0])
    [told] = json.loads(run("mood", "predict", "好吃", "--model", tmp_path / "n", "--json").out)["predictions"]
    assert told["label"] in ("好", "差")


def test_a_class_that_a_marked_split_gives_nothing_to_learn_from(run: Run, reviews: Path, tmp_path: Path) -> None:
    rows = reviews.read_text(encoding="utf-8").splitlines()
    rows = ["split," + rows[0], *(f"{'test' if k > 180 else 'train'},{row}" for k, row in enumerate(rows[1:]))]
    table = tmp_path / "a.csv"
    table.write_text("\n".join([*rows, "test,一般,还可以", "test,一般,凑合", "dev,一般,马马虎虎"]), encoding="utf-8")
    done = run("mood", "train", table, "--out", tmp_path / "m", "--epochs", 0, "--json")
    assert done.code == 0, done.err
    assert "class with no text to learn from, so that test texts of it count as missed: '一般'\n" in done.err
    told = json.loads(done.out)
    assert told["classes"]["一般"] == {"precision": 0, "recall": 0, "f1": 0, "texts": 2}
    right = sum(told["confusion"][k][k] for k in range(3))
    assert told["accuracy"] == right / told["texts"] and told["texts"] == 21
    assert json.loads((tmp_path / "m" / "config.json").read_text(encoding="utf-8"))["labels"] == ["好", "差"]


def test_predict_as_text_and_as_json(run: Run, moods: Path) -> None:
    done = run("mood", "predict", "这家新鲜喜欢", "冷了难吃\n失望", "--model", moods)
    lines = [line.split("\t") for line in done.out.splitlines()]
    assert [(line[0], line[2]) for line in lines] == [("好", "这家新鲜喜欢"), ("差", "冷了难吃 失望")]
    told = json.loads(run("mood", "predict", "这家新鲜喜欢", "冷了难吃\n失望", "--model", moods, "--json").out)
    assert set(told) == {"predictions"} and [each["line"] for each in told["predictions"]] == [1, 2]
    for line, each in zip(lines, told["predictions"], strict=True):
        assert set(each) == {"line", "label", "confidence"} and each["label"] == line[0]
        assert 0.5 <= each["confidence"] <= 1 and f"{each['confidence']:.3f}" == line[1]


def test_predict_from_files_and_from_standard_input(
    run: Run, moods: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_bytes("新鲜喜欢\r\n\r\n难吃失望\r\n".encode("gb18030"))
    (tmp_path / "b.tsv").write_text("id\ttext\n1\t推荐很快\n", encoding="utf-8")
    done = run("mood", "predict", "--file", tmp_path / "a.txt", "--file", tmp_path / "b.tsv", "--model", moods)
    assert [line.split("\t")[0] for line in done.out.splitlines()] == ["好", "差", "好"]
    assert "left out 1 of 4 texts: nothing of them is left to read" in done.err
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("太慢冷了\n".encode())))
    assert run("mood", "predict", "--model", moods).out.startswith("差\t")


def test_predictions_say_which_line_they_are_of(
    run: Run, moods: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_text("\n新鲜喜欢\n\n难吃失望\n", encoding="utf-8")
    (tmp_path / "b.jsonl").write_text('{"text": "推荐"}\n{"te\n{"text": "太慢"}\n', encoding="utf-8")
    files = [str(tmp_path / name) for name in ("a.txt", "b.jsonl")]
    done = run("mood", "predict", "--file", files[0], "--file", files[1], "--model", moods, "--json")
    told = [tuple(each.values())[:3] for each in json.loads(done.out)["predictions"]]
    assert told == [(files[0], 2, "好"), (files[0], 4, "差"), (files[1], 1, "好"), (files[1], 3, "差")]
    assert "left out 1 broken row, the first:" in done.err and "line 2: broken JSON" in done.err
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("\n太慢冷了\n".encode())))
    [told] = json.loads(run("mood", "predict", "--model", moods, "--json").out)["predictions"]
    assert (told["line"], told["label"]) == (2, "差") and "file" not in told


def test_stop_words_and_cleaning_travel_with_the_classifier(run: Run, reviews: Path, tmp_path: Path) -> None:
    (tmp_path / "stop.txt").write_text("的\n今天\n", encoding="utf-8")
    folder = tmp_path / "m"
    done = run(
        "mood", "train", reviews, "--out", folder, "--epochs", 0, "--stop-words", tmp_path / "stop.txt", "--clean"
    )
    assert done.code == 0
    kept = json.loads((folder / "config.json").read_text(encoding="utf-8"))["preparation"]
    assert kept == {"clean": True, "stop_words": ["的", "今天"]}
    assert "emptied by cleaning and stop words" in refused(run, "predict", "今天的", "--model", folder)
    (tmp_path / "lines.txt").write_text("今天\n\n的\n", encoding="utf-8")
    for options in ((), ("--json",)):
        said = refused(run, "predict", "--file", tmp_path / "lines.txt", "--model", folder, *options)
        assert "stop words and cleaning leave nothing of any text" in said


def test_from_a_language_model(run: Run, reviews: Path, model: Path, tmp_path: Path) -> None:
    done = run("mood", "train", reviews, "--out", tmp_path / "m", "--init-from", model, "--epochs", 1)
    assert done.code == 0, done.err
    assert "2×LSTM 32" in done.err
    assert "leave out --cell" in refused(
        run, "train", reviews, "--out", tmp_path / "n", "--init-from", model, "--cell", "gru"
    )


def test_from_the_model_that_lyricgen_brings_along(
    run: Run, reviews: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lyricgen.model.locate.starter_folder", lambda: model)
    done = run("mood", "train", reviews, "--out", "m", "--init-from", "starter", "--epochs", 1)
    assert done.code == 0, done.err
    assert "2×LSTM 32" in done.err


def test_from_the_starter_itself(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [f"{(GOOD if k % 2 else BAD)[k // 2]}{FILLERS[k % 7]},{'好' if k % 2 else '差'}" for k in range(10)]
    Path("a.csv").write_text("\n".join(["text,label", *rows]) + "\n", encoding="utf-8")
    done = run("mood", "train", "a.csv", "--out", "m", "--init-from", "starter", "--epochs", 1)
    assert done.code == 0, done.err
    starter = json.loads(resource("checkpoints/starter/config.json").read_text(encoding="utf-8"))["model"]
    assert f"{starter['layers']}×{starter['cell'].upper()} {starter['hidden']} over" in done.err
    assert "encoder, epoch 1 of 1" in done.err and "the encoder counts with a share of 0.25" in done.err
    [told] = json.loads(run("mood", "predict", "好吃", "--model", "m", "--json").out)["predictions"]
    assert told["label"] in ("好", "差") and 0.5 <= told["confidence"] < 1


def test_a_training_that_is_refused_leaves_no_folder(run: Run, tmp_path: Path, reviews: Path) -> None:
    for arguments in (("nowhere.csv",), (reviews, "--label-column", "stars"), (reviews, "--init-from", "nowhere")):
        refused(run, "train", *arguments, "--out", tmp_path / "a" / "b" / "m")
        assert not list(tmp_path.iterdir())


def test_a_want_of_memory_is_told_in_one_line(
    run: Run, reviews: Path, moods: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: not enough memory: you tried …")

    monkeypatch.setattr("lyricgen.mood.network.MoodModel.counted", full)
    said = refused(run, "train", reviews, "--out", tmp_path / "m", "--hidden", 4, "--epochs", 1, notes=True)
    assert "there is not enough memory; try a lower --batch, --length or --hidden" in said
    assert not (tmp_path / "m").exists()
    said = refused(run, "predict", "好吃", "--model", moods)
    assert "there is not enough memory; give fewer texts at a time, or" in said


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("text,fruit\n甜,1\n", "has no label column"),
        ("text,label\n甜,1\n苦,1\n", "one class only"),
        ("text,label\n,1\n ,0\n", "has no labelled texts"),
        ("text,label\n甜,a\n甜甜,a\n苦,b\n", "no class has three texts"),
        (
            "text,label\n" + "".join(f"{'啊' * k},{'ab'[k > 3]}\n" for k in range(1, 7)),
            "the texts to learn from have fewer than two different characters; give other texts",
        ),
    ],
)
def test_data_that_cannot_be_learned_from(run: Run, tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    assert says in refused(run, "train", tmp_path / "a.csv", "--out", tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_warnings_go_to_standard_error_and_training_goes_on(run: Run, reviews: Path, tmp_path: Path) -> None:
    rows = reviews.read_text(encoding="utf-8")
    table = tmp_path / "a.csv"
    table.write_text(rows + rows.split("\n")[1] + "\n好,\n孤,别人都没有说\n", encoding="utf-8")
    done = run("mood", "train", table, "--out", tmp_path / "m", "--epochs", 0)
    assert done.code == 0
    for said in ("1 row that stand there twice", "1 row without a text", "learned but not measured: '孤'"):
        assert said in done.err


def test_settings_that_cannot_be(run: Run, reviews: Path, moods: Path, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "m"
    assert "does not exist" in refused(run, "train", "nowhere.csv", "--out", out)
    assert "has no column 'stars'" in refused(run, "train", reviews, "--label-column", "stars", "--out", out)
    assert "exists already" in refused(run, "train", reviews, "--out", moods)
    assert "hidden" in refused(run, "train", reviews, "--out", out, "--hidden", 0)
    assert "no model at" in refused(run, "train", reviews, "--out", out, "--init-from", "nowhere")
    assert "leave out one of the two" in refused(run, "train", reviews, "--out", out, "--no-ngrams", "--epochs", 0)
    assert "by --model" in refused(run, "predict", "好")
    assert "no classifier at" in refused(run, "predict", "好", "--model", "nowhere")
    assert "give one of the two" in refused(run, "predict", "好", "--file", reviews, "--model", moods)
    assert "text 2 of 2 is empty" in refused(run, "predict", "好", " ", "--model", moods)
    assert "is no classifier" in refused(run, "predict", "好", "--model", model)
    done = run("generate", "--model", moods)
    assert done.code == 1 and "lyricgen mood predict" in done.err
    refused(run, "train", reviews, code=2)


@pytest.mark.parametrize("language", ["C.UTF-8", "zh_CN.UTF-8"])
@pytest.mark.parametrize("command", ["train", "predict"])
def test_help_has_examples_and_loads_nothing_heavy(command: str, language: str) -> None:
    said = probe("mood", command, "--help", LC_ALL=language)
    assert said.count(f"lyricgen mood {command}") >= 3
    assert said.splitlines()[-1] == "LOADED"
