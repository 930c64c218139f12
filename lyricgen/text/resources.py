"""What travels with the program: inside the installed package, or beside it in a source tree."""

from pathlib import Path

FONT = "fonts/lyricgen-cjk.otf"  # for Chinese where the system has no font of its own

_PACKAGE = Path(__file__).resolve().parent.parent


def resource(name: str) -> Path:
    """The path of something that comes with lyricgen, such as `data/songbook`."""
    installed = _PACKAGE / "resources" / name
    return installed if installed.exists() else _PACKAGE.parent / name


def songbook() -> Path:
    """The folder of original songs that lyricgen trains on where it is given nothing else."""
    return resource("data/songbook")
