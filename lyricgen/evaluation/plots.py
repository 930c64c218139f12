"""Pictures of runs and songs, as PNG or SVG: curves, shares, neighbouring words. matplotlib is loaded when drawn."""

import importlib.util
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lyricgen.errors import InputError, OptionError
from lyricgen.evaluation.neighbours import Neighbours
from lyricgen.model.checkpoint import write_whole
from lyricgen.text.resources import FONT, resource

if TYPE_CHECKING:  # an extra, loaded when something is drawn
    from matplotlib.axes import Axes

FORMATS = (".png", ".svg")
COLOURS = ("#2b62c4", "#d9480f", "#2f9e6e", "#8a5cc2", "#b8860b", "#17a2b8", "#c2427e", "#5c6470")
INK, SOFT, LINE = "#1d2127", "#5c6470", "#e2dfd9"
FONTS = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "PingFang SC", "Hiragino Sans GB",
    "Microsoft YaHei", "STHeiti", "Heiti SC", "SimHei", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei",
    "Noto Sans CJK JP", "Droid Sans Fallback", "Arial Unicode MS",
)  # fmt: skip


def check_picture(path: Path) -> None:
    """Raises OptionError where matplotlib is missing or the file is neither .png nor .svg."""
    if path.suffix.lower() not in FORMATS:
        raise OptionError(f"a picture is {' or '.join(FORMATS)}, got {path.name!r}; choose such a name")
    if importlib.util.find_spec("matplotlib") is None:
        raise OptionError("plots need matplotlib; install it with: pip install 'lyricgen[plots]'")


def curves(
    series: Mapping[str, Sequence[tuple[float, float]]],
    *,
    title: str,
    x: str,
    y: str,
    path: Path,
    log_y: bool = False,
) -> None:
    """Draws lines through points, one for each name; points that are no numbers are left out.

    `x` and `y` name the axes. Raises as `check_picture` does, and InputError where there is no point.
    """
    shown = {name: [(a, b) for a, b in points if _drawable(b, log_y)] for name, points in series.items()}
    if not any(shown.values()):
        raise InputError(f"there is nothing to draw in {path.name}: no point has a value")
    with _drawing(path, title=title, x=x, y=y) as axes:
        from matplotlib.ticker import EngFormatter, NullFormatter

        for name, points in shown.items():
            if points:
                xs, ys = zip(*points, strict=True)
                axes.plot(
                    xs, ys, label=_label(name), marker="o" if len(points) < 40 else "", markersize=3.5, linewidth=1.8
                )
        if log_y:
            axes.set_yscale("log")
            low, high = axes.get_ylim()
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_formatter("{x:g}" if high < 10 * low else NullFormatter())
        if max(abs(a) for points in shown.values() for a, _ in points) >= 10_000:
            axes.xaxis.set_major_formatter(EngFormatter(sep=""))  # 50k, 1M
        axes.grid(axis="y")
        if len(shown) > 1:
            axes.legend()


def _label(name: str) -> str:
    return f" {name}" if name.startswith("_") else name  # matplotlib hides what begins with a line


def _drawable(value: float, log_y: bool) -> bool:
    return math.isfinite(value) and (value > 0 or not log_y)


def shares(
    counts: Mapping[str, Mapping[Any, int]], *, places: Mapping[Any, str], title: str, x: str, y: str, path: Path
) -> None:
    """Draws bars side by side: which share of each name's counts falls on which place, of those that have a name.

    Raises as `curves` does.
    """
    totals = {name: sum(each.get(place, 0) for place in places) for name, each in counts.items()}
    if not any(totals.values()):
        raise InputError(f"there is nothing to draw in {path.name}: nothing was counted")
    with _drawing(path, title=title, x=x, y=y) as axes:
        width = 0.8 / len(counts)
        for k, (name, each) in enumerate(counts.items()):
            at = [place - 0.4 + (k + 0.5) * width for place in range(len(places))]
            axes.bar(
                at, [100 * each.get(place, 0) / max(1, totals[name]) for place in places], width, label=_label(name)
            )
        axes.set_xticks(range(len(places)), list(places.values()))
        axes.yaxis.set_major_formatter("{x:g}%")
        axes.grid(axis="y")
        if len(counts) > 1:
            axes.legend()


def neighbours(found: Neighbours, *, title: str, path: Path) -> None:
    """Draws a word and the tokens near it in the plane, larger and darker the nearer. Raises as `curves` does."""
    with _drawing(path, title=title, x="", y="", size=(7, 6.2)) as axes:
        low, high = found.points.min(axis=0), found.points.max(axis=0)
        pad = 0.08 * (high - low) + 1e-6
        axes.set(
            xlim=(low[0] - pad[0], high[0] + pad[0]), ylim=(low[1] - pad[1], high[1] + pad[1]), xticks=[], yticks=[]
        )
        axes.axis("off")
        closest, furthest = found.cosines[0], found.cosines[-1]
        sizes, colours = [19.0], [COLOURS[1]]
        for cosine in found.cosines:
            near = (cosine - furthest) / ((closest - furthest) or 1)
            sizes.append(10.5 + 4.5 * near)
            colours.append(INK if near > 0.4 else SOFT)
        names = (found.word, *found.tokens)
        places = _apart(found, sizes, axes)
        for (px, py), (tx, ty), name, size, colour in zip(found.points, places, names, sizes, colours, strict=True):
            axes.plot([px, tx], [py, ty], color=LINE, linewidth=0.8, zorder=1)
            axes.plot([px], [py], marker="o", markersize=2.2, color=colour, zorder=2)
            axes.text(tx, ty, name, fontsize=size, color=colour, ha="center", va="center", zorder=3)


def _apart(found: Neighbours, sizes: Sequence[float], axes: "Axes") -> list[tuple[float, float]]:
    """Where the names are written: above their points, pushed apart until they hardly overlap."""
    to_pixels, dpi = axes.transData, axes.figure.dpi
    names = (found.word, *found.tokens)
    heights = [size * dpi / 72 * 1.15 for size in sizes]
    widths = [
        height * max(0.6, sum(1.0 if ord(character) > 0x2E7F else 0.58 for character in name))
        for height, name in zip(heights, names, strict=True)
    ]
    at = [
        [float(px), float(py) + height * 0.75]
        for (px, py), height in zip(to_pixels.transform(found.points), heights, strict=True)
    ]
    for _ in range(200):
        moved = False
        for i, j in combinations(range(len(at)), 2):
            dx, dy = at[j][0] - at[i][0], at[j][1] - at[i][1]
            across, along = (widths[i] + widths[j]) / 2 - abs(dx), (heights[i] + heights[j]) / 2 - abs(dy)
            if across <= 0 or along <= 0:
                continue
            moved = True
            axis, by, sign = (1, along, dy) if along < across else (0, across, dx)
            push = math.copysign(by / 2 + 0.5, sign)
            at[i][axis] -= push
            at[j][axis] += push
        if not moved:
            break
    return [(float(a), float(b)) for a, b in to_pixels.inverted().transform(at)]


@contextmanager
def _drawing(path: Path, *, title: str, x: str, y: str, size: tuple[float, float] = (7.0, 4.2)) -> Iterator["Axes"]:
    """Axes to draw on; the picture is written whole when the context ends without an error."""
    check_picture(path)
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    with matplotlib.rc_context(_style()), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # see `missing`
        figure = Figure(figsize=size, dpi=160, layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12))
        axes = figure.add_subplot()
        axes.set_title(title, loc="left", color=INK, fontsize=13, pad=12)
        axes.set_xlabel(x)
        axes.set_ylabel(y)
        yield axes
        kind = path.suffix.lower()[1:]
        metadata = {"Date": None} if kind == "svg" else {}
        write_whole(path, lambda temporary: figure.savefig(temporary, format=kind, metadata=metadata))


def _style() -> Any:
    from cycler import cycler

    return {
        "font.family": list(font_families()),
        "font.size": 11,
        "axes.unicode_minus": False,
        "axes.prop_cycle": cycler(color=COLOURS),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": SOFT,
        "axes.labelcolor": SOFT,
        "axes.axisbelow": True,
        "xtick.color": SOFT,
        "ytick.color": SOFT,
        "grid.color": LINE,
        "legend.frameon": False,
        "svg.hashsalt": "lyricgen",
        "text.parse_math": False,  # a dollar in a name is a dollar
    }


@cache
def font_families() -> tuple[str, ...]:
    """A font of the system that has Chinese, else the small one that lyricgen brings along; then one for the rest."""
    from matplotlib.font_manager import FontProperties, fontManager

    there = {font.name for font in fontManager.ttflist}
    for name in FONTS:
        if name in there:
            return name, "DejaVu Sans"
    own = str(resource(FONT))
    fontManager.addfont(own)
    return FontProperties(fname=own).get_name(), "DejaVu Sans"


def missing(text: str) -> str:
    """The characters of a text that no font at hand can show, each once. Raises as `curves` does."""
    from matplotlib.font_manager import FontProperties, fontManager, get_font

    fonts = [get_font(fontManager.findfont(FontProperties(family=name))) for name in font_families()]
    known = set().union(*(font.get_charmap() for font in fonts))
    return "".join(dict.fromkeys(character for character in text if ord(character) not in known))
