"""An audit that stands before something else: flashing, or the report of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rbnn.audit.audit import audit, summary
from rbnn.audit.figures import AuditReport, Outcome
from rbnn.audit.page import FILE, write_report
from rbnn.audit.subject import FOLDER, open_subject
from rbnn.errors import ExitCode, RbnnError
from rbnn.export.manifest import source_sha256
from rbnn.frozen import Frozen, read_document
from rbnn.runs.run import Run
from rbnn.tasks.load import Progress


class AuditLine(Frozen):
    """What a report says of a run's audit: ``current`` if it was of these very parameters."""

    outcome: Outcome
    said: str
    date: str
    quick: bool
    current: bool


def read_audit(run: Run) -> AuditReport | None:
    """The last audit in a run's folder; None if there is none, or it cannot be read."""
    try:
        return read_document(AuditReport, run.folder / FOLDER / FILE, "Audit the run again.")
    except RbnnError:
        return None


def audit_line(run: Run) -> AuditLine | None:
    """What a report says of a run's audit; None if it was never audited."""
    found = read_audit(run)
    if found is None:
        return None
    return AuditLine(
        outcome=found.outcome,
        said=summary(found),
        date=found.date,
        quick=found.quick,
        current=found.source == source_sha256(run),
    )


def audit_before(
    folder: Path, names: Sequence[str], command: str, progress: Progress | None = None
) -> tuple[AuditReport, Path]:
    """The audit of a model that is about to be flashed; a whole one of the same parameters that the
    run already holds is taken as it is.

    Args:
        folder: of a run or a packed model.
        names: tasks that are licensed.
        command: that was typed.
        progress: told which check runs.

    Returns:
        The audit, and the folder that holds its pages.

    Raises:
        RbnnError: the model cannot be audited.
    """
    run = Run(folder)
    held = read_audit(run) if run.config_file.is_file() else None
    if held is not None and not held.quick and held.source == source_sha256(run):
        have = {task.task for task in held.tasks if task.outcome is not Outcome.UNKNOWN}
        if have >= set(names):
            return held, run.folder / FOLDER
    subject = open_subject(folder, folder.parent, names=names, progress=progress)
    report = audit(subject, command, progress=progress)
    write_report(report, subject.folder)
    return report, subject.folder


def require_nothing_found(report: AuditReport, folder: Path) -> None:
    """Refuse a model in which something was found, or about which nothing could be told.

    Raises:
        RbnnError: says what, and where its page is.
    """
    if report.outcome is Outcome.NOTHING:
        return
    raise RbnnError(
        f"The audit of {report.model} says: {summary(report)}. Nothing was written to the board.",
        f"Read {folder / 'audit.html'}; to flash it all the same, omit --audit.",
        exit_code=ExitCode.CHECK_FAILED,
    )
