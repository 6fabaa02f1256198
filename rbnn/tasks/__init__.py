"""Data sets to tensors: built-in sets, the user's own folders, the audio front end."""

from rbnn.tasks.dataset import Split, TaskData
from rbnn.tasks.errors import TaskError
from rbnn.tasks.form import Form
from rbnn.tasks.load import load
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
    "load",
    "load_sample",
    "load_samples",
    "parse_spec",
    "parse_specs",
]
