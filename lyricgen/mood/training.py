"""Trains a classifier: its n-grams, its encoder until held-out texts gain no more, then how much each counts."""

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lyricgen.errors import TrainingError
from lyricgen.model.checkpoint import Checkpoint
from lyricgen.model.config import ModelConfig
from lyricgen.mood.classifier import Classifier, encode_all, pool_all, text_ids
from lyricgen.mood.config import MoodWishes, choose_training, encoder_config, importance
from lyricgen.mood.data import Indices, Labelled, Parts
from lyricgen.mood.linear import fit, sparse
from lyricgen.mood.metrics import Scores
from lyricgen.mood.network import Encoder, MoodModel, lay_out, shortened
from lyricgen.mood.ngrams import NgramTable, most_ngrams
from lyricgen.mood.preparation import Preparation
from lyricgen.text.tokenizer import Tokenizer
from lyricgen.text.vocab import FIRST, Ids, Vocab, count_vocab

SCALES = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
SHARES = (0.25, 0.5, 0.75, 1.0)
USUAL_SHARE = 0.25  # where too few texts are held out to tell
FOLDS = 4
DEEPER = 2.6  # a layer learns so many times slower than the one above it: Howard and Ruder 2018, section 3.2
FEW = 16  # texts held out: with fewer nothing can be chosen by them
SETTLING = 2000  # texts that say what is usual
WEIGHT_DECAY = 0.02
WARMUP = 0.1
CLIP = 1.0


@dataclass(frozen=True)
class Report:
    """Where training stands. `part` is what was trained: n-grams, encoder, or both, mixed.

    `nats` and `macro_f1` are of the texts held out, NaN where there are none; `loss` is the encoder's in training.
    """

    part: str
    epoch: int
    epochs: int
    loss: float
    nats: float
    macro_f1: float
    best: bool = True

    def line(self) -> str:
        """The report for people."""
        where = f"{self.part}, epoch {self.epoch} of {self.epochs}, loss {self.loss:.3f}" if self.epoch else self.part
        held_out = "" if math.isnan(self.nats) else f": held-out {self.nats:.3f} nats, macro-F1 {self.macro_f1:.3f}"
        return where + held_out


class MoodTrainer:
    """One run: `run()` yields reports, and then `classifier` is trained.

    Raises TrainingError where the texts have fewer than two different characters.
    """

    def __init__(
        self,
        data: Labelled,
        parts: Parts,
        *,
        wishes: MoodWishes,
        preparation: Preparation,
        source: Checkpoint | None = None,
        device: torch.device | None = None,
    ) -> None:
        self.data, self.parts = data, parts
        torch.manual_seed(wishes.seed)
        self._fine_tuning = source is not None
        texts = data.texts(parts.train)
        self.vocab = source.vocab if source else _vocabulary(texts, level=wishes.level or "char")
        lengths = [len(self.vocab.encode(text[:4096])) for text in texts]
        self.training = choose_training(wishes, lengths=lengths, fine_tuning=self._fine_tuning)
        config = _source_config(source, wishes) if source else encoder_config(
            wishes, vocab_size=len(self.vocab), tokens=sum(lengths)
        )  # fmt: skip
        table = NgramTable.of(texts if wishes.ngrams else (), most=most_ngrams(len(data.labels)))
        model = MoodModel(config, classes=len(data.labels), ngrams=len(table))
        model.take(table)
        if source:
            _carry_over(source, model.encoder)
        self.model = model.to(device or torch.device("cpu"))
        self.classifier = Classifier(self.model, self.vocab, data.labels, self.training.length, preparation)
        counts = np.bincount(data.numbers(parts.train), minlength=len(data.labels)).tolist()
        self._importance = torch.tensor(importance(counts, weighted=wishes.class_weights))
        self._rng = np.random.default_rng(wishes.seed)
        self._valid = torch.from_numpy(data.numbers(parts.valid))

    @property
    def why(self) -> str:
        """What was chosen, in one line."""
        config, training = self.model.config, self.training
        shape = f"{config.layers}×{config.cell.upper()} {config.hidden} over {self.vocab.tokenizer.level}s"
        return (
            f"{shape}, {len(self.model.keys):,} n-grams; {len(self.parts.train):,} texts to learn from, "
            f"{len(self.parts.valid):,} to stop by, {len(self.parts.test):,} to measure; at most {training.epochs} "
            f"epochs, batch {training.batch}, {training.length} tokens of a text"
        )

    @property
    def outcome(self) -> str:
        """How much the encoder counts once all is trained, in one line."""
        share = self.model.encoder_share
        if not self.training.ngrams:
            return "there are no n-grams: the encoder decides alone"
        if not self.training.epochs:
            return "the encoder was given no epochs: it is left out, the n-grams alone decide"
        if not share:
            return (
                "the encoder gained nothing certain on the texts held out to stop by: it is left out, the n-grams "
                "alone decide"
            )
        few = ", the usual one: too few texts are held out to choose it by" if len(self._valid) < FEW else ""
        return f"the encoder counts with a share of {share:g}{few}"

    def run(self) -> Iterator[Report]:
        """Trains both halves, then settles how much each counts. Raises TrainingError for a loss of nan.

        Without n-grams the encoder starts from even odds, and decides alone.
        """
        if not self.training.ngrams:
            self.model.mix.copy_(torch.tensor((1.0, 0.0)))
            even = (torch.zeros(len(of), len(self.data.labels)) for of in (self.parts.train, self.parts.valid))
            yield from self._train_encoder(*even)
            return
        table = self.model.table()
        left, scale = self._left_open(table)
        self._fit_ngrams(table, self.parts.train)
        counted = scale * self._counted_valid(table)
        yield self._report("n-grams", counted)
        self.model.mix.copy_(torch.tensor((0.0, scale)))
        yield from self._train_encoder(left, counted)
        if len(self._valid):
            self._fit_ngrams(table, np.concatenate((self.parts.train, self.parts.valid)))

    def _left_open(self, table: NgramTable) -> tuple[Tensor, float]:
        """Log-odds of the training texts, `(n, C)`, by n-grams that learned from the others, and their scale.

        The encoder learns what these leave open. By n-grams that had learned from the texts themselves there would
        be nothing left.
        """
        of = self.parts.train
        classes = torch.from_numpy(self.data.numbers(of))
        x = table.rows(self.data.texts(of))
        odds = torch.zeros(len(of), len(self.data.labels))
        home = _stratified(classes.numpy(), FOLDS, rng=self._rng)
        for fold in range(FOLDS):
            others, own = np.flatnonzero(home != fold), np.flatnonzero(home == fold)
            learned = fit(sparse(x.of(others), width=len(table)), classes[others], importance=self._importance)
            odds[own] = sparse(x.of(own), width=len(table)) @ learned[0] + learned[1]
        weight = self._importance
        nats = [float(F.cross_entropy(scale * odds, classes, weight=weight)) for scale in SCALES]
        scale = SCALES[int(np.argmin(nats))]
        return scale * odds, scale

    def _fit_ngrams(self, table: NgramTable, of: Indices) -> None:
        x = sparse(table.rows(self.data.texts(of)), width=len(table))
        classes = torch.from_numpy(self.data.numbers(of))
        weight, bias = fit(x, classes, importance=self._importance)
        with torch.no_grad():
            self.model.weight.copy_(weight)
            self.model.bias.copy_(bias)

    @torch.no_grad()
    def _counted_valid(self, table: NgramTable) -> Tensor:
        if not len(self._valid):
            return torch.zeros(0, len(self.data.labels))
        return self.model.counted(table.rows(self.data.texts(self.parts.valid))).cpu()

    def _train_encoder(self, left: Tensor, counted: Tensor) -> Iterator[Report]:
        """One report an epoch; ends with the weights that did best on the held-out texts beside their n-grams."""
        training = self.training
        train = self._ids(self.parts.train, length=1 << 30)
        valid = self._ids(self.parts.valid, length=training.length)
        classes = torch.from_numpy(self.data.numbers(self.parts.train))
        shown = [shortened(train[k], training.length) for k in self._rng.permutation(len(train))[:SETTLING]]
        optimizer = self._make_optimizer()
        steps = math.ceil(len(train) / training.batch)
        frozen = len(self.model.encoder.depths()) if self._fine_tuning else 0
        best = self._report("n-grams", counted).nats if training.ngrams else math.inf
        kept, worse = None, 0
        for epoch in range(1, training.epochs + 1):
            self._unfreeze(epoch)
            self.model.train()
            loss = 0.0
            for step, group in enumerate(self._groups(train)):
                done = (epoch - 1 + step / steps) / training.epochs
                loss += self._step(optimizer, [train[k] for k in group], classes[group], left[group], done) / steps
            if not math.isfinite(loss):
                raise TrainingError(f"the loss is {loss} in epoch {epoch}; try again with a lower --lr")
            self.model.eval()
            self.model.settle(pool_all(self.model, shown))
            report, share = self._weigh(encode_all(self.model, valid).cpu(), counted, epoch=epoch, loss=loss)
            gained = len(valid) < FEW or report.nats < best
            worse = 0 if gained or epoch <= frozen else worse + 1
            if gained:
                self.model.mix[0] = share
                best, kept = report.nats, copy.deepcopy(self._encoder_state())
            yield replace(report, best=gained)
            if worse >= training.patience:
                break
        if kept is not None:
            self.model.load_state_dict(kept, strict=False)
        self.model.eval()
        choosing = training.ngrams and len(valid) >= FEW
        if choosing and not self._surely_gains(encode_all(self.model, valid).cpu(), counted):
            self.model.mix[0] = 0

    def _weigh(self, encoded: Tensor, counted: Tensor, *, epoch: int, loss: float) -> tuple[Report, float]:
        """How the held-out texts stand with the share of the encoder's log-odds that suits them best."""
        ways = SHARES if len(encoded) >= FEW else (USUAL_SHARE,)
        if not self.training.ngrams:
            ways = (1.0,)
        reports = [self._report("encoder", share * encoded + counted, epoch=epoch, loss=loss) for share in ways]
        best = min(range(len(ways)), key=lambda k: reports[k].nats)
        return reports[best], ways[best]

    def _surely_gains(self, encoded: Tensor, counted: Tensor) -> bool:
        """Whether the held-out texts gain more by the encoder than the standard error of that gain.

        On a few dozen texts the best of several epochs and shares looks like a gain where there is none.
        """
        both = float(self.model.mix[0]) * encoded + counted
        weight = self._importance[self._valid] if self.training.class_weights else torch.ones(len(counted))
        without, beside = (F.cross_entropy(odds, self._valid, reduction="none") for odds in (counted, both))
        gains = weight * (without - beside)
        return bool(gains.mean() > gains.std() / math.sqrt(len(gains)))

    def _encoder_state(self) -> dict[str, Tensor]:
        return {
            name: tensor
            for name, tensor in self.model.state_dict().items()
            if name.startswith(("encoder", "norm", "head"))
        }

    def _ids(self, of: Indices, *, length: int) -> list[Ids]:
        return text_ids(self.vocab, self.data.texts(of), length=length)

    def _groups(self, train: list[Ids]) -> Iterator[list[int]]:
        """An epoch's batches: at random, but with texts of about one length side by side."""
        size = self.training.batch
        order = self._rng.permutation(len(train))
        # Up to the last text but one: one text alone, which no batch may be, stays in the pool before.
        pools = np.split(order, range(20 * size, len(order) - 1, 20 * size))
        groups = []
        for pool in [part.tolist() for part in pools]:
            pool.sort(key=lambda k: min(len(train[k]), self.training.window))
            groups += _in_batches(pool, size)
        return iter([groups[k] for k in self._rng.permutation(len(groups))])

    def _step(
        self, optimizer: torch.optim.Optimizer, texts: list[Ids], classes: Tensor, left: Tensor, done: float
    ) -> float:
        """One update of the encoder's weights; a text longer than the window shows a part of itself."""
        window, device = self.training.window, self.model.device
        starts = [int(self._rng.integers(0, max(1, len(ids) - window + 1))) for ids in texts]
        laid, lengths = lay_out([ids[k : k + window] for ids, k in zip(texts, starts, strict=True)], device=device)
        height = min(1.0, (done + 0.01) / WARMUP) * 0.5 * (1 + math.cos(math.pi * done))
        for group in optimizer.param_groups:
            group["lr"] = self.training.lr * height / group["slower"]
        loss = F.cross_entropy(
            self.model.judge(self.model.encoder(laid, lengths)) + left.to(device),
            classes.to(device),
            weight=self._importance.to(device),
        )
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.model.parameters(), CLIP)
        optimizer.step()
        self.model.encoder.pin()
        return float(loss.detach())

    def _make_optimizer(self) -> torch.optim.Optimizer:
        """AdamW; a model that has learned already learns more slowly the deeper a layer lies."""
        depths = [list(self.model.head.parameters()), *self.model.encoder.depths()]
        slower = DEEPER if self._fine_tuning else 1.0
        groups = [{"params": part, "slower": slower**depth} for depth, part in enumerate(depths)]
        return torch.optim.AdamW(groups, lr=self.training.lr, weight_decay=WEIGHT_DECAY)

    def _unfreeze(self, epoch: int) -> None:
        """A model that has learned already: the head alone in the first epoch, then one layer more each time.

        Howard and Ruder 2018, section 3.3.
        """
        for depth, part in enumerate(self.model.encoder.depths(), 1):
            for weight in part:
                weight.requires_grad_(not self._fine_tuning or depth < epoch)

    def _nats(self, odds: Tensor) -> float:
        weight = self._importance if self.training.class_weights else None
        return float(F.nll_loss(odds, self._valid, weight=weight))

    def _report(self, part: str, odds: Tensor, *, epoch: int = 0, loss: float = math.nan) -> Report:
        nats = macro = math.nan
        if len(self._valid):
            odds = odds.log_softmax(dim=1)
            nats = self._nats(odds)
            macro = Scores.of(self.data.labels, self._valid.numpy(), odds.argmax(dim=1).numpy()).macro_f1
        return Report(part, epoch, self.training.epochs, loss, nats, macro)


def _stratified(classes: Indices, count: int, *, rng: np.random.Generator) -> Indices:
    """A fold for each text, `(n,)`, so that each class is spread over all."""
    order = rng.permutation(len(classes))
    order = order[np.argsort(classes[order], kind="stable")]
    home = np.empty(len(classes), np.int64)
    home[order] = np.arange(len(classes)) % count
    return home


def _in_batches(numbers: list[int], size: int) -> list[list[int]]:
    """Two texts or more in batches of about `size`; none of one text, which has no variance to be normalized by."""
    count = max(1, min(math.ceil(len(numbers) / size), len(numbers) // 2))
    return [part.tolist() for part in np.array_split(numbers, count)]


def _vocabulary(texts: list[str], *, level: str) -> Vocab:
    vocab, _ = count_vocab(texts, tokenizer=Tokenizer.of_level(level), min_count=2)
    if len(vocab) < FIRST + 2:
        raise TrainingError("the texts to learn from have fewer than two different characters; give other texts")
    return vocab


def _source_config(source: Checkpoint, wishes: MoodWishes) -> ModelConfig:
    """The shape of a language model, without what only writing takes."""
    wishes.check_init()
    dropout = 0.3 if wishes.dropout is None else wishes.dropout
    return replace(source.card.model, dropout=dropout, token_drop=0.1, weight_drop=0.0,
                   lengths=0, rhymes=0, moods=0, styles=0)  # fmt: skip


def _carry_over(source: Checkpoint, encoder: Encoder) -> None:
    """Copies the embedding and the layers of a language model."""
    wanted = encoder.model.state_dict()
    encoder.model.load_state_dict(
        {name: weight for name, weight in source.model.state_dict().items() if name in wanted}
    )
