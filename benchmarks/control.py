"""What writing to a plan costs: lengths, rhymes and heads kept, fluency under a judge, time.

    python benchmarks/control.py --model checkpoints/starter --judge judge --songs 200
    python benchmarks/control.py --train-judge judge --minutes 5        # on songs that are held out

The judge is a model without plans that was trained on other songs (the songbook's valid and test songs, here). It
scores the text alone. Of each pair, the same writer's songs with rhymes and without, the last characters of the lines
that rhyme are left out of the sum, in both: whoever writes them, it charges for them.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from lyricgen.generation.lyricist import Lyricist, Written, load
from lyricgen.generation.plan import Plan
from lyricgen.model.likelihood import Unseen, token_nats
from lyricgen.text.corpus import Corpus, write_songbook
from lyricgen.text.phonetics import count_units, is_han, rhyme_class
from lyricgen.text.resources import songbook

KEPT = [
    {"pattern": "7,7,5,5", "rhyme": "AABB", "lines": 8},
    {"pattern": "9,7,9,7", "rhyme": "ABAB", "lines": 8},
    {"pattern": "5,5,5,5", "rhyme": "XAXA", "lines": 8},
    {"pattern": "7,7,7,7", "rhyme": "AABA", "lines": 8},
    {"pattern": "3,3,7,3,3,7", "rhyme": "XXAXXA", "lines": 12},
    {"pattern": "7", "rhyme": "AAAA", "one_rhyme": True, "lines": 12},
    {"pattern": "10,8", "rhyme": "AABB", "lines": 12, "acrostic": "我在海边等你"},
    {"pattern": "5,7", "acrostic": "春夏秋冬", "lines": 8, "rhyme": "ABCB"},
    {"pattern": "7,7,/,5,5", "rhyme": "AABB", "lines": 16},
    {"pattern": "4,4,6", "rhyme": "AAA", "lines": 9},
    {"pattern": "12,11,12,11", "rhyme": "ABAB", "lines": 8},
    {"pattern": "6,6,7,7", "rhyme": "AABB", "rhyme_class": "江阳", "lines": 8},
]  # fmt: skip
WEIGHED = KEPT[1:5]
SLOW = [
    {"tones": "平平仄仄平,仄仄仄平平", "rhyme": "XA", "lines": 8},
    {"pattern": "7,7,5,5", "rhyme": "AABB", "words": "海边,星光", "lines": 8},
]
ROUNDS = 9  # in which times are taken, the first for warmth


def train_judge(folder: Path, minutes: float) -> None:
    """A model without plans, of the songs that the songbook holds out."""
    with tempfile.TemporaryDirectory() as work:
        songs = Path(work, "others.txt")
        others = (song for song in Corpus([songbook()]) if song.split in ("valid", "test"))
        write_songbook((replace(song, split="train") for song in others), songs)
        command = ["train", str(songs), "--no-plan", "--minutes", str(minutes), "--out", str(folder), "--seed", "1"]
        subprocess.run([sys.executable, "-m", "lyricgen", *command], check=True)


def must_rhyme(plan: Plan) -> list[bool]:
    """Which lines rhyme with another."""
    groups = Counter(line.rhyme for line in plan.lines if line.rhyme is not None)
    return [line.rhyme is not None and groups[line.rhyme] > 1 for line in plan.lines]


def kept(songs: list[Written], plan: Plan) -> tuple[float, float, float]:
    """The shares of lines that have their length, of those that must rhyme and do, of heads that stand."""
    lengths, rhymes, heads = [], [], []
    for song in songs:
        ends: dict[int, list[tuple[str, frozenset[str]]]] = {}
        for line, wish in zip(song.lines, plan.lines, strict=True):
            lengths.append(wish.length is None or count_units(line) == wish.length)
            if wish.head:
                heads.append(line.startswith(wish.head))
            if wish.rhyme is not None:
                last = next(c for c in reversed(line) if is_han(c))
                ends.setdefault(wish.rhyme, []).append((last, rhyme_class(line)))
        for group in ends.values():
            if len(group) > 1:
                names = Counter(name for _, found in group for name in found)
                most = max(len({last for last, found in group if name in found}) for name in names)
                rhymes += [True] * most + [False] * (len(group) - most)
    return tuple(statistics.fmean(found) if found else 1.0 for found in (lengths, rhymes, heads))  # type: ignore[return-value]


def weigh(judge: Lyricist, songs: list[Written], free_ends: list[bool]) -> np.ndarray:
    """Nats and characters of each song, `(n, 2)`, without the last characters of the lines in `free_ends`."""
    sums = []
    for song in songs:
        text = "\n".join(song.lines) + "\n"
        ids = judge.vocab.encode(text)
        (nats,) = token_nats(judge.checkpoint.model, [ids], unseen=Unseen.of(judge.vocab),
                             labeler=judge.checkpoint.labeler)  # fmt: skip
        keep = np.ones(len(text), dtype=bool)
        at = 0
        for line, rhymes in zip(song.lines, free_ends, strict=True):
            keep[at + len(line) - 1] = not rhymes
            at += len(line) + 1
        sums.append((nats[keep].sum(), keep.sum()))
    return np.array(sums)


def distinct(songs: list[Written]) -> int:
    """Different pairs of neighbouring characters."""
    return len({line[k : k + 2] for song in songs for line in song.lines for k in range(len(line) - 1)})


def tell_times(writer: Lyricist) -> None:
    """Prints how long a token takes under each plan, as often as in free writing, and what many at once cost."""
    plans = {"free": Plan(), **{name_of(wishes): Plan.parse(**wishes) for wishes in (*KEPT, *SLOW)}}  # type: ignore[arg-type]
    times: dict[str, list[float]] = {name: [] for name in plans}
    for seed in range(ROUNDS):
        for name, plan in plans.items():
            began = time.perf_counter()
            pieces = list(writer.stream(plan=plan, seed=seed))
            times[name].append((time.perf_counter() - began) / len(pieces))
    medians = {name: statistics.median(found[1:]) for name, found in times.items()}
    print("\n| plan | time of a token, free writing = 1 |\n|---|---|")
    for name, median in medians.items():
        print(f"| {name} | {median / medians['free']:.2f} |", flush=True)
    plan = Plan.parse(**WEIGHED[0])  # type: ignore[arg-type]
    ways = {"one song": {"count": 1}, "16 songs at once": {"count": 16},
            "one song, 8 candidates a line": {"count": 1, "candidates": 8}}  # fmt: skip
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for seed in range(ROUNDS):
        for name, way in ways.items():
            began = time.perf_counter()
            writer.write(plan=plan, seed=seed, **way)
            spent[name].append(time.perf_counter() - began)
    print("\n| a song of 9,7,9,7 ABAB, eight lines | time, one song = 1 |\n|---|---|")
    one = statistics.median(spent["one song"][1:])
    for name, found in spent.items():
        print(f"| {name} | {statistics.median(found[1:]) / one:.2f} |", flush=True)


def name_of(wishes: dict[str, str | int | bool]) -> str:
    """A plan as its options."""
    return " ".join(f"{name}={value}" for name, value in wishes.items())


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--judge", type=Path)
    parser.add_argument("--songs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--train-judge", type=Path)
    parser.add_argument("--minutes", type=float, default=5)
    given = parser.parse_args()
    if given.train_judge:
        train_judge(given.train_judge, given.minutes)
        return
    writer = load(given.model)
    print("| plan | lengths | rhyme | heads |\n|---|---|---|---|")
    for wishes in KEPT:
        plan = Plan.parse(**wishes)  # type: ignore[arg-type]
        shares = kept(writer.write(plan=plan, count=given.songs, seed=given.seed), plan)
        print(f"| {name_of(wishes)} | " + " | ".join(f"{100 * share:.2f} %" for share in shares) + " |", flush=True)
    if given.judge:
        judge = load(given.judge)
        print("\n| plan | free | rhymed | cost, nats/char | ± | distinct bigrams kept |\n|---|---|---|---|---|---|")
        for wishes in WEIGHED:
            plan = Plan.parse(**wishes)  # type: ignore[arg-type]
            loose = Plan.parse(**{**wishes, "rhyme": ""})  # type: ignore[arg-type]
            ends = must_rhyme(plan)
            rhymed, free = (writer.write(plan=p, count=given.songs, seed=given.seed) for p in (plan, loose))
            a, b = weigh(judge, rhymed, ends), weigh(judge, free, ends)
            rates = [x[:, 0].sum() / x[:, 1].sum() for x in (a, b)]
            errors = [np.std(x[:, 0] - r * x[:, 1]) * len(x) ** 0.5 / x[:, 1].sum()
                      for x, r in zip((a, b), rates, strict=True)]  # fmt: skip
            said = f"{wishes['pattern']} {wishes['rhyme']}"
            share = 100 * distinct(rhymed) / distinct(free)
            print(f"| {said} | {rates[1]:.3f} | {rates[0]:.3f} | {rates[0] - rates[1]:+.3f} | "
                  f"{float(np.hypot(*errors)):.3f} | {share:.0f} % |", flush=True)  # fmt: skip
    tell_times(writer)


if __name__ == "__main__":
    main()
