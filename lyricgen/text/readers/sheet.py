"""Reads the lines of a lyric sheet: which are headings, which are sung, which part the sections."""

import re
from collections.abc import Iterable

from lyricgen.text.song import Section, SectionBuilder, heading_text

_NAMES = """
    verse chorus pre-chorus prechorus post-chorus postchorus pre-hook bridge intro outro hook rap interlude refrain
    guitar\\ solo solo instrumental break breakdown build drop coda ending spoken skit
    主歌 副歌 导歌 導歌 预副歌 預副歌 桥段 橋段 过渡 過渡 前奏 间奏 間奏 尾奏 尾声 尾聲 引子 过门 過門 高潮
    说唱 說唱 念白 独白 獨白 合唱
"""
_NAME = "|".join(sorted((name.replace("-", "[- ]") for name in re.findall(r"(?:\\ |\S)+", _NAMES)), key=len))
_NUMBER = r"[-# ]*(?:\d{1,2}|[ivx]{1,4}|[a-d]|[一二三四五六七八九十])"
_TIMES = r"[ (（]*(?:[x×*] ?\d{1,2}|\d{1,2} ?[x×]|[x×]?\d{1,2} ?[次遍])[)）]?"
_LABEL = rf"(?P<name>(?:repeat +|重复|重複)?(?:{_NAME})(?:{_NUMBER})?)(?:{_TIMES})?"
_SINGER = r"(?P<singer> *(?:[:：|,，]|[-–—]+) *[^\[\]【】]{1,40})?"
_OPEN, _CLOSE = r"[\[【(（〔<〈《]", r"[\]】)）〕>〉》]"

_HEADING = re.compile(
    # [Verse 1: Name], 【副歌】, (Chorus) x2
    rf"{_OPEN} *{_LABEL}{_SINGER} *{_CLOSE}(?:{_TIMES})?[:：]?"
    # 主歌:, Chorus：
    rf"|{_LABEL.replace('?P<name>', '?P<bare>')} *[:：]"
    # alone on its line only where nobody would sing it
    r"|(?P<alone>(?:主歌|副歌|导歌|導歌|前奏|间奏|間奏|尾奏)[ ]?[0-9一二三四A-D]?|(?:verse|chorus) \d)",
    re.IGNORECASE,
)
_LONGEST = 80


def heading_name(line: str) -> str:
    """The name of the section that a line heads; empty where the line is sung."""
    if len(line) > _LONGEST or not (heading := _HEADING.fullmatch(line)):
        return ""
    found = heading.groupdict()
    name = found["name"] or found["bare"] or found["alone"]
    name = re.sub(r"^(?:repeat +|重复|重複)", "", name, flags=re.IGNORECASE)
    return heading_text(name + (found["singer"] or ""))


def add_line(builder: SectionBuilder, line: str) -> None:
    """Adds one line of a sheet: empty, a heading, or sung."""
    line = line.strip()
    if not line:
        builder.blank()
    elif name := heading_name(line):
        builder.heading(name)
    else:
        builder.line(line)


def sheet_sections(lines: Iterable[str]) -> tuple[Section, ...]:
    """The sections of a whole sheet."""
    builder = SectionBuilder()
    for line in lines:
        add_line(builder, line)
    return builder.sections()
