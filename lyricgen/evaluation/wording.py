"""What the measures of written songs are called and what they mean, in both languages."""

from dataclasses import dataclass

from lyricgen.evaluation.copies import ORDERS, RUN, TOLD
from lyricgen.evaluation.metrics import BLEU_SONGS, DISTINCT


@dataclass(frozen=True)
class Wording:
    """A text in English and in Chinese."""

    english: str
    chinese: str

    def __call__(self, *, chinese: bool) -> str:
        return self.chinese if chinese else self.english


@dataclass(frozen=True)
class Meaning:
    """A measure's name and the sentence that says what it is."""

    name: Wording
    sentence: Wording


def _meaning(name: str, chinese_name: str, sentence: str, chinese_sentence: str) -> Meaning:
    return Meaning(Wording(name, chinese_name), Wording(sentence, chinese_sentence))


MEANINGS: dict[str, Meaning] = {
    "distinct_1": _meaning(
        "distinct-1", "distinct-1（不同单字）",
        "Different characters, as a share of all that were written; low where a model uses few words. "
        "It falls as a text grows, so the songs of people are cut to the same length.",
        "不同的字占所有字的比例；用字少则低。文本越长它越低，所以对照的歌截到同样的长度。",
    ),
    "self_bleu": _meaning(
        "self-BLEU", "self-BLEU（自相似）",
        f"How alike the songs are, from 0 to 1: each against all the others, of at most {BLEU_SONGS}. "
        "High where a model writes the same song again and again.",
        f"各首歌彼此有多像（0 到 1）：每一首与其余各首相比，最多取 {BLEU_SONGS} 首。总写同一首歌则高。",
    ),
    "repeated_lines": _meaning(
        "repeated lines", "重复的行",
        "Lines that stand word for word earlier in their own song, as a chorus does.",
        "在同一首歌里前面已经出现过的行，例如副歌。",
    ),
    "lines_per_song": _meaning(
        "lines per song", "每首行数", "Sung lines of a song, on average.", "平均每首歌的行数。"
    ),
    "line_length": _meaning(
        "line length", "行长",
        "Characters of a line on average; a Latin word or a digit counts as one.",
        "平均每行的字数；一个拉丁字母的词、一个数字各算一个。",
    ),
    "rhyme_rate": _meaning(
        "rhyming neighbours", "相邻押韵",
        "Neighbouring lines of a section that end in one of the thirteen rhyme classes together, and in different "
        "characters.",
        "同一段里相邻两行，行末同属十三辙的一辙而又不是同一个字的比例。",
    ),
    "rhyme_chance": _meaning(
        "rhymes by chance", "随机押韵",
        "How often two line ends of these songs, drawn at random, would rhyme: what the rate above has to beat.",
        "从这些歌里随机取两个行末，碰巧押韵的比例：上面的比例要高于它才有意义。",
    ),
    "same_ends": _meaning(
        "same last character", "行末同字",
        "Neighbouring lines that end in one and the same character, which counts as no rhyme.",
        "相邻两行以同一个字结尾的比例，不算押韵。",
    ),
    "copied_lines": _meaning(
        "copied lines", "照抄的行",
        "Lines that stand in the training songs, spaces and punctuation aside.",
        "在训练用的歌里原样出现过的行（不计空格和标点）。",
    ),
}  # fmt: skip
for _n in DISTINCT[1:]:
    MEANINGS[f"distinct_{_n}"] = _meaning(
        f"distinct-{_n}", f"distinct-{_n}（不同的 {_n} 字串）",
        f"Different runs of {_n} characters, as a share of all; low where a model repeats itself.",
        f"不同的 {_n} 字串占所有 {_n} 字串的比例；总重复自己则低。",
    )  # fmt: skip
for _n in ORDERS:
    MEANINGS[f"copied_{_n}"] = _meaning(
        f"copied runs of {_n}", f"照抄的 {_n} 字串",
        f"Runs of {_n} characters that stand in the training songs; those of people show how much is common speech.",
        f"在训练用的歌里出现过的 {_n} 字串；人写的歌一栏说明有多少只是常用的话。",
    )  # fmt: skip

COPIED = Wording(
    f"Underlined: runs of {RUN} or more characters that stand word for word in a training song.",
    f"加下划线的是在训练用的歌里一字不差出现过的、{RUN} 个字以上的句子。",
)
HEAD = Wording(" written      text", "    写出      文本")
UNKNOWN_TRAINING = Wording(
    "what the model learned from is not known here: name those songs with --train to see what it copies",
    "不知道模型学过哪些歌：用 --train 指出来，才看得出它抄了什么",
)
FROM_INDEX = Wording(
    "what is copied is told by the model's index of its training songs, which knows runs of "
    f"{', '.join(map(str, TOLD[:-1]))} and {TOLD[-1]} characters; name the songs with --train for shorter ones and "
    "lines",
    f"照抄的比例由模型的训练歌词索引得出，只有 {'、'.join(map(str, TOLD))} 字串；"
    "要看更短的和整行，用 --train 指出那些歌",
)
PARTIAL_INDEX = Wording(
    "the index lacks the songs that the model was trained on first: more may be copied than it tells",
    "索引里没有模型最初训练用的歌词：照抄的可能更多",
)
NOT_HELD_OUT = Wording(
    "more than half of this text stands in the training songs: it is not held out, and its figures flatter the model",
    "这份文本有一半以上是训练时见过的：它不是留出的文本，数字会偏好看",
)
