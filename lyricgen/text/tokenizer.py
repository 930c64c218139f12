"""Text into tokens: single characters, or words with the line breaks between them."""

import logging
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path

from lyricgen.errors import OptionError

LEVELS = ("char", "word")

Segmenter = Callable[[str], Iterable[str]]


@dataclass(frozen=True)
class Tokenizer:
    """How a text is cut. At word level `segmenter` names the library and `version` the one that was used."""

    level: str = "char"
    segmenter: str = ""
    version: str = ""

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise OptionError(f"level must be char or word, got {self.level!r}")
        if self.segmenter not in (SEGMENTERS if self.level == "word" else ("", *SEGMENTERS)):
            raise OptionError(f"segmenter must be one of {', '.join(SEGMENTERS)}, got {self.segmenter!r}")

    @classmethod
    def of_level(cls, level: str) -> "Tokenizer":
        """The tokenizer for a level: words by rjieba where it is installed (many times faster), else by jieba."""
        if level != "word":
            return cls(level)
        segmenter = "rjieba" if find_spec("rjieba") else "jieba"
        return cls(level, segmenter, metadata.version(segmenter))

    def split(self, text: str) -> list[str]:
        """The pieces of a text; joined they give the text back, character for character."""
        if self.level == "char":
            return list(text)
        segment = load_segmenter(self.segmenter)
        pieces: list[str] = []
        for number, line in enumerate(text.split("\n")):
            if number:
                pieces.append("\n")
            pieces.extend(segment(line))
        return pieces


def _jieba() -> Segmenter:
    from platformdirs import user_cache_dir

    with warnings.catch_warnings(action="ignore"):  # of its age: escapes in its strings, pkg_resources
        import jieba  # half a second for its dictionary: only for those who cut words

    jieba.setLogLevel(logging.CRITICAL)  # a cache that cannot be written is no error: it is made anew each time
    cache = Path(user_cache_dir("lyricgen"))
    try:
        cache.mkdir(parents=True, exist_ok=True)
        jieba.dt.tmp_dir = str(cache)
    except OSError:
        pass  # a home that cannot be written: jieba falls back to the system's temporary folder
    cut: Segmenter = jieba.lcut
    return cut


def _rjieba() -> Segmenter:
    if not find_spec("rjieba"):
        return _jieba()  # the same words on all but one line in thirty thousand
    cut: Segmenter = import_module("rjieba").cut
    return cut


SEGMENTERS: dict[str, Callable[[], Segmenter]] = {"jieba": _jieba, "rjieba": _rjieba}
_loaded: dict[str, Segmenter] = {}


def load_segmenter(name: str) -> Segmenter:
    """A function that cuts one line into words, loaded once a process."""
    if name not in _loaded:
        _loaded[name] = SEGMENTERS[name]()
    return _loaded[name]
