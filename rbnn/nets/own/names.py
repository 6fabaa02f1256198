"""Tells a network of the user's own from an architecture of rbnn's, by what ``--arch`` names."""

from __future__ import annotations

from pathlib import Path

PYTHON, JSON = ".py", ".json"


def is_network_file(architecture: str) -> bool:
    """Whether it is a file that describes a network."""
    return Path(architecture).suffix.lower() in (PYTHON, JSON)
