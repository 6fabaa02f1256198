"""What ``rbnn bench registry`` prints and writes."""

from __future__ import annotations

import platform
from collections.abc import Sequence

from rbnn.bench.registry.measure import GOAL_MS, RegistryBench
from rbnn.pages.table import Table

BUSY = ": medians and percentiles are mostly the time that other programs had the processor"
_HEADS = ("operation", "median ms", "99th percentile ms", "processor ms")


def table(found: RegistryBench) -> Table:
    """One database: a row per operation."""
    rows = tuple(
        (
            one.operation,
            f"{one.median_ms:.1f}",
            f"{one.high_ms:.1f}",
            f"{one.processor_ms:.1f}",
        )
        for one in found.durations
    )
    title = f"{found.database}, {found.devices:,} devices, {found.licences:,} licences"
    return Table(_HEADS, rows, title=f"{title}; the disk takes {found.sync_ms:.1f} ms to keep 4 KB")


def document(results: Sequence[RegistryBench], command: str) -> str:
    """The page."""
    parts = [
        "# How long the registry takes\n\n"
        f"Written by `{command}` on {platform.machine()}, {platform.system()}.\n\n"
        f"The goal is {GOAL_MS:g} ms per operation. A transaction is kept when the disk says so, "
        "which no database can hasten; *processor* is the median of what this process computes, "
        "with everything that it does in it: to issue or to transfer a licence, the key "
        "agreement too. Only `rbnn devices audit` reads the whole log.\n"
    ]
    for found in results:
        parts.append(
            f"\n## {found.database}\n\n"
            f"{found.devices:,} devices and {found.licences:,} licences; {found.operations:,} "
            f"operations of each kind, one after the other. This machine's disk takes "
            f"{found.sync_ms:.1f} ms to keep 4,096 bytes. Its load "
            f"average was {found.load:.1f} for each processor"
            f"{BUSY if found.load > 1.2 else ''}.\n\n{table(found).markdown()}\n"
        )
    return "".join(parts)


def missed(results: Sequence[RegistryBench]) -> list[str]:
    """The operations whose median misses the goal."""
    return [
        f"{found.database}: to {one.operation} takes {one.median_ms:.1f} ms, not {GOAL_MS:g}"
        for found in results
        for one in found.durations
        if one.median_ms >= GOAL_MS
    ]
