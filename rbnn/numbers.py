"""Whole numbers as people and files write them."""

from __future__ import annotations

MOST_DIGITS = 18
"""More than any count, size or version here has; so many fit 64 bits."""


def whole_number(text: str) -> int | None:
    """The number that a text of decimal digits means; None for any other text, or a longer one.

    ``int`` alone takes signs, spaces, underscores and digits of every script, and raises what looks
    like another error for thousands of digits.
    """
    if not text.isascii() or not text.isdecimal() or len(text) > MOST_DIGITS:
        return None
    return int(text)


def cut(text: str, most: int = 80) -> str:
    """A text for a message: one that is much longer is cut off."""
    return text if len(text) <= most else text[: most - 1] + "…"
