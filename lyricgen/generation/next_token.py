"""What follows in each of many songs: the hard rules, the soft rules, a draw."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from lyricgen.generation.constraints import Draft, FormRules
from lyricgen.generation.course import PULL
from lyricgen.generation.request import Row
from lyricgen.generation.sampler import RECENT, SamplingConfig, Warper, draw, penalize
from lyricgen.generation.tokens import Mask, Tokens
from lyricgen.model.network import FIRST_CLASS
from lyricgen.text.vocab import FIRST, Vocab

Take = Callable[[Tensor, Sequence[int]], Tensor]  # classes (B,) from scores (B, C) of some rows
DRAWS = 24  # line ends that are tried before a rhyme gives way


class NextToken:
    """Chooses the next token of songs, by logits and by the rules of their plans and forms."""

    def __init__(self, vocab: Vocab, tokens: Tokens, *, line_break: int) -> None:
        self._vocab = vocab
        self._tokens = tokens
        self._break = line_break

    def choose(
        self,
        logits: Tensor,
        rows: Sequence[Row],
        rules: FormRules,
        sampling: SamplingConfig,
        warp: Sequence[Warper],
    ) -> list[int]:
        """The next id of each row, from logits `(B, C)`."""
        allowed = np.stack([self._allowed(row, rules) for row in rows])
        scores = logits.masked_fill(~torch.from_numpy(allowed).to(logits.device), -torch.inf)
        for k, row in enumerate(rows):
            if (mask := row.course.pull(row.draft)) is not None:
                scores[k, torch.from_numpy(mask).to(logits.device)] += PULL
        if sampling.greedy:
            return self._settle(rows, scores, lambda part, _: part.argmax(dim=-1))
        if sampling.repetition_penalty != 1:
            recent = [self._recent(row.draft) for row in rows]
            scores = penalize(scores, recent, sampling.repetition_penalty)

        def drawn(part: Tensor, which: Sequence[int]) -> Tensor:
            for reshape in warp:
                part = reshape(part)
            points = torch.tensor([rows[k].stream.random() for k in which], dtype=torch.float64)
            return draw(part, points)

        return self._settle(rows, scores, drawn)

    def _settle(self, rows: Sequence[Row], scores: Tensor, take: Take) -> list[int]:
        """Draws each row's class from `(B, C)`, again where its sound in the line is not the one that was meant."""
        found = take(scores, range(len(rows))).tolist()
        for k, row in enumerate(rows):
            for left in range(DRAWS, -1, -1):
                if not (broken := row.course.broken(row.draft, self._vocab.tokens[found[k] + FIRST_CLASS])):
                    break
                row_scores = scores[k : k + 1].clone()
                row_scores[0, found[k]] = -torch.inf
                scores[k : k + 1] = row_scores
                if not left or not bool((row_scores > -torch.inf).any()):
                    row.course.note_relaxed(broken, row.draft)
                    break
                found[k] = int(take(row_scores, [k])[0])
        return [c + FIRST_CLASS for c in found]

    def _allowed(self, row: Row, rules: FormRules) -> Mask:
        """What may follow in a row, `(C,)`; a rule that would leave nothing gives way, the least important first."""
        draft = row.draft
        allowed = np.ones(len(self._vocab) - FIRST_CLASS, dtype=bool)
        if (only := rules.forced(draft)) is not None and not row.course.in_bounds(draft):
            if not row.course.left(draft):
                return self._tokens.only((only,))
            allowed = self._tokens.units > 0  # signs without end would never fill the line
        # In the middle of a line, a sign would only put off that no character fits.
        puts_off = row.course.left(draft) and not row.course.line.copy and not self._tokens.pauses(draft.line)
        counted = self._tokens.units > 0 if puts_off else True
        for name, mask in row.course.masks(draft):
            more = allowed & mask
            if (more & counted).any():
                allowed = more
            else:
                row.course.note_relaxed(name, draft)
        for name, rule in rules.rules:
            forbidden = [number - FIRST_CLASS for number in rule(draft) if number >= FIRST_CLASS]
            if forbidden:
                more = allowed.copy()
                more[forbidden] = False
                if more.any():
                    allowed = more
                elif name:
                    row.course.note_relaxed(name, draft)
        return allowed

    def _recent(self, draft: Draft) -> list[int]:
        """Classes of the last tokens, line breaks left out: lines must be able to end."""
        return [n - FIRST_CLASS for n in draft.ids[-RECENT:] if n >= FIRST and n != self._break]
