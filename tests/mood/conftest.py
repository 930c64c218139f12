"""Labelled texts that can be learned: each class has its words, and each text some that say nothing."""

import random

import pytest

from lyricgen.mood.data import Example, Labelled

WORDS = {
    "喜": ["开心", "大笑", "跳舞", "太阳"],
    "悲": ["眼泪", "离开", "冷雨", "夜里"],
    "怒": ["拳头", "吼叫", "砸门", "滚开"],
}
FILLERS = ["今天", "我们", "桌子", "一个", "走过", "看见", "街上"]


def write_examples(count: int, *, seed: int = 0, classes: tuple[str, ...] = ("喜", "悲", "怒")) -> list[Example]:
    """`count` different texts, the classes in turn."""
    rng = random.Random(seed)
    made: dict[str, str] = {}
    while len(made) < count:
        label = classes[len(made) % len(classes)]
        words = rng.choices(FILLERS, k=5) + rng.choices(WORDS[label], k=2)
        rng.shuffle(words)
        made["".join(words)] = label
    return [Example(text, label) for text, label in made.items()]


@pytest.fixture(scope="session")
def data() -> Labelled:
    """Ninety texts of three classes."""
    return Labelled(tuple(write_examples(90)), ("喜", "怒", "悲"))
