"""What can go wrong when an image is built."""

from __future__ import annotations

from rbnn.errors import ExitCode, RbnnError


class BoardError(RbnnError):
    """No such board, or a manifest that cannot be used."""


class ToolError(RbnnError):
    """A program that the build needs is not installed."""


class BuildError(RbnnError):
    """The firmware does not compile or link."""


class FitError(RbnnError):
    """The image is larger than the board."""

    exit_code = ExitCode.TOO_LARGE


class PublishedModelError(RbnnError):
    """The model's keys are published, and the image was not declared to be for a test."""
