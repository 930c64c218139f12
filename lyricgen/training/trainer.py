"""The training loop: windows in, weights out, one report per interval; a run that was killed goes on exactly."""

import math
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import asdict, replace
from typing import Any

import torch

from lyricgen.errors import TrainingError
from lyricgen.model.checkpoint import Card
from lyricgen.model.config import TrainConfig
from lyricgen.model.network import LyricModel
from lyricgen.text.vocab import Vocab
from lyricgen.training.dataset import Batch
from lyricgen.training.distributed import ALONE, Ranks
from lyricgen.training.epochs import Epochs
from lyricgen.training.held_out import HeldOut
from lyricgen.training.learner import Learner
from lyricgen.training.memory import lacks_memory
from lyricgen.training.position import Position
from lyricgen.training.prepare import Prepared
from lyricgen.training.report import Report
from lyricgen.training.run_folder import DATA, RunFolder
from lyricgen.training.schedule import Clock, Progress, Turn, learning_rate
from lyricgen.training.song_labels import Names

REPORT_SECONDS = 0.5
SAVE_SECONDS = 300.0  # a run is saved at its evaluations, and at least so often


class Trainer:
    """One run. `run()` yields reports; `stop()` asks it to save and end after the step at hand.

    With epochs a run's weights depend on the seed alone (on one machine and number of threads), whether or not it
    was interrupted; with minutes they depend on the clock too. Several `ranks` take part in one run, each with a
    trainer of its own; together they do what one would do with the whole batch, their dropout apart.
    """

    def __init__(
        self,
        model: LyricModel,
        vocab: Vocab,
        config: TrainConfig,
        folder: RunFolder,
        card: Card,
        *,
        device: torch.device,
        used: float = 0.0,
        clock: Clock = time.monotonic,
        ranks: Ranks = ALONE,
    ) -> None:
        self.vocab = vocab
        self.config = config
        self.folder = folder
        self.card = card
        self.ranks = ranks
        tokens = (int(card.corpus["train_tokens"]), int(card.corpus["valid_tokens"]))
        planned = bool(model.config.lengths)
        self._epochs = Epochs(folder.path, config, vocab, tokens=tokens[0], planned=planned,
                              rank=ranks.rank, ranks=ranks.size)  # fmt: skip
        self._held_out: HeldOut | None = None
        if tokens[1]:
            self._held_out = HeldOut(folder.path / DATA[1], vocab, tokens=tokens[1], planned=planned,
                                     blank=card.songs == "blank")  # fmt: skip
        self._per_character = card.corpus["train_tokens"] / max(1, card.corpus["train_characters"])
        self._learner = Learner(model, config, device=device, ranks=ranks)
        self._position = Position()
        self._history: list[dict[str, Any]] = []
        steps = self._epochs.steps * max(1, config.epochs)
        self._progress = Progress(config, steps, used=used, clock=clock)
        self._saving_seconds = 0.0  # what the last save took
        self._reserve_time()
        self._stopping = False

    @classmethod
    def start(
        cls,
        model: LyricModel,
        prepared: Prepared,
        config: TrainConfig,
        folder: RunFolder,
        card: Card,
        *,
        device: torch.device,
        used: float = 0.0,
        clock: Clock = time.monotonic,
        ranks: Ranks = ALONE,
    ) -> "Trainer":
        """A new run, saved at once, so that it can be resumed from its first moment: by the other ranks, too."""
        valid = prepared.valid
        corpus = {
            "train_tokens": prepared.train.tokens,
            "train_characters": prepared.train.characters,
            "train_songs": prepared.train.songs,
            "valid_tokens": valid.tokens if valid else 0,
            "valid_characters": valid.characters if valid else 0,
            "valid_songs": valid.songs if valid else 0,
            "mood_songs": list(prepared.labelled[0]),
            "style_songs": list(prepared.labelled[1]),
        }
        names = prepared.names or Names()
        card = replace(card, training=asdict(config), corpus={**card.corpus, **corpus}, moods=names.moods,
                       styles=names.styles)  # fmt: skip
        folder.describe(card, prepared.vocab)
        trainer = cls(model, prepared.vocab, config, folder, card, device=device, used=used, clock=clock, ranks=ranks)
        trainer._write([trainer._learner.own_state()])
        return trainer

    @classmethod
    def resume(
        cls,
        folder: RunFolder,
        vocab: Vocab,
        *,
        device: torch.device,
        clock: Clock = time.monotonic,
        ranks: Ranks = ALONE,
    ) -> "Trainer":
        """The run in a folder, where it was saved last.

        Raises TrainingError for another number of ranks or another kind of device; where memory does not suffice
        for it, what `memory_errors` catches.
        """
        card, saved = folder.card(), folder.load_state()
        ranks.check_number(saved.get("ranks", 1), folder=folder.path)
        config = TrainConfig.from_json(card.training)
        try:
            position = Position.from_saved(saved["position"])
            model = LyricModel(card.model)
            trainer = cls(model, vocab, config, folder, card, device=device, used=position.seconds, clock=clock,
                          ranks=ranks)  # fmt: skip
            trainer._position = position
            trainer._progress.done = position.done
            trainer._reserve_time()
            trainer._learner.load_shared(saved)
            if position.step:  # before the first one each rank is as it was made
                trainer._learner.load_own([saved, *saved.get("others", ())][ranks.rank])
            trainer._history = [dict(record) for record in saved["history"]]
        except (KeyError, TypeError, AttributeError, IndexError, RuntimeError, ValueError, OSError) as error:
            if lacks_memory(error):
                raise
            raise TrainingError(f"the saved state in {folder.path} does not fit its run; start it again") from error
        return trainer

    def save(self) -> None:
        """Writes the run's whole state, that of all ranks."""
        self._fold_losses()
        self._write(self.ranks.gather(self._learner.own_state()))

    def _write(self, own: list[dict[str, Any]]) -> None:
        self._position.seconds = self._progress.seconds
        self._position.done = self._progress.done
        self.folder.save_history(self._history)
        self.folder.save_state(
            {
                "position": asdict(self._position),
                **self._learner.shared_state(),
                "history": self._history,
                "ranks": self.ranks.size,
                **own[0],
                "others": own[1:],
            }
        )
        self._saved_at = self._position.seconds
        self._saving_seconds = self._progress.seconds - self._saved_at

    @property
    def model(self) -> LyricModel:
        """The model as the last step left it."""
        return self._learner.model

    @property
    def kept(self) -> LyricModel:
        """The model that is measured and saved: the averaged one, where the weights are averaged."""
        return self._learner.kept

    @property
    def best(self) -> float:
        """The lowest held-out loss so far, in nats per character."""
        return self._position.best

    @property
    def holds_out(self) -> bool:
        """Whether there is a held-out text; else what is measured is the loss of the training text."""
        return self._held_out is not None

    @property
    def steps(self) -> int:
        """Updates of the weights so far."""
        return self._position.step

    def stop(self) -> None:
        """Asks the run to save and end after the step at hand."""
        self._stopping = True

    def run(self) -> Iterator[Report]:
        """Trains to the end of the run and yields where it stands, about twice a second and at each evaluation.

        Raises TrainingError when the loss is no longer a number.
        """
        marked, marked_tokens = self._progress.seconds, self._position.tokens
        self._saved_at = marked
        if self._position.evaluated >= 1 or self._given_up:  # killed between its last save and its end
            yield self._end(replace(self._report(0.0), ended="early" if self._given_up else ""))
            return
        if not self._position.step:
            begun = self.ranks.same(self._progress.advance(0))
            self._position.begun = self._position.evaluated = self._progress.done = begun
        with closing(self._batches()) as batches:
            for batch in batches:
                self._step(batch)
                turn = self.ranks.same(self._turn(marked))
                self._progress.done = turn.done
                if turn.save:
                    self.save()
                if turn.report:
                    now = self._progress.seconds
                    report = self._report((self._position.tokens - marked_tokens) / max(1e-9, now - marked))
                    if turn.evaluate:
                        report = self._evaluate(report)
                    if report.ended or turn.done >= 1 or turn.stop:
                        break
                    yield report
                    # What the caller did with the report (a sample, a bar) is not counted against the speed.
                    marked, marked_tokens = self._progress.seconds, self._position.tokens
        yield self._end(report)

    def _turn(self, marked: float) -> Turn:
        """What is to follow the step that was just made; `marked` is when the last report was."""
        since = self._progress.seconds - marked
        done = self._progress.advance(self._position.step)
        evaluate = self._due(done)
        save = not evaluate and self._progress.seconds - self._saved_at > SAVE_SECONDS  # an evaluation saves too
        return Turn(done, evaluate, evaluate or self._stopping or since >= REPORT_SECONDS, self._stopping, save)

    def _batches(self) -> Generator[Batch, None, None]:
        """The batches that are still to come, epoch after epoch."""
        while True:
            yield from self._epochs.batches(self._position.epoch, first=self._position.batch)
            self._position.epoch += 1
            self._position.batch = 0

    def _step(self, batch: Batch) -> None:
        """One update of the weights."""
        position = self._position
        fresh = position.batch < self.config.turns or not self.config.carry
        position.step += 1
        position.batch += 1
        lr = learning_rate(self.config, self._progress.done, begun=position.begun)
        position.tokens += self._learner.learn(batch, lr=lr, step=position.step, fresh=fresh)

    def _due(self, done: float) -> bool:
        """Whether to evaluate: so many times a run, but with minutes for at most a twentieth of its time."""
        apart = 1 / self.config.evaluations
        if self.config.minutes:
            apart = max(apart, 20 * self._position.evaluation_seconds / (60 * self.config.minutes))
        return done - self._position.evaluated >= apart or done >= 1

    def _report(self, speed: float) -> Report:
        position = self._position
        self._fold_losses()
        return Report(
            step=position.step,
            epoch=position.epoch,
            done=self._progress.done,
            seconds=self._progress.seconds,
            remaining=self._progress.remaining(),
            tokens=position.tokens,
            tokens_per_second=speed,
            lr=learning_rate(self.config, self._progress.done, begun=position.begun),
            loss=position.loss * self._per_character,
        )

    def _fold_losses(self) -> None:
        """Takes the losses of the last steps into the running mean, one by one, whenever that is."""
        position = self._position
        for loss in self._learner.losses():
            if not math.isfinite(loss):
                raise TrainingError(f"the loss is {loss} near step {position.step}; try again with a lower --lr")
            position.loss_steps += 1
            position.loss += (loss - position.loss) / min(100, position.loss_steps)

    def held_out(self) -> float:
        """Nats per character of the held-out text as the model stands (of the training loss where there is none)."""
        if self._held_out is None:
            return float(self._position.loss * self._per_character)
        return self._held_out.nats(self.kept, ranks=self.ranks) / self._held_out.characters

    def _evaluate(self, report: Report) -> Report:
        """Measures the held-out loss, keeps the weights if they are the best so far, saves the run."""
        position, before = self._position, self._progress.seconds
        held_out = self.held_out()
        position.evaluation_seconds = self._progress.seconds - before
        self._reserve_time()
        best = held_out < position.best
        position.evaluated = report.done
        position.worse = 0 if best else position.worse + 1
        note = ""
        if best:
            position.best = held_out
            self.folder.save_best(self.kept.state_dict())
        elif position.worse >= 2 and not position.said_copying and self._held_out is not None:
            position.said_copying = True
            note = "held-out loss rises while the training loss falls: the model begins to learn its songs by heart"
        ended = "early" if self._given_up else ""
        record = {"held_out": held_out, "loss": report.loss, "lr": report.lr}
        counts = {"step": report.step, "epoch": report.epoch, "tokens": report.tokens, "done": report.done}
        self._history.append({**counts, **record, "seconds": round(report.seconds, 3)})
        self.save()
        return replace(report, held_out=held_out, best=best, note=note, ended=ended)

    @property
    def _given_up(self) -> bool:
        """Whether the held-out loss has not fallen for as long as one waits for it."""
        return bool(self.config.patience) and self._position.worse >= self.config.patience

    def _reserve_time(self) -> None:
        """Keeps back what the last evaluation, the last saves and the process's end will take."""
        most = 30 * self.config.minutes  # half of a run at most
        self._progress.reserve = min(most, 1.5 * self._position.evaluation_seconds + 2 * self._saving_seconds + 2.5)

    def _end(self, report: Report) -> Report:
        """Closes the run: saved to go on where it was asked to stop, else finished."""
        if not report.ended and report.done < 1:
            self.save()
            self.folder.release()
            return replace(report, ended="interrupted")
        results = {"held_out": self._position.best, "step": report.step, "tokens": report.tokens,
                   "epochs": report.epoch, "seconds": round(self._progress.seconds, 1)}  # fmt: skip
        self._epochs.close()
        self.folder.finish(replace(self.card, results=results), self.kept.state_dict())
        self.folder.release()
        return replace(report, ended=report.ended or "done")
