"""What a library cannot be made from, or written to."""

from __future__ import annotations

from rbnn.errors import RbnnError


class LibraryError(RbnnError):
    """A prefix, a model or a folder that a library cannot have."""
