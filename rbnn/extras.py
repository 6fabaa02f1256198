"""What ``pip install rbnn`` leaves out: the packages of the extra ``train``.

Without them every command works that trains nothing, compares no networks and draws nothing. Code
that needs them just imports them: the command line turns a failed import into one error. A command
that would find out only after minutes of work calls :func:`require_training` first.
"""

from __future__ import annotations

import importlib.util

from rbnn.errors import RbnnError

TRAINING = (
    *("tensorflow", "tf_keras", "keras", "larq", "tensorboard", "h5py"),
    *("scipy", "sklearn", "matplotlib"),
)
"""The modules of ``rbnn[train]``; pyproject.toml names their packages."""


class MissingExtraError(RbnnError):
    """A package of an extra is needed, and not installed."""


def require_training() -> None:
    """Check that the extra ``train`` is installed; imports nothing.

    Raises:
        MissingExtraError: it is not; the message holds the command that installs it.
    """
    for name in TRAINING:
        if importlib.util.find_spec(name) is None:
            raise _missing(name)


def explain(error: ModuleNotFoundError) -> MissingExtraError | None:
    """The error to show for a failed import; None if no extra brings that module."""
    name = (error.name or "").partition(".")[0]
    return _missing(name) if name in TRAINING else None


def _missing(name: str) -> MissingExtraError:
    return MissingExtraError(
        f"This command trains, compares or draws networks, and {name} is not installed.",
        "Install what training needs: pip install 'rbnn[train]'",
    )
