"""The check of an export, recorded next to it: ``check.json``.

``rbnn export`` checks whole test sets. ``rbnn flash`` takes a recorded check of the same
parameters, or checks a sample, which takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from pydantic import ValidationError

from rbnn.export.export import Export, Progress
from rbnn.export.verify import TaskCheck, require_passed, verify_run, warnings
from rbnn.files import PRIVATE, write_atomic
from rbnn.frozen import Frozen
from rbnn.runs.run import Run
from rbnn.runs.start import load_data

CHECK_FILE = "check.json"
SAMPLES = 200
"""Test samples of each task that ``rbnn flash`` computes with the C engine and with Keras."""
COMPARED = 16
"""Of these, how many the integer reference computes too."""


class Record(Frozen):
    """``check.json``; ``source_sha256`` is the manifest's: what was checked was made from it."""

    version: Literal[1] = 1
    source_sha256: str
    checks: tuple[TaskCheck, ...]


def record(export: Export, checks: Sequence[TaskCheck]) -> None:
    """Write down what a check found, passed or not.

    Raises:
        RbnnError: the folder cannot be written.
    """
    made = Record(source_sha256=export.manifest.source_sha256, checks=tuple(checks))
    text = made.model_dump_json(indent=2) + "\n"
    write_atomic(export.folder / CHECK_FILE, text, mode=PRIVATE)


def recorded(export: Export) -> tuple[TaskCheck, ...] | None:
    """What the last check of these parameters found; None if there was none."""
    try:
        found = Record.model_validate_json((export.folder / CHECK_FILE).read_bytes())
    except (OSError, ValidationError):
        return None
    return found.checks if found.source_sha256 == export.manifest.source_sha256 else None


def require_checked(
    run: Run, export: Export, say: Callable[[str], None], progress: Progress | None = None
) -> None:
    """Refuse an export that does not compute what was trained; say what saturates.

    Args:
        run: what it was exported from.
        export: the run's.
        say: told of the check and of what saturates.
        progress: told of each task.

    Raises:
        RbnnError: the check failed, or the run's data are missing.
    """
    checks = recorded(export)
    if checks is None:
        say(f"Checking the export on {SAMPLES} test samples of each task, against Keras.")
        data = load_data(run.config(), progress)
        found = verify_run(
            run, export.container, data, progress, samples=SAMPLES, compared=COMPARED
        )
        record(export, found)
        checks = tuple(found)
    for line in warnings(checks):
        say(line)
    require_passed(checks)
