"""How the standings of a comparison are shown: tables, samples, one JSON object."""

import unicodedata
from collections.abc import Sequence
from typing import Any

from lyricgen.cli.language import tell
from lyricgen.errors import CheckpointError
from lyricgen.evaluation.compare import damage
from lyricgen.evaluation.contenders import count_parameters
from lyricgen.evaluation.run_record import SHORTEST, RunResult
from lyricgen.evaluation.standings import FAR, NEAR, Standing

BACK = 16  # steps back, whose gradient the table shows
WIDEST = 60  # characters of a line that a model, hardly trained, brings to no end


def tables(standings: Sequence[Standing], *, loss: float, start: str, failed: Sequence[RunResult] = ()) -> list[str]:
    """The figures for people, line by line; `failed` are the runs that came to nothing."""
    lines = _table([*_main_rows(standings, loss=loss), *_failed_rows(standings, failed)])
    for run in failed:
        lines.append(tell(f"{run.name}, seed {run.seed} failed: {run.record.failed}",
                          f"{run.name}，种子 {run.seed} 失败：{run.record.failed}"))  # fmt: skip
    lines.append("")
    lines += _text_of(standings)
    if rates := _rate_rows(standings):
        lines += [tell(f"What a step leaves of the gradient, {NEAR} to {FAR} steps back:",
                       f"{NEAR} 到 {FAR} 步前，梯度每退一步剩下的比例："), *_table(rates), ""]  # fmt: skip
    if standings[0].context:
        lines += [tell("Nats per character by the number of tokens read before:", "按前面读过的词元数，每字奈特："),
                  *_table(_context_rows(standings)), ""]  # fmt: skip
    for each in standings:
        lines += [f"{each.name}:", *(f"    {line}" for line in _sample(each, start))]
    return lines


def _sample(each: Standing, start: str) -> list[str]:
    """What a contender writes; where its model is damaged, what there is to do."""
    try:
        return [line[:WIDEST] for line in each.sample(start)]
    except CheckpointError as error:
        why = damage(error, each.runs[0].folder)
        return [tell(f"no sample: {why}", f"没有样例：{why}")]


def _text_of(standings: Sequence[Standing]) -> list[str]:
    """What was measured on the training text, where there was too little to hold out."""
    if not all(each.held_out for each in standings):
        return [tell("Too little text to hold any out: losses are those of the training text, and so are gradients "
                     "and the use of context.",
                     "文本太短，没有留出部分：损失、梯度和上文的用处都出自训练文本。"), ""]  # fmt: skip
    if not all(each.measured_held_out for each in standings):
        return [tell(f"Fewer than {SHORTEST} tokens are held out: gradients and the use of context are those of the "
                     "training text.",
                     f"留出的不到 {SHORTEST} 个词元：梯度和上文的用处出自训练文本。"), ""]  # fmt: skip
    return []


def to_json(
    standings: Sequence[Standing], *, loss: float, start: str, failed: Sequence[RunResult] = ()
) -> dict[str, Any]:
    """The figures as a JSON object."""
    return {
        "loss": loss,
        "start": start,
        "models": [_model(each, loss=loss, start=start) for each in standings],
        "failed": [{"name": run.name, "seed": run.seed, "why": run.record.failed} for run in failed],
    }


def _model(each: Standing, *, loss: float, start: str) -> dict[str, Any]:
    """A contender's figures and what it writes; where its model is damaged, why it writes nothing."""
    try:
        told: dict[str, Any] = {"sample": list(each.sample(start))}
    except CheckpointError as error:
        told = {"sample": [], "damaged": damage(error, each.runs[0].folder)}
    return {**each.to_json(loss=loss), **told}


def _main_rows(standings: Sequence[Standing], *, loss: float) -> list[list[str]]:
    back = min(BACK, *(len(each.fading) - 1 for each in standings))
    head = [tell("model", "模型"), tell("parameters", "参数"), tell("nats per character", "每字奈特"),
            tell("tokens/s", "词元/秒"), tell(f"seconds to {loss:.3f}", f"到 {loss:.3f} 的秒数"),
            tell(f"gradient {back} back / 0 back, untrained → trained",
                 f"{back} 步前的梯度 / 0 步前的，训练前 → 后")]  # fmt: skip
    rows = [head]
    for each in standings:
        spread = f" ± {each.deviation:.4f}" if each.deviation is not None else ""
        rows.append([each.name, f"{each.parameters:,}", f"{each.nats:.4f}{spread}",
                     f"{each.speed:,.0f}" if each.speed else "–", _time(each, loss),
                     f"{_share(each.fading_before, back)} → {_share(each.fading, back)}"])  # fmt: skip
    return rows


def _failed_rows(standings: Sequence[Standing], failed: Sequence[RunResult]) -> list[list[str]]:
    """Rows for those of whose runs none succeeded."""
    others = {run.name: run.network for run in failed if run.name not in {each.name for each in standings}}
    return [[name, f"{count_parameters(network):,}", tell("failed", "失败")] for name, network in others.items()]


def _rate_rows(standings: Sequence[Standing]) -> list[list[str]]:
    """What a step leaves of each model's gradient; nothing where the text was too short to measure that."""
    rates = [(each.name, each.rate_before, each.rate) for each in standings]
    if all(before is None and after is None for _, before, after in rates):
        return []
    head = [tell("model", "模型"), tell("untrained", "训练前"), tell("trained", "训练后")]
    shown = [[name, *("–" if rate is None else f"{rate:.3f}" for rate in both)] for name, *both in rates]
    return [head, *shown]


def _time(each: Standing, loss: float) -> str:
    seconds, reached = each.seconds_to(loss)
    if seconds is None:
        return tell("never", "未到")
    some = f" ({reached}/{len(each.runs)})" if reached < len(each.runs) else ""
    return f"{seconds:,.1f}{some}"


def _share(norms: Sequence[float], back: int) -> str:
    return f"{norms[back] / norms[0]:.1e}" if 0 < back < len(norms) and norms[0] else "–"


def _context_rows(standings: Sequence[Standing]) -> list[list[str]]:
    lengths = list(standings[0].context)
    rows = [[tell("model", "模型"), *map(str, lengths)]]
    for each in standings:
        rows.append([each.name, *(f"{each.context[length]:.3f}" for length in lengths if length in each.context)])
    return rows


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns as wide as their widest cell, the first flush left, the others flush right."""
    columns = max(map(len, rows))
    widths = [max(_width(row[k]) for row in rows if k < len(row)) for k in range(columns)]
    lines = []
    for row in rows:
        gaps = [" " * (widths[k] - _width(cell)) for k, cell in enumerate(row)]
        cells = [cell + gap if k == 0 else gap + cell for k, (cell, gap) in enumerate(zip(row, gaps, strict=True))]
        lines.append("  ".join(cells).rstrip())
    return lines


def _width(text: str) -> int:
    """Columns on a terminal, where a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
