"""What float16 needs to learn: gradients are kept in its range by a factor on the loss."""

import torch
from torch import Tensor

FIRST = 2.0**15
PATIENCE = 2000  # updates without an overflow before the factor is doubled


class LossScale:
    """The factor of a run (Micikevicius et al. 2018, arXiv:1710.03740, section 3.2); 1 for good if not `needed`.

    Float16 ends at 65,504, and below 6·10⁻⁸ all is zero, where many gradients would be. An update whose gradients
    overflow is left out, and the factor halved. Asking that waits for the device, once an update.
    """

    def __init__(self, *, needed: bool) -> None:
        self.needed = needed
        self.factor = FIRST if needed else 1.0
        self._finite = 0  # updates in a row

    def scaled(self, loss: Tensor) -> Tensor:
        """The loss times the factor."""
        return loss * self.factor if self.needed else loss

    def unscale(self, gradients: list[Tensor]) -> bool:
        """Takes the factor out of the gradients, in place; False where they overflowed, and are of no use."""
        if not self.needed:
            return True
        torch._foreach_div_(gradients, self.factor)
        finite = bool(torch.isfinite(torch.stack(torch._foreach_norm(gradients))).all())
        self._finite = self._finite + 1 if finite else 0
        if not finite:
            self.factor = max(1.0, self.factor / 2)
        elif self._finite == PATIENCE:
            self.factor, self._finite = self.factor * 2, 0
        return finite

    def state(self) -> tuple[float, int]:
        """What is saved of a run."""
        return self.factor, self._finite

    def load(self, state: tuple[float, int]) -> None:
        """Takes in what `state` gave."""
        if self.needed:
            self.factor, self._finite = state
