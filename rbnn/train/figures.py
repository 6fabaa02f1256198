"""Writing the figures of a run: ``metrics.json`` and TensorBoard."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from rbnn.files import write_atomic
from rbnn.nets.framework import tf
from rbnn.runs.errors import disk_errors
from rbnn.runs.figures import EpochFigures, read_figures
from rbnn.runs.run import Run


class Figures:
    """All epochs of a run, on disk after each.

    Args:
        run: its folder.
        done: completed epochs; later ones in the file are dropped (they are trained again).
    """

    def __init__(self, run: Run, done: int) -> None:
        self._run = run
        self.epochs: list[EpochFigures] = [
            epoch for epoch in read_figures(run) if epoch.epoch <= done
        ]
        with disk_errors(run.tensorboard_folder):
            self._writer: Any = tf.summary.create_file_writer(str(run.tensorboard_folder))

    def add(self, epoch: EpochFigures) -> None:
        """Record an epoch.

        Raises:
            RbnnError: a file cannot be written.
        """
        self.epochs.append(epoch)
        document = {"epochs": [asdict(one) for one in self.epochs]}
        write_atomic(self._run.metrics_file, json.dumps(document, indent=2) + "\n")
        with disk_errors(self._run.tensorboard_folder), self._writer.as_default(step=epoch.epoch):
            tf.summary.scalar("learning_rate", epoch.learning_rate)
            for task, values in epoch.tasks.items():
                for name, value in asdict(values).items():
                    tf.summary.scalar(f"{task}/{name}", value)
            self._writer.flush()
