"""How a process shares the machine's cores; to be settled before torch is loaded."""

import os

SPINS = 1000


def share_cores() -> None:
    """Keeps OpenMP's threads from spinning for long while they wait for each other.

    GNU's default is to spin for some milliseconds. Where anything else runs on the machine, a thread then spins for
    one that has no core: a training step on two cores beside one busy process took 8 to 40 times as long as it does
    with this setting, and the same as before on a quiet machine. What the user has set stays.
    """
    if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & set(os.environ):
        os.environ["GOMP_SPINCOUNT"] = str(SPINS)
