"""Data sets to tensors: built-in sets, the user's own folders, the audio front end."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rbnn.tasks.dataset import Split, TaskData
    from rbnn.tasks.errors import TaskError
    from rbnn.tasks.form import Form
    from rbnn.tasks.names import KNOWN, TaskSpec, parse_spec, parse_specs
    from rbnn.tasks.sample import load_sample, load_samples
    from rbnn.tasks.sources import find_again

__all__ = [
    "KNOWN",
    "Form",
    "Split",
    "TaskData",
    "TaskError",
    "TaskSpec",
    "find_again",
    "load_sample",
    "load_samples",
    "parse_spec",
    "parse_specs",
]

_PLACES = {
    **dict.fromkeys(("Split", "TaskData"), "dataset"),
    "TaskError": "errors",
    "Form": "form",
    **dict.fromkeys(("KNOWN", "TaskSpec", "parse_spec", "parse_specs"), "names"),
    **dict.fromkeys(("load_sample", "load_samples"), "sample"),
    "find_again": "sources",
}


def __getattr__(name: str) -> object:
    """Import what is asked for: the options of a command need none of what reads samples."""
    if name not in _PLACES:
        raise AttributeError(f"module 'rbnn.tasks' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"rbnn.tasks.{_PLACES[name]}"), name)
