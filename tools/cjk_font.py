"""Makes the small Chinese font of plots and pages: `python tools/cjk_font.py NotoSansCJK-Regular.ttc`.

Needs fontTools. The source is Noto Sans CJK (SIL Open Font License 1.1), as the Debian package fonts-noto-cjk
installs it; see lyricgen/resources/fonts/README.md.
"""

import json
import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTCollection, TTFont

from lyricgen.text.phonetics import FOURTEEN, THIRTEEN
from lyricgen.text.resources import resource, songbook

PACKAGE = Path(__file__).parent.parent / "lyricgen"
OUT = PACKAGE / "resources" / "fonts" / "lyricgen-cjk.otf"
FAMILY = "Lyricgen CJK"
SOURCE = "Noto Sans CJK SC"
STARTER = "checkpoints/starter/vocab.json"
FIRST_LEVEL = range(0xB0, 0xD8)  # GB 2312's rows of the 3,755 usual characters: what people's own songs are made of
CELLS = range(0xA1, 0xFF)  # of a row
SHOWN = ("evaluation", "cli")  # the parts of the program whose words stand in plots and pages
PUNCTUATION = "，。！？：；、（）《》“”‘’—…·「」『』～％±×→"


def wanted() -> str:
    """Every character that the font shall have."""
    book = "".join(path.read_text(encoding="utf-8") for path in sorted(songbook().glob("*.txt")))
    tokens = json.loads(resource(STARTER).read_text(encoding="utf-8"))["tokens"]
    usual = b"".join(bytes([row, cell]) for row in FIRST_LEVEL for cell in CELLS).decode("gb2312", errors="ignore")
    sources = (path.read_text(encoding="utf-8") for part in SHOWN for path in sorted((PACKAGE / part).glob("*.py")))
    words = "".join(sorted({c for source in sources for c in source if "\u4e00" <= c <= "\u9fff"}))
    ascii_and_latin = "".join(map(chr, [*range(0x20, 0x7F), *range(0xA0, 0x100)]))
    return "".join([book, *tokens, usual, *THIRTEEN, *FOURTEEN, words, PUNCTUATION, ascii_and_latin])


def make(source: Path) -> TTFont:
    """The subset, under a name of its own."""
    fonts = TTCollection(source).fonts if source.suffix == ".ttc" else [TTFont(source)]
    (font,) = [font for font in fonts if font["name"].getDebugName(1) == SOURCE]
    options = Options(layout_features=["kern"], hinting=False, desubroutinize=True, notdef_outline=True,
                      name_IDs=["*"])  # fmt: skip
    options.drop_tables += ["vmtx", "vhea", "VORG", "GPOS", "GSUB", "BASE"]
    subsetter = Subsetter(options)
    subsetter.populate(text=wanted())
    subsetter.subset(font)
    rename(font)
    return font


def rename(font: TTFont) -> None:
    """Names the font, so that it is not taken for the whole one; copyright and licence stay."""
    names = font["name"]
    names.names = [record for record in names.names if record.nameID in (0, 5, 7, 13, 14) and record.langID == 0x409]
    for number, text in ((1, FAMILY), (2, "Regular"), (3, FAMILY), (4, FAMILY), (6, "LyricgenCJK-Regular")):
        names.setName(text, number, 3, 1, 0x409)
    top = font["CFF "].cff
    top.fontNames = ["LyricgenCJK-Regular"]
    top.topDictIndex[0].FullName = top.topDictIndex[0].FamilyName = FAMILY
    font["head"].modified = font["head"].created  # the same bytes from the same source


if __name__ == "__main__":
    made = make(Path(sys.argv[1]))
    made.recalcTimestamp = False
    made.save(OUT)
    print(f"{OUT.name}: {len(made.getBestCmap()):,} characters, {OUT.stat().st_size:,} bytes")
