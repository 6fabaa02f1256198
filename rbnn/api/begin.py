"""From the user's choices to a run that can be trained: loads the data, makes the folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rbnn.nets.own.file import OwnNetwork, find_network
from rbnn.runs.run import Run
from rbnn.runs.settings import Settings
from rbnn.runs.start import check, check_names, start_run
from rbnn.runs.teachers import check_files
from rbnn.tasks import TaskData, TaskSpec
from rbnn.tasks.load import load
from rbnn.tasks.loading_bar import LoadingBar


def begin(
    specs: Sequence[TaskSpec],
    settings: Settings,
    root: Path,
    *,
    recipe: str | None = None,
    say: Callable[[str], None],
    own: OwnNetwork | None = None,
) -> tuple[Run, list[TaskData]]:
    """Make the folder of a new run.

    Args:
        specs: its tasks.
        settings: the user's choices; refused, if they cannot be, before anything is loaded.
        root: folder of all runs.
        recipe: the name of the one that ``settings`` came from, to be recorded.
        say: told each step.
        own: the network where ``settings`` name a file that describes one; read here by default.

    Returns:
        The run, and the data of its tasks.

    Raises:
        RbnnError: a setting is unusable, data are missing, or the folder cannot be written.
    """
    own = own or find_network(settings.architecture)
    check(settings, own)
    check_names(settings, [one.name for one in specs])
    check_files(settings)
    with LoadingBar() as bar:
        data = [load(one, form=settings.form(one.name), progress=bar.show) for one in specs]
    examined = None
    if settings.teachers:
        from rbnn.train.float_teacher import examine

        examined = examine(settings, data, say)
    return start_run(root, data, settings, examined=examined, recipe=recipe, own=own), data
