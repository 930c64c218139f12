"""Trains several models on one corpus, run by run, in a folder that keeps what is done."""

import shutil
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from lyricgen.errors import DeviceError, LyricgenError, TrainingError
from lyricgen.evaluation.comparison_setup import CORPUS, RUNS, CompareOptions, Plan, line_up_of, open_folder
from lyricgen.evaluation.contenders import Contender, model_config
from lyricgen.evaluation.gradients import context_use, gradient_by_distance
from lyricgen.evaluation.run_record import RunRecord, RunResult, is_finished, keep_text, load_text, read_result
from lyricgen.model import checkpoint
from lyricgen.training.memory import lacks_memory
from lyricgen.training.recipe import Wishes
from lyricgen.training.report import Report
from lyricgen.training.run_folder import RunFolder
from lyricgen.training.session import RunOptions, start_session
from lyricgen.training.trainer import Trainer

LOWER_LR = "give it a lower lr under another name in the TOML file of --configs"


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
    was interrupted goes on where it was saved. `begun_before` says whether the folder was there.
    """

    def __init__(
        self, options: CompareOptions, plan: Plan, folder: Path, *, device: torch.device, begun_before: bool = False
    ) -> None:
        self.options = options
        self.plan = plan
        self.folder = folder
        self.device = device
        self.begun_before = begun_before
        self.contenders = line_up_of(options, plan)
        self.interrupted = False
        self._trainer: Trainer | None = None

    @classmethod
    @contextmanager
    def open(cls, options: CompareOptions, *, device: torch.device) -> Iterator["Comparison"]:
        """The comparison in the folder of the options, begun now or before; no other process may have it open.

        Raises LyricgenError where the folder holds another comparison, or none can begin, TrainingError where a
        contender has the name of one that was trained with other settings.
        """
        folder, plan, begun_before = open_folder(options, device=device)
        held = RunFolder(folder)
        try:
            comparison = cls(options, plan, folder, device=device, begun_before=begun_before)
            comparison._check_runs()
            yield comparison
        finally:
            held.release()

    def stop(self) -> None:
        """Asks for an end after the step at hand, saved so that it can go on."""
        self.interrupted = True
        if self._trainer is not None:
            self._trainer.stop()

    def run(self) -> Iterator[Step]:
        """Does what is not done yet, every contender once before any is trained with a second seed.

        A run that cannot be made, for want of memory or because its files are damaged, is told as one that failed,
        and the others go on; the next time it is tried again. Raises TrainingError where another process trains a
        run, or where one was begun on another kind of device.
        """
        for number, (contender, seed) in enumerate(self._todo, 1):
            step = Step(contender.name, seed, number, len(self._todo))
            folder = self._folder(contender, seed)
            if self.interrupted:
                return
            yield step
            try:
                for report in self._reports(contender, seed):
                    yield replace(step, report=report)
                record = RunRecord.read(folder)
                if record is None or not record.measured:  # interrupted
                    return
                with _reading(folder):
                    result = read_result(folder, record, name=contender.name, seed=seed)
            except _UnmadeError as error:
                result = self._unmade(contender, seed, str(error))
            except (MemoryError, RuntimeError) as error:  # RuntimeError is torch's, on any device
                if not lacks_memory(error):
                    raise
                why = str(error) or "there is not enough memory"
                remedy = "a lower hidden or batch takes less memory"
                result = self._unmade(contender, seed, f"{why.splitlines()[0]}; {remedy}")
            yield replace(step, result=result)

    @property
    def _todo(self) -> list[tuple[Contender, int]]:
        return [(contender, seed) for seed in range(self.options.seeds) for contender in self.contenders]

    def _check_runs(self) -> None:
        """Raises TrainingError, before anything is trained, where a run's settings are not those of its contender."""
        for contender, seed in self._todo:
            folder = self._folder(contender, seed)
            record = RunRecord.read(folder)
            if record is not None and record.wishes != vars(self._wishes(contender, seed)):
                raise TrainingError(f"{folder} was trained with other settings; give them another name in --configs")

    def _folder(self, contender: Contender, seed: int) -> Path:
        return self.folder / RUNS / f"{contender.name}-{seed}"

    def _wishes(self, contender: Contender, seed: int) -> Wishes:
        shape = self.options.shape
        return replace(contender.wishes, seed=seed, epochs=shape.epochs, minutes=shape.minutes)

    def _reports(self, contender: Contender, seed: int) -> Iterator[Report]:
        """Does what is not done of a run: begins it, trains it until it ends or shall stop, measures it."""
        folder = self._folder(contender, seed)
        record = RunRecord.read(folder)
        if record is None:
            shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed before its first step
            record = self._start(folder, self._wishes(contender, seed))
        if not record.measured:
            yield from self._train(record, folder)

    def _unmade(self, contender: Contender, seed: int, why: str) -> RunResult:
        """What there is to tell of a run that could not be made."""
        wishes = self._wishes(contender, seed)
        record = RunRecord(dict(vars(wishes)), 0.0, held_out=False, fading_before=(), failed=why)
        network = model_config(wishes, self.plan.vocab_size)
        return RunResult(contender.name, seed, self._folder(contender, seed), network, float("nan"), (), record)

    def _start(self, folder: Path, wishes: Wishes) -> RunRecord:
        """Begins a run and measures its model while it knows nothing. The time that this takes is not the run's.

        Cells are compared alone: no model has a planner or reads labels of what is to come, which the measures of
        gradients and of context would not give it.
        """
        began = time.monotonic()
        corpus = str(self.folder / CORPUS)
        asked = RunOptions((corpus,), folder, songs=self.options.songs, level=self.options.level, wishes=wishes,
                           command=self.options.command, plan=False, split_seed=0)  # fmt: skip
        try:
            session = start_session(asked, device=self.device, began=began)
        except TrainingError as error:
            raise _UnmadeError(str(error)) from error
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
            self._trainer = trainer = self._resume(folder)
            if self.interrupted:
                trainer.stop()
            try:
                for report in trainer.run():
                    speeds.append(report.tokens_per_second)
                    yield report
            except TrainingError as error:  # the loss is no longer a number; the others go on
                replace(record, measured=True, failed=f"{_what(error)}; {LOWER_LR}").save(folder)
                return
            finally:
                trainer.folder.release()
                self._trainer = None
            if not is_finished(folder):
                return
        with _reading(folder):
            loaded = checkpoint.load(folder, device=str(self.device))
            text = load_text(folder, vocab_size=len(loaded.vocab))
        fading = gradient_by_distance(loaded.model, text)
        context = context_use(loaded.model, text, vocab=loaded.vocab)
        speed = statistics.median(speeds) if speeds else 0.0
        replace(record, fading=fading, context=context, speed=speed, measured=True).save(folder)

    def _resume(self, folder: Path) -> Trainer:
        """A run that was begun, where it was saved last."""
        held = RunFolder.reopen(folder)
        try:
            with _reading(folder):
                return Trainer.resume(held, checkpoint.read_vocab(folder), device=self.device)
        except BaseException:
            held.release()
            raise


def damage(error: LyricgenError, folder: Path) -> str:
    """What an error says of a run's files, with the remedy that there is in a comparison."""
    return f"{_what(error)}; remove {folder} to make that run anew"


class _UnmadeError(Exception):
    """Why a run cannot be made."""


@contextmanager
def _reading(folder: Path) -> Iterator[None]:
    """Turns errors about damaged files of a run into _UnmadeError."""
    try:
        yield
    except DeviceError:  # nothing is damaged
        raise
    except LyricgenError as error:
        raise _UnmadeError(damage(error, folder)) from error


def _what(error: LyricgenError) -> str:
    """An error without its remedy, which is that of a run or a model by itself."""
    what, _, rest = str(error).rpartition("; ")
    return what or rest
