"""New words under old time tags."""

import pytest

from lyricgen.errors import OptionError
from lyricgen.generation.lrc_out import lrc_text
from lyricgen.generation.plan import LinePlan, Plan
from lyricgen.text.readers import parse_lrc
from lyricgen.text.readers.lrc import TimedLine

OLD = """[ti:星光]
[offset:200]

[00:00.50]作词：某人
[00:01.00]作曲：某人
[00:12.00]走过长街
[00:20.000]
[00:21.10][00:45.10]你来了
[00:33.00]你走了
"""


def test_pauses_metadata_and_every_tag_stay() -> None:
    plan = Plan.like(parse_lrc(OLD))
    new = lrc_text(plan, ["新的一行", "新二", "新三"])
    assert new == (
        "[ti:星光]\n[offset:200]\n\n[00:01.00]作曲：某人\n[00:12.00]新的一行\n[00:20.000]\n"
        "[00:21.10][00:45.10]新二\n[00:33.00]新三\n"
    )
    assert parse_lrc(new).lines[-1] == TimedLine(44.9, "新二")


def test_tags_of_a_plan_made_by_hand() -> None:
    plan = Plan((LinePlan(times=("[00:01.00]",)), LinePlan()))
    assert lrc_text(plan, ["a", "b"]) == "[00:01.00]a\nb\n"


@pytest.mark.parametrize(("plan", "lines"), [(Plan.parse(lines=1), ["a"]), (Plan.like(parse_lrc(OLD)), ["a"])])
def test_what_cannot_be_written(plan: Plan, lines: list[str]) -> None:
    with pytest.raises(OptionError, match="time tags"):
        lrc_text(plan, lines)
