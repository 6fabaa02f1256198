"""The float models that teach the networks of a comparison: files in the comparison's folder.

All networks learn from the same ones, single-task networks too, so that the drop says what sharing
costs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rbnn.compare.choice import ComparisonChoice
from rbnn.compare.jobs import Job
from rbnn.compare.plan import read_plan, training_settings
from rbnn.runs.config import FloatTeacher, RunConfig
from rbnn.runs.run import Run
from rbnn.runs.start import configure
from rbnn.runs.teachers import check_files, place_teachers
from rbnn.spec.key_stream import MODEL_ID_BYTES
from rbnn.tasks import TaskData


def place(
    folder: Path,
    choice: ComparisonChoice,
    data: Sequence[TaskData],
    say: Callable[[str], None],
) -> dict[str, FloatTeacher]:
    """Examine a new comparison's float models and copy them into its folder.

    Args:
        folder: of the comparison.
        choice: complete; its teachers are paths on this machine, or ``auto``.
        data: the tasks.
        say: called with a line about each model.

    Returns:
        What they are, by task, with files relative to ``folder``; those of an existing comparison.

    Raises:
        RbnnError: a file cannot be read, or is no model of the task's classes.
    """
    if (known := read_plan(folder)) is not None:
        return dict(known.teachers)
    assert choice.seeds is not None
    settings = training_settings(choice.settings, choice.seeds[0])
    if not settings.teachers:
        return {}
    check_files(settings)
    # TensorFlow takes seconds to import.
    from rbnn.train.float_teacher import examine

    examined = examine(settings, data, say)
    config = configure(data, settings, bytes(MODEL_ID_BYTES))
    placed = place_teachers(Run(folder), config, examined)
    return {task.name: task.float_teacher for task in placed.tasks if task.float_teacher}


def with_teachers(config: RunConfig, teachers: Mapping[str, FloatTeacher], up: str) -> RunConfig:
    """A network's config with the comparison's float models.

    Args:
        config: of a network.
        teachers: by task, with files relative to the comparison's folder.
        up: leads from the network's folder to the comparison's: ``../../``.
    """
    tasks = []
    for task in config.tasks:
        found = teachers.get(task.name)
        if found is not None:
            found = found.model_copy(update={"file": up + found.file})
        tasks.append(task.model_copy(update={"float_teacher": found}))
    return config.model_copy(update={"tasks": tuple(tasks)})


def way_up(job: Job) -> str:
    """From a network's folder to the comparison's."""
    return "../" * len(job.path.parts)
