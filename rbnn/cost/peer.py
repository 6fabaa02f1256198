"""One other engine for Cortex-M, and what was measured of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """The fewest instructions for a standard layer.

    Args:
        per_mac: instructions per nominal multiply-accumulate.
        kernel: the engine's function.
        flags: of the compiler, beside those of the core.
    """

    per_mac: float
    kernel: str
    flags: str


@dataclass(frozen=True)
class Peer:
    """One engine.

    Args:
        name: as the tables print it.
        repository: where its source is published.
        commit: of the source that was measured.
        measured: the day.
        conv_a: its rate for that standard layer; None if it has no such kernel, as the next three.
        conv_b: see ``conv_a``.
        dense: see ``conv_a``.
        stem: see ``conv_a``.
    """

    name: str
    repository: str
    commit: str
    measured: str
    conv_a: Rate | None
    conv_b: Rate | None
    dense: Rate | None
    stem: Rate | None

    def rate(self, column: str) -> Rate | None:
        """Its rate for the standard layer of that name."""
        rate: Rate | None = getattr(self, column)
        return rate
