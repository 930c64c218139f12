"""The frame of a page that needs nothing but itself: style for light and dark, small screens and print; tables."""

from base64 import b64encode
from collections.abc import Sequence
from html import escape

from lyricgen.evaluation.font import own_font

OWN = ((0x2E80, 0x9FFF), (0xFF00, 0xFFEF))  # what is shown in a Chinese font: characters and their punctuation
FONTS = (
    "PingFang SC", "PingFangSC-Regular", "Hiragino Sans GB", "Microsoft YaHei", "Noto Sans CJK SC",
    "NotoSansCJKsc-Regular", "Noto Sans SC", "Source Han Sans SC", "SourceHanSansSC-Regular", "WenQuanYi Micro Hei",
)  # fmt: skip
STYLE = """
:root { color-scheme: light dark; --paper: #fbfaf8; --card: #fff; --ink: #1d2127; --soft: #5c6470; --line: #e2dfd9;
  --a: #2b62c4; --b: #b3a892; --band: #2b62c426; --mark: #d9480f; }
@media (prefers-color-scheme: dark) { :root { --paper: #14161a; --card: #1c1f25; --ink: #e8e6e1; --soft: #a3a9b3;
  --line: #32363e; --a: #7eaaf5; --b: #8a8069; --band: #7eaaf52e; --mark: #ff9f6b; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 66rem; padding: 1.5rem 1rem 4rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.6 "lyricgen CJK", system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.6rem 0 .3rem; }
h3 { font-size: 1rem; margin: 0 0 .4rem; } h3 .soft { font-weight: 400; }
p { margin: .3rem 0 .8rem; max-width: 44rem; }
.soft { color: var(--soft); font-size: .92rem; }
.note { border-left: 3px solid var(--mark); padding-left: .8rem; }
.figures { display: grid; gap: .8rem; grid-template-columns: repeat(auto-fit, minmax(12rem, 1fr)); margin: 1rem 0; }
.beside { display: grid; gap: 0 2.2rem; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr));
  align-items: start; }
.card, figure { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .9rem 1rem; }
.card b { display: block; font-size: 1.5rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.card b small { font-size: .95rem; font-weight: 400; color: var(--soft); white-space: nowrap; }
.card p { margin: .35rem 0 0; }
figure { margin: .8rem 0; max-width: 36rem; }
svg { display: block; width: 100%; height: auto; }
.tick { fill: var(--soft); font-size: 11px; } .axis { fill: var(--soft); font-size: 12px; }
.grid { stroke: var(--line); } .rug { stroke: var(--ink); stroke-opacity: .45; }
.a { fill: var(--a); } .b { fill: var(--b); }
.curve { fill: none; stroke: var(--a); stroke-width: 2; } .dot { fill: var(--a); } .band { fill: var(--band); }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin: 0 0 .5rem; font-size: .92rem; }
.legend i { display: inline-block; width: .8rem; height: .8rem; border-radius: .15rem; margin-right: .4rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: .6rem 0; }
th, td { text-align: left; vertical-align: top; padding: .45rem .9rem .45rem 0;
  border-bottom: 1px solid var(--line); }
th { font-weight: 600; font-size: .92rem; } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap; }
summary { cursor: pointer; padding: .3rem 0; } summary .n { float: right; font-variant-numeric: tabular-nums; }
td small { display: block; color: var(--soft); font-size: .86rem; line-height: 1.45; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .6rem 0; font-size: .92rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
.songs { columns: 19rem; column-gap: .8rem; margin: 1rem 0; }
.song { break-inside: avoid; margin: 0 0 .8rem; }
.song p { margin: 0 0 .6rem; overflow-wrap: anywhere; }
u { text-decoration: underline; text-decoration-color: var(--mark); text-decoration-thickness: 2px;
  text-underline-offset: .22em; }
@media (max-width: 30rem) { body { padding: 1rem .8rem 3rem; } h1 { font-size: 1.35rem; }
  dl { grid-template-columns: 1fr; } dd { margin-bottom: .35rem; } th, td { padding-right: .6rem; } }
@media print { body { max-width: none; } .card, figure { break-inside: avoid; } }
""".strip()


def page(body: Sequence[str], *, title: str, language: str) -> str:
    """A whole page. What stands in `body` is HTML; the title is text."""
    shown = "".join((title, *body))
    head = (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_font_face(shown)}\n{STYLE}\n</style>\n</head>\n<body>\n"
    )
    return head + "\n".join(body) + "\n</body>\n</html>\n"


def chinese_in(text: str) -> list[str]:
    """The characters of a text that are shown in a Chinese font, each once."""
    return sorted(each for each in set(text) if any(low <= ord(each) <= high for low, high in OWN))


def _font_face(shown: str) -> str:
    """The font of Chinese: the system's, else the project's own, which is in the page itself, for what it shows.

    As the first of the family it is there when the first character is drawn; of one that is only fallen back upon,
    Chromium leaves out what it draws while the font is unpacked.
    """
    data = b64encode(own_font(chinese_in(shown))).decode("ascii")
    places = ", ".join(f"U+{low:X}-{high:X}" for low, high in OWN)
    local = ", ".join(f'local("{name}")' for name in FONTS)
    return (
        f'@font-face {{ font-family: "lyricgen CJK"; unicode-range: {places}; '
        f'src: {local}, url("data:font/otf;base64,{data}") format("opentype"); }}'
    )


def paragraph(text: str, *, kind: str = "") -> str:
    """A paragraph of text."""
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def card(figure: str, name: str, sentence: str, *, spread: str = "") -> str:
    """One figure, how far it is uncertain, what it is called, and a sentence on what it means."""
    number = escape(figure) + (f" <small>{escape(spread)}</small>" if spread else "")
    return f'<div class="card"><h3>{escape(name)}</h3><b>{number}</b>{paragraph(sentence, kind="soft")}</div>'


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: int) -> str:
    """A table of text whose last `numbers` columns are numbers. A line break in a cell begins small print."""

    def cell(tag: str, text: str, column: int) -> str:
        kind = ' class="n"' if column >= len(head) - numbers else ""
        first, _, small = text.partition("\n")
        return f"<{tag}{kind}>{escape(first)}{f'<small>{escape(small)}</small>' if small else ''}</{tag}>"

    def row(tag: str, cells: Sequence[str]) -> str:
        return "<tr>" + "".join(cell(tag, text, column) for column, text in enumerate(cells)) + "</tr>"

    inside = "\n".join(row("td", cells) for cells in rows)
    return f'<div class="scroll"><table>\n<thead>{row("th", head)}</thead>\n<tbody>\n{inside}\n</tbody></table></div>'


def folded(name: str, figure: str, inside: str) -> str:
    """A part that opens when its name is clicked, with a figure beside the name."""
    return f'<details><summary>{escape(name)}<span class="n">{escape(figure)}</span></summary>{inside}</details>'


def legend(names: Sequence[tuple[str, str]]) -> str:
    """What the colours mean: classes of the style, each with its name."""
    parts = (f'<span><i style="background:var(--{kind})"></i>{escape(name)}</span>' for kind, name in names)
    return f'<div class="legend">{"".join(parts)}</div>'


def figure(chart: str, *, above: str = "") -> str:
    """A chart with its legend."""
    return f"<figure>{above}{chart}</figure>"


def beside(*parts: str) -> str:
    """Parts next to each other, where the screen is wide enough."""
    return f'<div class="beside">{"".join(f"<div>{part}</div>" for part in parts)}</div>'
