"""lyricgen: trains small recurrent language models on song lyrics and writes new ones, offline.

The public names are loaded when they are first used, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what the names below are, for those who read types
    from lyricgen.errors import LyricgenError
    from lyricgen.generation.constraints import Form
    from lyricgen.generation.lyricist import Lyricist, load
    from lyricgen.generation.plan import Plan
    from lyricgen.generation.sampler import SamplingConfig
    from lyricgen.text.corpus import Corpus
    from lyricgen.text.song import Song

__version__ = "0.1.0"
__all__ = ["Corpus", "Form", "LyricgenError", "Lyricist", "Plan", "SamplingConfig", "Song", "load"]

_HOMES = {
    "Corpus": "lyricgen.text.corpus",
    "Form": "lyricgen.generation.constraints",
    "Lyricist": "lyricgen.generation.lyricist",
    "LyricgenError": "lyricgen.errors",
    "Plan": "lyricgen.generation.plan",
    "SamplingConfig": "lyricgen.generation.sampler",
    "Song": "lyricgen.text.song",
    "load": "lyricgen.generation.lyricist",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'lyricgen' has no attribute {name!r}")
