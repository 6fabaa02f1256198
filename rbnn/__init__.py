"""Reconfigurable binary networks for Arm Cortex-M: one set of stored bits, many tasks.

``rbnn.Model`` and ``rbnn.Board`` are for notebooks and scripts: docs/python.md. ARCHITECTURE.md
lists the packages in the order in which data passes through them; each imports only earlier ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rbnn.api.board import Board as Board
    from rbnn.api.model import Model as Model
    from rbnn.errors import RbnnError as RbnnError
    from rbnn.tasks.sample import load_sample as read_input

__version__ = "0.1.0"
__all__ = ["Board", "Model", "RbnnError", "__version__", "read_input"]

_PLACES = {
    "Board": ("rbnn.api.board", "Board"),
    "Model": ("rbnn.api.model", "Model"),
    "RbnnError": ("rbnn.errors", "RbnnError"),
    "read_input": ("rbnn.tasks.sample", "load_sample"),
}


def __getattr__(name: str) -> object:
    """Import what is asked for, and nothing else: a command takes only what it needs."""
    if name not in _PLACES:
        raise AttributeError(f"module 'rbnn' has no attribute {name!r}")
    from importlib import import_module

    module, member = _PLACES[name]
    return getattr(import_module(module), member)


def __dir__() -> list[str]:
    return [*__all__]
