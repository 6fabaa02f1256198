"""What can go wrong when a board is written."""

from __future__ import annotations

from rbnn.errors import ExitCode, RbnnError


class FlashError(RbnnError):
    """An image cannot be written to a board."""

    exit_code = ExitCode.BOARD
