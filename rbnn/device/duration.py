"""How long the device took, in the unit that its clock can measure.

The clock of an emulated board counts instructions, each of a fixed time. That is no time of a real
core: how many cycles an instruction takes is only estimated (``rbnn.cost.predict``). So an emulated
board's figure is the number of instructions, as in ``rbnn nets`` and ``rbnn profile``.
"""

from __future__ import annotations

from rbnn.frozen import Frozen


class Timed(Frozen):
    """A document with the duration of one thing: one of the two members is None."""

    us: float | None
    """Microseconds on a real board."""
    instructions: int | None
    """Instructions of an emulated core."""

    @property
    def took(self) -> str:
        """The duration as text."""
        if self.instructions is not None:
            return f"{self.instructions:,} instructions (emulated)"
        return "" if self.us is None else f"{self.us / 1000:.2f} ms"
