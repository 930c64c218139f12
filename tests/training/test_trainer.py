"""A run learns, stops when it no longer does, keeps its best, and says what happened."""

import json
import random
import time
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from lyricgen.errors import TrainingError
from lyricgen.model import checkpoint
from lyricgen.model.network import State
from lyricgen.training import learner, trainer
from lyricgen.training.recipe import Wishes
from lyricgen.training.report import Report
from lyricgen.training.run_folder import RunFolder
from lyricgen.training.session import RunOptions, Session, start_session

CPU = torch.device("cpu")


def begin(text: str, tmp_path: Path, wishes: Wishes, **options: object) -> Session:
    (tmp_path / "text.txt").write_text(text, encoding="utf-8")
    asked = RunOptions((str(tmp_path / "text.txt"),), tmp_path / "run", wishes=wishes, **options)  # type: ignore[arg-type]
    return start_session(asked, device=CPU, began=time.monotonic())


def reports(session: Session) -> list[Report]:
    return list(session.trainer.run())


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_a_text_that_repeats_is_learned(tmp_path: Path, cell: str) -> None:
    wishes = Wishes(
        cell=cell, hidden=32, embedding=16, layers=1, dropout=0.0, window=16, batch=4, epochs=40, lr=0.01, patience=0
    )
    session = begin("星星在天上\n月亮在水里\n" * 40, tmp_path, wishes)
    last = reports(session)[-1]
    assert last.ended == "done"
    # Eleven distinct characters follow each other in one order: almost nothing is left to guess.
    assert session.trainer.best < 0.25


def noise(seed: int) -> str:
    rng = random.Random(seed)
    return "\n".join("".join(rng.choices("星月雨风山海人来去我你他", k=7)) for _ in range(60)) + "\n"


def test_a_run_that_only_learns_by_heart_stops_early_and_keeps_its_best(tmp_path: Path) -> None:
    wishes = Wishes(hidden=64, embedding=32, dropout=0.0, window=16, batch=2, epochs=400, lr=0.01, patience=3)
    session = begin(noise(1), tmp_path, wishes)
    said = reports(session)
    assert said[-1].ended == "early"
    assert said[-1].done < 1
    assert any("by heart" in report.note for report in said)
    history = [json.loads(line) for line in (session.folder / "history.jsonl").read_text().splitlines()]
    losses = [record["held_out"] for record in history]
    assert session.trainer.best == min(losses) < losses[-1]
    assert len(losses) - 1 - losses.index(min(losses)) == 3  # three evaluations without a better one
    best, last = (load_file(session.folder / name) for name in ("model.safetensors", "last.safetensors"))
    assert not torch.equal(best["embedding.weight"], last["embedding.weight"])
    assert checkpoint.read_card(session.folder).results["held_out"] == min(losses)


def test_the_last_weights_can_be_loaded_too(tmp_path: Path) -> None:
    session = begin(noise(2), tmp_path, Wishes(hidden=8, epochs=1))
    reports(session)
    loaded = checkpoint.load(session.folder / "last.safetensors")
    assert torch.equal(loaded.model.embedding.weight, session.trainer.model.embedding.weight)


def test_a_loss_that_is_no_number_ends_the_run_with_a_remedy(tmp_path: Path) -> None:
    session = begin(noise(3), tmp_path, Wishes(hidden=8, epochs=2))
    with torch.no_grad():
        session.trainer.model.bias.fill_(float("nan"))
    with pytest.raises(TrainingError, match="try again with a lower --lr"):
        reports(session)


def test_vectors_start_the_embedding_and_are_counted(tmp_path: Path) -> None:
    vectors = tmp_path / "some.vec"
    vectors.write_text("3 2\n星 1 -1\n月 -1 1\nzebra 5 5\n", encoding="utf-8")
    session = begin(noise(4), tmp_path, Wishes(hidden=8, epochs=1), vectors=vectors)
    assert any("vectors: found 2 of 13 tokens (15 %), 2 numbers each" in line for line in session.lines)
    weight, ids = session.trainer.model.embedding.weight, session.trainer.vocab.ids
    torch.testing.assert_close(weight[ids["星"]], -weight[ids["月"]])


def test_a_short_text_says_that_its_window_shrank(tmp_path: Path) -> None:
    session = begin("我爱唱歌\n你爱跳舞\n他爱看海\n大家都来\n", tmp_path, Wishes(hidden=8, epochs=1))
    assert any("the text is short: the window is" in line for line in session.lines)
    assert session.trainer.config.window < 64


class Seconds:
    """A clock on which each step of a run takes so many seconds, and nothing else any time but what is added."""

    def __init__(self, each: float) -> None:
        self.each, self.trainer, self.more = each, None, 0.0

    def __call__(self) -> float:
        return self.more + (self.each * self.trainer.steps if self.trainer else 0.0)


def clocked(tmp_path: Path, clock: Seconds, *, minutes: float, began: float = 0.0) -> Session:
    (tmp_path / "text.txt").write_text(noise(6), encoding="utf-8")
    asked = RunOptions((str(tmp_path / "text.txt"),), tmp_path / "run", wishes=Wishes(hidden=8, minutes=minutes))
    session = start_session(asked, device=CPU, began=began, clock=clock)
    clock.trainer = session.trainer
    return session


def test_reading_is_no_part_of_the_time_between_evaluations(tmp_path: Path) -> None:
    session = clocked(tmp_path, Seconds(1.0), minutes=1.0, began=-6.0)  # a tenth of the run is over
    found = [report.done for report in reports(session) if report.held_out is not None]
    assert found[0] > 0.14  # not after the first step, when there is nothing to measure yet


def test_the_time_of_a_save_is_kept_back_for_the_last_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Seconds(1.0)
    session = clocked(tmp_path, clock, minutes=2.0)
    save_state = RunFolder.save_state

    def slowly(folder: RunFolder, state: dict[str, object]) -> None:
        clock.more += 4.0
        save_state(folder, state)

    monkeypatch.setattr(RunFolder, "save_state", slowly)
    reports(session)
    assert 100 < clock() <= 120.0


@pytest.mark.parametrize("each", [0.1, 1.0])
def test_a_run_is_saved_as_often_as_it_says_however_slow_its_steps_are(
    each: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "SAVE_SECONDS", 5 * each)
    (tmp_path / "text.txt").write_text(noise(7), encoding="utf-8")
    clock, wishes = Seconds(each), Wishes(hidden=4, layers=1, window=4, batch=1, epochs=3)
    options = RunOptions((str(tmp_path / "text.txt"),), tmp_path / "run", wishes=wishes)
    run = clock.trainer = start_session(options, device=CPU, began=0.0, clock=clock).trainer
    saved: list[float] = [0.0]
    honest = run.save
    monkeypatch.setattr(run, "save", lambda: saved.append(clock()) or honest())
    for _ in run.run():
        pass
    assert saved[-1] == clock() and run.steps > 100
    assert max(b - a for a, b in pairwise(saved)) < 6.5 * each
    assert len(saved) < run.steps / 2  # but not after every step


@pytest.mark.parametrize(("share", "empty"), [(0.0, {0.0}), (0.3, {0.2, 0.3, 0.4}), (1.0, {1.0})])
def test_a_share_of_the_rows_begins_each_window_from_an_empty_state(
    share: float, empty: set[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learner, "FRESH", share)
    session = begin(noise(6), tmp_path, Wishes(hidden=8, layers=1, window=4, batch=32, epochs=9, seed=1))
    seen = []
    features = session.trainer.model.features

    def spied(ids: Tensor, state: list[State], labels: Tensor | None = None) -> tuple[Tensor, list[State]]:
        if session.trainer.model.training:
            seen.append([not row.any() for row in state[0][1][0]])  # of each row's cells
        return features(ids, state, labels)

    monkeypatch.setattr(session.trainer.model, "features", spied)
    reports(session)
    steps = [rows for rows in seen if not all(rows)] or seen[1:]  # but for the first of each epoch
    assert round(sum(map(sum, steps)) / (32 * len(steps)), 1) in empty
    assert share != 0.3 or len({tuple(rows) for rows in steps}) > len(steps) / 2
