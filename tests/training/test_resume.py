"""A run that was stopped at any moment goes on as if nothing had happened: the same weights, bit for bit."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch
from safetensors.torch import load_file

from lyricgen.errors import TrainingError
from lyricgen.model.config import ModelConfig, TrainConfig
from lyricgen.training.recipe import Wishes
from lyricgen.training.session import RunOptions, Session, resume_session, start_session
from lyricgen.training.trainer import Trainer

CPU = torch.device("cpu")
WISHES = Wishes(hidden=16, layers=2, embedding=8, dropout=0.3, window=8, batch=4, epochs=3, seed=5)


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    """Thirty small songs of nonsense, each line its own."""
    rng = random.Random(1)
    folder = tmp_path / "songs"
    folder.mkdir()
    for number in range(30):
        lines = ["".join(rng.choices("星月雨风山海人来去我你", k=rng.randint(3, 8))) for _ in range(8)]
        (folder / f"{number}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def labelled_songs(tmp_path: Path) -> Path:
    """A songbook of the like, with moods and styles."""
    rng = random.Random(2)
    path = tmp_path / "book.txt"
    with path.open("w", encoding="utf-8") as file:
        for number in range(9):
            lines = ["".join(rng.choices("星月雨风山海人来去我你", k=rng.randint(3, 8))) for _ in range(8)]
            head = f"=== {number}\nmood: {rng.choice('喜怒哀')}\nstyle: {rng.choice('东西')}\n\n"
            file.write(head + "\n".join(lines) + "\n\n")
    return path


def begin(songs: Path, out: Path, wishes: Wishes = WISHES) -> Session:
    return start_session(RunOptions((str(songs),), out, wishes=wishes), device=CPU, began=time.monotonic())


def finish(session: Session) -> dict[str, torch.Tensor]:
    for _ in session.trainer.run():
        pass
    return weights_of(session.folder)


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    best = load_file(folder / "model.safetensors")
    return load_file(folder / "last.safetensors") | {f"best.{name}": tensor for name, tensor in best.items()}


def assert_equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> None:
    assert a.keys() == b.keys()
    for name in a:
        assert torch.equal(a[name], b[name]), name


def test_the_same_seed_gives_the_same_weights_and_another_others(songs: Path, tmp_path: Path) -> None:
    first = finish(begin(songs, tmp_path / "a"))
    assert_equal(first, finish(begin(songs, tmp_path / "b")))
    other = finish(begin(songs, tmp_path / "c", Wishes(**{**vars(WISHES), "seed": 6})))
    assert not torch.equal(first["embedding.weight"], other["embedding.weight"])


@pytest.mark.parametrize("carry", [True, False])
def test_a_stopped_run_goes_on_exactly(songs: Path, tmp_path: Path, carry: bool) -> None:
    wishes = Wishes(**{**vars(WISHES), "carry": carry})
    alone = finish(begin(songs, tmp_path / "alone", wishes))
    session = begin(songs, tmp_path / "stopped", wishes)
    ends = []
    for stop_after in (1, 2, 4):
        for number, report in enumerate(session.trainer.run(), 1):
            if number == stop_after:
                session.trainer.stop()
            ends.append(report.ended)
        session = resume_session(session.folder, device=CPU)
    assert ends.count("interrupted") == 3
    assert_equal(alone, finish(session))


NOISY = {"average": 0.3, "weight_drop": 0.3, "token_drop": 0.2, "epochs": 2}


@pytest.mark.parametrize("changes", [NOISY, {**NOISY, "cell": "gru", "carry": False}], ids=["lstm", "gru"])
def test_a_stopped_run_of_a_labelled_model_goes_on_exactly(
    labelled_songs: Path, tmp_path: Path, changes: dict[str, float | str | bool]
) -> None:
    """With averaged weights, weight and token drop, and moods and styles that are hidden by the epoch."""
    wishes = Wishes(**{**vars(WISHES), **changes})  # type: ignore[arg-type]
    alone = finish(begin(labelled_songs, tmp_path / "alone", wishes))
    assert {"planner.length.weight", "labels.3.weight"} <= alone.keys()
    session = begin(labelled_songs, tmp_path / "stopped", wishes)
    assert session.trainer.card.moods == tuple(sorted("喜怒哀")) and session.trainer.card.styles == ("东", "西")
    for stop_after in (1, 2):
        for number, _ in enumerate(session.trainer.run(), 1):
            if number == stop_after:
                session.trainer.stop()
        session = resume_session(session.folder, device=CPU)
        assert not torch.equal(session.trainer.kept.bias, session.trainer.model.bias)
    assert_equal(alone, finish(session))


@pytest.mark.parametrize("part", ["average", "generator"])
def test_what_only_a_noisy_or_averaged_run_needs_is_saved_too(
    labelled_songs: Path, tmp_path: Path, part: str
) -> None:
    wishes = Wishes(**{**vars(WISHES), **NOISY, "dropout": 0.0})
    alone = finish(begin(labelled_songs, tmp_path / "alone", wishes))
    session = begin(labelled_songs, tmp_path / "stopped", wishes)
    for _ in session.trainer.run():
        session.trainer.stop()
    session = resume_session(session.folder, device=CPU)
    if part == "average":  # as if it had been forgotten
        session.trainer.kept.load_state_dict(session.trainer.model.state_dict())
    else:
        session.trainer._learner.generator.manual_seed(5)
    other = finish(session)
    assert any(not torch.equal(alone[name], other[name]) for name in alone)


def test_the_hidden_state_is_part_of_what_is_saved(songs: Path, tmp_path: Path) -> None:
    alone = finish(begin(songs, tmp_path / "alone"))
    session = begin(songs, tmp_path / "stopped")
    for _ in session.trainer.run():
        session.trainer.stop()
    session = resume_session(session.folder, device=CPU)
    learner = session.trainer._learner
    learner.states = [session.trainer.model.initial_state(4) for _ in learner.states]  # as if it had been forgotten
    other = finish(session)
    assert any(not torch.equal(alone[name], other[name]) for name in alone)


class Ticks:
    """A clock on which each step of a run takes a second, and nothing else any time."""

    trainer: Trainer | None = None
    first = 0

    def __call__(self) -> float:
        return float(self.trainer.steps - self.first) if self.trainer else 0.0

    def follow(self, session: Session) -> Session:
        self.trainer, self.first = session.trainer, session.trainer.steps
        return session


def ticking(songs: Path, out: Path, wishes: Wishes) -> Session:
    """A run whose time goes by in steps."""
    ticks = Ticks()
    options = RunOptions((str(songs),), out, wishes=wishes)
    return ticks.follow(start_session(options, device=CPU, began=0.0, clock=ticks))


def ticking_on(folder: Path) -> Session:
    """The same, taken up again."""
    ticks = Ticks()
    return ticks.follow(resume_session(folder, device=CPU, clock=ticks))


@pytest.mark.parametrize("stops", [(1,), (2, 3), (40, 1)])
def test_minutes_are_exact_under_a_clock_that_counts_steps(
    songs: Path, tmp_path: Path, stops: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped before the first evaluation too, with all that is random or averaged, and with what was probed."""
    shape = {"hidden": 16, "layers": 2, "embedding": 8, "window": 8, "seed": 5, "minutes": 2.0}
    wishes = Wishes(**{**NOISY, **shape, "epochs": None})  # type: ignore[arg-type]

    paces: list[int] = []

    def pace(_: ModelConfig, training: TrainConfig, **__: object) -> float:
        paces.append(training.batch)
        return 1e5 if training.batch == 64 else 1e6

    monkeypatch.setattr("lyricgen.training.session.tokens_per_second", pace)
    alone = finish(ticking(songs, tmp_path / "alone", wishes))
    session = ticking(songs, tmp_path / "stopped", wishes)
    probed = session.trainer.config.batch
    assert 2 * probed == paces[0] == 64
    paces.clear()
    for stop in stops:
        for number, _ in enumerate(session.trainer.run(), 1):
            if number == stop:
                session.trainer.stop()
        session = ticking_on(session.folder)
    assert session.trainer.steps == sum(stops) + len(stops)  # each time the step at hand was finished
    assert session.trainer.config.batch == probed and not paces
    assert_equal(alone, finish(session))


RUN = """
import os, sys, time, torch
from pathlib import Path
from tests.training.test_resume import Wishes, ticking, ticking_on
torch.set_num_threads(1)
songs, wishes = Path(sys.argv[1]), Wishes(**eval(sys.argv[2]))
next(ticking(songs, Path(songs).with_name("warm"), wishes).trainer.run())  # loads what is loaded at its first use
for line in sys.stdin:  # one life of the run in this folder
    out = Path(line.strip())
    if (child := os.fork()) == 0:
        run = ticking_on(out) if (out / "training.pt").exists() else ticking(songs, out, wishes)
        print(os.getpid(), flush=True)
        for report in run.trainer.run():
            time.sleep(0.1 if report.held_out is not None else 0)  # it was saved just now
        os._exit(0)
    os.waitpid(child, 0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the lives of the run are forks of a process that has torch")
@pytest.mark.parametrize("limit", [{"epochs": 2}, {"epochs": None, "minutes": 1.0}], ids=["epochs", "minutes"])
def test_a_killed_run_goes_on_exactly(labelled_songs: Path, tmp_path: Path, limit: dict[str, float | None]) -> None:
    """SIGKILL at twenty random moments, in the middle of saves too, with all that is random or averaged."""
    wishes = {name: value for name, value in vars(WISHES).items() if value is not None} | NOISY | limit
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as in the other process
    alone = finish(ticking(labelled_songs, tmp_path / "alone", Wishes(**wishes)))  # type: ignore[arg-type]
    rng, moments, through = random.Random(3), set(), 0
    command = [sys.executable, "-c", RUN, str(labelled_songs), str(wishes)]
    home = Path(__file__).parents[2]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=home) as process:
        assert process.stdin is not None and process.stdout is not None
        for _ in range(20):
            out = tmp_path / f"killed{through}"
            print(out, file=process.stdin, flush=True)
            pid = int(process.stdout.readline())
            time.sleep(rng.uniform(0.0, 0.15))
            os.kill(pid, signal.SIGKILL)
            if (out / "training.pt").exists():
                moments.add(torch.load(out / "training.pt", weights_only=True)["position"]["step"])
            else:  # it had come to its end
                assert_equal(alone, weights_of(out))
                through += 1
    assert len(moments) > 4  # it went on between
    if (out / "training.pt").exists():
        assert_equal(alone, finish(ticking_on(out)))
    torch.set_num_threads(threads)


@pytest.mark.parametrize("schedule", ["linear", "cosine", "constant"])
def test_a_run_that_was_killed_after_its_last_step_takes_no_other(
    songs: Path, tmp_path: Path, schedule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wishes = Wishes(**{**vars(WISHES), **NOISY, "schedule": schedule})
    alone = finish(begin(songs, tmp_path / "alone", wishes))
    session = begin(songs, tmp_path / "killed", wishes)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(session.trainer, "_end", Mock(side_effect=KeyboardInterrupt))
        finish(session)
    session.trainer.folder.release()
    assert_equal(alone, finish(resume_session(session.folder, device=CPU)))


def test_every_moment_of_a_save_can_be_the_last(songs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that dies before any one rename of its saves goes on exactly from what lies on the disk."""
    alone = finish(begin(songs, tmp_path / "alone"))
    real = Path.replace

    class Killed(BaseException):
        pass

    for fatal in (1, 2, 3, 5, 7):
        session = begin(songs, tmp_path / f"run{fatal}")
        saves = iter(range(fatal))

        def replace(self: Path, target: Path, saves: Iterator[int] = saves) -> Path:
            if next(saves, None) is None:
                raise Killed
            return real(self, target)

        monkeypatch.setattr(Path, "replace", replace)
        with pytest.raises(Killed):
            finish(session)
        monkeypatch.setattr(Path, "replace", real)
        session.trainer.folder.release()
        assert_equal(alone, finish(resume_session(session.folder, device=CPU)))


def test_a_finished_run_keeps_only_what_a_model_needs(songs: Path, tmp_path: Path) -> None:
    session = begin(songs, tmp_path / "run")
    finish(session)
    names = {path.name for path in session.folder.iterdir()}
    assert names == {
        "config.json",
        "vocab.json",
        "model.safetensors",
        "last.safetensors",
        "history.jsonl",
        "novelty.bin",
    }
    with pytest.raises(TrainingError, match="finished; train on from it by --init-from"):
        resume_session(session.folder, device=CPU)


def test_two_runs_cannot_share_a_folder(songs: Path, tmp_path: Path) -> None:
    session = begin(songs, tmp_path / "run")
    with pytest.raises(TrainingError, match="exists already; go on with it by --resume"):
        begin(songs, tmp_path / "run")
    code = "import sys; from pathlib import Path; from lyricgen.training.run_folder import RunFolder\n"
    code += "from lyricgen.errors import TrainingError\n"
    code += "try: RunFolder.reopen(Path(sys.argv[1]))\nexcept TrainingError as e: print(e)"
    done = subprocess.run([sys.executable, "-c", code, str(session.folder)], capture_output=True, text=True)
    assert "another run is writing to" in done.stdout


def test_the_shortest_run_learns_too(songs: Path, tmp_path: Path) -> None:
    """What is kept back at the end leaves time to train, though reading the songs took some already."""
    ticks, wishes = Ticks(), Wishes(**{**vars(WISHES), "epochs": None, "minutes": 0.02})
    options = RunOptions((str(songs),), tmp_path / "run", wishes=wishes)
    session = ticks.follow(start_session(options, device=CPU, began=-0.3, clock=ticks))
    before = session.trainer.model.embedding.weight.clone()
    finish(session)
    assert not torch.equal(session.trainer.model.embedding.weight, before)
