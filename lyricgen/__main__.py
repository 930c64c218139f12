"""`python -m lyricgen`: the command line."""

from lyricgen.cli.app import main

if __name__ == "__main__":
    main()
