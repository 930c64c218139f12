"""The processes that train one model together, each on its own part of every batch."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from lyricgen.errors import LyricgenError, OptionError, TrainingError

PATIENCE = timedelta(minutes=10)  # for a process that does not answer; one that dies is noticed at once
PREPARATION = timedelta(days=7)  # that the others wait while the first one reads the corpus

Value = TypeVar("Value")


class Ranks:
    """A process that trains alone: rank 0 of 1.

    All ranks call the same methods in the same order. What a run decides by its clock or by Ctrl-C it therefore
    decides by `same`, and what may fail in one rank alone stands under `agreed`.
    """

    rank = 0
    size = 1

    @property
    def first(self) -> bool:
        """Whether this is the rank that writes, prints and decides."""
        return self.rank == 0

    @property
    def launch(self) -> str:
        """How a command is begun that runs in as many processes."""
        return launch(self.size)

    def mean(self, tensors: Sequence[Tensor]) -> None:
        """Replaces tensors of one device and type, in place, by their means over the ranks; all get equal bits."""

    def same(self, value: Value) -> Value:
        """The first rank's value."""
        return value

    def gather(self, value: Value) -> list[Value]:
        """The values of all ranks, in order, for the first of them; any other has its own alone."""
        return [value]

    def all_gather(self, value: Value, *, patient: bool = False) -> list[Value]:
        """The values of all ranks, in order, for each. `patient`: as long as another may need to prepare a corpus."""
        return [value]

    @contextmanager
    def agreed(self, *, patient: bool = False) -> Iterator[None]:
        """A part that all ranks get through or none. Raises everywhere the LyricgenError that one of them met."""
        failure: LyricgenError | None = None
        try:
            yield
        except LyricgenError as error:
            failure = error
        messages = self.all_gather(str(failure or ""), patient=patient)
        if failure:
            raise failure
        for rank, message in enumerate(messages):
            if message:
                raise TrainingError(f"process {rank} of {self.size}: {message}")

    def check_number(self, number: int, *, folder: Path) -> None:
        """Raises TrainingError where the run in a folder was saved by another number of processes.

        Each goes on from a state of its own: the hidden state of its rows, and its randomness.
        """
        if number != self.size:
            raise TrainingError(
                f"the run in {folder} was begun in {number} and not in {self.size} processes; "
                f"go on with: {launch(number)} train --resume {folder}"
            )

    def close(self) -> None:
        """Ends the work together."""


class JoinedRanks(Ranks):
    """One of several processes, over torch.distributed.

    Gradients are averaged in one flat buffer, without DistributedDataParallel. That wraps the module and its one
    `forward`, where a step here calls `features`, `logits` and the planner, and what is saved is the plain module's.
    Its gain, to send gradients while others are still computed, is small where a layer's fused backward pass gives
    all its weights' gradients at its very end. Either way the fused kernels of cuDNN and oneDNN see nothing of it,
    and weights that are dropped have their gradients already summed in the weight itself.

    Everything but the gradients goes through gloo between the hosts, so a step never waits for the device; and since
    there is such an exchange in every step, a process that died is noticed by its closed connection.
    """

    def __init__(self, rank: int, size: int, *, patience: timedelta = PATIENCE) -> None:
        self.rank = rank
        self.size = size
        with _noticed():
            self._hosts = dist.new_group(backend="gloo", timeout=patience)
            self._patient = dist.new_group(backend="gloo", timeout=PREPARATION)

    def mean(self, tensors: Sequence[Tensor]) -> None:
        """See Ranks."""
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        with _noticed():
            dist.all_reduce(flat, group=self._hosts if flat.device.type == "cpu" else None)
        flat /= self.size
        parts = torch.split(flat, [tensor.numel() for tensor in tensors])
        torch._foreach_copy_(list(tensors), [part.view_as(t) for part, t in zip(parts, tensors, strict=True)])

    def same(self, value: Value) -> Value:
        """See Ranks."""
        box = [value]
        with _noticed():
            dist.broadcast_object_list(box, src=0, group=self._hosts, device=torch.device("cpu"))
        return box[0]

    def gather(self, value: Value) -> list[Value]:
        """See Ranks. What is saved of a rank may be hundreds of megabytes: only the first has all of it in memory."""
        values = [value] * self.size if self.first else None
        with _noticed():
            dist.gather_object(value, values, dst=0, group=self._hosts)
        return values or [value]

    def all_gather(self, value: Value, *, patient: bool = False) -> list[Value]:
        """See Ranks."""
        values = [value] * self.size
        with _noticed():
            dist.all_gather_object(values, value, group=self._patient if patient else self._hosts)
        return values

    def close(self) -> None:
        """Waits for all, so that no connection closes on one that still needs it."""
        self.all_gather(None)
        dist.destroy_process_group()


ALONE = Ranks()


def join(device: torch.device, *, patience: timedelta = PATIENCE) -> Ranks:
    """This process's place among those that torchrun started; alone where it started none.

    On CUDA each process of a machine takes a card of its own. Raises OptionError for a device that cannot be shared
    among them, TrainingError where the others are not reached.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size < 2 or "MASTER_ADDR" not in os.environ:
        return ALONE
    if device.type == "mps":
        raise OptionError("several processes cannot share an mps device; use --device cpu, or leave torchrun out")
    if device.type == "cuda":
        local, cards = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
        if local >= cards:
            raise OptionError(f"more processes than cards on this machine; use --nproc-per-node {cards}")
        torch.cuda.set_device(local)
    with _noticed():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=patience)
    return JoinedRanks(dist.get_rank(), size, patience=patience)


def launch(processes: int) -> str:
    """How a command is begun that runs in so many processes, on as many machines as this one."""
    if processes == 1:
        return "lyricgen"
    machines = int(os.environ.get("GROUP_WORLD_SIZE", "1"))  # torchrun's word for it
    if machines > 1 and processes % machines == 0:
        return f"torchrun --nnodes {machines} --nproc-per-node {processes // machines} -m lyricgen"
    return f"torchrun --nproc-per-node {processes} -m lyricgen"


@contextmanager
def _noticed() -> Iterator[None]:
    """Turns a connection that broke, or an answer that did not come in time, into a TrainingError."""
    try:
        yield
    except (RuntimeError, ValueError) as error:  # torch's DistError among them
        raise TrainingError(
            "another process of this run has ended or does not answer; see what it said, "
            "then go on from the last save with the same torchrun command and --resume"
        ) from error
