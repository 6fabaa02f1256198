"""The only boards that code names: what is used if nobody names one. All else is in manifests."""

from __future__ import annotations

DEFAULT_BOARD = "qemu"
"""What every command uses that is given no board."""
MEASURED_BOARDS = (DEFAULT_BOARD, "qemu-m7", "qemu-m3")
"""The emulated cores that docs/benchmarks.md and the cost model cover; goals are for the first."""
BOARDS_VARIABLE = "RBNN_BOARDS"
"""Environment variable that names the folder of one's own boards."""
