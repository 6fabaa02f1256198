"""``rbnn bench audit``: plan, train, attack, audit, count, and write the report."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rbnn.audit.attacks.kinds import AttackKind
from rbnn.audit.bench.findings import AuditBenchReport, bench_report
from rbnn.audit.bench.goals import goals
from rbnn.audit.bench.page import bench_page
from rbnn.audit.bench.plan import (
    AuditExperiment,
    Cell,
    Part,
    input_of,
    parse_kinds,
    parse_parts,
    plan_cells,
)
from rbnn.audit.bench.results import CellResult, read_result
from rbnn.audit.limits import Input
from rbnn.errors import RbnnError
from rbnn.files import write_atomic
from rbnn.runs.errors import TrainingError
from rbnn.tasks import parse_specs
from rbnn.tasks.load import Progress, load

STEM = "audit-bench"


@dataclass(frozen=True)
class AuditBenchSettings:
    """What the user may choose; texts as typed."""

    tasks: str = "fashion,mnist,kws"
    kinds: str = "all"
    parts: str = "all"
    seeds: int | None = None
    steps: int = 2400
    batch: int = 64
    architecture: str = "resnet"
    width: int = 32
    share: float = 0.1
    target: int = 0
    quick: bool = False
    most: int | None = None

    def command(self, folder: Path) -> str:
        """The command that repeats the measurement."""
        words = ["rbnn", "bench", "audit", "--tasks", self.tasks, "--kinds", self.kinds]
        words += [] if self.parts == "all" else ["--parts", self.parts]
        words += [] if self.seeds is None else ["--seeds", str(self.seeds)]
        words += ["--steps", str(self.steps), "--batch", str(self.batch)]
        words += ["--arch", self.architecture, "--width", str(self.width)]
        words += ["--share", f"{100 * self.share:g}", "--target", str(self.target)]
        words += ["--quick"] if self.quick else []
        return shlex.join([*words, "--out", str(folder)])


def bench_audit(
    settings: AuditBenchSettings,
    folder: Path,
    say: Callable[[str], None],
    progress: Progress | None = None,
) -> AuditBenchReport:
    """Measure the audit and write ``audit-bench.json`` and ``audit-bench.md``, after every network.

    Args:
        settings: the user's choices.
        folder: of the measurement; what it holds already is not computed again.
        say: told of what goes on.
        progress: told of what is loaded.

    Raises:
        RbnnError: a setting is unusable, data cannot be read, the folder holds another experiment
            or cannot be written, or the user interrupted.
    """
    specs = parse_specs(settings.tasks)
    kinds, parts = parse_kinds(settings.kinds), parse_parts(settings.parts)
    _check(settings)
    names = [spec.name for spec in specs]
    experiment = AuditExperiment(
        tasks=tuple(names),
        architecture=settings.architecture,
        width=settings.width,
        steps=settings.steps,
        batch=settings.batch,
        share=settings.share,
        target=settings.target,
        quick=settings.quick,
    )
    sounds = frozenset(name for name in names if input_of(name) is Input.SOUND)
    cells = plan_cells(names, sounds, kinds, parts, settings.seeds)
    planned = count_planned(cells)
    experiment.hold(folder)
    command = settings.command(folder)
    done = {cell: read_result(folder, cell) for cell in cells}
    missing = [cell for cell, result in done.items() if result is None]
    results = [result for result in done.values() if result is not None]
    now = missing if settings.most is None else missing[: settings.most]
    if now:
        data = {spec.name: load(spec, progress=progress) for spec in specs}
        for task in data.values():
            if settings.target >= len(task.labels):
                raise TrainingError(
                    f"--target {settings.target} is no class of {task.name}, which has "
                    f"{len(task.labels)}.",
                    "Classes are counted from 0.",
                )
        from rbnn.audit.bench.measure import measure

        for number, cell in enumerate(now, 1):
            say(f"{len(cells) - len(missing) + number} of {len(cells)}: {cell.name}")
            results.append(measure(cell, experiment, data, folder))
            _write(bench_report(command, experiment, _ordered(results, cells), planned), folder)
    report = bench_report(command, experiment, _ordered(results, cells), planned)
    _write(report, folder)
    if len(missing) > len(now):
        say(f"{len(missing) - len(now)} networks remain; the same command continues.")
    return report


def count_planned(cells: Sequence[Cell]) -> dict[str, int]:
    """Networks by kind of those that are counted, and by part of the others."""
    found = {kind.value: 0 for kind in AttackKind} | {part.value: 0 for part in Part}
    del found[Part.COUNTED.value]
    for cell in cells:
        found[cell.kind.value if cell.part is Part.COUNTED else cell.part.value] += 1
    return found


def _check(settings: AuditBenchSettings) -> None:
    """Refuse numbers that cannot work, before data are loaded."""
    if not 0 < settings.share < 1:
        raise TrainingError(
            f"--share is a percentage above 0 and below 100. Received: {100 * settings.share:g}.",
            "Omit it for 10.",
        )
    for option, value, least in (
        ("--steps", settings.steps, 1),
        ("--batch", settings.batch, 8),
        ("--target", settings.target, 0),
    ):
        if value < least:
            raise TrainingError(
                f"{option} must be {least} or more. Received: {value}.", "Omit it for the default."
            )


def _ordered(results: Sequence[CellResult], cells: Sequence[Cell]) -> list[CellResult]:
    places = {cell.name: place for place, cell in enumerate(cells)}
    return sorted(results, key=lambda one: places[one.name])


def _write(report: AuditBenchReport, folder: Path) -> None:
    write_atomic(folder / f"{STEM}.json", report.model_dump_json(indent=2) + "\n")
    write_atomic(folder / f"{STEM}.md", bench_page(report))


def require_goals(report: AuditBenchReport) -> None:
    """Refuse a measurement that misses a goal.

    Raises:
        RbnnError: names the goals.
    """
    missed = [goal.what for goal in goals(report) if goal.state == "missed"]
    if missed:
        from rbnn.errors import ExitCode

        raise RbnnError(
            f"Missed: {'; '.join(missed)}.",
            "docs/audit.md says what limits are and how they are set; do not set them from these.",
            exit_code=ExitCode.CHECK_FAILED,
        )
