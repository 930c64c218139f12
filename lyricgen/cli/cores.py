"""How a process shares the machine's cores; to be settled before torch is loaded."""

import os

SPINS = 1000


def share_cores() -> None:
    """Keeps OpenMP's threads from spinning for long while they wait for each other, and shares cores among processes.

    GNU's default is to spin for some milliseconds. Where anything else runs on the machine, a thread then spins for
    one that has no core: a training step on two cores beside one busy process took 8 to 40 times as long as it does
    with this setting, and the same as before on a quiet machine. What the user has set stays.

    torchrun gives each of its processes one thread where the user has set none. Each takes its part of the cores
    instead; OMP_THREAD_LIMIT holds for those who want fewer.
    """
    if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & set(os.environ):
        os.environ["GOMP_SPINCOUNT"] = str(SPINS)
    here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if here > 1 and os.environ.get("OMP_NUM_THREADS", "1") == "1":
        os.environ["OMP_NUM_THREADS"] = str(max(1, _cores() // here))


def _cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on every system
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
