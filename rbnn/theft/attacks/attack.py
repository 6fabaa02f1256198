"""The attacks by name, for the command line, which imports no arithmetic."""

from __future__ import annotations

from enum import StrEnum


class Attack(StrEnum):
    """What the thief does."""

    FINE_TUNING = "fine-tuning"
    ORACLE = "oracle"
    GENETIC = "genetic"
    GRADIENT = "gradient"
