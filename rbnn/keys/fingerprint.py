"""SRAM power-up behaviour of one emulated device.

Each cell has a fixed mismatch ``m ~ N(bias, 1)``; at power-on it reads 1 if mismatch plus fresh
noise ``N(0, s^2)`` is positive. So a device has few weak cells that flip often and many strong
ones that hardly ever do, like real chips.

Source: Maes, "Physically Unclonable Functions", Springer 2013, section 4.3 (the hidden-variable
model). Two readings of a cell are jointly normal with correlation ``1 / (1 + s^2)``, so they
differ with probability ``arccos(1 / (1 + s^2)) / pi`` at bias 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rbnn.spec import puf


@dataclass(frozen=True)
class Fingerprint:
    """One device's cells.

    Args:
        mismatch: float64, shape (bits,), in units of its own spread.
    """

    mismatch: npt.NDArray[np.float64]

    @classmethod
    def draw(
        cls, seed: int | None = None, *, pattern_bytes: int = puf.PATTERN_BYTES, bias: float = 0.0
    ) -> Fingerprint:
        """Make a device.

        Args:
            seed: the same seed gives the same device; None draws a new one.
            pattern_bytes: size of the region.
            bias: mean mismatch; 0 gives half ones, 0.2 gives 58 %.
        """
        return cls(np.random.default_rng(seed).normal(bias, 1.0, 8 * pattern_bytes))

    @property
    def reference(self) -> bytes:
        """What the cells prefer: the noiseless pattern."""
        return _pack(self.mismatch)

    def power_up(self, bit_error_rate: float, noise: np.random.Generator | None = None) -> bytes:
        """Read the region after a fresh power-on.

        Args:
            bit_error_rate: expected share of bits that differ between two power-ups, 0..0.49.
            noise: source of the fresh noise; None draws it from the operating system.

        Raises:
            ValueError: the rate is out of range.
        """
        if not 0.0 <= bit_error_rate < 0.5:
            raise ValueError(f"A bit error rate is in [0, 0.5). Received: {bit_error_rate}")
        generator = np.random.default_rng() if noise is None else noise
        spread = math.sqrt(1.0 / math.cos(math.pi * bit_error_rate) - 1.0)
        return _pack(self.mismatch + generator.normal(0.0, 1.0, self.mismatch.size) * spread)


def _pack(values: npt.NDArray[np.float64]) -> bytes:
    return np.packbits(values > 0.0, bitorder="little").tobytes()
