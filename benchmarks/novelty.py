"""What the index of the training songs costs, and how well it tells.

    python benchmarks/novelty.py build [FILE --songs blank] [--copies 60]   size, time and memory of making one
    python benchmarks/novelty.py alarms                                     false alarms and missed copies
    python benchmarks/novelty.py write MODEL [--novel 8]                    time of a token, and with the rule

`--copies` repeats the text with one character in twenty exchanged, as `prepare_memory.py` does.
"""

import argparse
import random
import resource
import time
from collections.abc import Iterator

from lyricgen.generation.constraints import Form
from lyricgen.generation.lyricist import load
from lyricgen.text.corpus import Corpus
from lyricgen.text.novelty import NoveltyBuilder, NoveltyIndex
from lyricgen.text.resources import songbook
from lyricgen.text.units import cut, to_points


def texts(file: str | None, songs: str) -> list[str]:
    """The songs of a file, or the songbook's."""
    return [song.text() for song in Corpus([file or songbook()], songs="blank" if songs == "blank" else "file")]


def noisy(songs: list[str], copies: int) -> Iterator[str]:
    """The songs, and copies of them that differ."""
    yield from songs
    rng = random.Random(0)
    alphabet = sorted(set("".join(songs)) - {"\n"})
    for _ in range(copies - 1):
        for song in songs:
            yield "".join(rng.choice(alphabet) if c != "\n" and rng.random() < 0.05 else c for c in song)


def build(given: argparse.Namespace) -> None:
    """Size, time, memory."""
    songs = list(noisy(texts(given.file, given.songs), given.copies))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    builder = NoveltyBuilder()
    began = time.perf_counter()
    for song in songs:
        builder.add(song)
    index = builder.build()
    seconds = time.perf_counter() - began
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    characters = sum(map(len, songs))
    print(
        f"{len(songs):,} songs, {characters:,} characters: {seconds:.2f} s, memory grown by {grown:.0f} MiB; ", end=""
    )
    if index is None:
        print("too much text for an index")
        return
    data = index.to_bytes()
    print(f"{len(data):,} bytes")
    for what, work in (
        ("read", lambda: NoveltyIndex.from_bytes(data)),
        ("runs of one song", lambda: index.runs(songs[0])),
        ("sorted for writing", lambda: index.pairs),
        ("runs of one song, sorted", lambda: index.runs(songs[0])),
    ):
        began = time.perf_counter()
        work()
        print(f"{what}: {1000 * (time.perf_counter() - began):.1f} ms")


def alarms(given: argparse.Namespace) -> None:
    """Runs that are told of texts that hold none, and copies that are not told."""
    songs = texts(given.file, given.songs)
    held_out, trained = songs[::5], [song for number, song in enumerate(songs) if number % 5]
    index = NoveltyIndex.from_bytes(_index(trained).to_bytes())
    print(f"{index.songs} songs in the index ({len(index.pairs.keys):,} pairs)")
    plain = [_plain(song) for song in trained]
    whole = "\n".join(plain)
    alphabet = whole.replace("\n", "")
    rng = random.Random(1)
    for at_least in (6, 8):
        stretches = found = 0
        for _ in range(100):
            text = "".join(rng.choices(alphabet, k=10_000))
            stretches += len(text) - at_least + 1
            found += sum(run.text not in whole for run in index.runs(text, at_least=at_least))
        print(f"random characters, runs of {at_least}: {found} false of {stretches:,} stretches")
        told = [_plain(run.text) for song in held_out for run in index.runs(song, at_least=at_least)]
        print(
            f"held-out songs, runs of {at_least}: {len(told)} told, {sum(t not in whole for t in told)} of them false"
        )
        near = false = 0
        for _ in range(20_000):
            song = rng.choice(plain)
            at = rng.randrange(max(1, len(song) - at_least))
            text = song[at : at + at_least - 1] + rng.choice(alphabet)
            if text not in whole:
                near += 1
                false += bool(index.runs(text, at_least=at_least))
        print(f"all but one character of {at_least}: {false} false of {near:,}")
    missed = tried = 0
    for _ in range(20_000):
        song = rng.choice(plain)
        if len(song) > 20:
            at, size = rng.randrange(len(song) - 20), rng.randint(8, 20)
            copy = song[at : at + size]
            if sum(copy in each for each in plain) < 3:
                tried += 1
                missed += not any(copy in run.text for run in index.runs("鲸" + copy + "鲵"))
    print(f"copies of 8 to 20 characters: {missed} missed of {tried:,}")


def _index(songs: list[str]) -> NoveltyIndex:
    builder = NoveltyBuilder()
    for song in songs:
        builder.add(song)
    index = builder.build()
    assert index is not None
    return index


def _plain(text: str) -> str:
    units = cut(to_points(text))
    return "".join(text[a:b].casefold() for a, b in zip(units.starts.tolist(), units.ends.tolist(), strict=True))


def write(given: argparse.Namespace) -> None:
    """Processor time of a token with and without the rule, in turn: the fastest song of each."""
    lyricist = load(given.model, device="cpu")
    form = Form(length=given.length)
    times: dict[int, list[float]] = {0: [], given.novel: []}
    copied = dict.fromkeys(times, 0)
    for seed in range(given.rounds + 1):
        for novel in sorted(times, reverse=bool(seed % 2)):
            began = time.process_time()
            text = "".join(lyricist.stream(seed=seed, form=form, novel=novel))
            if seed:  # the first is for warming up
                times[novel].append((time.process_time() - began) / given.length)
                copied[novel] += len(lyricist.copied(text, at_least=given.novel))
    plain, ruled = (min(each) for each in times.values())  # a shared machine only ever adds
    print(f"{1e6 * plain:.0f} µs a token, with --novel {given.novel} {1e6 * ruled:.0f} µs ({ruled / plain - 1:+.1%})")
    print(f"copied runs: {copied[0]} and {copied[given.novel]} in {given.rounds * given.length:,} tokens each")


def main() -> None:
    """Runs one of the three."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(required=True)
    for name, work in (("build", build), ("alarms", alarms)):
        command = commands.add_parser(name)
        command.add_argument("file", nargs="?")
        command.add_argument("--songs", choices=["file", "blank"], default="file")
        command.add_argument("--copies", type=int, default=1)
        command.set_defaults(work=work)
    command = commands.add_parser("write")
    command.add_argument("model")
    command.add_argument("--novel", type=int, default=8)
    command.add_argument("--length", type=int, default=1000)
    command.add_argument("--rounds", type=int, default=11)
    command.set_defaults(work=write)
    given = parser.parse_args()
    given.work(given)


if __name__ == "__main__":
    main()
