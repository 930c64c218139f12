"""How lines sound: lengths, rhyme classes in the reading of the phrase, tones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypinyin import Style, pinyin

from lyricgen.errors import OptionError
from lyricgen.text.phonetics import (
    FOURTEEN,
    THIRTEEN,
    Table,
    character_sounds,
    characters_with,
    count_units,
    finals,
    line_end,
    line_rhyme,
    line_units,
    named_class,
    near_classes,
    rhyme_class,
    tones,
)


@pytest.mark.parametrize(
    ("line", "units"),
    [
        ("星星在天上", 5),
        ("我 love 你，really！", 4),
        ("don't stop", 2),
        ("你是No.1 24小时", 8),
        ("ＡＢ１", 2),
        ("……", 0),
        ("𠮷〇", 2),
    ],
)
def test_length(line: str, units: int) -> None:
    assert count_units(line) == units


@pytest.mark.parametrize(
    ("line", "thirteen", "fourteen"),
    [
        ("回家", "发花", "麻"),
        ("唱歌", "梭坡", "波"),
        ("白雪", "乜斜", "皆"),
        ("自己", "一七", "齐"),
        ("下雨", "一七", "齐"),
        ("不知", "一七", "支"),
        ("写诗", "一七", "支"),
        ("生日", "一七", "支"),
        ("孔子", "一七", "支"),
        ("第二", "一七", "齐"),
        ("走路", "姑苏", "姑"),
        ("大海", "怀来", "开"),
        ("春水", "灰堆", "微"),
        ("小鸟", "遥条", "豪"),
        ("杨柳", "油求", "尤"),
        ("从前", "言前", "寒"),
        ("永远", "言前", "寒"),
        ("白云", "人辰", "文"),
        ("月光", "江阳", "唐"),
        ("英雄", "中东", "庚"),
        ("歌声", "中东", "庚"),
    ],
)
def test_classes(line: str, thirteen: str, fourteen: str) -> None:
    assert rhyme_class(line) == {thirteen}
    assert rhyme_class(line, table=FOURTEEN) == {fourteen}


@pytest.mark.parametrize(
    ("line", "classes"),
    [
        ("我们真快乐", {"梭坡"}),
        ("听音乐", {"乜斜"}),
        ("银行", {"江阳"}),
        ("不行", {"中东"}),
        ("快樂", {"梭坡"}),
        ("开在山坡的花儿。", {"一七", "发花"}),
        ("儿", {"一七"}),
        ("说再见！ ", {"言前"}),
        ("我爱you", set()),
        ("你是 1", set()),
        ("嗯", set()),
        ("", set()),
        ("𠀂", set()),
        ("天𠀂", set()),
    ],
)
def test_readings_belong_to_phrases(line: str, classes: set[str]) -> None:
    assert rhyme_class(line) == classes


@pytest.mark.parametrize("table", [THIRTEEN, FOURTEEN])
def test_every_final_has_one_class(table: Table) -> None:
    finals = " ".join(table.values()).split()
    assert len(finals) == len(set(finals))
    assert set(finals) == set(" ".join(THIRTEEN.values()).split())


def test_tones() -> None:
    assert tones("故事的小黄花") == ["仄", "仄", None, "仄", "平", "平"]
    assert tones("我爱you，真的") == ["仄", "仄", "平", None]
    assert tones("") == []


@given(st.text(st.sampled_from("重来快乐音行长大都还得了着地的一不花儿𠀂〇㐂a，1 "), max_size=20))
def test_readings_are_those_of_pypinyin(line: str) -> None:
    read = pinyin(line, style=Style.TONE3, errors=lambda text: ["?"] * len(text), neutral_tone_with_five=True)
    marks = {"1": "平", "2": "平", "3": "仄", "4": "仄"}
    han = [syllable for char, (syllable,) in zip(line, read, strict=True) if char not in "a，1 "]
    assert tones(line) == [marks.get(syllable[-1]) for syllable in han]


@given(st.text(max_size=30))
def test_any_line_has_a_length_classes_and_tones(line: str) -> None:
    assert len(tones(line)) <= count_units(line) <= len(line) * 18
    assert len(rhyme_class(line)) <= 2


@pytest.mark.parametrize(
    ("line", "units", "end", "rhyme"),
    [
        ("我 love 你，really！", 4, "really", {"IY L IY", "IH L IY"}),
        ("Tonight I'm alright!", 5, "alright", {"AY T"}),
        ("24 hours, 你", 4, "你", {"一七"}),
        ("room 24", 3, "4", set()),
        ("开在山坡的花儿", 7, "儿", {"一七", "发花"}),
        ("……", 0, "", set()),
    ],
)
def test_lines_of_either_language(line: str, units: int, end: str, rhyme: set[str]) -> None:
    assert line_units(line) == units
    assert line_end(line) == end
    assert line_rhyme(line) == rhyme


def test_near_classes_rhyme_if_asked() -> None:
    assert not line_rhyme("天上的蓝") & line_rhyme("海上的浪")
    assert line_rhyme("天上的蓝", near=True) & line_rhyme("海上的浪", near=True)
    assert line_rhyme("风声", near=True, table=FOURTEEN) == {"文", "庚"}
    assert near_classes("江阳") == {"言前", "江阳"}
    assert near_classes("发花") == {"发花"}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("江阳", "江阳"), ("江陽", "江阳"), ("江阳辙", "江阳"), ("ang", "江阳"), ("ＡＮＧ", "江阳"), ("iang", "江阳"),
        ("un", "人辰"), ("ui", "灰堆"), ("iu", "油求"), ("ü", "一七"), ("v", "一七"), ("üe", "乜斜"), ("ong", "中东"),
    ],
)  # fmt: skip
def test_classes_by_name_and_by_final(name: str, found: str) -> None:
    assert named_class(name) == found


def test_a_class_that_there_is_not() -> None:
    with pytest.raises(OptionError, match=r"江阳 \(ang iang uang\)"):
        named_class("唐")
    assert named_class("唐", table=FOURTEEN) == "唐"


def test_sounds_of_single_characters() -> None:
    assert {tone for _, tone in character_sounds("长")} == {"平", "仄"}
    assert character_sounds("𠀂") == frozenset()
    assert {"光", "亮", "行"} <= characters_with({"ang", "iang", "uang"})
    assert "山" not in characters_with({"ang", "iang", "uang"})
    assert finals("我爱you月") == ["uo", "ai", "ve"]


@given(st.text(max_size=30))
def test_lines_with_han_count_as_before(line: str) -> None:
    assert line_units(line + "天") == count_units(line + "天")
    assert len(line_end(line)) <= 3 * len(line) * 18
    if rhyme_class(line):
        assert line_rhyme(line) == rhyme_class(line)
