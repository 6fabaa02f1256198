"""Checkpoints: what a run needs to continue as if it had never stopped. They hold no
task secrets, but what sealed blocks protect, so their folder is private."""

from __future__ import annotations

import shutil
from pathlib import Path

from rbnn.files import make_private_folder
from rbnn.nets.build import SharedNetwork
from rbnn.nets.framework import tf
from rbnn.runs.errors import TrainingError, disk_errors

KEPT = 2


class Checkpoints:
    """The checkpoints of one run folder.

    Args:
        folder: where they are.
        network: its latent kernels and all values of the tasks are saved; None for one that is
            part of ``state``.
        state: further trackable objects by name (optimiser, counters).
    """

    def __init__(self, folder: Path, network: SharedNetwork | None, **state: object) -> None:
        self._folder = folder
        values = {} if network is None else _values(network)
        self._checkpoint = tf.train.Checkpoint(**values, **state)
        self._manager = tf.train.CheckpointManager(self._checkpoint, str(folder), KEPT)

    def save(self, step: int) -> None:
        """Write one checkpoint; the one before it stays until this one is complete.

        Raises:
            TrainingError: disk full or folder not writable; earlier checkpoints are intact.
        """
        try:
            with disk_errors(self._folder):
                make_private_folder(self._folder)
                self._manager.save(checkpoint_number=step)
        except TrainingError:
            for part in self._folder.glob(f"ckpt-{step}.*"):
                part.unlink(missing_ok=True)
            for part in self._folder.glob(f"ckpt-{step}_temp*"):
                shutil.rmtree(part, ignore_errors=True)
            raise

    def restore(self) -> bool:
        """Read the newest checkpoint; False if there is none.

        Raises:
            TrainingError: it is damaged or belongs to another network.
        """
        newest = self._manager.latest_checkpoint
        if newest is None:
            return False
        try:
            self._checkpoint.restore(newest).assert_existing_objects_matched()
        except (tf.errors.OpError, AssertionError, ValueError, IndexError) as error:
            raise TrainingError(
                f"The checkpoint {newest} is damaged or belongs to another network.",
                "Delete its files to continue from the one before it, or train again.",
            ) from error
        return True


def _values(network: SharedNetwork) -> dict[str, object]:
    return {
        "kernels": {str(n): layer.latent_kernel for n, layer in network.shared.items()},
        "own": {
            task: {
                kind: {str(n): layer for n, layer in layers.items()}
                for kind, layers in vars(own).items()
                if layers
            }
            for task, own in network.own.items()
        },
    }
