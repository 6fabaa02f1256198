"""The C engine under key bits of the thief's choice."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rbnn.engine.wide import WideEngine
from rbnn.export.integer_predictor import current_container
from rbnn.runs.run import Run
from rbnn.theft.attacks.layers import Masks, StoredLayers

LOGIT_ONE = 1 << 20
"""Logits are Q12.20."""
Images = npt.NDArray[np.uint8]


class ForcedEngine:
    """One task's network with forced key bits.

    In the thief's favour, the task's thresholds and scales are the right ones, although its sealed
    block hides them.

    Args:
        run: the attacked run.
        layers: its layers.
        task: name of the task.

    Raises:
        RbnnError: the run is incomplete, or there is no C compiler.
    """

    def __init__(self, run: Run, layers: StoredLayers, task: str) -> None:
        self._layers = layers
        self._container = current_container(run)
        self._engine = WideEngine(self._container)
        self._task = self._container.task_number(task)
        self._secret = layers.secrets[task]
        self._right = layers.masks(task)

    def logits(self, masks: Masks, images: Images) -> npt.NDArray[np.float64]:
        """Logits of the network ``P xor masks``, (n, classes); layers left out are right."""
        for number, mask in masks.items():
            self._force(number, mask)
        logits = self._engine.logits(self._task, self._secret, images)
        return logits / LOGIT_ONE

    def _force(self, number: int, mask: npt.NDArray[np.bool_]) -> None:
        """Write what the task's own key stream turns into ``P xor mask``."""
        change = self._layers.packed(number, mask ^ self._right[number])
        stored = self._container.stored_bits(number)
        mixed = np.frombuffer(stored, np.uint8) ^ np.frombuffer(change, np.uint8)
        self._engine.force_bits(number, mixed.tobytes())
