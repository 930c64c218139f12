"""The network: Embedding → RNN, LSTM or GRU → Linear, over ids of tokens."""

import math
from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lyricgen.model.config import ModelConfig
from lyricgen.model.recurrence import GatedLayer, TanhLayer, recur
from lyricgen.text.vocab import END, UNKNOWN

CELLS: dict[str, Callable[[int, int], nn.RNNBase]] = {"rnn": TanhLayer, "lstm": nn.LSTM, "gru": GatedLayer}

FIRST_CLASS = END  # what can be written: the end of a song and every token after it
SHUT = 1e4  # a gate's input so far below the rest that its sigmoid is exactly 0

State = tuple[Tensor, ...]  # of one layer: (h,) or, for an LSTM, (h, c); each (1, B, H)


class LyricModel(nn.Module):
    """The log-odds of the next token, for every token of B parallel texts.

    A song starts from the same state in training, where texts follow each other without a break, as in writing:
    at the end of a song a constant input shuts the gates that would carry anything across (an LSTM's input and
    forget gates, a GRU's reset and update gates; a plain RNN's units saturate), inside the fused kernels and at
    no cost. It is one more input column of each layer, whose weights do not learn; see `pin_resets`.

    A model with labels also reads, beside each token, what is planned: how many units of the line are left after it,
    the class that the line rhymes in, the song's mood and style. At a line's end it says itself what line it would
    write next (`plan_logits`), so a line may be planned by the user or by the model.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        widths = [config.embedding] + [config.hidden] * (config.layers - 1)
        self.embedding = nn.Embedding(config.vocab_size, config.embedding)
        self.layers = nn.ModuleList(CELLS[config.cell](width + 1, config.hidden) for width in widths)
        self.projection = nn.Linear(config.hidden, config.embedding, bias=False) if self._projects else None
        classes = config.vocab_size - FIRST_CLASS
        self.output = None if config.tied else nn.Linear(config.hidden, classes, bias=False)
        self.bias = nn.Parameter(torch.zeros(classes))
        self.labels = nn.ModuleList(nn.Embedding(size, config.embedding) for size in config.labels if size)
        width = config.embedding if config.tied else config.hidden
        self.planner = Planner(width, config) if config.lengths else None
        self.generator: torch.Generator | None = None  # of the dropout; none: torch's own
        self._initialize()

    @property
    def _projects(self) -> bool:
        return self.config.tied and self.config.hidden != self.config.embedding

    def _initialize(self) -> None:
        nn.init.normal_(self.embedding.weight, std=1 / math.sqrt(self.config.embedding))
        with torch.no_grad():
            self.embedding.weight[UNKNOWN] = 0  # an unseen character says nothing: no text trains this row
        for label in self.labels:
            nn.init.normal_(cast(Tensor, label.weight), std=0.5 / math.sqrt(self.config.embedding))
        for layer in self.layers:
            for name, weight in layer.named_parameters():
                if name.startswith("bias"):
                    nn.init.zeros_(weight)
            if self.config.cell == "lstm":
                # The forget gate starts open: Jozefowicz, Zaremba and Sutskever 2015, section 4.
                h = self.config.hidden
                nn.init.ones_(cast(Tensor, layer.bias_ih_l0)[h : 2 * h])
        self.pin_resets()

    @torch.no_grad()
    def pin_resets(self) -> None:
        """Writes the constants of each layer's last input column, the one that is 1 at the end of a song."""
        h = self.config.hidden
        for layer in self.layers:
            column = cast(Tensor, layer.weight_ih_l0)[:, -1]
            if self.config.cell == "rnn":
                column.fill_(SHUT)
                column[1::2] = -SHUT
            else:
                column[: 2 * h] = -SHUT  # LSTM: input and forget gates; GRU: reset and update gates
                column[2 * h :] = 0

    def embed_output(self) -> Tensor:
        """The output layer's weights, `(V - 2, width)`."""
        return self.embedding.weight[FIRST_CLASS:] if self.output is None else self.output.weight

    def initial_state(self, batch: int) -> list[State]:
        """The state of nothing read yet, zeros: `(1, B, H)` for each part of each layer's state."""
        parts = 2 if self.config.cell == "lstm" else 1
        like = self.bias
        return [tuple(like.new_zeros(1, batch, self.config.hidden) for _ in range(parts)) for _ in self.layers]

    def features(self, ids: Tensor, state: list[State], labels: Tensor | None = None) -> tuple[Tensor, list[State]]:
        """What the output layer reads, `(T, B, width)`, for ids `(T, B)`, and the state after the last.

        `labels` `(T, B, 4)` are the plan at each id, for a model that has labels.
        """
        x = self._dropout(self._drop_tokens(self.embedding(ids), ids))  # (T, B) → (T, B, E)
        ended = (ids == END).unsqueeze(-1).to(x.dtype)
        if labels is not None:
            x = x + self._embed_labels(labels)
        after: list[State] = []
        for layer, before in zip(self.layers, state, strict=True):
            y, new = self._run(cast(nn.RNNBase, layer), torch.cat((x.to(ended.dtype), ended), dim=-1), before)
            after.append(new)  # y: (T, B, H)
            y = self._dropout(y)
            x = x + y if self.config.residual and x.shape == y.shape else y
        return (self.projection(x) if self.projection is not None else x), after

    def _embed_labels(self, labels: Tensor) -> Tensor:
        """The sum of the embeddings of labels `(T, B, 4)`, `(T, B, E)`; those that the model lacks are left out."""
        used = [n for n, size in enumerate(self.config.labels) if size]
        parts = (table(labels[..., n]) for n, table in zip(used, self.labels, strict=True))
        return cast(Tensor, sum(parts))

    def _run(self, layer: nn.RNNBase, x: Tensor, before: State) -> tuple[Tensor, State]:
        """One layer over `(T, B, I)`, in training with a share of its recurrent weights silenced."""
        p = self.config.weight_drop
        if not self.training or not p:
            y, new = layer(x, _packed(before))
        else:
            w_ih, w_hh, b_ih, b_hh = (cast(Tensor, weight) for weight in layer._flat_weights)
            flat = [w_ih, w_hh * self._kept(w_hh.shape, p, w_hh), b_ih, b_hh]
            if self.config.cell == "lstm":
                # biases, layers, dropout, training, both directions, batch first
                y, h, c = torch.lstm(x, list(before), flat, True, 1, 0.0, True, False, False)
                new = (h, c)
            else:
                y, new = recur(self.config.cell, x, before[0], flat, training=True)
        return y, new if isinstance(new, tuple) else (new,)

    def _drop_tokens(self, x: Tensor, ids: Tensor) -> Tensor:
        """Silences some tokens of the vocabulary wherever they stand in the window (Gal and Ghahramani 2016)."""
        p = self.config.token_drop
        if not self.training or not p:
            return x
        return x * self._kept((self.config.vocab_size, 1), p, x)[ids]

    def _dropout(self, x: Tensor) -> Tensor:
        """Silences the same units over the whole window (Gal and Ghahramani 2016, arXiv:1512.05287)."""
        p = self.config.dropout
        if not self.training or not p:
            return x
        return x * self._kept((1, *x.shape[1:]), p, x)

    def _kept(self, shape: Sequence[int], p: float, like: Tensor) -> Tensor:
        """A mask that silences the share p and scales up what is kept, so that sums stay what they were."""
        mask = torch.empty(tuple(shape), dtype=like.dtype, device=like.device)
        return mask.bernoulli_(1 - p, generator=self.generator).div_(1 - p)

    def logits(self, features: Tensor) -> Tensor:
        """Log-odds of the classes, `(…, width)` → `(…, V - 2)`: class c is the token of id c + 2."""
        return F.linear(features, self.embed_output(), self.bias)

    def forward(self, ids: Tensor, state: list[State], labels: Tensor | None = None) -> tuple[Tensor, list[State]]:
        """Logits `(T, B, V - 2)` of what follows each of the ids `(T, B)`, and the state after the last."""
        features, state = self.features(ids, state, labels)
        return self.logits(features), state

    def recurrent_weights(self) -> int:
        """How many weights a token passes in the recurrent layers, for counting work."""
        return sum(weight.numel() for name, weight in self.layers.named_parameters() if "weight" in name)


class Planner(nn.Module):
    """What line the model would write next: a length, and a rhyme given the length, from a state's features.

    At the end of a song an LSTM's state is empty, and so are its features; `start` stands for them there. Without it
    the heads' biases alone would have to tell how songs begin, and they serve every other line too.
    """

    def __init__(self, width: int, config: ModelConfig) -> None:
        super().__init__()
        self.start = nn.Parameter(torch.zeros(width))
        self.length = nn.Linear(width, config.lengths)
        self.rhyme = nn.Linear(width, config.rhymes)
        self.rhyme_of_length = nn.Embedding(config.lengths, config.rhymes)
        for weight in (self.length.weight, self.rhyme.weight, self.rhyme_of_length.weight):
            nn.init.normal_(weight, std=0.02)

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Log-odds of the next line's length `(…, L)`, and of its rhyme `(…, R)` if it has these lengths `(…)`."""
        empty = (features == 0).all(dim=-1, keepdim=True)
        features = torch.where(empty, self.start.to(features.dtype), features)
        return self.length(features), self.rhyme(features) + self.rhyme_of_length(lengths)


def _packed(state: State) -> Tensor | tuple[Tensor, Tensor]:
    return (state[0], state[1]) if len(state) == 2 else state[0]


def detached(state: list[State]) -> list[State]:
    """The state cut off from the graph that made it: gradients end at a window's start."""
    return [tuple(part.detach() for part in layer) for layer in state]
