"""The language of the help: Chinese where the locale is Chinese, else English."""

import locale
import os


def is_chinese() -> bool:
    """Whether the user's locale is Chinese, by the environment as POSIX ranks it, or by the system's setting."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return value.lower().startswith("zh")
    try:
        system = locale.getlocale()[0] or ""
    except ValueError:
        return False
    return system.lower().startswith(("zh", "chinese"))


CHINESE = is_chinese()


def tell(english: str, chinese: str) -> str:
    """The one of two texts that suits the user."""
    return chinese if CHINESE else english
