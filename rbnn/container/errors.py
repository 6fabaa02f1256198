"""What can be wrong when a network is exported or a container is read."""

from __future__ import annotations

from rbnn.errors import RbnnError


class ExportError(RbnnError):
    """The trained network cannot become a container, or the host cannot check it."""


class ContainerError(ExportError):
    """The bytes are not a container of this version."""


class SealedBlockError(ExportError):
    """A sealed block does not open: wrong secret, or changed bytes."""
