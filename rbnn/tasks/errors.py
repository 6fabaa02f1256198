"""What can be wrong with a data set."""

from __future__ import annotations

from rbnn.errors import RbnnError


class TaskError(RbnnError):
    """A task's name, files or download is at fault."""
