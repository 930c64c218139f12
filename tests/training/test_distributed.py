"""Several processes train one model: as one would with the whole batch, and none outlives the others."""

import copy
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from lyricgen.errors import OptionError, TrainingError
from lyricgen.model import checkpoint
from lyricgen.model.config import ModelConfig, TrainConfig
from lyricgen.model.likelihood import IGNORED
from lyricgen.model.network import LyricModel
from lyricgen.training.dataset import WindowDataset
from lyricgen.training.distributed import ALONE, Ranks, join
from lyricgen.training.learner import Learner
from lyricgen.training.recipe import Wishes, check_batch, choose
from lyricgen.training.session import RunOptions, resume_session, start_session

CPU = torch.device("cpu")
WISHES = {"hidden": 8, "layers": 1, "embedding": 6, "dropout": 0.0, "window": 8, "batch": 4, "epochs": 2, "lr": 0.02}
NOISY = WISHES | {"dropout": 0.4, "token_drop": 0.2, "average": 0.3, "epochs": 1}
WINDOWS = WISHES | {"carry": False, "batch": 6, "window": 11}

# Pairs of processes as torchrun starts them, forked one pair after the other from one that has torch already.
PAIRS = """
import os, signal, socket, sys, time, torch
from datetime import timedelta
from pathlib import Path
import lyricgen.cli.display
from lyricgen.cli.app import main
from lyricgen.errors import TrainingError
from lyricgen.text.corpus import Corpus
from lyricgen.text.tokenizer import Tokenizer
from lyricgen.training.distributed import join
from lyricgen.training.prepare import prepare
from lyricgen.training.recipe import Wishes
from lyricgen.training.session import RunOptions, resume_session, start_session

torch.set_num_threads(1)
songs, folder, wishes, noisy, windows = sys.argv[1], Path(sys.argv[2]), *map(eval, sys.argv[3:])
cpu = torch.device("cpu")
# What all need is read before they part: modules that torch and the samples import late, tables of readings.
torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))])
prepare(Corpus([songs]), folder, tokenizer=Tokenizer(), min_count=1)

def begin(name, wishes, ranks):
    options = RunOptions((songs,), folder / name, wishes=Wishes(**wishes))
    return start_session(options, device=cpu, began=time.monotonic(), ranks=ranks)

def command(rank):
    # Tells which files it opened to write, renamed or removed.
    written = []
    def watch(event, arguments):
        if event == "open" and isinstance(arguments[0], str) and arguments[0] != os.devnull:
            if arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                written.append(arguments[0])
        elif event in ("os.rename", "os.remove", "os.mkdir"):
            written.append(str(arguments[0]))
    sys.addaudithook(watch)
    options = [f"--{name}={value}" for name, value in wishes.items()]
    sys.argv = ["lyricgen", "train", songs, f"--out={folder / 'command'}", "--device=cpu", *options]
    try:
        main()
    finally:
        told = list(written)
        (folder / f"written{rank}").write_text("\\n".join(told))

def runs(rank):
    ranks = join(cpu)
    assert ranks.gather(rank) == ([0, 1] if ranks.first else [1]) and ranks.all_gather(rank) == [0, 1]
    for _ in begin("windows", windows, ranks).trainer.run():
        pass
    for _ in begin("whole", noisy, ranks).trainer.run():
        pass
    session = begin("stopped", noisy, ranks)
    for number, report in enumerate(session.trainer.run()):
        if number == 1 and ranks.first:  # the other hears of it
            session.trainer.stop()
    assert report.ended == "interrupted", report
    for report in resume_session(session.folder, device=cpu, ranks=ranks).trainer.run():
        pass
    assert report.ended == "done", report
    session = begin("left", noisy, ranks)
    for _ in session.trainer.run():
        session.trainer.stop()
    ranks.close()

def lost(rank, fate, patience):
    ranks = join(cpu, patience=timedelta(seconds=patience))
    for step in range(1000):
        if step == 3 and rank == 1:
            os.kill(os.getpid(), fate)
        try:
            ranks.mean([torch.ones(3)])
        except TrainingError as error:
            sys.exit(f"{step} {error}")

def pair(name, task, *arguments):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    os.environ |= {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    started = []
    for rank in (0, 1):
        started.append(os.fork())
        if not started[-1]:
            os.environ["RANK"] = os.environ["LOCAL_RANK"] = str(rank)
            sys.stderr = (folder / f"{name}{rank}.err").open("w", buffering=1, encoding="utf-8")
            status = 0
            try:
                task(rank, *arguments)
            except SystemExit as end:
                status = 1 if end.code else 0
                if isinstance(end.code, str):
                    print(end.code, file=sys.stderr)
            except BaseException:
                import traceback
                traceback.print_exc()
                status = 2
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(started[0], 0)[1])
    if task is lost:
        os.kill(started[1], signal.SIGKILL)
    other = os.waitstatus_to_exitcode(os.waitpid(started[1], 0)[1])
    print(name, status, other, flush=True)

pair("command", command)
pair("runs", runs)
pair("dead", lost, signal.SIGKILL, 600)
pair("still", lost, signal.SIGSTOP, 1)
"""


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A songbook of nonsense, with moods."""
    rng = random.Random(1)
    path = tmp_path_factory.mktemp("songs") / "book.txt"
    with path.open("w", encoding="utf-8") as file:
        for number in range(12):
            lines = ["".join(rng.choices("星月雨风山海人来去我你", k=rng.randint(3, 8))) for _ in range(6)]
            file.write(f"=== {number}\nmood: {rng.choice('喜怒')}\n\n" + "\n".join(lines) + "\n\n")
    return path


@pytest.fixture(scope="module")
def pairs(songs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which pairs of processes did what PAIRS says."""
    folder = tmp_path_factory.mktemp("pairs")
    command = [sys.executable, "-c", PAIRS, songs, folder, *map(str, (WISHES, NOISY, WINDOWS))]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120, check=False)
    said = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.err")}
    assert done.stdout.splitlines() == ["command 0 0", "runs 0 0", "dead 1 -9", "still 1 -9"], (done.stderr, said)
    return folder


def alone(songs: Path, out: Path, wishes: dict[str, Any]) -> dict[str, torch.Tensor]:
    """What one process makes of the same."""
    options = RunOptions((str(songs),), out, wishes=Wishes(**wishes))
    session = start_session(options, device=CPU, began=time.monotonic())
    for _ in session.trainer.run():
        pass
    return load_file(out / "last.safetensors")


def losses(out: Path) -> list[tuple[float, float]]:
    lines = (out / "history.jsonl").read_text(encoding="utf-8").splitlines()
    return [(record["loss"], record["held_out"]) for record in map(json.loads, lines)]


def assert_like_one(songs: Path, out: Path, one: Path, wishes: dict[str, Any]) -> None:
    """That the run of two in `out` learned what a run of one does."""
    weights = alone(songs, one, wishes)
    np.testing.assert_allclose(losses(out), losses(one), rtol=1e-4)
    assert len(losses(out)) > 5
    for name, weight in checkpoint.load(out / "last.safetensors").model.state_dict().items():
        torch.testing.assert_close(weight, weights[name], rtol=1e-3, atol=1e-4)
    assert checkpoint.read_card(out).results["tokens"] == checkpoint.read_card(one).results["tokens"]


def test_two_processes_learn_what_one_does(songs: Path, pairs: Path, tmp_path: Path) -> None:
    assert_like_one(songs, pairs / "command", tmp_path / "one", WISHES)


def test_shuffled_windows_of_which_the_last_batch_has_few_teach_two_what_they_teach_one(
    songs: Path, pairs: Path, tmp_path: Path
) -> None:
    assert_like_one(songs, pairs / "windows", tmp_path / "one", WINDOWS)
    tokens = checkpoint.read_card(pairs / "windows").corpus["train_tokens"]
    assert -(-tokens // WINDOWS["window"]) % WINDOWS["batch"] % 2 == 1


def test_the_first_alone_writes_and_speaks(pairs: Path) -> None:
    first, second = ((pairs / f"written{rank}").read_text(encoding="utf-8") for rank in "01")
    assert str(pairs / "command" / "train.npy") in first
    assert str(pairs / "command") not in second
    first, second = ((pairs / f"command{rank}.err").read_text(encoding="utf-8") for rank in "01")
    for said in ("12 songs from 1 file", "in 2 processes", "held-out loss", "the model is in"):
        assert said in first
    assert not second


def test_a_stopped_run_of_two_goes_on_exactly(pairs: Path) -> None:
    for file in ("last.safetensors", "model.safetensors"):
        whole, resumed = (load_file(pairs / name / file) for name in ("whole", "stopped"))
        assert all(torch.equal(weight, resumed[name]) for name, weight in whole.items())


def test_a_run_of_two_does_not_go_on_in_one(pairs: Path) -> None:
    with pytest.raises(TrainingError, match=r"begun in 2 and not in 1 .*torchrun --nproc-per-node 2 -m lyricgen"):
        resume_session(pairs / "left", device=CPU)
    saved = torch.load(pairs / "left" / "training.pt", weights_only=True)
    mine, other = saved["states"][0], saved["others"][0]["states"][0]
    assert mine[0][0].shape == other[0][0].shape == (1, 2, 8) and not torch.equal(mine[0][0], other[0][0])
    assert not torch.equal(saved["generator"], saved["others"][0]["generator"])


@pytest.mark.parametrize("fate", ["dead", "still"])
def test_a_process_that_is_lost_ends_the_others(fate: str, pairs: Path) -> None:
    """One that died, at once; one that only stands still, when the time is over."""
    said = (pairs / f"{fate}0.err").read_text(encoding="utf-8")
    assert said.startswith("3 another process of this run has ended or does not answer") and said.count("\n") == 1


def whole_and_parts(carry: bool, *, n: int, window: int, size: int, ranks: int) -> Iterator[tuple[Any, list[Any]]]:
    rng = np.random.default_rng(n)
    data = WindowDataset(rng.integers(2, 9, n), window=window, offset=3, labels=rng.integers(0, 5, (n, 5)),
                         line_break=4)  # fmt: skip
    read = partial(data.streams, turns=2) if carry else data.batches
    parts = zip(*(read(size, rank=rank, ranks=ranks) for rank in range(ranks)), strict=True)
    return zip(read(size), map(list, parts), strict=True)


def test_the_streams_of_all_ranks_side_by_side_are_those_of_one() -> None:
    for whole, parts in whole_and_parts(True, n=101, window=4, size=6, ranks=3):
        for field, of_ranks in zip(whole, zip(*parts, strict=True), strict=True):
            assert torch.equal(field, torch.cat(of_ranks, dim=1))


def test_the_shuffled_windows_of_all_ranks_are_those_of_one() -> None:
    for whole, parts in whole_and_parts(False, n=103, window=4, size=6, ranks=3):
        columns = sorted(tuple(column.tolist()) for part in parts for column in part.x.T)
        expected = sorted(tuple(column.tolist()) for column in whole.x.T)
        assert columns == expected if len(expected) >= 3 else len(columns) == 3
    assert (whole.y != IGNORED).any()


def test_a_rank_that_a_batch_leaves_without_rows_predicts_nothing() -> None:
    *_, (whole, parts) = whole_and_parts(False, n=51, window=4, size=6, ranks=6)  # 13 windows: of the last batch one
    assert whole.x.shape == (4, 1) and all(part.x.shape == (4, 1) for part in parts)
    for field in ("y", "plan"):
        assert (
            torch.equal(getattr(parts[0], field), getattr(whole, field)) and (getattr(whole, field) != IGNORED).any()
        )
        assert all((getattr(part, field) == IGNORED).all() for part in parts[1:])


class Threads(Ranks):
    """A rank that is a thread beside others in this process."""

    def __init__(self, rank: int, size: int, *, meeting: Barrier, parts: dict[int, list[Tensor]]) -> None:
        self.rank, self.size = rank, size
        self._meeting, self._parts = meeting, parts

    def mean(self, tensors: Sequence[Tensor]) -> None:
        self._parts[self.rank] = [tensor.clone() for tensor in tensors]
        self._meeting.wait(timeout=60)
        means = [torch.stack(parts).mean(dim=0) for parts in zip(*self._parts.values(), strict=True)]
        self._meeting.wait(timeout=60)
        for tensor, mean in zip(tensors, means, strict=True):
            tensor.copy_(mean)


def test_six_ranks_learn_what_one_does_from_a_last_batch_of_one_window(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("lyricgen.training.learner", "lyricgen.model.device"):
        monkeypatch.setattr(f"{module}.half_precision", lambda device: None)
    rng = np.random.default_rng(0)
    data = WindowDataset(rng.integers(3, 6, 51), window=4, labels=rng.integers(0, 5, (51, 5)), line_break=5)
    config = TrainConfig(window=4, batch=6, epochs=1, carry=False)
    torch.manual_seed(0)
    sizes = {"lengths": 5, "rhymes": 5, "moods": 5, "styles": 5}
    model = LyricModel(ModelConfig(9, embedding=4, hidden=6, layers=1, dropout=0.0, **sizes))

    def learn(ranks: Ranks) -> tuple[list[float], list[Tensor]]:
        learner = Learner(copy.deepcopy(model), config, device=CPU, ranks=ranks)
        for step, batch in enumerate(data.batches(6, rank=ranks.rank, ranks=ranks.size), 1):
            learner.learn(batch, lr=0.01, step=step, fresh=True)
        return learner.losses(), [weight.grad for weight in learner.model.parameters() if weight.grad is not None]

    meeting, parts = Barrier(6), dict[int, list[Tensor]]()
    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(learn, [Threads(rank, 6, meeting=meeting, parts=parts) for rank in range(6)]))
    expected, gradients = learn(ALONE)
    for of_rank, gradients_of_rank in found:
        assert of_rank == pytest.approx(expected, rel=1e-4) and len(expected) == 3
        torch.testing.assert_close(gradients_of_rank, gradients, rtol=1e-3, atol=1e-5)


def test_a_batch_that_does_not_divide_is_refused_and_one_by_rule_is_rounded() -> None:
    for batch, near in ((50, "48 or 52"), (3, "4")):
        with pytest.raises(OptionError, match=rf"batch must divide among 4 processes, got {batch}; try {near}$"):
            check_batch(Wishes(batch=batch), ranks=4)
    check_batch(Wishes(batch=52), ranks=4)
    for tokens in (7, 900, 100_000):
        recipe = choose(Wishes(epochs=1), tokens=tokens, vocab_size=50, device=CPU, ranks=7)
        assert recipe.training.batch >= 7 and recipe.training.batch % 7 == 0


def test_what_fails_in_one_rank_fails_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ALONE, "all_gather", lambda value, patient: [value, "no songs"], raising=False)
    with pytest.raises(TrainingError, match=r"process 1 of 1: no songs"), ALONE.agreed():
        pass
    with pytest.raises(OptionError, match=r"^mine$"), ALONE.agreed():
        raise OptionError("mine")


def test_a_process_that_torchrun_did_not_start_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")  # as some schedulers leave it
    assert join(CPU) is ALONE
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    with pytest.raises(OptionError, match="use --device cpu"):
        join(torch.device("mps"))
