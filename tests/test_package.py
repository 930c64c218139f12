"""The wheel carries what the program needs to run from anywhere."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lyricgen.text.resources import songbook

ROOT = Path(__file__).parent.parent
STARTER = ("README.md", "config.json", "history.jsonl", "model.safetensors", "novelty.bin", "vocab.json")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--wheel-dir", str(folder), str(ROOT)], check=True, capture_output=True)
    (found,) = folder.glob("lyricgen-*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """The wheel unpacked; Python that is started in this folder finds its package before any other."""
    folder = wheel.parent / "installed"
    subprocess.run([sys.executable, "-m", "zipfile", "-e", str(wheel), str(folder)], check=True)
    return folder


def python(installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=installed, capture_output=True, encoding="utf-8", check=True
    )


def test_the_wheel_has_the_licences_the_fonts_and_the_starter(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {*archive.namelist()}
    for notice in ("licenses/LICENSE", "licenses/data/LICENSE", "licenses/data/english/LICENSE"):
        assert any(name.endswith(notice) for name in names)
    fonts = {f"lyricgen/resources/fonts/{name}" for name in ("lyricgen-cjk.otf", "OFL.txt")}
    assert fonts <= names
    assert {f"lyricgen/resources/checkpoints/starter/{name}" for name in STARTER} <= names


def test_the_songbook_travels_inside_the_wheel(installed: Path) -> None:
    code = "from lyricgen.text.corpus import Corpus; from lyricgen.text.resources import songbook\n"
    code += "import lyricgen; print(lyricgen.__file__); print(songbook()); print(len(list(Corpus([songbook()]))))\n"
    code += "from lyricgen.text.english import dictionary; print(len(dictionary()))"
    package, songs, count, words = python(installed, "-c", code).stdout.splitlines()
    assert Path(package).is_relative_to(installed)
    assert Path(songs).is_relative_to(installed)
    assert int(words) > 40_000
    assert int(count) == len([line for path in songbook().glob("*.txt") for line in marks(path)])


def test_the_wheel_alone_writes_a_line(installed: Path) -> None:
    done = python(installed, "-m", "lyricgen", "generate", "--start", "星星", "--lines", "1")
    (line,) = done.stdout.splitlines()
    assert line.startswith("星星")
    assert f"model: {installed / 'lyricgen/resources/checkpoints/starter'}  seed: " in done.stderr


def marks(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("===")]
