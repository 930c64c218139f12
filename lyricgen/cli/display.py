"""How a training run shows itself: a bar, held-out losses, a sample now and then, and how to go on after Ctrl-C."""

import math
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from tqdm import tqdm

from lyricgen.cli.console import note, on_terminal
from lyricgen.generation.constraints import Form
from lyricgen.generation.lyricist import Lyricist
from lyricgen.model.checkpoint import Checkpoint
from lyricgen.training.report import Report
from lyricgen.training.session import Session

SPARKS = "▁▂▃▄▅▆▇█"
SAMPLES = 4  # in a run
BAR = "{percentage:3.0f}%|{bar:20}| {desc}"


def sparkline(values: Sequence[float], *, width: int = 20) -> str:
    """The last values as a row of bars, the highest full; a gap for what is no number, nothing for no values."""
    shown = values[-width:]
    numbers = [value for value in shown if math.isfinite(value)]
    low, high = min(numbers, default=0.0), max(numbers, default=0.0)
    step = (high - low) / (len(SPARKS) - 1) or 1.0
    return "".join(SPARKS[round((value - low) / step)] if math.isfinite(value) else " " for value in shown)


def follow(session: Session) -> Report:
    """Runs a session to its end on the terminal and gives the last report.

    The first Ctrl-C lets the run save itself and end; the second ends it at once.
    """
    trainer = session.trainer
    lively = on_terminal(sys.stderr)
    bar = tqdm(total=1.0, bar_format=BAR, file=sys.stderr, disable=not lively, dynamic_ncols=True)
    losses: list[float] = []
    sampled = 0
    last: Report | None = None
    # Where one of several processes dies, torchrun ends the others by SIGTERM: the first has something to say before.
    signals = (signal.SIGINT,) if trainer.ranks.size == 1 else (signal.SIGINT, signal.SIGTERM)
    with bar, stopping_on_interrupt(trainer.stop, signals=signals):
        for report in trainer.run():
            last = report
            bar.n = report.done
            if report.held_out is not None:
                losses.append(report.held_out)
                if not lively:
                    note(_state(report, losses, holds_out=trainer.holds_out))
                if report.note:
                    _say(bar, report.note)
                if report.done * SAMPLES >= sampled + 1 and not report.ended:
                    sampled = int(report.done * SAMPLES)
                    _say(bar, _sample(session, report))
            bar.set_description_str(_state(report, losses, holds_out=trainer.holds_out))
    assert last is not None
    return last


def _say(bar: "tqdm[NoReturn]", text: str) -> None:
    """Prints above the bar."""
    if bar.disable:
        note(text)
    else:
        bar.write(text, file=sys.stderr)


def _state(report: Report, losses: list[float], *, holds_out: bool) -> str:
    held_out = f"held-out {losses[-1]:.3f} {sparkline(losses)}" if losses else "held-out –"
    if not holds_out:  # what is measured is the same loss again
        held_out = f"nothing held out {sparkline(losses)}".strip()
    left = f"{int(report.remaining) // 60}:{int(report.remaining) % 60:02}" if report.remaining < 1e7 else "?"
    return f"loss {report.loss:.3f}, {held_out}, {report.tokens_per_second:,.0f} tokens/s, {left} left"


def _sample(session: Session, report: Report) -> str:
    """Four lines by the model as it stands."""
    trainer = session.trainer
    loaded = Checkpoint(session.folder, trainer.card, trainer.vocab, trainer.model)
    (song,) = Lyricist(loaded).write(seed=report.step, form=Form(lines=4))
    return "\n".join(f"    {line[:60]}" for line in song.lines)


@contextmanager
def stopping_on_interrupt(
    stop: Callable[[], None], *, signals: Sequence[signal.Signals] = (signal.SIGINT,)
) -> Iterator[None]:
    """The first Ctrl-C, or another of the signals, calls `stop`; the second interrupts as usual."""

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop()
        signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.signal(number, on_signal) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
