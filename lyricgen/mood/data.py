"""Labelled texts: read from a table or from songs, without empty ones and duplicates, and parted for training."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lyricgen.errors import InputError
from lyricgen.mood.preparation import Preparation
from lyricgen.mood.tables import EXTENSIONS, Row, as_text, read_rows
from lyricgen.text.cleaning import counted
from lyricgen.text.encoding import STDIN, display_name, read_text
from lyricgen.text.readers import read_songs
from lyricgen.text.song import SPLITS, meant_split

HELD_OUT = 0.1
MOST_HELD_OUT = 5000  # texts: beyond, more of them measure no better
MOST_CLASSES = 1000
LEAST = 3  # examples of a class that can spare one to be measured on

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Example:
    """A text and its label; `split` (train, valid or test) where its source says so."""

    text: str
    label: str
    split: str = ""


@dataclass(frozen=True)
class Labelled:
    """Examples that can be learned from, the names of their classes in order, and what was left out and why."""

    examples: tuple[Example, ...]
    labels: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def numbers(self, of: Indices) -> Indices:
        """The class of each of these examples, `(n,)`."""
        number = {label: k for k, label in enumerate(self.labels)}
        return np.array([number[self.examples[k].label] for k in of], dtype=np.int64)

    def texts(self, of: Indices) -> list[str]:
        """The texts of these examples."""
        return [self.examples[k].text for k in of]

    def classes(self, of: Indices) -> set[str]:
        """The names of the classes that these examples have."""
        return {self.examples[k].label for k in of}

    def learnable(self, of: Indices) -> "Labelled":
        """The same examples, with the classes alone that these have: only they can be learned from these."""
        there = self.classes(of)
        return replace(self, labels=tuple(label for label in self.labels if label in there))


@dataclass(frozen=True)
class Parts:
    """Which examples are learned from, which end the training early, and which measure it, as indices."""

    train: Indices
    valid: Indices
    test: Indices


@dataclass(frozen=True)
class Asked:
    """A text whose label is asked for, and where it stands, from 1: its line, of a table its row."""

    text: str
    line: int
    file: Path | None = None

    def to_json(self) -> dict[str, Any]:
        """Where it stands, as a JSON object."""
        return {"line": self.line} if self.file is None else {"file": str(self.file), "line": self.line}


def read_labelled(
    path: Path,
    *,
    text_column: str | None = None,
    label_column: str | None = None,
    prepare: Preparation | None = None,
) -> Labelled:
    """The labelled texts of a table (.csv, .tsv, .jsonl, .json), else of songs that have a mood.

    Raises InputError where there is nothing to learn: no such columns, no text, one class only. And for a split of
    an unknown name: its texts, learned from, might be those that are to measure.
    """
    notes: list[str] = []
    found = _read_examples(path, {"text": text_column, "label": label_column}, notes)
    return _tidy(found, prepare or Preparation(), name=str(path), notes=notes)


def _read_examples(path: Path, columns: dict[str, str | None], notes: list[str]) -> list[Example]:
    if path.suffix.lower() not in EXTENSIONS or path.is_dir():
        return _read_moods(path, notes)
    if path.suffix.lower() == ".json" and not any(columns.values()):
        with suppress(InputError):  # of songs without moods, or of what are no songs: then they are rows
            return _read_moods(path, notes)
    return _read_table(path, columns, notes)


def _read_table(path: Path, columns: dict[str, str | None], notes: list[str]) -> list[Example]:
    examples = []
    for _, row in _sound_rows(path, columns, notes):
        label = " ".join(as_text(row["label"]).split())
        examples.append(Example(as_text(row["text"]), label, as_text(row.get("split"))))
    return examples


def _sound_rows(path: Path, columns: Mapping[str, str | None], notes: list[str]) -> Iterator[tuple[int, Row]]:
    """The rows of a table with their numbers; the notes say how many were broken.

    Raises InputError where all are.
    """
    sound = 0
    broken: list[InputError] = []
    for number, row in read_rows(path, columns):
        if isinstance(row, InputError):
            broken.append(row)
        else:
            sound += 1
            yield number, row
    if broken and not sound:
        raise broken[0]
    if broken:
        notes.append(f"left out {counted(len(broken), 'broken row')}, the first: {broken[0]}")


def _read_moods(path: Path, notes: list[str]) -> list[Example]:
    examples = []
    left_out = []
    for item in read_songs([path]):
        if isinstance(item, InputError):
            left_out.append(f"left out: {item}")
        else:
            examples.append(Example(item.text(), item.mood, item.split))
    if not any(example.label for example in examples):
        raise InputError(
            f"the songs of {path} have no moods: give songs with `mood:` labels, or a .csv, .tsv, .jsonl or .json"
        )
    notes += left_out
    return examples


def _tidy(found: Iterable[Example], prepare: Preparation, *, name: str, notes: list[str]) -> Labelled:
    """Leaves out what cannot be learned from or would be measured twice; what a source calls a split is resolved."""
    kept: dict[str, Example] = {}
    left_out: Counter[str] = Counter()
    for example in found:
        split = _split(example.split, name=name)
        text = prepare(example.text)
        if not text:
            left_out["without a text"] += 1
        elif not example.label:
            left_out["without a label"] += 1
        elif text in kept:
            same = kept[text].label == example.label
            left_out["that stand there twice" if same else "under a second label (the first is kept)"] += 1
        else:
            kept[text] = Example(text, example.label, split)
    notes += [f"left out {counted(count, 'row')} {why}" for why, count in left_out.items()]
    counts = Counter(example.label for example in kept.values())
    if not kept:
        why = ", ".join(f"{count:,} {what}" for what, count in left_out.items()) or "it has no rows"
        raise InputError(f"{name} has no labelled texts ({why}): give each row a text and a label")
    if len(counts) == 1:
        raise InputError(f"{name} has one class only ({next(iter(counts))!r}): give texts of two classes or more")
    if len(counts) > MOST_CLASSES:
        raise InputError(f"{name} has {len(counts):,} classes, more than {MOST_CLASSES}: is --label-column right?")
    if max(counts.values()) == 1:
        raise InputError(f"{name}: no class has two examples or more: is --label-column right?")
    return Labelled(tuple(kept.values()), tuple(sorted(counts)), tuple(notes))


def _split(said: str, *, name: str) -> str:
    """Which part a source means. Raises InputError for a name that is unknown."""
    found = meant_split(said)
    if found and found not in SPLITS.values():
        raise InputError(
            f"{name}: unknown split {said.strip()[:40]!r}, expected one of {', '.join(SPLITS)}; mark its texts so, "
            "or rename the column if it means something else"
        )
    return found


def part(data: Labelled, *, seed: int, held_out: float = HELD_OUT) -> Parts:
    """Splits as marked; what is not marked stratified: each class gives the same share to each part.

    A class gives to the test from three examples on, to early stopping from four on. A class of which no text is
    marked to be learned from stays in the test, where it is missed; nothing can be stopped by it. Raises InputError
    where fewer than two classes are marked to be learned.
    """
    marked = [example.split for example in data.examples]
    everything = np.arange(len(marked))
    train = everything[[split in ("train", "") for split in marked]]
    valid, test = (everything[[split == name for split in marked]] for name in ("valid", "test"))
    if not len(test):
        train, test = hold_out(data, train, share=held_out, seed=seed, least=LEAST)
    learned = data.classes(train)
    if len(learned) < 2:
        there = f"only texts of class {next(iter(learned))!r} are" if learned else "no text is"
        raise InputError(f"{there} marked for training: mark texts of two classes or more by split train")
    valid = np.array([k for k in valid if data.examples[k].label in learned], dtype=np.int64)
    if not len(valid):
        train, valid = hold_out(data, train, share=held_out, seed=seed + 1, least=LEAST)
    return Parts(train, valid, test)


def gaps(data: Labelled, parts: Parts) -> list[str]:
    """Which classes cannot be learned, or not be measured, as a part has no text of them."""
    learned, measured = data.classes(parts.train), data.classes(parts.test)
    notes = []
    for lacking, why in (
        (sorted(set(data.labels) - learned), "no text to learn from, so that test texts of it count as missed"),
        (sorted(learned - measured), "no text in the test, learned but not measured"),
    ):
        if lacking:
            shown = ", ".join(map(repr, lacking[:5])) + (" …" if len(lacking) > 5 else "")
            notes.append(f"{'class' if len(lacking) == 1 else 'classes'} with {why}: {shown}")
    return notes


def hold_out(data: Labelled, of: Indices, *, share: float, seed: int, least: int) -> tuple[Indices, Indices]:
    """Parts examples in two: the second gets a share of each class of at least `least` examples."""
    rng = np.random.default_rng(seed)
    share = min(share, MOST_HELD_OUT / max(1, len(of)))
    classes = data.numbers(of)
    held: list[Indices] = []
    for number in range(len(data.labels)):
        members = rng.permutation(of[classes == number])
        if len(members) >= least:
            held.append(members[: max(1, round(share * len(members)))])
    second = np.sort(np.concatenate(held)) if held else of[:0]
    return np.setdiff1d(of, second), second


def folds(data: Labelled, count: int, *, seed: int) -> list[Indices]:
    """All examples in `count` parts with the same share of each class."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(data.examples))
    order = order[np.argsort(data.numbers(order), kind="stable")]  # by class, at random within it
    return [np.sort(order[k::count]) for k in range(count)]


def read_texts(
    paths: Sequence[Path], *, text_column: str | None = None, prepare: Preparation | None = None
) -> tuple[list[Asked], list[str]]:
    """The texts of tables (their text column), and of other files and standard input, one a line.

    Those of which `prepare` leaves nothing are left out; the second value says what was. Raises InputError where
    there is none.
    """
    prepare = prepare or Preparation()
    notes: list[str] = []
    found = [asked for path in paths for asked in _asked(path, text_column, notes)]
    kept = [asked for asked in found if prepare(asked.text)]
    if not kept:
        what = "there is no text; give one a line"
        if any(asked.text.strip() for asked in found):
            what = "the classifier's stop words and cleaning leave nothing of any text; give texts with other words"
        raise InputError(f"{', '.join(map(display_name, paths))}: {what}")
    if len(kept) < len(found):
        notes.append(f"left out {len(found) - len(kept):,} of {len(found):,} texts: nothing of them is left to read")
    return kept, notes


def _asked(path: Path, text_column: str | None, notes: list[str]) -> Iterator[Asked]:
    file = None if path == STDIN else path
    if path.suffix.lower() in EXTENSIONS:
        for number, row in _sound_rows(path, {"text": text_column}, notes):
            yield Asked(as_text(row["text"]), number, file)
    else:
        lines = read_text(path).split("\n")
        for number, line in enumerate(lines[:-1] if lines[-1] == "" else lines, 1):
            yield Asked(line, number, file)
