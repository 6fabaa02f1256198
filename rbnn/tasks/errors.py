"""What can be wrong with a data set."""

from __future__ import annotations

from collections.abc import Sequence

from rbnn.errors import RbnnError

MOST_NAMED = 10
"""Faults of a set that are named in one error; the rest are counted."""


class TaskError(RbnnError):
    """A task's name, files or download is at fault."""


def raise_all(faults: Sequence[TaskError], where: object) -> None:
    """Raise the faults of a set as one error; do nothing if there are none.

    Args:
        faults: in the order in which they were found.
        where: the set.

    Raises:
        TaskError: the only fault, or one that names up to ten and counts the rest.
    """
    if not faults:
        return
    if len(faults) == 1:
        raise faults[0]
    lines = [fault.what for fault in faults[:MOST_NAMED]]
    if len(faults) > MOST_NAMED:
        lines.append(f"and {len(faults) - MOST_NAMED} more.")
    fixes = dict.fromkeys(fault.fix for fault in faults[:MOST_NAMED] if fault.fix)
    raise TaskError(
        "\n  ".join([f"{where} has {len(faults)} faults:", *lines]), " ".join(fixes)
    ) from faults[0]
