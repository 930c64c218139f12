"""The wheel carries what the program needs to run from anywhere."""

import subprocess
import sys
import zipfile
from pathlib import Path

from lyricgen.text.resources import songbook

ROOT = Path(__file__).parent.parent


def test_the_songbook_travels_inside_the_wheel(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--wheel-dir", str(tmp_path), str(ROOT)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("lyricgen-*.whl")
    subprocess.run([sys.executable, "-m", "zipfile", "-e", str(wheel), str(tmp_path / "installed")], check=True)
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for notice in ("licenses/LICENSE", "licenses/data/LICENSE", "licenses/data/english/LICENSE"):
        assert any(name.endswith(notice) for name in names)
    fonts = {f"lyricgen/resources/fonts/{name}" for name in ("lyricgen-cjk.otf", "OFL.txt")}
    assert fonts <= {*names}
    code = "from lyricgen.text.corpus import Corpus; from lyricgen.text.resources import songbook\n"
    code += "import lyricgen; print(lyricgen.__file__); print(songbook()); print(len(list(Corpus([songbook()]))))\n"
    code += "from lyricgen.text.english import dictionary; print(len(dictionary()))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path / "installed", capture_output=True, encoding="utf-8", check=True
    )
    package, songs, count, words = done.stdout.splitlines()
    assert Path(package).is_relative_to(tmp_path)
    assert Path(songs).is_relative_to(tmp_path)
    assert int(words) > 40_000
    assert int(count) == len([line for path in songbook().glob("*.txt") for line in marks(path)])


def marks(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("===")]
