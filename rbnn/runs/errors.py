"""What can stop a training run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rbnn.errors import RbnnError


class TrainingError(RbnnError):
    """A setting, a checkpoint or the disk is at fault."""


class TrainingInterruptedError(RbnnError):
    """Ctrl-C or SIGTERM; everything up to the last step is saved.

    Its exit code is 128 and the signal's number.
    """

    exit_code = 130


class TrainingPausedError(TrainingInterruptedError):
    """The time of ``--until`` has come: the training was to stop then, so nothing has failed."""

    exit_code = 0


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Turn failures of writing below ``folder`` into an error that says so.

    Raises:
        TrainingError: TensorFlow or the system could not write.
    """
    from rbnn.nets.framework import tf

    try:
        yield
    except (OSError, tf.errors.OpError) as error:
        reason = getattr(error, "strerror", None) or getattr(error, "message", None) or error
        raise TrainingError(
            f"Cannot write {folder}: {str(reason).strip().splitlines()[0]}.",
            "Free some space, then continue from the last checkpoint with: rbnn train --resume RUN",
        ) from error
