"""Plans: what each notation means, worked out by hand, and what is wrong with bad ones."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lyricgen.errors import InputError, OptionError
from lyricgen.generation.plan import LinePlan, Plan
from lyricgen.text.readers import parse_lrc
from lyricgen.text.song import Section, Song


def lengths(plan: Plan) -> list[int | None]:
    return [line.length for line in plan.lines]


def groups(plan: Plan) -> list[int | None]:
    return [line.rhyme for line in plan.lines]


def opens(plan: Plan) -> list[int]:
    return [number for number, line in enumerate(plan.lines) if line.opens]


def test_nothing_asked_is_a_free_song() -> None:
    assert Plan.parse() == Plan()
    assert Plan.parse(words="海边，星光", mood=" 忧伤 ").lines == ()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"pattern": "7,7,5,5"}, [7, 7, 5, 5, 7, 7, 5, 5]),
        ({"pattern": "7"}, [7] * 8),
        ({"pattern": "7,6,5"}, [7, 6, 5] * 3),
        ({"pattern": "1,2,3,4,5,6,7,8,9"}, [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ({"pattern": "７，７、5 5"}, [7, 7, 5, 5, 7, 7, 5, 5]),
        ({"pattern": "7,7,5", "lines": 5}, [7, 7, 5, 7, 7]),
        ({"pattern": "7,5", "acrostic": "一二三四五六七八九"}, [7, 5] * 5),
        ({"rhyme": "AABBA"}, [None] * 10),
        ({"tones": "平平仄仄平,仄仄平"}, [5, 3] * 4),
        ({"acrostic": "我爱 你！"}, [None] * 3),
        ({"lines": 3}, [None] * 3),
        ({"rhyme_class": "ang"}, [None] * 8),
    ],
)
def test_how_many_lines_and_how_long(options: dict[str, Any], expected: list[int | None]) -> None:
    assert lengths(Plan.parse(**options)) == expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("7,7,/,5,5", [2, 4, 6]),
        ("7,7/5,5", [2, 4, 6]),
        ("7,7,5,5", []),
        ("7,7,5,5,/", [4]),
        ("/,7,7,5,5", [4]),
        ("7,7,//,5,5", [2, 4, 6]),
    ],
)
def test_a_slash_is_a_blank_line_and_parts_repetitions(pattern: str, expected: list[int]) -> None:
    plan = Plan.parse(pattern=pattern)
    assert len(plan.lines) == 8
    assert opens(plan) == expected


@pytest.mark.parametrize(
    ("scheme", "lines", "expected"),
    [
        ("AABB", 8, [0, 0, 1, 1, 2, 2, 3, 3]),
        ("ABAB", 4, [0, 1, 0, 1]),
        ("xaxa", 4, [None, 0, None, 0]),
        ("AABA", 4, [0, 0, None, 0]),
        ("ABCD", 8, [None] * 8),
        ("Ａ，Ａ，Ｂ，Ｂ", 4, [0, 0, 1, 1]),
        ("AABB", 7, [0, 0, 1, 1, 2, 2, None]),
        ("A", 4, [None] * 4),
    ],
)
def test_letters_become_groups_anew_in_each_repetition(scheme: str, lines: int, expected: list[int | None]) -> None:
    assert groups(Plan.parse(rhyme=scheme, lines=lines)) == expected


@pytest.mark.parametrize(
    ("scheme", "expected"),
    [("AABB", [0, 0, 1, 1, 0, 0, 1, 1]), ("ABCX", [0, 1, 2, None, 0, 1, 2, None]), ("", [0] * 8), ("A", [0] * 8)],
)
def test_one_rhyme_holds_through_the_song(scheme: str, expected: list[int | None]) -> None:
    assert groups(Plan.parse(rhyme=scheme, lines=8, one_rhyme=True)) == expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"rhyme": "AABB", "rhyme_class": "江阳"}, {0: "江阳", 1: "江阳", 2: "江阳", 3: "江阳"}),
        ({"rhyme": "AABB", "rhyme_class": "ang,i"}, {0: "江阳", 1: "一七", 2: "江阳", 3: "一七"}),
        ({"rhyme": "ABCAAC", "rhyme_class": "ang，un, ü", "lines": 6}, {0: "江阳", 1: "人辰", 2: "一七"}),
        ({"rhyme": "XAXA", "rhyme_class": "江陽轍", "lines": 4}, {0: "江阳"}),
        ({"rhyme": "AA", "rhyme_class": "ui", "lines": 2}, {0: "灰堆"}),
        ({"rhyme": "AA", "rhyme_class": "i", "rhyme_table": 14, "lines": 2}, {0: "齐"}),
        ({"rhyme_class": "唐", "rhyme_table": 14, "lines": 4}, {0: "唐"}),
    ],
)
def test_fixed_classes(options: dict[str, Any], expected: dict[int, str]) -> None:
    assert dict(Plan.parse(**options).classes) == expected


def test_heads_tones_and_words() -> None:
    plan = Plan.parse(acrostic="我爱你", tones="仄平,仄仄,中●", words="海边 星光、海边,red car", lines=4)
    assert [line.head for line in plan.lines] == ["我", "爱", "你", ""]
    assert [line.tones for line in plan.lines] == ["仄平", "仄仄", "中仄", "仄平"]
    assert plan.words == ("海边", "星光", "red car")
    assert Plan.parse(acrostic="长", tones="平仄").lines[0].head == "长"  # cháng or zhǎng


def test_a_form_repeats_its_chorus_and_gives_verses_new_words() -> None:
    plan = Plan.parse(form="主歌1，副歌、主歌2,副歌", pattern="7,7,5,5", rhyme="AABB")
    assert lengths(plan) == [7, 7, 5, 5] * 3 + [None] * 4
    assert groups(plan) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, None, None, None, None]
    assert [line.repeats for line in plan.lines] == [None] * 12 + [4, 5, 6, 7]
    assert {number: line.section for number, line in enumerate(plan.lines) if line.section} == {
        0: "主歌1", 4: "副歌", 8: "主歌2", 12: "副歌",
    }  # fmt: skip
    assert opens(plan) == [4, 8, 12]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"form": "Verse,Chorus,Verse", "pattern": "7,7,7/5,5"}, [7, 7, 7, 5, 5, 7, 7, 7]),
        ({"form": "A,B,C", "pattern": "7/5,5"}, [7, 5, 5, 7]),
        ({"form": "主歌,桥段"}, [None] * 8),
        ({"form": "主歌,桥段", "pattern": "7,5"}, [7, 5, 7, 5] * 2),
        ({"form": "主歌,桥段", "pattern": "7,6,5"}, [7, 6, 5] * 2),
        ({"form": "主歌", "tones": "平平仄,仄仄"}, [3, 2, 3, 2]),
        ({"form": "主歌,副歌", "lines": 10}, [None] * 10),
    ],
)
def test_how_long_the_sections_of_a_form_are(options: dict[str, Any], expected: list[int | None]) -> None:
    assert lengths(Plan.parse(**options)) == expected


def test_a_scheme_longer_than_a_section_goes_on_in_the_next_kind() -> None:
    plan = Plan.parse(form="主歌,副歌,主歌", pattern="7,7,7,7/5,5,5,5", rhyme="AABBXAXA")
    assert groups(plan) == [0, 0, 1, 1, None, 2, None, 2, 3, 3, 4, 4]


def test_a_form_goes_on_until_there_are_lines_enough() -> None:
    plan = Plan.parse(form="主歌,Hook", lines=14)
    assert [line.repeats for line in plan.lines] == [None] * 12 + [4, 5]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"pattern": "0"}, "'0'"),
        ({"pattern": "7,a"}, "'a'"),
        ({"pattern": "7,-5"}, "'-5'"),
        ({"pattern": "7.5"}, "'7.5'"),
        ({"pattern": "61"}, "1 to 60"),
        ({"pattern": "7,,5"}, "''"),
        ({"pattern": "/"}, "no line"),
        ({"pattern": ","}, "no line"),
        ({"pattern": ",".join(["7"] * 10_000)}, "10000 lines"),
        ({"pattern": "9" * 5000}, "…"),
        ({"rhyme": "A1"}, "AABB"),
        ({"rhyme": "，"}, "AABB"),
        ({"rhyme": "AB" * 1000}, "2000 lines"),
        ({"rhyme_class": "xyz"}, "江阳 (ang iang uang)"),
        ({"rhyme_class": "江阳", "rhyme_table": 14}, "唐 (ang iang uang)"),
        ({"rhyme_table": 15}, "13 or 14"),
        ({"rhyme": "AABB", "rhyme_class": "ang,i,a"}, "3 rhyme classes for 2 rhymes"),
        ({"acrostic": "！"}, "no character"),
        ({"acrostic": "我爱你", "lines": 2}, "3 characters, and the song 2 lines"),
        ({"acrostic": "我" * 2000}, "2000 lines"),
        ({"acrostic": "我", "tones": "平平"}, "我 is never 平"),
        ({"tones": "平平", "pattern": "5"}, "5 characters cannot have the 2 tones"),
        ({"tones": "ping"}, "平平仄仄平"),
        ({"tones": "，"}, "平平仄仄平"),
        ({"tones": "平" * 61}, "at most 60"),
        ({"words": ","}, "words"),
        ({"words": "海边,,星光"}, "words"),
        ({"words": "海边,！"}, "words"),
        ({"words": "海边的星光", "pattern": "4,3"}, "5 characters long, and no line more than 4"),
        ({"form": ","}, "form"),
        ({"form": "主歌,,副歌"}, "form"),
        ({"form": "副歌,副歌", "acrostic": "我爱你和他"}, "line 5, which repeats line 1"),
        ({"lines": -1}, "-1"),
        ({"lines": 1001}, "1001"),
    ],
)
def test_bad_wishes_are_one_clear_line(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionError) as caught:
        Plan.parse(**options)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


SIGNS = st.text(st.one_of(st.sampled_from("7,5/，、 AaXxB平仄中副歌主歌ang江阳我;\n"), st.characters()), max_size=12)


@example({"rhyme": "A", "rhyme_class": "U"})
@given(
    st.fixed_dictionaries(
        {},
        optional={
            **dict.fromkeys(("pattern", "rhyme", "rhyme_class", "acrostic", "tones", "words", "form"), SIGNS),
            "one_rhyme": st.booleans(),
            "near": st.booleans(),
            "rhyme_table": st.sampled_from([13, 14]),
            "lines": st.integers(-1, 30),
        },
    )
)
def test_any_text_makes_a_plan_or_an_option_error(options: dict[str, Any]) -> None:
    try:
        plan = Plan.parse(**options)
    except OptionError as error:
        assert "\n" not in str(error)
        return
    hash(plan)
    if options.get("lines"):
        assert len(plan.lines) == options["lines"]
    found = groups(plan)
    # A line that rhymes with no other has a class that was given.
    assert all(found.count(group) > 1 or group in plan.classes for group in found if group is not None)
    assert set(plan.classes) <= set(found)
    assert plan.describe()
    assert plan.describe(chinese=True)


@given(
    pattern=st.lists(st.integers(1, 60), min_size=1, max_size=6),
    scheme=st.text("ABX", min_size=1, max_size=5),
    lines=st.integers(1, 20),
    one_rhyme=st.booleans(),
)
def test_lengths_and_groups_follow_the_rule(pattern: list[int], scheme: str, lines: int, one_rhyme: bool) -> None:
    plan = Plan.parse(pattern=",".join(map(str, pattern)), rhyme=scheme, lines=lines, one_rhyme=one_rhyme)
    assert lengths(plan) == [pattern[number % len(pattern)] for number in range(lines)]
    named = [(0 if one_rhyme else n // len(scheme), scheme[n % len(scheme)]) for n in range(lines)]
    for name, line in zip(named, plan.lines, strict=True):
        mates = {mate.rhyme for other, mate in zip(named, plan.lines, strict=True) if other == name}
        asks = name[1] != "X" and named.count(name) > 1
        assert mates == {line.rhyme}
        assert (line.rhyme is not None) == asks
    used = {line.rhyme for line in plan.lines} - {None}
    assert used == set(range(len(used)))
    assert len(used) == len({name for name in named if name[1] != "X" and named.count(name) > 1})


def test_a_line_copies_an_earlier_one() -> None:
    with pytest.raises(OptionError, match="repeat an earlier one"):
        Plan((LinePlan(repeats=0),))


SHEET = """[ti:星光]
[ar:某人]
[offset:200]

[00:00.00]星光 - 某人
[00:00.50]作词：某人
[00:01.00]作曲：某人
[00:12.00]走过长长的街
[00:17.2]没有人等着我
[00:20.000]
[00:21.10][00:45.10]你是我的星光
[00:23.50][00:47.50]照亮远的地方
[00:30.00]
[00:31.00]桥段：
[00:33.00]你是我的星光！
[00:36.00]<00:36.00>在<00:36.50>我身旁
"""


def test_the_plan_of_an_lrc() -> None:
    plan = Plan.like(parse_lrc(SHEET))
    assert lengths(plan) == [6, 6, 6, 6, None, 4]
    assert groups(plan) == [None, None, 0, 0, None, 0]  # the last line rhymes with the refrain before it
    assert [line.repeats for line in plan.lines] == [None, None, None, None, 2, None]
    assert [line.section for line in plan.lines] == ["", "", "", "", "桥段", ""]
    assert opens(plan) == [2, 4]
    assert [line.times for line in plan.lines] == [
        ("[00:12.00]",),
        ("[00:17.2]",),
        ("[00:21.10]", "[00:45.10]"),
        ("[00:23.50]", "[00:47.50]"),
        ("[00:33.00]",),
        ("[00:36.00]",),
    ]


SONG = Song(
    (
        Section(("开着窗听下雨", "等你回到家里", "桌上的花开了", "夜晚又深又长"), "主歌"),
        Section(("啦啦啦", "……", "我们一起唱歌", "唱到月亮坠落"), "副歌"),
        Section(("走路的人回家", "院子里有树花"), "主歌"),
        Section(("啦啦啦", "我们一起唱歌", "唱到月亮坠落"), "副歌"),
    )
)


def test_the_plan_of_a_song() -> None:
    plan = Plan.like(SONG, words="海边", mood="忧伤", style="民谣", acrostic="我爱你", rhyme_class="ang")
    assert lengths(plan) == [6, 6, 6, 6, 3, 6, 6, 6, 6, None, None, None]
    # 雨 and 里 rhyme, 歌 and 落; 家 and 花
    assert groups(plan) == [0, 0, None, None, None, 1, 1, 2, 2, None, None, None]
    assert [line.repeats for line in plan.lines][9:] == [4, 5, 6]
    assert opens(plan) == [4, 7, 9]
    assert [line.head for line in plan.lines][:4] == ["我", "爱", "你", ""]
    assert dict(plan.classes) == dict.fromkeys(range(3), "江阳")
    assert (plan.words, plan.mood, plan.style) == (("海边",), "忧伤", "民谣")


def test_equal_ends_are_no_rhyme_and_near_ones_only_if_asked() -> None:
    assert groups(Plan.like(Song((Section(("我的心上人", "远方的亲人")),)))) == [None, None]
    far = Song((Section(("天上的蓝", "海上的浪")),))
    assert groups(Plan.like(far)) == [None, None]
    assert groups(Plan.like(far, near=True)) == [0, 0]


def test_english_lines_count_syllables_and_rhyme_by_sound() -> None:
    song = Song((Section(("I walk alone tonight", "Under the yellow light", "Remember me", "A melody")),))
    plan = Plan.like(song)
    assert lengths(plan) == [6, 6, 4, 4]
    assert groups(plan) == [0, 0, 1, 1]


def test_files_to_be_like(tmp_path: Path) -> None:
    lrc, text = tmp_path / "a.lrc", tmp_path / "a.txt"
    lrc.write_text(SHEET, encoding="gb18030")
    text.write_text(SHEET, encoding="utf-8")
    assert Plan.like(lrc) == Plan.like(str(text)) == Plan.like(parse_lrc(SHEET))
    text.write_text("作词：某人\n\n[主歌]\n一二三\n四五\n", encoding="utf-8")
    assert lengths(Plan.like(text)) == [3, 2]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.txt", "", "has no lyrics"),
        ("a.txt", "……\n！\n", "has no lyrics"),
        ("a.lrc", "[ti:星光]\n[00:01.00]\n", "has no lyrics"),
        ("a.txt", "=== 一\n\n你好\n\n=== 二\n\n再见\n", "more than one song"),
        ("a.txt", "天\n" * 1001, "1001 lines"),
        ("a.txt", "天" * 61, "line 1 has 61 characters"),
        ("a.json", "{", "broken JSON"),
    ],
)
def test_files_that_no_plan_can_be_taken_from(tmp_path: Path, name: str, text: str, said: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        Plan.like(path)


def test_a_missing_file_and_an_acrostic_too_long(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        Plan.like(tmp_path / "none.txt")
    with pytest.raises(OptionError, match="13 characters, and the song 12 lines"):
        Plan.like(SONG, acrostic="我" * 13)


def test_the_table_shows_what_was_asked_and_nothing_else() -> None:
    plan = Plan.parse(pattern="7,/,5", rhyme="AA", rhyme_class="ang", acrostic="我", lines=2, near=True, mood="忧伤")
    assert plan.describe() == [
        "line  length  rhyme   head",
        "1     7       A 江阳  我",
        "",
        "2     5       A 江阳",
        "",
        "mood: 忧伤",
        "near rhymes: an/ang, en/eng, in/ing",
    ]
    assert plan.describe(chinese=True)[:2] == ["行  字数  韵      首字", "1   7     A 江阳  我"]
    assert Plan.like(parse_lrc(SHEET)).describe()[-3:] == [
        "",
        "5     桥段" + " " * 20 + "3             [00:33.00]",
        "6              4       A" + " " * 20 + "[00:36.00]",
    ]
    assert Plan().describe() == ["the song is free"]


def test_letters_for_many_groups_leave_out_x() -> None:
    rows = Plan.parse(rhyme="AA", lines=104).describe()
    shown = [row.split()[1] for row in rows[1::2]]
    assert shown[22:27] == ["W", "Y", "Z", "A2", "B2"]


def test_a_plan_needs_no_torch() -> None:
    code = "import sys, lyricgen; lyricgen.Plan.parse(pattern='7', rhyme='AA'); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
