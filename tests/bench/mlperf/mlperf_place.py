"""A small packed model with benchmark names, and where it is flashed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from rbnn.device.emulated.target import EmulatedTarget
from rbnn.export.packed import PackedModel
from rbnn.spec.link import Benchmark
from rbnn.tasks.dataset import TaskData

NAMES = {"colour": Benchmark.IC01, "grey": Benchmark.KWS01, "more": cast(Benchmark, 200)}
"""The last one is what a later version may know."""


@dataclass(frozen=True)
class Place:
    """A folder with ``keys/user.key``, samples in ``mlperf/data``, and a board in
    ``emulated/qemu``."""

    folder: Path
    model: PackedModel
    data: dict[str, TaskData]
    target: EmulatedTarget

    @property
    def samples(self) -> Path:
        return self.folder / "mlperf" / "data"
