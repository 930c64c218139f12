"""Draws docs/terminal.svg: commands and what they print, as in a terminal, run now with the starter.

python tools/terminal_picture.py
"""

import os
import subprocess
import sys
from html import escape
from itertools import groupby
from pathlib import Path
from unicodedata import east_asian_width

COMMANDS = (
    "lyricgen generate --pattern 7,7,5,5 --rhyme AABB --lines 8 --candidates 8 --mood 思念 --seed 6 --show-plan",
    "lyricgen rhymes 星光 --limit 24",
)
OUT = Path(__file__).parents[1] / "docs" / "terminal.svg"
FONT = (
    "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, 'Noto Sans Mono CJK SC', 'PingFang SC', 'Microsoft YaHei', "
    "monospace"
)
PROMPT, TOLD, TEXT = "#7fd1ae", "#9aa5b1", "#e6e6e6"
CELL, ROW, LEFT, TOP = 8.4, 19, 16, 58  # pixels


def run(command: str) -> list[tuple[str, str]]:
    """The rows that a command prints, each with its colour: what it tells on standard error first."""
    words = [sys.executable, "-m", *command.split()]
    env = {**os.environ, "PYTHONUTF8": "1", "LC_ALL": "C.UTF-8", "COLUMNS": "110"}
    done = subprocess.run(words, check=True, capture_output=True, text=True, encoding="utf-8", env=env)
    rows = [(TOLD, row.replace(f"{OUT.parents[1]}{os.sep}", "")) for row in done.stderr.splitlines()]
    return [(PROMPT, f"$ {command}"), *rows, *((TEXT, row) for row in done.stdout.splitlines()), (TEXT, "")]


def is_wide(character: str) -> bool:
    """Whether a character takes two cells."""
    return east_asian_width(character) in "WF"


def draw(rows: list[tuple[str, str]]) -> str:
    """The picture. Each stretch of narrow or of wide characters is given its width, whatever font there is."""
    cells = max(sum(1 + is_wide(c) for c in row) for _, row in rows)
    width, height = round(2 * LEFT + cells * CELL), TOP + len(rows) * ROW
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="{FONT}" font-size="14">',
        f'<rect width="{width}" height="{height}" rx="10" fill="#1b2029"/>',
        "".join(
            f'<circle cx="{x}" cy="20" r="6" fill="{fill}"/>'
            for x, fill in ((22, "#ff5f57"), (42, "#febc2e"), (62, "#28c840"))
        ),
    ]
    for number, (fill, row) in enumerate(rows):
        x = float(LEFT)
        for wide, group in groupby(row, is_wide):
            text = "".join(group)
            length = CELL * len(text) * (1 + wide)
            if text.strip():
                parts.append(
                    f'<text x="{x:.1f}" y="{TOP + number * ROW}" fill="{fill}" textLength="{length:.1f}" '
                    f'lengthAdjust="spacingAndGlyphs" xml:space="preserve">{escape(text)}</text>'
                )
            x += length
    return "\n".join([*parts, "</svg>", ""])


def main() -> None:
    """Runs and draws."""
    rows = [row for command in COMMANDS for row in run(command)]
    OUT.write_text(draw(rows[:-1]), encoding="utf-8")


if __name__ == "__main__":
    main()
