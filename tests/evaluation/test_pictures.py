"""The pictures of a comparison: in both languages, named for what was measured."""

from dataclasses import replace
from pathlib import Path

import pytest

from lyricgen.evaluation.gradients import ContextUse
from lyricgen.evaluation.pictures import context, draw, fading, learning
from lyricgen.evaluation.run_record import Point, RunRecord, RunResult
from lyricgen.evaluation.standings import Standing
from lyricgen.model.config import ModelConfig

RECORD = RunRecord({}, 0.0, True, (1.0, 0.5, 0.0), (1.0, 0.8, 0.6), ContextUse((1, 2), (4.0, 3.0)), measured=True)
RUN = RunResult("gru", 0, Path("gru-0"), ModelConfig(8), 3.0, (Point(1.0, 10, 5.0), Point(2.0, 20, 4.0)), RECORD)
STANDING = Standing("gru", (RUN,))


def test_curves_are_those_that_were_measured() -> None:
    assert learning([STANDING], by="tokens", chinese=False).series == {"gru": [(10, 5.0), (20, 4.0)]}
    assert learning([STANDING], by="seconds", chinese=False).series == {"gru": [(1.0, 5.0), (2.0, 4.0)]}
    shown = fading([STANDING], chinese=False).series
    assert shown == {"gru, untrained": [(0, 1.0), (1, 0.5)], "gru": [(0, 1.0), (1, 0.8), (2, 0.6)]}
    assert context([STANDING], chinese=False).series == {"gru": [(1, 4.0), (2, 3.0)]}


def test_a_loss_is_called_what_it_is() -> None:
    trained = Standing("gru", (replace(RUN, held_out=False, record=replace(RECORD, held_out=False)),))
    for picture in (
        lambda each: learning(each, by="tokens", chinese=False),
        lambda each: context(each, chinese=False),
    ):
        assert picture([STANDING]).y == "held-out nats per character"
        assert picture([trained]).y == picture([STANDING, trained]).y == "training nats per character"


def test_labels_are_in_the_reader_s_language(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for chinese, words in (
        (True, ("学习曲线", "训练秒数", "留出文本，每字奈特")),
        (False, ("Learning", "seconds of training")),
    ):
        folder = tmp_path / str(chinese)
        folder.mkdir()
        drawn = draw([STANDING], folder, by="seconds", chinese=chinese)
        names = [name + kind for name in ("curves", "gradients", "context") for kind in (".png", ".svg")]
        assert [path.name for path in drawn] == names
        assert all((folder / name).stat().st_size > 1000 for name in names)
        text = (folder / "curves.svg").read_text(encoding="utf-8")
        assert all(f"<!-- {word} -->" in text for word in words)


def test_what_was_not_measured_is_not_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    bare = Standing("gru", (replace(RUN, record=replace(RECORD, fading=(), context=ContextUse())),))
    assert [path.name for path in draw([bare], tmp_path, by="tokens", chinese=False)] == ["curves.png", "curves.svg"]
