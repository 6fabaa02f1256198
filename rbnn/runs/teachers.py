"""The float models that teach a run's tasks: files in the run's folder, so that it can be moved.

::

    teachers/cifar/resnet8.h5    a copy of the user's file
    teachers/kws/auto.keras      trained by rbnn (``--teacher kws=auto``)
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rbnn.files import PRIVATE, write_atomic
from rbnn.runs.config import FloatTeacher, RunConfig
from rbnn.runs.errors import TrainingError
from rbnn.runs.run import Run
from rbnn.runs.settings import AUTO, Settings

FOLDER = "teachers"
SUFFIXES = (".h5", ".hdf5", ".keras", ".tflite")
OWN_FILE = "auto.keras"
OWN_PIXELS = "0..255"


def check_files(settings: Settings) -> None:
    """Refuse teachers that are no files of a known kind, before anything is loaded.

    Raises:
        TrainingError: names the task and the file.
    """
    for task, name in settings.teachers.items():
        path = Path(name).expanduser()
        if name == AUTO:
            continue
        if not path.is_file():
            state = "is a folder" if path.is_dir() else "does not exist"
            raise TrainingError(
                f"The teacher of {task}, {path}, {state}.",
                f"Name a model file ({', '.join(SUFFIXES)}), or --teacher {task}={AUTO}.",
            )
        if path.suffix.lower() not in SUFFIXES:
            raise TrainingError(
                f"The teacher of {task}, {path}, has no known ending.",
                f"A teacher is a Keras or TensorFlow Lite model: {', '.join(SUFFIXES)}.",
            )


def place_teachers(run: Run, config: RunConfig, examined: Mapping[str, FloatTeacher]) -> RunConfig:
    """Copy the teachers into the run's folder; returns the config that names the copies.

    Args:
        run: its folder exists.
        config: its teachers are paths on this machine, or ``auto``.
        examined: by task, what each file was found to be; its ``file`` is the path.

    Raises:
        RbnnError: a file cannot be read or written.
    """
    entries = []
    for task in config.tasks:
        teacher = None
        if config.teachers.get(task.name) == AUTO:
            place = f"{FOLDER}/{task.name}/{OWN_FILE}"
            teacher = FloatTeacher(file=place, pixels=OWN_PIXELS, outputs="logits")
        elif task.name in config.teachers:
            found = examined[task.name]
            source = Path(found.file)
            place = f"{FOLDER}/{task.name}/{source.name}"
            write_atomic(run.folder / place, _read(source), mode=PRIVATE)
            teacher = found.model_copy(update={"file": place})
        entries.append(task.model_copy(update={"float_teacher": teacher}))
    # Of a path on this machine only the last part is kept: the rest is private.
    names = {task: Path(name).name for task, name in config.teachers.items()}
    return config.model_copy(update={"tasks": tuple(entries), "teachers": names})


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TrainingError(
            f"Cannot read the teacher {path}: {error.strerror}.", "Name a file that can be read."
        ) from error
