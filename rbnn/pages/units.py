"""One meaning of KB, wherever a size is printed."""

from __future__ import annotations

KB = 1000
"""Bytes. Where 1,024 are meant, as by the makers of chips, the unit is KiB."""


def kilobytes(size: float) -> str:
    """A size in KB, with a decimal below 100 KB."""
    return f"{size / KB:,.0f}" if size >= 100 * KB or not size else f"{size / KB:,.1f}"
