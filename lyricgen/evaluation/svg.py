"""Charts as inline SVG that takes its colours from the page: a histogram, paired bars, a curve with its error."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 400.0, 220.0
STROKES = 500  # values; of more, a stroke for each would be a block
LEFT, RIGHT, TOP, BOTTOM = 42.0, 8.0, 12.0, 40.0


def ticks(low: float, high: float, *, about: int = 6) -> list[float]:
    """Round numbers from `low` to `high`, some `about` of them: 1, 2 or 5 times a power of ten apart."""
    span = max(high - low, 1e-9)
    power = 10.0 ** math.floor(math.log10(span / about))
    step = next((k * power for k in (1, 2, 5) if span / (k * power) <= about), 10 * power)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(k * step, 12) for k in range(first, last + 1)]


def number(value: float) -> str:
    """A number for an axis: no more digits than it has."""
    return f"{value:.6g}"


def percent(value: float) -> str:
    """A share for an axis."""
    return f"{100 * value:.3g}%"


@dataclass(frozen=True)
class Axes:
    """The plane of a chart: what its left, right, lower and upper edges stand for."""

    x0: float
    x1: float
    y0: float
    y1: float

    def x(self, value: float) -> float:
        """Where a value lies from the left."""
        return LEFT + (value - self.x0) / ((self.x1 - self.x0) or 1) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Where a value lies from the top."""
        return HEIGHT - BOTTOM - (value - self.y0) / ((self.y1 - self.y0) or 1) * (HEIGHT - TOP - BOTTOM)

    def frame(self, *, x: str, y_text: Callable[[float], str] = number, x_ticks: Sequence[float] = ()) -> list[str]:
        """The lines and numbers behind a chart, and the name of its x axis."""
        parts = []
        for value in ticks(self.y0, self.y1):
            at = self.y(value)
            parts.append(f'<line class="grid" x1="{LEFT:g}" x2="{WIDTH - RIGHT:g}" y1="{at:.1f}" y2="{at:.1f}"/>')
            parts.append(_text(y_text(value), LEFT - 6, at + 4, anchor="end"))
        parts += [_text(number(value), self.x(value), HEIGHT - BOTTOM + 16) for value in x_ticks]
        return [*parts, _text(x, (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, kind="axis")]

    def bar(self, x0: float, x1: float, value: float, *, kind: str, title: str) -> str:
        """A bar between two places (from the left, in the picture's units) up to a value; what it is, on hovering."""
        top = self.y(value)
        size = f'x="{x0:.1f}" y="{top:.1f}" width="{max(0.5, x1 - x0):.1f}" height="{self.y(self.y0) - top:.1f}"'
        return f'<rect class="{kind}" {size}><title>{escape(title)}</title></rect>'


def _text(text: str, x: float, y: float, *, anchor: str = "middle", kind: str = "tick") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(parts: Sequence[str], *, label: str) -> str:
    head = f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label="{escape(label)}">'
    return "\n".join([head, *parts, "</svg>"])


def histogram(values: Sequence[float], names: Sequence[str], *, x: str, label: str) -> str:
    """How many values lie where; under the bars a stroke for each, if not too many, with its name on hovering."""
    low, high = min(values), max(values)
    pad = 0.02 * (high - low) or 0.05 * abs(low) or 1.0
    bins = max(1, min(24, round(2 * math.sqrt(len(values)))))
    axes = Axes(low - pad, high + pad, 0, 1)
    width = (axes.x1 - axes.x0) / bins
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, int((value - axes.x0) / width))] += 1
    axes = Axes(axes.x0, axes.x1, 0, max(counts))
    parts = axes.frame(x=x, x_ticks=ticks(axes.x0, axes.x1, about=7), y_text=_whole)
    for k, count in enumerate(counts):
        start = axes.x0 + k * width
        title = f"{start:.2f}–{start + width:.2f}: {count}"
        parts.append(axes.bar(axes.x(start) + 0.8, axes.x(start + width) - 0.8, count, kind="a", title=title))
    floor = HEIGHT - BOTTOM
    for value, name in zip(values, names, strict=True) if len(values) <= STROKES else ():
        at = axes.x(value)
        stroke = f'<line class="rug" x1="{at:.1f}" x2="{at:.1f}" y1="{floor:g}" y2="{floor + 5:g}">'
        parts.append(f"{stroke}<title>{escape(name)} {value:.3f}</title></line>")
    return _svg(parts, label=label)


def _whole(value: float) -> str:
    return number(value) if value == int(value) else ""


@dataclass(frozen=True)
class Bars:
    """One series of a chart of bars: its name, its class in the page's style, a share for each place."""

    name: str
    kind: str
    shares: Sequence[float]


def paired_bars(places: Sequence[str], series: Sequence[Bars], *, x: str, label: str) -> str:
    """Shares of several series side by side, one group for each place."""
    axes = Axes(0, len(places), 0, max([0.01, *(share for bars in series for share in bars.shares)]))
    parts = axes.frame(x=x, y_text=percent)
    every = max(1, math.ceil(len(places) / 16))
    group = axes.x(1) - axes.x(0)
    width = 0.8 * group / len(series)
    for k, place in enumerate(places):
        left = axes.x(k) + 0.1 * group
        for n, bars in enumerate(series):
            title = f"{place}: {bars.name} {bars.shares[k]:.1%}"
            start = left + n * width
            parts.append(axes.bar(start, start + width - 0.4, bars.shares[k], kind=bars.kind, title=title))
        if k % every == 0:
            parts.append(_text(place, axes.x(k + 0.5), HEIGHT - BOTTOM + 16))
    return _svg(parts, label=label)


@dataclass(frozen=True)
class Spot:
    """A point of a curve, and its standard error if there is one."""

    x: float
    y: float
    error: float | None = None


def curve(spots: Sequence[Spot], *, x: str, label: str) -> str:
    """A curve with a band of one standard error to each side."""
    low = min(spot.y - (spot.error or 0) for spot in spots)
    high = max(spot.y + (spot.error or 0) for spot in spots)
    pad = 0.08 * (high - low) or 0.1
    axes = Axes(spots[0].x - 0.5, spots[-1].x + 0.5, low - pad, high + pad)
    wholes = [value for value in ticks(spots[0].x, spots[-1].x, about=8) if value == int(value)]
    parts = axes.frame(x=x, x_ticks=wholes)
    upper = [f"{axes.x(spot.x):.1f},{axes.y(spot.y + (spot.error or 0)):.1f}" for spot in spots]
    lower = [f"{axes.x(spot.x):.1f},{axes.y(spot.y - (spot.error or 0)):.1f}" for spot in reversed(spots)]
    parts.append(f'<polygon class="band" points="{" ".join(upper + lower)}"/>')
    middle = " ".join(f"{axes.x(spot.x):.1f},{axes.y(spot.y):.1f}" for spot in spots)
    parts.append(f'<polyline class="curve" points="{middle}"/>')
    for spot in spots:
        spread = "" if spot.error is None else f" ± {spot.error:.3f}"
        dot = f'<circle class="dot" cx="{axes.x(spot.x):.1f}" cy="{axes.y(spot.y):.1f}" r="2.6">'
        parts.append(f"{dot}<title>{number(spot.x)}: {spot.y:.3f}{spread}</title></circle>")
    return _svg(parts, label=label)
