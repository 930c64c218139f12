"""The hard rule of novelty: no token that would make a song copy a training song."""

from lyricgen.errors import OptionError
from lyricgen.generation.constraints import Draft
from lyricgen.model.checkpoint import Checkpoint, no_novelty
from lyricgen.text.forbidden import Watch
from lyricgen.text.novelty import SHORTEST
from lyricgen.text.vocab import FIRST

LONGEST = 12  # of the runs that can be forbidden: shorter than a couplet


class NovelRule:
    """Forbids what would complete a run of `at_least` characters or more that stands in the training songs.

    Raises OptionError for a length that cannot be, CheckpointError for a model that has no index of its songs.
    """

    def __init__(self, loaded: Checkpoint, *, at_least: int) -> None:
        if not SHORTEST <= at_least <= LONGEST:
            raise OptionError(f"novel must be from {SHORTEST} to {LONGEST} characters, got {at_least}")
        if loaded.novelty is None:
            raise no_novelty(loaded.folder)
        self._watch = Watch(loaded.novelty, loaded.vocab.tokens[FIRST:], at_least=at_least)

    def forbidden_ids(self, draft: Draft) -> tuple[int, ...]:
        """The ids that may not come next."""
        return tuple((self._watch.forbidden(draft.text) + FIRST).tolist())
