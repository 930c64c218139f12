"""The command line: the table of commands, and the one place where an error becomes a line and an exit code."""

import functools
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import typer

from lyricgen import __version__
from lyricgen.cli import (
    check,
    compare,
    corpus,
    evaluate,
    generate,
    info,
    mood,
    next_tokens,
    plot,
    rhymes,
    train,
    vocab,
    write,
)
from lyricgen.cli.console import note, one_speaks, silence, use_utf8
from lyricgen.cli.cores import share_cores
from lyricgen.cli.language import tell
from lyricgen.errors import LyricgenError

COMMANDS: dict[str, Callable[..., Any]] = {
    "train": train.train,
    "generate": generate.generate,
    "write": write.write,
    "vocab": vocab.vocab,
    "corpus": corpus.corpus,
    "next": next_tokens.next_tokens,
    "evaluate": evaluate.evaluate,
    "plot": plot.plot,
    "compare": compare.compare,
    "check": check.check,
    "info": info.info,
    "rhymes": rhymes.rhymes,
}

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=tell(
        "Trains small language models on song lyrics and writes new ones, offline.\n\n\b\n"
        "lyricgen generate --start 星星        write a song\n"
        "lyricgen train my-songs/ --minutes 5  learn from your own\n"
        "lyricgen vocab my-songs/              see what words they are made of",
        "用歌词训练小模型，离线写新歌。\n\n\b\n"
        "lyricgen generate --start 星星        写一首歌\n"
        "lyricgen train my-songs/ --minutes 5  学你自己的歌\n"
        "lyricgen vocab my-songs/              看它们由哪些词组成",
    ),
)


def guarded(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose expected failures become one line on standard error and an exit status."""

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        try:
            command(*arguments, **options)
            if sys.stdout is not None:
                sys.stdout.flush()
        except typer.Exit:  # a RuntimeError, too
            raise
        except LyricgenError as error:
            fail(str(error))
        except (MemoryError, RuntimeError) as error:
            from lyricgen.training.memory import lacks_memory

            if not lacks_memory(error):
                raise
            fail("there is not enough memory; close other programs, or give less text or a smaller model")
        except BrokenPipeError:
            silence(sys.stdout)
            raise typer.Exit(1) from None
        except OSError as error:
            silence(sys.stdout)
            fail(f"{error.filename or 'the output'}: {error.strerror or error}; choose another file or folder")
        except UnicodeEncodeError:
            fail("a name or text is not valid UTF-8; rename or retype it")
        except KeyboardInterrupt:
            note("lyricgen: interrupted")
            raise typer.Exit(130) from None

    return run


def fail(message: str) -> NoReturn:
    """Ends the command with one line and status 1."""
    note("lyricgen: " + " ".join(message.split("\n")).encode("utf-8", "replace").decode("utf-8"))
    raise typer.Exit(1)


for name, command in COMMANDS.items():
    app.command(name)(guarded(command))

moods = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help=mood.HELP)
for name, subcommand in mood.COMMANDS.items():
    moods.command(name)(guarded(subcommand))
app.add_typer(moods, name="mood")


def _version(value: bool) -> None:
    if value:
        print(f"lyricgen {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help=tell("Print the version.", "显示版本。")
    ),
) -> None:
    pass


def main() -> None:
    """Runs the command line. Exit status: 0 done, 1 an expected failure, 2 wrong usage, 130 interrupted."""
    use_utf8()
    share_cores()
    with one_speaks():
        try:
            app()
        except KeyboardInterrupt:
            note("lyricgen: interrupted")
            sys.exit(130)
