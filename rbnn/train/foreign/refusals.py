"""The errors of files that are no model, or are more than one."""

from __future__ import annotations

from pathlib import Path

from rbnn.runs.errors import TrainingError

SAVE_AGAIN = (
    "Save the whole model again with model.save(FILE.h5), model.save(FILE.keras), or TensorFlow "
    "Lite's converter."
)


def no_model(path: Path, kind: str, error: Exception | str) -> TrainingError:
    """A file that cannot be read as a model.

    Args:
        path: of the file.
        kind: whose model it should be.
        error: what is wrong.
    """
    lines = str(error).strip().splitlines()
    reason = (lines[0] if lines else type(error).__name__).rstrip(".")
    return TrainingError(
        f"{path} is not a {kind} model that can be read: {reason[:200]}.", SAVE_AGAIN
    )
