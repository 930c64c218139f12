"""The pictures of a comparison: the curves, the gradients by distance, the loss by context."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lyricgen.evaluation import plots
from lyricgen.evaluation.standings import Curve, Standing
from lyricgen.evaluation.wording import Wording

HELD_OUT_LOSS = Wording("held-out nats per character", "留出文本，每字奈特")
TRAINING_LOSS = Wording("training nats per character", "训练文本，每字奈特")
LEARNING = Wording("Learning", "学习曲线")
READ = {"seconds": Wording("seconds of training", "训练秒数"), "tokens": Wording("tokens read", "读过的词元")}
FADING = Wording("How the gradient fades", "梯度随距离消失")
BACK = Wording("steps back, k", "往前的步数 k")
UNTRAINED = Wording("untrained", "训练前")
CONTEXT = Wording("How much context helps", "上文有多大用处")
READ_BEFORE = Wording("tokens read before", "前面读过的词元数")


@dataclass(frozen=True)
class Picture:
    """A picture that is not drawn yet: its curves by name, its title, its axes."""

    series: Mapping[str, Curve]
    title: str
    x: str
    y: str
    log_y: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether there is something to draw under every name."""
        return all(self.series.values())

    def draw(self, path: Path) -> None:
        """Draws it as a .png or an .svg. Raises as `plots.curves` does."""
        plots.curves(self.series, title=self.title, x=self.x, y=self.y, path=path, log_y=self.log_y)


def learning(standings: Sequence[Standing], *, by: str, chinese: bool) -> Picture:
    """The losses over the `seconds` or the `tokens` of training."""
    loss = HELD_OUT_LOSS if all(each.held_out for each in standings) else TRAINING_LOSS
    series = {each.name: each.curve(by=by) for each in standings}
    return Picture(series, LEARNING(chinese=chinese), READ[by](chinese=chinese), loss(chinese=chinese))


def fading(standings: Sequence[Standing], *, chinese: bool) -> Picture:
    """How the gradient fades with distance, before training and after."""
    series: dict[str, Curve] = {}
    for each in standings:
        series[f"{each.name}, {UNTRAINED(chinese=chinese)}"] = _positive(each.fading_before)
        series[each.name] = _positive(each.fading)
    return Picture(series, FADING(chinese=chinese), BACK(chinese=chinese), "‖∂L(t) / ∂x(t−k)‖", log_y=True)


def context(standings: Sequence[Standing], *, chinese: bool) -> Picture:
    """The loss by the number of tokens that are read before."""
    loss = HELD_OUT_LOSS if all(each.measured_held_out for each in standings) else TRAINING_LOSS
    series = {each.name: list(each.context.items()) for each in standings}
    return Picture(series, CONTEXT(chinese=chinese), READ_BEFORE(chinese=chinese), loss(chinese=chinese))


def draw(standings: Sequence[Standing], folder: Path, *, by: str, chinese: bool) -> list[Path]:
    """Draws all three into a folder, as .png and as .svg; those of which something was measured."""
    pictures = {
        "curves": learning(standings, by=by, chinese=chinese),
        "gradients": fading(standings, chinese=chinese),
        "context": context(standings, chinese=chinese),
    }
    drawn = [(picture, folder / (name + kind)) for name, picture in pictures.items() for kind in plots.FORMATS
             if picture.is_whole]  # fmt: skip
    for picture, path in drawn:
        picture.draw(path)
    return [path for _, path in drawn]


def _positive(norms: Sequence[float]) -> Curve:
    return [(k, norm) for k, norm in enumerate(norms) if norm > 0]
