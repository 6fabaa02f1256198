"""What can be wrong with an export."""

from __future__ import annotations

from rbnn.container.errors import ExportError


class PackedModelError(ExportError):
    """A packed model is missing, damaged, or not what its description says."""
