"""Pictures of what was measured."""

from collections.abc import Mapping, Sequence
from pathlib import Path


def curves(
    series: Mapping[str, Sequence[tuple[float, float]]],
    *,
    title: str,
    x: str,
    y: str,
    path: Path,
    log_y: bool = False,
) -> None:
    """Draws one line per named series of (x, y); the format is that of the path's suffix, .png or .svg."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for name, points in series.items():
        axes.plot([a for a, _ in points], [b for _, b in points], label=name)
    if log_y:
        axes.set_yscale("log")
    axes.set(title=title, xlabel=x, ylabel=y)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path)
