"""``rbnn audit``: the checks in their order, task by task, and the report."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from rbnn import __version__
from rbnn.audit.case import Case
from rbnn.audit.checks import data_scan, key_dependence, patch_sweep, superposition
from rbnn.audit.checks.crossing import crossings
from rbnn.audit.figures import AuditReport, CheckFigures, Outcome, TaskAudit
from rbnn.audit.subject import AuditedTask, Subject
from rbnn.tasks.load import Progress


@dataclass(frozen=True)
class Step:
    """One check in an audit.

    Args:
        name: of the check.
        title: for people.
        run: the check.
        keras: it needs TensorFlow and the run's latent weights.
        quick: it is part of a quick audit.
    """

    name: str
    title: str
    run: Callable[[Case], CheckFigures]
    keras: bool = False
    quick: bool = True


def _inversion(case: Case) -> CheckFigures:
    from rbnn.audit.checks import inversion

    return inversion.check(case)


def _float_deployed(case: Case) -> CheckFigures:
    from rbnn.audit.checks import float_deployed

    return float_deployed.check(case)


STEPS = (
    Step(patch_sweep.NAME, "Patches, bands and waves", patch_sweep.check),
    Step("trigger inversion", "Trigger inversion (Neural Cleanse)", _inversion, True, False),
    Step(superposition.NAME, "Superposition entropy (STRIP)", superposition.check),
    Step(data_scan.NAME, "Training data", data_scan.check),
    Step("float against deployed", "Float against deployed", _float_deployed, True, False),
    Step(key_dependence.NAME, "Dependence on the key", key_dependence.check),
)
"""Those that look for triggers come before those that try what was found."""


def has_training() -> bool:
    """Whether TensorFlow and Larq are installed."""
    return all(importlib.util.find_spec(name) for name in ("tensorflow", "larq"))


def audit(
    subject: Subject, command: str, *, quick: bool = False, progress: Progress | None = None
) -> AuditReport:
    """Audit a model.

    Args:
        subject: the model.
        command: that was typed, for the report.
        quick: seconds a task in place of minutes: without gradients.
        progress: told which check runs.

    Raises:
        RbnnError: the C engine cannot run the model.
    """
    started = time.monotonic()
    cases: list[Case] = []
    audits = []
    for task in subject.tasks:
        case = Case(task, subject.deployed, subject.run, quick, subject.container.trunk_layers)
        audits.append(_audit_task(case, progress))
        if task.too_few is None:
            cases.append(case)
    return AuditReport(
        model=subject.name,
        form=subject.form,
        digest=subject.container.digest.hex(),
        source=subject.source,
        command=command,
        date=datetime.now(UTC).isoformat(timespec="minutes"),
        rbnn=__version__,
        quick=quick,
        trunk=subject.container.trunk_layers,
        tasks=tuple(audits),
        crossing=crossings(cases) if len(cases) > 1 else (),
        seconds=time.monotonic() - started,
    )


def _audit_task(case: Case, progress: Progress | None) -> TaskAudit:
    started = time.monotonic()
    task = case.task
    checks: list[CheckFigures] = []
    accuracy = None
    if task.too_few is None:
        accuracy = float(np.mean(case.answers == case.measure.labels))
    for number, step in enumerate(STEPS):
        if progress is not None:
            progress(f"{task.name}: {step.name}", number, len(STEPS))
        begun, used = time.monotonic(), time.process_time()
        why = _why_not(case, task, step)
        found = step.run(case) if why is None else _not_run(step, *why)
        taken = {"seconds": time.monotonic() - begun, "processor": time.process_time() - used}
        checks.append(found.model_copy(update=taken))
    if progress is not None:
        progress(f"{task.name}: audited", len(STEPS), len(STEPS))
    data = task.data
    return TaskAudit(
        task=task.name,
        labels=task.labels,
        kind=task.kind,
        samples=0 if data is None else len(data.test),
        training_samples=0 if data is None or task.trusted else len(data.train),
        accuracy=accuracy,
        checks=tuple(checks),
        seconds=time.monotonic() - started,
    )


def _why_not(case: Case, task: AuditedTask, step: Step) -> tuple[Outcome, str] | None:
    """Why a check cannot run, and whether the audit then cannot tell."""
    if task.too_few is not None:
        return Outcome.UNKNOWN, f"it needs samples: {task.too_few}"
    if case.quick and not step.quick:
        return Outcome.SKIPPED, "not part of a quick audit"
    if step.keras and case.run is None:
        return Outcome.SKIPPED, "it needs the run: a container has no latent weights"
    if step.keras and not has_training():
        return Outcome.SKIPPED, "it needs TensorFlow: pip install 'rbnn[train]'"
    return None


def _not_run(step: Step, outcome: Outcome, why: str) -> CheckFigures:
    return CheckFigures(
        name=step.name,
        title=step.title,
        outcome=outcome,
        looked_for="–",
        said=why,
        limit="–",
        blind="everything that it looks for",
    )


def summary(report: AuditReport) -> str:
    """One line: the result, and how much was looked at."""
    found = [task.task for task in report.tasks if task.outcome is Outcome.FOUND]
    unknown = [task.task for task in report.tasks if task.outcome is Outcome.UNKNOWN]
    parts = []
    if found:
        parts.append(f"found in {', '.join(found)}")
    if unknown:
        parts.append(f"could not tell for {', '.join(unknown)}")
    rest = len(report.tasks) - len(found) - len(unknown)
    if rest:
        parts.append(f"no trigger of these kinds found in {rest} task{'s' if rest > 1 else ''}")
    return "; ".join(parts)
