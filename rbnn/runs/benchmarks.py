"""Which benchmarks of MLPerf Tiny the tasks of a run stand for, chosen after it was trained."""

from __future__ import annotations

from collections.abc import Mapping

from rbnn.runs.run import Run
from rbnn.runs.start import check_names
from rbnn.spec.link import Benchmark


def choose_benchmarks(run: Run, benchmarks: Mapping[str, Benchmark]) -> None:
    """Write into a run what its tasks stand for; other tasks stay as they are.

    Raises:
        RbnnError: the run has no such task, or its folder cannot be written.
    """
    config = run.config()
    chosen = {task: benchmark.text for task, benchmark in benchmarks.items()}
    changed = config.model_copy(update={"benchmarks": {**config.benchmarks, **chosen}})
    check_names(changed, [task.name for task in config.tasks])
    if changed != config:
        run.write_config(changed)
