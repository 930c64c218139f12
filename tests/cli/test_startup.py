"""Help costs nothing: neither torch nor jieba is imported for it."""

import os
import subprocess
import sys

import pytest

from lyricgen.cli import console, cores

HEAVY = ("torch", "jieba", "rjieba", "numpy", "pypinyin", "safetensors", "tqdm", "matplotlib", "sacrebleu")
PROBE = """
import sys
sys.argv = ["lyricgen", *{arguments!r}]
try:
    from lyricgen.cli.app import main
    main()
except SystemExit as end:
    assert not end.code, end.code
print("LOADED", *sorted(name for name in {heavy!r} if name in sys.modules))
"""


def probe(*arguments: str, **environment: str) -> str:
    code = PROBE.format(arguments=list(arguments), heavy=HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True, env=os.environ | environment
    )
    return done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("--version",),
        *(
            (name, "--help")
            for name in ("train", "generate", "evaluate", "check", "compare", "plot", "info", "rhymes", "write")
        ),
    ],
)
def test_help_loads_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert probe(*arguments).splitlines()[-1] == "LOADED"


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = f"import sys, lyricgen; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_speaks_the_users_language() -> None:
    chinese = probe("generate", "--help", LC_ALL="zh_CN.UTF-8")
    assert "写一首或几首歌" in chinese
    assert "Write a song" in probe("generate", "--help", LC_ALL="C.UTF-8")
    assert "lyricgen generate --start 星星" in chinese


@pytest.mark.parametrize(
    "command",
    [
        "train",
        "generate",
        "write",
        "vocab",
        "corpus",
        "evaluate",
        "next",
        "check",
        "compare",
        "plot",
        "info",
        "rhymes",
    ],
)
@pytest.mark.parametrize("language", ["C.UTF-8", "zh_CN.UTF-8"])
def test_every_help_has_examples(command: str, language: str) -> None:
    assert probe(command, "--help", LC_ALL=language).count(f"lyricgen {command}") >= 3  # the usage line and two more


@pytest.mark.parametrize(
    ("given", "spins"), [({}, "1000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "active"}, "None")]
)
def test_waiting_threads_spin_briefly_unless_the_user_says_otherwise(given: dict[str, str], spins: str) -> None:
    code = "import os; from lyricgen.cli import cores; cores.share_cores(); print(os.environ.get('GOMP_SPINCOUNT'))"
    clean = {k: v for k, v in os.environ.items() if k not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=clean | given)
    assert done.stdout.strip() == spins


def test_the_shell_completes_commands() -> None:
    asked = {"_LYRICGEN_COMPLETE": "complete_bash", "COMP_WORDS": "lyricgen ge", "COMP_CWORD": "1"}
    code = "import sys; sys.argv = ['lyricgen']; from lyricgen.cli.app import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | asked)
    assert done.stdout.split() == ["generate"]


@pytest.mark.parametrize(
    ("given", "threads"),
    [
        ({}, None),
        ({"LOCAL_WORLD_SIZE": "2", "OMP_NUM_THREADS": "1"}, "3"),  # torchrun's own choice
        ({"LOCAL_WORLD_SIZE": "2", "OMP_NUM_THREADS": "2"}, "2"),  # the user's
        ({"LOCAL_WORLD_SIZE": "16", "OMP_NUM_THREADS": "1"}, "1"),
        ({"LOCAL_WORLD_SIZE": "1", "OMP_NUM_THREADS": "1"}, "1"),
    ],
)
def test_processes_of_one_machine_share_its_cores(
    given: dict[str, str], threads: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cores, "_cores", lambda: 7)
    monkeypatch.setattr(os, "environ", given)
    cores.share_cores()
    assert given.get("OMP_NUM_THREADS") == threads


def test_one_of_several_processes_speaks(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for rank in "01":
        monkeypatch.setattr(os, "environ", {"RANK": rank, "MASTER_ADDR": "here"})
        with console.one_speaks():
            print("result", rank)
            console.note(f"note {rank}")
    assert capsys.readouterr() == ("result 0\n", "note 0\n")
