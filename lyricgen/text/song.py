"""What a song is: title and labels, sections, lines; its sung text and its one canonical file form."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

SONG_MARK = "==="
LABELS = ("artist", "mood", "style", "theme", "split")
SPLITS = {"train": "train", "training": "train", "valid": "valid", "validation": "valid", "val": "valid",
          "dev": "valid", "eval": "valid", "test": "test", "testing": "test"}  # fmt: skip
"""What the names mean by which songs are marked for a part of a corpus."""
PART_CHARACTERS = 2**18
"""A text longer than this is read in parts, so that memory stays constant whatever the file."""
_LINE = 16  # what a line weighs beside its characters, which keeps a text of tiny lines small in memory

_HEADING = re.compile(r"^\[([^\[\]]{0,40})\]$")
_MARKED = re.compile(rf"^{SONG_MARK}(?:\s+(.*))?$")


def meant_split(mark: str) -> str:
    """The part of a corpus that a mark means, by its usual name; another mark is itself, in lower case."""
    mark = mark.strip().lower()
    return SPLITS.get(mark, mark)


@dataclass(frozen=True)
class Section:
    """A part of a song. `name` is the heading's text without brackets, empty where the part has none."""

    lines: tuple[str, ...]
    name: str = ""


@dataclass(frozen=True)
class Song:
    """A lyric with its labels. Lines are sung lines only: no headings, no empty ones, no line breaks inside.

    `continues` marks a part of a text too long to hold: it goes on where the song before it stopped.
    """

    sections: tuple[Section, ...]
    title: str = ""
    artist: str = ""
    mood: str = ""
    style: str = ""
    theme: str = ""
    split: str = ""
    continues: bool = False
    folded: int = field(default=0, compare=False)  # empty lines of its file that followed another

    @property
    def lines(self) -> tuple[str, ...]:
        """The sung lines of all sections, in order."""
        return tuple(line for section in self.sections for line in section.lines)

    def text(self) -> str:
        """What is sung, as a model reads it: a line break ends every line, an empty line parts sections."""
        return "\n".join("".join(line + "\n" for line in part.lines) for part in self.sections if part.lines)

    def to_songbook(self) -> str:
        """The canonical file form: a mark with the title, labels, then sections under their headings.

        `parse_songbook` reads it back to an equal song. A part that continues has no head of its own: written
        right after the part before it, the two are one song again.
        """
        head = [f"{SONG_MARK} {_one_line(self.title)}".rstrip()]
        head += [f"{label}: {_one_line(value)}" for label in LABELS if (value := getattr(self, label))]
        parts = [] if self.continues else ["\n".join(head)]
        for section in self.sections:
            if section.lines:  # a heading alone would be read as the return of an earlier section
                heading = [f"[{name}]"] if (name := heading_text(section.name)) else []
                parts.append("\n".join([*heading, *map(_escape, section.lines)]))
        return "\n\n".join(parts) + "\n"


def heading_text(name: str) -> str:
    """A section's name as a heading can carry it: one line of at most 40 characters, no square brackets."""
    return re.sub(r"[\s\[\]]+", " ", name).strip()[:40].strip()


def _one_line(text: str) -> str:
    return " ".join(filter(None, (part.strip() for part in re.split(r"[\r\n]+", text))))


def _escape(line: str) -> str:
    """Keeps a sung line from being read as a mark or a heading."""
    return "\\" + line if line.startswith((SONG_MARK, "\\")) or _HEADING.match(line) else line


class SectionBuilder:
    """Collects the lines of one song, or of one part of a long text, into sections.

    A heading without lines stands for the section of that name that came before it, word for word, as lyric
    sheets write a chorus that returns.
    """

    def __init__(self) -> None:
        self._sections: list[tuple[str, list[str]]] = []
        self._fresh = True  # the next line opens a section
        self._characters = 0
        self._after_blank = False
        self.folded = 0  # empty lines that follow another

    @property
    def full(self) -> bool:
        """Whether the next line belongs into another part: rather inside a section, where no blank is lost."""
        limit = PART_CHARACTERS * (2 if self._fresh else 1)
        # A heading is not parted from its lines.
        return self._characters >= limit and bool(self._sections[-1][1])

    def blank(self) -> None:
        """Takes in an empty line: what follows is another section."""
        self.folded += self._after_blank
        self._after_blank = True
        # An empty line right under a heading does not part it from its lines.
        self._fresh = self._fresh or not self._sections or bool(self._sections[-1][1])

    def heading(self, name: str) -> None:
        """Opens a section of this name."""
        self._sections.append((name, []))
        self._fresh = self._after_blank = False

    def line(self, text: str) -> None:
        """Adds a sung line to the section at hand."""
        if self._fresh:
            self._sections.append(("", []))
        self._fresh = self._after_blank = False
        self._sections[-1][1].append(text)
        self._characters += len(text) + _LINE

    def sections(self) -> tuple[Section, ...]:
        """The sections so far, those that only return filled in."""
        seen: dict[str, tuple[str, ...]] = {}
        sections = []
        for name, written in self._sections:
            key = re.split("[:：]", name, maxsplit=1)[0].strip().casefold()  # [Chorus: her] returns as [Chorus]
            lines = tuple(written) or seen.get(key, ())
            if lines:
                seen[key] = lines
                sections.append(Section(lines, name))
        return tuple(sections)


def is_songbook(text: str) -> bool:
    """Whether a text is in the songbook's form: its first line that is not empty opens a song."""
    return bool(_MARKED.match(text.lstrip().partition("\n")[0].rstrip()))


def parse_songbook(lines: Iterable[str]) -> Iterator[Song]:
    """Songs from the lines of a file in the songbook's form; a song too long to hold comes in parts."""
    reader: _SongReader | None = None
    for raw in lines:
        line = raw.strip()
        if mark := _MARKED.match(line):
            if reader:
                yield reader.song()
            reader = _SongReader(title=mark.group(1) or "")
        elif reader:
            if reader.builder.full and line:
                yield reader.song()
                reader = reader.next_part()
            reader.add(line)
    if reader:
        yield reader.song()


class _SongReader:
    """Reads the lines of one song in the songbook's form: labels, headings, escaped lines."""

    def __init__(self, *, title: str, labels: dict[str, str] | None = None) -> None:
        self._title = title
        self._labels = labels or {}
        self._in_head = not labels
        self._continues = False
        self.builder = SectionBuilder()

    def next_part(self) -> "_SongReader":
        part = _SongReader(title=self._title, labels=self._labels)
        part._in_head = False
        part._continues = True
        return part

    def add(self, line: str) -> None:
        key, colon, value = line.partition(":")
        if self._in_head and colon and key.strip().lower() in LABELS:
            self._labels[key.strip().lower()] = value.strip()
            return
        self._in_head = False
        if not line:
            self.builder.blank()
        elif heading := _HEADING.match(line):
            self.builder.heading(heading.group(1).strip())
        else:
            self.builder.line(line[1:] if line.startswith("\\") else line)

    def song(self) -> Song:
        labels = {label: self._labels.get(label, "") for label in LABELS}
        sections, folded = self.builder.sections(), self.builder.folded
        return Song(sections, title=self._title, continues=self._continues, folded=folded, **labels)
