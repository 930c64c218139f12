"""What a run says of itself now and then."""

from dataclasses import dataclass


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
