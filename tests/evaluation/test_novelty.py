"""What a file's copies are, and the lines that they begin in."""

import random
from pathlib import Path

from lyricgen.evaluation.novelty import check_file
from lyricgen.text.novelty import NoveltyBuilder

SONG = "星星落在河面上，我数了三遍"


def test_each_run_is_told_with_its_line(tmp_path: Path) -> None:
    builder = NoveltyBuilder()
    builder.add(SONG)
    index = builder.build()
    assert index is not None
    rng = random.Random(0)
    # Copies at the beginning and the end of lines, alone in a line, and across a line break; blank lines between.
    parts = [SONG, "鲸落万物\n", "\n", f"鲸{SONG}\n", f"{SONG}鲸\n", f"{SONG[:5]}\n{SONG[5:]}\n"]
    text = SONG + "\n" + "".join(rng.choices(parts, k=300))
    path = tmp_path / "mine.txt"
    path.write_text(text, encoding="utf-8")
    found = check_file(str(path), index, at_least=8).runs
    assert len(found) > 100 and found[0].line == 1
    assert [each.line for each in found] == [
        1 + text[: run.start].count("\n") for run in index.runs(text, at_least=8)
    ]
