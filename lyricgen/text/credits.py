"""Tells the credits and notices of a lyric sheet from its sung lines."""

import re

# A credit's label names at least one of these …
_ROLES = """
    作词 作詞 填词 填詞 词 詞 原词 原詞 作曲 谱曲 譜曲 词曲 詞曲 曲 编曲 編曲 制作 製作 制作人 製作人
    监制 監製 出品 发行 發行 混音 缩混 录音 錄音 录制 錄製 母带 母帶 和声 和聲 和音
    演唱 原唱 翻唱 演奏 歌手 配唱 伴奏 配乐 配樂 歌名 歌曲名 专辑 專輯
    吉他 贝斯 貝斯 贝司 鼓 打击乐 打擊樂 键盘 鍵盤 钢琴 鋼琴 合成器 弦乐 弦樂 管乐 管樂
    小提琴 中提琴 大提琴 低音提琴
    二胡 古筝 古箏 琵琶 笛子 竹笛 笛 箫 唢呐 手风琴 口琴 萨克斯 小号 长号 长笛 圆号 双簧管
    统筹 統籌 企划 企劃 策划 策劃 宣传 宣傳 推广 推廣 营销 版权 版權 调音 調音 后期 後期
    音乐总监 音樂總監 人声编辑 封面设计 op sp isrc upc mixing mastering
"""
# … and otherwise only these, as in 音乐制作人, 第一小提琴, 混音工程师.
_MODIFIERS = """
    人 人员 人聲 人声 师 師 棚 室 工程 工程师 工程師 公司 工作室 助理 总监 總監 执行 執行 联合 聯合 艺人 藝人
    音乐 音樂 歌曲 声乐 编写 編寫 编辑 編輯 编 編 改编 改編 设计 設計 编程 編程 处理 處理 采样 指挥 首席 协力 協力
    经纪 營銷 单位 團隊 团队 乐团 樂團 乐队 第一 第二 电 電 木 民谣 古典 爵士 架子
    mix master program programming engineer cover
"""
_TOKENS = sorted((_ROLES + _MODIFIERS).split(), key=len, reverse=True)
_WORD = rf"(?>{'|'.join(_TOKENS)})"
_AND = r" *(?:[/／、&＆+,，·| ]|和|与|與|及) *"
_LABEL = re.compile(
    rf"[(（\[【]? *(?P<label>{_WORD}{{1,6}}+(?:{_AND}{_WORD}{{1,6}}+){{0,4}}+)"
    r" *(?:[(（][A-Za-z .&/-]{1,40}[）)])? *(?:[:：]|by\b).*",
    re.IGNORECASE,
)
_HAS_ROLE = re.compile("|".join(_ROLES.split()), re.IGNORECASE)

# No sung line begins with these words and a slash or space: 作词/方文山, 作曲 周杰伦.
_BARE = re.compile(
    r"(?:作词|作詞|作曲|填词|填詞|谱曲|譜曲|编曲|編曲|词曲|詞曲|制作人|製作人|监制|監製)(?: *[/／] *| +)\S{1,12}"
)

_MAKING = "written|composed|produced|arranged|mixed|mastered|recorded|performed|engineered|published|programmed"
_MAKERS = (
    "lyrics?|music|words|lyricist|composer|(?:co-|executive )?producer|arranger|arrangement|songwriters?|publisher"
    "|(?:backing )?vocals?|guitars?|bass|drums|piano|keyboards?|synth|strings|(?:recording|mix|mastering) engineer"
)
_ENGLISH = rf"(?:{_MAKING}|{_MAKERS})(?:(?: *[/&+,] *| and | )(?:{_MAKING}|{_MAKERS})){{0,3}}"
# "Written by" may open a sung line, and "Music:" one of prose: what follows must look like names.
_BY = re.compile(rf"[(（\[]? *(?i:{_ENGLISH}) *(?:(?P<sure>(?<= )(?i:by) *[:：])|(?<= )(?i:by)|[:：]) *(?P<names>.+)")
_NAMES = re.compile(r"(?:[A-Z0-9][\w.'’-]*+|[^\x00-\x7f]++|(?:and|feat\.?|de|van|von|da)\b|[ ,/&])++[)）\]]?")

_RIGHTS = re.compile(
    r".{0,12}(?:未经|未經).{0,20}(?:许可|授权|同意|許可|授權).{0,6}(?:不得|禁止|请勿|請勿|严禁|嚴禁).*"
    r"|[(（]?(?:©|℗|\([cp]\)) *(?:copyright *)?\d{4}.*",
    re.IGNORECASE,
)

_INSTRUMENTAL = re.compile(
    r"[\[(（【]? *(?:"
    r"[此该該本这這]?(?:首歌曲|首歌|歌曲|首|曲|音乐|音樂)?(?:为|為|是|系)?(?:一首)?(?:[没沒无無]有?填[词詞]的?)?"
    r"(?:纯音乐|純音樂)[，,。 ]*(?:敬?请您?|請您?)?(?:欣赏|欣賞|聆听|聆聽|享受)?"
    r"|(?:[此该該本](?:歌曲|歌|曲)(?:没有|沒有)|(?:[此该該本](?:歌曲|歌|曲))?(?:暂无|暫無))歌[词詞]"
    r"(?:[，,。 ].{0,30})?"
    r"|(?:this (?:song|track) is (?:an )?)?instrumental(?: (?:track|music|version|only))?"
    r") *[\])）】]?[。.！!~～ ]*",
    re.IGNORECASE,
)


def is_credit(line: str) -> bool:
    """Whether a line names who made the song: 作词：…, 词/曲：…, OP：…, "Lyrics by …"; not 我在作词的夜里."""
    if (label := _LABEL.fullmatch(line)) and _HAS_ROLE.search(label["label"]):
        return True
    if (by := _BY.fullmatch(line)) and (by["sure"] or _NAMES.fullmatch(by["names"])):
        return True
    return bool(_BARE.fullmatch(line) or _RIGHTS.fullmatch(line))


def is_title(line: str, *, title: str) -> bool:
    """Whether a line is the song's title with its singer, as players write it first: 星光 - 某人."""
    parts = re.fullmatch(r"(.{1,60}?) +[-–—] +(.{1,60})", line)
    return bool(parts and title and title.casefold() in map(str.casefold, (line, *parts.groups())))


def is_instrumental_notice(line: str) -> bool:
    """Whether a line only says that there is nothing to sing, such as 纯音乐，请欣赏."""
    return bool(_INSTRUMENTAL.fullmatch(line))
