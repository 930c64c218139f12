"""How well labels are told: accuracy, precision, recall and F1 of each class, and what was taken for what."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
_SHOWN = 12  # classes in a confusion matrix on a terminal


@dataclass(frozen=True, eq=False)
class Scores:
    """A confusion matrix, `(C, C)`: row the true class, column the class that was told."""

    labels: tuple[str, ...]
    confusion: Counts

    @classmethod
    def of(cls, labels: Sequence[str], true: npt.ArrayLike, told: npt.ArrayLike) -> "Scores":
        """Counts classes by number, `(n,)` each."""
        size = len(labels)
        cells = np.asarray(true, dtype=np.int64) * size + np.asarray(told, dtype=np.int64)
        return cls(tuple(labels), np.bincount(cells, minlength=size * size).reshape(size, size))

    def __add__(self, other: "Scores") -> "Scores":
        return Scores(self.labels, self.confusion + other.confusion)

    @property
    def texts(self) -> int:
        """How many texts were measured."""
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        """The share that was told right."""
        return float(np.trace(self.confusion) / max(1, self.texts))

    @property
    def precision(self) -> npt.NDArray[np.float64]:
        """Of what was told as a class, the share that is of it, `(C,)`; 0 where nothing was."""
        return _ratio(np.diag(self.confusion), self.confusion.sum(axis=0))

    @property
    def recall(self) -> npt.NDArray[np.float64]:
        """Of a class, the share that was told as it, `(C,)`; 0 where there is none."""
        return _ratio(np.diag(self.confusion), self.confusion.sum(axis=1))

    @property
    def f1(self) -> npt.NDArray[np.float64]:
        """The harmonic mean of precision and recall, `(C,)`."""
        return _ratio(2 * np.diag(self.confusion), self.confusion.sum(axis=0) + self.confusion.sum(axis=1))

    @property
    def macro_f1(self) -> float:
        """The mean F1 of the classes that occur, in truth or in what was told."""
        occurring = (self.confusion.sum(axis=0) + self.confusion.sum(axis=1)) > 0
        return float(self.f1[occurring].mean()) if occurring.any() else 0.0

    def to_json(self) -> dict[str, Any]:
        """The figures as a JSON object."""
        support = self.confusion.sum(axis=1)
        by_class = {
            label: {"precision": float(p), "recall": float(r), "f1": float(f), "texts": int(n)}
            for label, p, r, f, n in zip(self.labels, self.precision, self.recall, self.f1, support, strict=True)
        }
        return {
            "texts": self.texts,
            "accuracy": self.accuracy,
            "macro_f1": self.macro_f1,
            "classes": by_class,
            "labels": list(self.labels),
            "confusion": self.confusion.tolist(),
        }

    def lines(self) -> list[str]:
        """The figures for people."""
        support = self.confusion.sum(axis=1)
        rows = [["class", "precision", "recall", "F1", "texts"]]
        for label, p, r, f, n in zip(self.labels, self.precision, self.recall, self.f1, support, strict=True):
            rows.append([label, f"{p:.3f}", f"{r:.3f}", f"{f:.3f}", f"{n:,}"])
        said = [
            f"accuracy {self.accuracy:.3f}, macro-F1 {self.macro_f1:.3f} on {self.texts:,} texts",
            "",
            *_aligned(rows),
        ]
        if len(self.labels) <= _SHOWN:
            matrix = [["true \\ told", *self.labels]]
            matrix += [
                [label, *map(str, row)] for label, row in zip(self.labels, self.confusion.tolist(), strict=True)
            ]
            said += ["", *_aligned(matrix)]
        return said


def _ratio(part: Counts, whole: Counts) -> npt.NDArray[np.float64]:
    return np.where(whole > 0, part / np.maximum(1, whole), 0.0)


def _aligned(rows: list[list[str]]) -> list[str]:
    """Rows in columns, the first to the left, the others to the right."""
    widths = [max(_columns(row[k]) for row in rows) for k in range(len(rows[0]))]
    return ["  ".join(_pad(cell, width, left=not k) for k, (cell, width) in enumerate(zip(row, widths, strict=True)))
            for row in rows]  # fmt: skip


def _pad(cell: str, width: int, *, left: bool) -> str:
    space = " " * (width - _columns(cell))
    return cell + space if left else space + cell


def _columns(text: str) -> int:
    """How many columns of a terminal a text takes; Han characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
