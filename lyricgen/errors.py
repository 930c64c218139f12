"""Everything that lyricgen raises on purpose: one small tree, each message one line that names the remedy."""


class LyricgenError(Exception):
    """An expected failure: the command line prints its message and exits with 1."""


class InputError(LyricgenError):
    """A text, file or folder that cannot be used: missing, empty, binary, in an unknown encoding."""


class OptionError(LyricgenError):
    """A setting outside its range; the message quotes the value."""


class CheckpointError(LyricgenError):
    """A checkpoint that is missing, damaged, from a newer version, or unsafe to read."""


class TrainingError(LyricgenError):
    """A training run that cannot start or go on: too little text, an occupied folder, a loss of nan."""


class DeviceError(TrainingError):
    """A run that was begun on another kind of device than the one where it is to go on."""
