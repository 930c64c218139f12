"""Trains several models on one corpus, run by run, in a folder that keeps what is done."""

import shutil
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from lyricgen.errors import TrainingError
from lyricgen.evaluation.comparison_setup import CORPUS, CompareOptions, Plan, open_folder
from lyricgen.evaluation.contenders import Contender, line_up, read_configs
from lyricgen.evaluation.gradients import context_use, gradient_by_distance
from lyricgen.evaluation.run_record import RunRecord, RunResult, is_finished, keep_text, load_text, read_result
from lyricgen.model import checkpoint
from lyricgen.training.recipe import Wishes
from lyricgen.training.report import Report
from lyricgen.training.run_folder import RunFolder
from lyricgen.training.session import RunOptions, Session, resume_session, start_session

RUNS = "runs"


@dataclass(frozen=True)
class Step:
    """Where a comparison stands: run `number` of `total`; `report` while it trains, `result` when it has ended."""

    name: str
    seed: int
    number: int
    total: int
    report: Report | None = None
    result: RunResult | None = None


class Comparison:
    """Several models on one corpus. Make one with `Comparison.open`, in a `with`.

    `run()` yields steps; `stop()` asks it to save and end. Runs that are finished are read from the folder, one that
    was interrupted goes on where it was saved.
    """

    def __init__(self, options: CompareOptions, plan: Plan, folder: Path, *, device: torch.device) -> None:
        self.options = options
        self.plan = plan
        self.folder = folder
        self.device = device
        self.contenders = line_up(options.cells, read_configs(options.configs), base=plan.base, equal=options.equal,
                                  vocab_size=plan.vocab_size)  # fmt: skip
        self.interrupted = False
        self._session: Session | None = None

    @classmethod
    @contextmanager
    def open(cls, options: CompareOptions, *, device: torch.device) -> Iterator["Comparison"]:
        """The comparison in the folder of the options, begun now or before; no other process may have it open.

        Raises LyricgenError where the folder holds another comparison, or none can begin.
        """
        folder, plan = open_folder(options, device=device)
        held = RunFolder(folder)
        try:
            yield cls(options, plan, folder, device=device)
        finally:
            held.release()

    def stop(self) -> None:
        """Asks for an end after the step at hand, saved so that it can go on."""
        self.interrupted = True
        if self._session is not None:
            self._session.trainer.stop()

    def run(self) -> Iterator[Step]:
        """Does what is not done yet, every contender once before any is trained with a second seed.

        Raises TrainingError where a run is damaged or its settings are not those of its contender.
        """
        todo = [(contender, seed) for seed in range(self.options.seeds) for contender in self.contenders]
        for number, (contender, seed) in enumerate(todo, 1):
            step = Step(contender.name, seed, number, len(todo))
            if self.interrupted:
                return
            yield step
            record = self._record(contender, seed)
            folder = self._folder(contender, seed)
            if not record.measured:
                for report in self._train(record, folder):
                    yield replace(step, report=report)
                if self.interrupted and not is_finished(folder):
                    return
            record = self._record(contender, seed)
            yield replace(step, result=read_result(folder, record, name=contender.name, seed=seed))

    def _folder(self, contender: Contender, seed: int) -> Path:
        return self.folder / RUNS / f"{contender.name}-{seed}"

    def _wishes(self, contender: Contender, seed: int) -> Wishes:
        shape = self.options.shape
        return replace(contender.wishes, seed=seed, epochs=shape.epochs, minutes=shape.minutes)

    def _record(self, contender: Contender, seed: int) -> RunRecord:
        """What is known of a run, which is begun where nothing is."""
        folder, wishes = self._folder(contender, seed), self._wishes(contender, seed)
        record = RunRecord.read(folder)
        if record is None:
            shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed before its first step
            record = self._start(folder, wishes)
        if record.wishes != vars(wishes):
            raise TrainingError(f"{folder} was trained with other settings; give them another name in --configs")
        return record

    def _start(self, folder: Path, wishes: Wishes) -> RunRecord:
        """Begins a run and measures its model while it knows nothing. The time that this takes is not the run's."""
        began = time.monotonic()
        corpus = str(self.folder / CORPUS)
        asked = RunOptions((corpus,), folder, songs=self.options.songs, level=self.options.level, wishes=wishes,
                           command=self.options.command, split_seed=0)  # fmt: skip
        session = start_session(asked, device=self.device, began=began)
        ready = time.monotonic() - began
        model, size = session.trainer.model, len(session.trainer.vocab)
        session.trainer.folder.release()
        held_out = keep_text(folder)
        fading = gradient_by_distance(model, load_text(folder, vocab_size=size))
        record = RunRecord(dict(vars(wishes)), ready, held_out, fading)
        record.save(folder)
        return record

    def _train(self, record: RunRecord, folder: Path) -> Iterator[Report]:
        """Trains a run to its end, or until it is asked to stop, and measures what came of it."""
        speeds: list[float] = []
        if not is_finished(folder):
            self._session = session = resume_session(folder, device=self.device)
            if self.interrupted:
                session.trainer.stop()
            try:
                for report in session.trainer.run():
                    speeds.append(report.tokens_per_second)
                    yield report
            except TrainingError as error:  # the loss is no longer a number; the others go on
                replace(record, measured=True, failed=str(error)).save(folder)
                return
            finally:
                session.trainer.folder.release()
                self._session = None
            if not is_finished(folder):
                return
        loaded = checkpoint.load(folder, device=str(self.device))
        text = load_text(folder, vocab_size=len(loaded.vocab))
        fading = gradient_by_distance(loaded.model, text)
        context = context_use(loaded.model, text, vocab=loaded.vocab)
        speed = statistics.median(speeds) if speeds else 0.0
        replace(record, fading=fading, context=context, speed=speed, measured=True).save(folder)
