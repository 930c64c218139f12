"""Credits and notices are told from what is sung."""

import pytest

from lyricgen.text.credits import is_credit, is_instrumental_notice, is_title


@pytest.mark.parametrize(
    "line",
    [
        "作词：某人",
        "作曲 : 某人",
        "作词 某人",
        "作词/某人",
        "詞：某人 曲：某人",
        "词/曲：某人",
        "词曲：某人",
        "词：某人",
        "曲：",
        "作词、作曲：某人",
        "编曲: Some One/另一人",
        "音乐制作人：某人",
        "制作人/监制：某人",
        "混音工程师：某人@某棚",
        "母带处理：某人",
        "录音室：某某录音棚",
        "和声编写：某人",
        "人声录音师：某人",
        "第一小提琴：某人",
        "吉他：某人",
        "贝斯（Bass）：某人",
        "鼓：某人",
        "出品：某某文化",
        "联合出品人：某人",
        "发行公司：某某唱片",
        "演唱：某人",
        "原唱：某人",
        "（原唱：某人）",
        "OP：Some Music",
        "SP: Some Music Ltd.",
        "OP/SP：某某版权",
        "ISRC: TW-A00-00-00000",
        "企划统筹：某人",
        "作词 by 某人",
        "Lyrics by: someone",
        "Lyrics by John Smith",
        "Written by John Smith & Jane Doe",
        "LYRICS BY JOHN SMITH",
        "Composed by：某人",
        "Produced by J. Smith",
        "Lyrics and Music by John Smith",
        "Mixing Engineer: John Smith",
        "Producer: John Smith",
        "Music: J. Smith",
        "【未经著作权人书面许可 不得翻唱】",
        "© 2020 Some Label",
    ],
)
def test_credits(line: str) -> None:
    assert is_credit(line)


@pytest.mark.parametrize(
    "line",
    [
        "我在作词的夜里",
        "词不达意",
        "曲终人散",
        "编曲的人啊你在哪里",
        "鼓声响起",
        "制作人生的电影",
        "他说：我爱你",
        "我说: 词不达意",
        "第一：我爱你",
        "人：你是谁",
        "男：你在哪里",
        "合：我们的歌",
        "词",
        "作词作到天亮",
        "录音机里的旧时光",
        "未经你的许可 我爱上了你",
        "ROMEO:",
        "ROMEO: But soft, what light",
        "First Musician:",
        "Musician: Because musicians have no gold",
        "Written by the hand of God",
        "written in the stars",
        "Music: the food of love, play on",
        "Words, words, words",
        "Produced by fear and by desire",
        "bass in my heart",
        "by the river",
        "10:30 在车站",
        "",
    ],
)
def test_sung_lines(line: str) -> None:
    assert not is_credit(line)


@pytest.mark.parametrize(
    "line",
    ["作词" * 5000, "制作人" * 5000 + "x", "作词 " * 5000, "Written by " + "A" * 20000 + "!a", "Lyrics " * 5000],
)
def test_long_lines_are_judged_at_once(line: str) -> None:
    assert not is_credit(line)
    assert not is_instrumental_notice(line)


@pytest.mark.parametrize(
    "line",
    [
        "纯音乐，请欣赏",
        "纯音乐,请您欣赏",
        "此歌曲为没有填词的纯音乐，请您欣赏",
        "該歌曲為純音樂",
        "暂无歌词",
        "该歌曲暂无歌词，请欣赏",
        "Instrumental",
        "(Instrumental)",
        "[instrumental version]",
        "This song is an instrumental",
    ],
)
def test_instrumental_notices(line: str) -> None:
    assert is_instrumental_notice(line)


@pytest.mark.parametrize(
    "line", ["像纯音乐一样安静", "没有歌词的歌", "没有歌词", "an instrumental night", "音乐", "请欣赏"]
)
def test_lines_about_music_are_sung(line: str) -> None:
    assert not is_instrumental_notice(line)


@pytest.mark.parametrize(
    ("line", "title", "answer"),
    [
        ("星光 - 某人", "星光", True),
        ("某人 - 星光", "星光", True),
        ("Stars – Someone", "stars", True),
        ("某人 - 星光", "某人 - 星光", True),
        ("星光", "星光", False),
        ("星光 - 某人", "", False),
        ("星光-某人", "星光", False),
        ("so long - goodbye", "stars", False),
    ],
)
def test_title_lines(line: str, title: str, answer: bool) -> None:
    assert is_title(line, title=title) is answer
