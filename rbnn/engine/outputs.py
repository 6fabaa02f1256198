"""What reference and engine give, in one form, to be compared byte by byte."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Outputs:
    """What a batch gave.

    Args:
        logits: (n, classes), int32, Q12.20.
        layers: per layer (n, bytes), uint8: its output as it lies in the arena.
    """

    logits: npt.NDArray[np.int32]
    layers: tuple[npt.NDArray[np.uint8], ...]
