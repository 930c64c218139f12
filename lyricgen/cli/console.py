"""What commands say: results on standard output, all else on standard error."""

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO, cast

from lyricgen.errors import InputError


def use_utf8() -> None:
    """Makes the three streams UTF-8, whatever the system's code page."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            cast(Any, stream).reconfigure(encoding="utf-8", errors="replace")


def on_terminal(stream: TextIO | None) -> bool:
    """Whether somebody sees what goes to a stream as it comes."""
    return stream is not None and stream.isatty()


def note(*lines: str) -> None:
    """Says something that is not a result."""
    if sys.stderr is None:  # closed by the caller: nobody wants to know
        return
    with contextlib.suppress(OSError):
        for line in lines:
            print(line, file=sys.stderr)


@contextmanager
def one_speaks() -> Iterator[None]:
    """Where torchrun started several processes, keeps all but the first from saying anything.

    A traceback of theirs is still shown: it comes after this. As torchrun ends all of them when one has failed, the
    first is given a second to say why.
    """
    if os.environ.get("RANK", "0") == "0" or "MASTER_ADDR" not in os.environ:
        yield
        return
    with (
        Path(os.devnull).open("w", encoding="utf-8") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        try:
            yield
        except SystemExit as end:
            time.sleep(1.0 if end.code else 0.0)
            raise


def say(prompt: str) -> None:
    """Asks for something on the line that the answer will stand on."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            print(prompt, end="", file=sys.stderr, flush=True)


def show_json(data: dict[str, Any]) -> None:
    """Prints a result as one JSON object."""
    print(json.dumps(data, ensure_ascii=False))


def silence(stream: TextIO) -> None:
    """Sends what is still to be written to a closed pipe nowhere, so that Python does not complain at exit."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def check_new_file(path: Path | None, *, option: str = "--out") -> None:
    """Raises InputError where a file cannot be made at `path`: it exists, or its folder does not."""
    if path is None:
        return
    if path.exists():
        raise InputError(f"{path} exists already; choose another name for {option}")
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {path.parent}; make it, or choose another name for {option}")
