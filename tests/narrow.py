"""A device without float64, as Apple's MPS is one, played by the CPU."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

DEVICE = torch.device("mps")
TO_AND_FRO = (Tensor.to, Tensor.__getitem__, Tensor.__setitem__)  # take tensors of two devices


class Narrow(Tensor):
    """A tensor that lies there."""


class NarrowDevice(TorchFunctionMode):
    """What is made of the device's tensors, or there, lies there: float64 and tensors of the CPU are refused."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = (args, kwargs or {})
        leaves = tree_leaves(given)
        if not any(isinstance(each, Narrow) or each is DEVICE for each in leaves):
            return func(*given[0], **given[1])
        if func == cast(Any, Tensor.device).__get__:  # a new wrapper each time
            return DEVICE
        if func is Tensor.numpy:
            raise TypeError("can't convert a tensor of this device to numpy; copy it to the CPU first")
        if func not in TO_AND_FRO and any(type(each) is Tensor and each.dim() for each in leaves):
            raise RuntimeError(f"{func} of tensors on two devices")
        args, kwargs = tree_map(_played, given)
        found = func(*args, **kwargs)
        return found if func is Tensor.cpu else tree_map(_there, found)


def _played(each: Any) -> Any:
    if each is DEVICE:
        return torch.device("cpu")
    return each.as_subclass(Tensor) if isinstance(each, Narrow) else each


def _there(each: Any) -> Any:
    if not isinstance(each, Tensor):
        return each
    if each.dtype == torch.float64:
        raise TypeError("this device has no float64")
    return each.as_subclass(Narrow)


@contextmanager
def on_a_narrow_device(model: nn.Module) -> Iterator[None]:
    """Within it a model lies on such a device."""
    parts = list(model.modules())
    before = [dict(vars(part)) | {"_parameters": dict(part._parameters)} for part in parts]
    for part in parts:
        for name, weight in part._parameters.items():
            part._parameters[name] = None if weight is None else cast(Any, weight.detach().as_subclass(Narrow))
        if isinstance(part, nn.RNNBase):
            part._flat_weights = [part._parameters[name] for name in part._flat_weights_names]
    try:
        with torch.inference_mode(), NarrowDevice():
            yield
    finally:
        for part, own in zip(parts, before, strict=True):
            vars(part).update(own)
