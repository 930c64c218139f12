"""Where a run stands: all that changes from step to step and is not a tensor."""

import math
from dataclasses import dataclass
from typing import Any


@dataclass
class Position:
    """Steps, time and the best so far; stored as plain values. `loss` is a running mean in nats per token."""

    step: int = 0
    epoch: int = 0
    batch: int = 0
    tokens: int = 0
    loss: float = 0.0
    loss_steps: int = 0
    seconds: float = 0.0
    done: float = 0.0
    begun: float = 0.0  # the share of the run that was over at its first step
    evaluated: float = 0.0  # the share of the run at the last evaluation
    evaluation_seconds: float = 0.0
    best: float = math.inf
    worse: int = 0
    said_copying: bool = False

    @classmethod
    def from_saved(cls, saved: dict[str, Any]) -> "Position":
        """The position that was saved; raises ValueError where it cannot have been."""
        position = cls(**saved)
        for name, start in vars(cls()).items():
            value = getattr(position, name)
            if type(value) is not type(start) or not value >= 0 or (value == math.inf and name != "best"):
                raise ValueError(name)
        return position
