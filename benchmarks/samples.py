"""Songs as they come, unpicked, in Markdown: what `lyricgen generate --start … --seed 1` and the next seeds write.

python benchmarks/samples.py checkpoints/starter --start 星星 --count 20
"""

import argparse

from lyricgen.generation.lyricist import load


def main() -> None:
    """Prints one song for each seed from 1 on."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model")
    parser.add_argument("--start", default="星星")
    parser.add_argument("--count", type=int, default=10)
    given = parser.parse_args()
    lyricist = load(given.model, device="cpu")
    for seed in range(1, given.count + 1):
        (song,) = lyricist.write(given.start, seed=seed)
        print(f"### Seed {seed}\n\n```\n{song.text.rstrip()}\n```\n")


if __name__ == "__main__":
    main()
