"""Where a model computes: the device by name, and the arithmetic that suits it."""

import contextlib
import ctypes
import platform
from contextlib import AbstractContextManager

import torch

from lyricgen.errors import OptionError

DEVICES = ("auto", "cpu", "cuda", "mps")
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # glibc's malloc.h


def pick_device(name: str) -> torch.device:
    """The device for a name; `auto` takes CUDA, then Apple's MPS, then the CPU. Raises OptionError."""
    if name not in DEVICES:
        raise OptionError(f"device must be one of {', '.join(DEVICES)}, got {name!r}")
    has = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if has[kind]))
    if not has[name]:
        raise OptionError(f"this machine has no {name} device that torch can use; try --device cpu")
    return torch.device(name)


def prepare_torch() -> None:
    """Settings for a process that trains: numbers too small to matter count as zero, which spares the CPU."""
    torch.set_flush_denormal(True)
    torch.set_float32_matmul_precision("high")  # TF32 on the cards that have it; no change on a CPU
    _keep_freed_memory()


def _keep_freed_memory() -> None:
    """Lets glibc reuse large blocks instead of returning each to the system and clearing a new one.

    A training step frees and takes the same blocks of some ten MB again and again; on two cores a step of
    2×LSTM 512 over 4,000 classes took 0.9 of its time after this, one of 2×LSTM 128 over 2,090 classes 0.65.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(_M_MMAP_THRESHOLD, 1 << 30)
    libc.mallopt(_M_TRIM_THRESHOLD, (1 << 31) - 1)


def half_precision(device: torch.device) -> torch.dtype | None:
    """What the device multiplies faster than float32: bfloat16, or float16 on cards that lack that; else None."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    if device.type == "cpu" and (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()):
        return torch.bfloat16
    return None


def mixed_precision(device: torch.device) -> AbstractContextManager[object]:
    """The context in which training multiplies in half precision, where that pays."""
    kind = half_precision(device)
    return torch.autocast(device.type, dtype=kind) if kind is not None else contextlib.nullcontext()


def synchronize(device: torch.device) -> None:
    """Waits until a device has done all that it was given, before a clock is read; the CPU never lags behind."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def send(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """A tensor of the host on a device, without waiting for the copy: CUDA wants page-locked memory for that."""
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)
