"""The classifier's network: Embedding → RNN, LSTM or GRU → pooled Linear, beside a bag of n-grams."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lyricgen.model.config import ModelConfig
from lyricgen.model.network import LyricModel
from lyricgen.mood.ngrams import NgramTable, Rows
from lyricgen.text.vocab import END, START, Ids

HEAD_DROPOUT = 0.4


class Encoder(nn.Module):
    """The embedding and recurrent layers of a language model, pooled: all that the classifier takes of one."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.model = LyricModel(config)
        self.model.output = None  # it predicts no next token
        self.model.planner = None
        self.model.labels = nn.ModuleList()
        self.model.bias.requires_grad_(False)
        self.width = 3 * (config.embedding if config.tied else config.hidden)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """The last state, the mean and the maximum over a text, `(B, width)`, for ids `(T, B)` of these lengths.

        Concatenated pooling: Howard and Ruder 2018, arXiv:1801.06146, section 3.3.
        """
        states, _ = self.model.features(ids, self.model.initial_state(ids.shape[1]))  # (T, B, W)
        past = torch.arange(len(ids), device=ids.device)[:, None] >= lengths  # (T, B)
        last = states[lengths - 1, torch.arange(ids.shape[1], device=ids.device)]
        mean = states.masked_fill(past[:, :, None], 0.0).sum(dim=0) / lengths[:, None]
        most = states.masked_fill(past[:, :, None], -torch.inf).amax(dim=0)
        return torch.cat((last, mean, most), dim=1)

    def depths(self) -> list[list[nn.Parameter]]:
        """Its weights by depth, those nearest to the output first."""
        layers = [list(layer.parameters()) for layer in reversed(self.model.layers)]
        if self.model.projection is not None:
            layers.insert(0, list(self.model.projection.parameters()))
        return [*layers, list(self.model.embedding.parameters())]

    def pin(self) -> None:
        """Restores the constants among its weights after a step of training."""
        self.model.pin_resets()


class MoodModel(nn.Module):
    """Log-odds of C classes: those of the encoder and those of the n-grams, each half trained for itself, mixed."""

    keys: Tensor
    scales: Tensor
    mix: Tensor

    def __init__(self, config: ModelConfig, *, classes: int, ngrams: int) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.norm = nn.BatchNorm1d(self.encoder.width, affine=False)
        self.dropout = nn.Dropout(HEAD_DROPOUT)
        self.head = nn.Linear(self.encoder.width, classes)
        self.register_buffer("keys", torch.zeros(ngrams, dtype=torch.int64))
        self.register_buffer("scales", torch.zeros(ngrams))
        self.weight = nn.Parameter(torch.zeros(ngrams, classes))
        self.bias = nn.Parameter(torch.zeros(classes))
        self.register_buffer("mix", torch.ones(2))  # how much the encoder's and the n-grams' log-odds count
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.bias.device

    @property
    def encoder_share(self) -> float:
        """How much of the encoder's log-odds counts: 0 where it is left out, 1 where all does."""
        return float(self.mix[0])

    def table(self) -> NgramTable:
        """Its n-grams."""
        return NgramTable(self.keys.cpu().numpy(), self.scales.cpu().numpy())

    def take(self, table: NgramTable) -> None:
        """Makes these its n-grams."""
        self.keys = torch.from_numpy(table.keys)
        self.scales = torch.from_numpy(table.scales)

    def judge(self, pooled: Tensor) -> Tensor:
        """Log-odds by the encoder, `(B, C)`, from what it pooled, `(B, width)`."""
        logits: Tensor = self.head(self.dropout(self.norm(pooled)))
        return logits

    @torch.no_grad()
    def settle(self, pooled: Tensor) -> None:
        """Takes mean and variance from texts as they are read in prediction, `(n, width)`.

        Those of training, with its dropout and its windows, are others.
        """
        self.norm.running_mean = pooled.mean(dim=0)
        self.norm.running_var = pooled.var(dim=0, correction=0)

    def counted(self, rows: Rows) -> Tensor:
        """Log-odds by the n-grams, `(B, C)`."""
        columns, values, starts = (torch.from_numpy(part).to(self.device) for part in vars(rows).values())
        if not len(columns):
            return self.bias.expand(len(starts) - 1, -1)
        bag = F.embedding_bag(
            columns, self.weight, starts, mode="sum", per_sample_weights=values, include_last_offset=True
        )
        return bag + self.bias

    def mixed(self, encoded: Tensor, counted: Tensor) -> Tensor:
        """Log-probabilities of the classes, `(B, C)`, from the log-odds of both halves."""
        return (self.mix[0] * encoded + self.mix[1] * counted).log_softmax(dim=1)


def lay_out(texts: Sequence[Ids], *, device: torch.device) -> tuple[Tensor, Tensor]:
    """Ids side by side, `(T, B)`, each after the start of a song, and their lengths, `(B,)`."""
    lengths = torch.tensor([1 + len(ids) for ids in texts], device=device)
    laid = np.full((1 + max(map(len, texts)), len(texts)), END, dtype=np.int64)
    laid[0] = START
    for b, ids in enumerate(texts):
        laid[1 : 1 + len(ids), b] = ids
    return torch.from_numpy(laid).to(device), lengths


def shortened(ids: Ids, length: int) -> Ids:
    """At most `length` tokens of a text: its first three quarters of them and its last quarter.

    Head and tail: Sun, Qiu, Xu and Huang 2019, arXiv:1905.05583, section 5.3.1.
    """
    if len(ids) <= length:
        return ids
    tail = length // 4
    return np.concatenate((ids[: length - tail], ids[len(ids) - tail :]))


def batches(lengths: Sequence[int], *, tokens: int = 2**15, most: int = 512) -> Iterator[list[int]]:
    """Numbers of texts in groups of about equal length, `tokens` at most in a group with its padding."""
    group: list[int] = []
    for k in sorted(range(len(lengths)), key=lambda k: lengths[k]):
        if group and (len(group) >= most or (len(group) + 1) * (lengths[k] + 1) > tokens):
            yield group
            group = []
        group.append(k)
    if group:
        yield group
