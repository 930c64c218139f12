"""The training loop: windows in, weights out, one report per interval; a run that was killed goes on exactly."""

import copy
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lyricgen.errors import TrainingError
from lyricgen.model.checkpoint import Card
from lyricgen.model.config import TrainConfig
from lyricgen.model.device import mixed_precision
from lyricgen.model.likelihood import Unseen, cross_entropy, plan_nats, stream_nats
from lyricgen.model.network import LyricModel, State, detached
from lyricgen.text.labels import Labeler, Labels
from lyricgen.text.vocab import END, START, Ids, Vocab
from lyricgen.training.dataset import Batch, WindowDataset, stream_steps
from lyricgen.training.optimizer import make_optimizer
from lyricgen.training.position import Position
from lyricgen.training.prepare import Names, Prepared, load_ids, load_labels
from lyricgen.training.run_folder import DATA, LABELS, RunFolder
from lyricgen.training.schedule import Clock, Progress, learning_rate

VALID_TOKENS = 1 << 18  # at most so many held-out tokens are scored during a run
VALID_ROWS = 32
FRESH = 0.02  # of the rows begin each window from an empty state, as a text does that is read from its middle on
REPORT_SECONDS = 0.5
SAVE_SECONDS = 300.0  # a run is saved at its evaluations, and at least so often


@dataclass(frozen=True)
class Report:
    """Where a run stands. Losses are nats per character; `held_out` is set when it was measured just now."""

    step: int
    epoch: int
    done: float
    seconds: float
    remaining: float
    tokens: int
    tokens_per_second: float
    lr: float
    loss: float
    held_out: float | None = None
    best: bool = False
    note: str = ""
    ended: str = ""


class Trainer:
    """One run. `run()` yields reports; `stop()` asks it to save and end after the step at hand.

    With epochs a run's weights depend on the seed alone (on one machine and number of threads), whether or not it
    was interrupted; with minutes they depend on the clock too.
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
    ) -> None:
        self.model = model.to(device)
        self.vocab = vocab
        self.config = config
        self.folder = folder
        self.card = card
        self.device = device
        tokens = (int(card.corpus["train_tokens"]), int(card.corpus["valid_tokens"]))
        self._train = load_ids(folder.path / DATA[0], tokens=tokens[0], vocab_size=len(vocab))
        self._valid: Ids | None = None
        if tokens[1]:
            self._valid = load_ids(folder.path / DATA[1], tokens=tokens[1], vocab_size=len(vocab))[:VALID_TOKENS]
            # What stands before a song is an end, from which its first line is planned.
            self._valid = np.insert(self._valid, 0, END) if self._valid[0] == START else self._valid
        self._labeler = Labeler(vocab)
        self._labels = load_labels(folder.path / LABELS, tokens=tokens[0]) if model.config.lengths else None
        self._valid_labels: Labels | None = None
        if model.config.lengths and self._valid is not None:
            self._valid_labels = self._labeler.of(self._valid)
        self._per_character = card.corpus["train_tokens"] / max(1, card.corpus["train_characters"])
        self._unseen = Unseen.of(vocab)
        self.model.generator = torch.Generator(device).manual_seed(config.seed)
        self._kept = copy.deepcopy(self.model) if config.average else self.model  # what is measured and saved
        self._optimizer = make_optimizer(self.model, config)
        self._pending: list[Tensor] = []
        self._position = Position()
        self._state: list[State] = self.model.initial_state(config.batch)
        self._history: list[dict[str, Any]] = []
        steps = self._epoch_steps() * max(1, config.epochs)
        self._progress = Progress(config, steps, used=used, clock=clock)
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
    ) -> "Trainer":
        """A new run, saved at once, so that it can be resumed from its first moment."""
        valid = prepared.valid
        corpus = {
            "train_tokens": prepared.train.tokens,
            "train_characters": prepared.train.characters,
            "train_songs": prepared.train.songs,
            "valid_tokens": valid.tokens if valid else 0,
            "valid_characters": valid.characters if valid else 0,
            "valid_songs": valid.songs if valid else 0,
        }
        names = prepared.names or Names()
        card = replace(card, training=asdict(config), corpus={**card.corpus, **corpus}, moods=names.moods,
                       styles=names.styles)  # fmt: skip
        folder.describe(card, prepared.vocab)
        trainer = cls(model, prepared.vocab, config, folder, card, device=device, used=used, clock=clock)
        trainer.save()
        return trainer

    @classmethod
    def resume(
        cls, folder: RunFolder, vocab: Vocab, *, device: torch.device, clock: Clock = time.monotonic
    ) -> "Trainer":
        """The run in a folder, where it was saved last."""
        card, saved = folder.card(), folder.load_state()
        config = TrainConfig.from_json(card.training)
        try:
            position = Position.from_saved(saved["position"])
            model = LyricModel(card.model)
            model.load_state_dict(saved["model"])
            average = saved.get("average")
            trainer = cls(model, vocab, config, folder, card, device=device, used=position.seconds, clock=clock)
            trainer._position = position
            trainer._progress.done = position.done
            trainer._reserve_time()
            trainer._optimizer.load_state_dict(saved["optimizer"])
            trainer._load_state(saved["state"])
            if average is not None:
                trainer._kept.load_state_dict(average)
            trainer._history = [dict(record) for record in saved["history"]]
            assert trainer.model.generator is not None
            trainer.model.generator.set_state(saved["generator"])
        except (KeyError, TypeError, AttributeError, IndexError, RuntimeError, ValueError, OSError) as error:
            raise TrainingError(f"the saved state in {folder.path} does not fit its run; start it again") from error
        return trainer

    def _load_state(self, saved: list[list[Tensor]]) -> None:
        """Takes in the hidden state that was saved; its shapes must be those of this model."""
        shapes = [[part.shape[::2] for part in layer] for layer in self._state]
        if [[part.shape[::2] for part in layer] for layer in saved] != shapes:
            raise ValueError("state")
        self._state = [tuple(part.to(self.device) for part in layer) for layer in saved]

    def save(self) -> None:
        """Writes the run's whole state."""
        self._fold_losses()
        self._position.seconds = self._progress.seconds
        self._position.done = self._progress.done
        assert self.model.generator is not None
        self.folder.save_history(self._history)
        self.folder.save_state(
            {
                "position": asdict(self._position),
                "model": self.model.state_dict(),
                "average": self._kept.state_dict() if self.config.average else None,
                "optimizer": self._optimizer.state_dict(),
                "state": [list(layer) for layer in self._state],
                "history": self._history,
                "generator": self.model.generator.get_state(),
            }
        )
        self._saved_at = time.monotonic()

    @property
    def best(self) -> float:
        """The lowest held-out loss so far, in nats per character."""
        return self._position.best

    def stop(self) -> None:
        """Asks the run to save and end after the step at hand."""
        self._stopping = True

    def run(self) -> Iterator[Report]:
        """Trains to the end of the run and yields where it stands, about twice a second and at each evaluation.

        Raises TrainingError when the loss is no longer a number.
        """
        marked, marked_tokens = self._progress.seconds, self._position.tokens
        self._saved_at = time.monotonic()
        if self._position.evaluated >= 1 or self._given_up:  # killed between its last save and its end
            yield self._end(replace(self._report(0.0), ended="early" if self._given_up else ""))
            return
        while True:
            for batch in self._epoch():
                self._step(batch.to(self.device))
                now = self._progress.seconds
                done = self._progress.advance(self._position.step)
                evaluate, end = self._due(done), done >= 1 or self._stopping
                if evaluate or end or now - marked >= REPORT_SECONDS:
                    speed = (self._position.tokens - marked_tokens) / max(1e-9, now - marked)
                    report = self._report(speed)
                    if evaluate or (end and not self._stopping):
                        report = self._evaluate(report)
                    if report.ended or end:
                        yield self._end(report)
                        return
                    yield report
                    # What the caller did with the report (a sample, a bar) is not counted against the speed.
                    marked, marked_tokens = self._progress.seconds, self._position.tokens
                if time.monotonic() - self._saved_at > SAVE_SECONDS:
                    self.save()
            self._position.epoch += 1
            self._position.batch = 0

    def _epoch_steps(self) -> int:
        config, n = self.config, len(self._train)
        if config.carry:
            return stream_steps(n, window=config.window, size=config.batch)
        return math.ceil(math.ceil(n / config.window) / config.batch)

    def _epoch(self) -> Iterator[Batch]:
        """The batches of this epoch that are still to come. Each epoch begins at an offset of its own."""
        config, position = self.config, self._position
        seed = np.random.SeedSequence((config.seed, position.epoch)).generate_state(1)
        offset = int(seed[0]) % len(self._train) if position.epoch else 0
        data = WindowDataset(self._train, window=config.window, offset=offset, labels=self._labels,
                             line_break=self._labeler.line_break, epoch=position.epoch)  # fmt: skip
        if config.carry:
            return data.streams(config.batch, first=position.batch)
        return data.batches(config.batch, first=position.batch, seed=int(seed[0]))

    def _step(self, batch: Batch) -> None:
        """One update of the weights from windows `(T, B)`."""
        position, model = self._position, self.model
        fresh = position.batch == 0 or not self.config.carry
        state = model.initial_state(batch.x.shape[1]) if fresh else self._emptied(self._state)
        self._optimizer.set_rate(learning_rate(self.config, self._progress.done))
        model.train()
        with mixed_precision(self.device):
            features, state = model.features(batch.x, state, batch.labels)
            loss = cross_entropy(model.logits(features), batch.y)
            if batch.plan is not None:
                loss = loss + plan_nats(model, features, batch.plan).sum() / batch.y.numel()
        self._optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(model.parameters(), self.config.clip)
        self._optimizer.step()
        model.pin_resets()
        self._state = detached(state)
        self._pending.append(loss.detach())
        position.step += 1
        position.batch += 1
        position.tokens += batch.x.numel()
        self._average()

    def _emptied(self, state: list[State]) -> list[State]:
        """The carried state with a few rows emptied.

        A text without ends of songs has one start only. A model that saw no other can fall into states that training
        never reached when it starts anywhere else, and not find out of them again, at 8 nats a character.
        """
        draws = np.random.default_rng((self.config.seed, self._position.step)).random(self.config.batch)
        kept = torch.from_numpy(draws >= FRESH).to(self.device).view(1, -1, 1)
        return [tuple(part * kept for part in layer) for layer in state]

    @torch.no_grad()
    def _average(self) -> None:
        """Moves the averaged weights towards those of this step, so that they cover the last share of all steps."""
        if self._kept is self.model:
            return
        share = 1 / (1 + self.config.average * self._position.step)
        torch._foreach_lerp_(list(self._kept.parameters()), list(self.model.parameters()), share)

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
            lr=learning_rate(self.config, self._progress.done),
            loss=position.loss * self._per_character,
        )

    def _fold_losses(self) -> None:
        """Takes the losses of the last steps into the running mean, one by one, whenever that is."""
        if not self._pending:
            return
        position = self._position
        for loss in torch.stack(self._pending).tolist():  # the one place where the host waits for the device
            if not math.isfinite(loss):
                raise TrainingError(f"the loss is {loss} near step {position.step}; try again with a lower --lr")
            position.loss_steps += 1
            position.loss += (loss - position.loss) / min(100, position.loss_steps)
        self._pending.clear()

    def held_out(self) -> float:
        """Nats per character of the held-out text as the model stands (of the training loss where there is none)."""
        if self._valid is None:
            return float(self._position.loss * self._per_character)
        cuts = np.linspace(1, len(self._valid), min(VALID_ROWS, 1 + len(self._valid) // 256) + 1).astype(int)
        rows = [self._valid[a - 1 : b].astype(np.int64) for a, b in pairwise(cuts)]
        labels = (
            [self._valid_labels[a - 1 : b] for a, b in pairwise(cuts)] if self._valid_labels is not None else None
        )
        self._kept.eval()
        with mixed_precision(self.device):
            found = stream_nats(self._kept, rows, unseen=self._unseen, labeler=self._labeler, labels=labels)
        nats = sum(float(row.sum()) for row in found)
        characters = int(self.vocab.lengths[self._valid].sum())
        return float(nats / max(1, characters))

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
            self.folder.save_best(self._kept.state_dict())
        elif position.worse >= 2 and not position.said_copying and self._valid is not None:
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
        """Keeps back what the last evaluation and the last saves will take."""
        self._progress.reserve = 1.5 * self._position.evaluation_seconds + 2.5  # and the end of the process

    def _end(self, report: Report) -> Report:
        """Closes the run: saved to go on where it was asked to stop, else finished."""
        if self._stopping and not report.ended and report.done < 1:
            self.save()
            self.folder.release()
            return replace(report, ended="interrupted")
        results = {"held_out": self._position.best, "step": report.step, "tokens": report.tokens,
                   "epochs": report.epoch, "seconds": round(self._progress.seconds, 1)}  # fmt: skip
        replace(self.card, results=results).save(self.folder.path)
        self.folder.finish(self._kept.state_dict())
        self.folder.release()
        return replace(report, ended=report.ended or "done")
