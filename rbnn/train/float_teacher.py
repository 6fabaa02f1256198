"""Float models as teachers: what a file is found to be, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rbnn.nets.framework import tf
from rbnn.runs.config import FloatTeacher
from rbnn.runs.errors import TrainingError
from rbnn.runs.settings import AUTO, Settings
from rbnn.tasks import TaskData
from rbnn.train.evaluate import some
from rbnn.train.float_model import PIXELS, FloatModel

EXAMINED_SAMPLES = 500
"""Training samples, evenly spaced, by which a file is examined."""
SMALLEST_SHARE = 1e-7
"""Probabilities below it are raised to it, so that they have a logarithm."""

SAME_LOSS = 0.05
"""Nats by which the losses of two ranges may differ without telling which one is right."""

Floats = npt.NDArray[np.float32]


class FloatTeaching:
    """A float model that answers for one task.

    Args:
        path: of its file.
        about: what it was found to be.
        halved: compute in bfloat16 where that fits; see :class:`FloatModel`.

    Raises:
        TrainingError: the file is damaged or missing.
    """

    def __init__(self, path: Path, about: FloatTeacher, halved: bool = False) -> None:
        self._model = FloatModel(path, halved)
        self._about = about

    def answer(self, images: tf.Tensor) -> tf.Tensor:
        """Its logits, (batch, classes) float32, for images (batch, height, width, c), 0 to 255."""
        found = tf.stop_gradient(self._model(images, self._about.pixels))
        return as_logits(found, self._about.outputs)


def as_logits(found: tf.Tensor, outputs: str) -> tf.Tensor:
    """Logits for a model's outputs: of probabilities the logarithm."""
    if outputs == "logits":
        return found
    return tf.math.log(tf.clip_by_value(found, SMALLEST_SHARE, 1.0))


def examine(
    settings: Settings, data: Sequence[TaskData], say: Callable[[str], None]
) -> dict[str, FloatTeacher]:
    """What the teachers' files are, by task, found on some training samples of the task.

    Args:
        settings: name the files; ``auto`` is skipped.
        data: the tasks.
        say: called with a line about each teacher.

    Raises:
        TrainingError: a file is no model, or none of the task's classes.
    """
    found = {}
    tasks = {task.name: task for task in data}
    for name, file in settings.teachers.items():
        if file != AUTO and name in tasks:
            found[name] = examine_file(Path(file).expanduser(), tasks[name], say)
    return found


def examine_file(path: Path, task: TaskData, say: Callable[[str], None]) -> FloatTeacher:
    """What the file of a task's teacher is.

    The range of its input is the one of :data:`PIXELS` in which it explains the labels best; of
    several that do so equally well it is the smallest. (Larger inputs only make a model more
    certain that knows its training samples by heart.)

    Args:
        path: of the file.
        task: that it teaches.
        say: called with a line about it.

    Raises:
        TrainingError: it is no model, or none of the task's classes.
    """
    model = FloatModel(path)
    classes = len(task.labels)
    if task.channels not in (1, model.shape[2]) and (task.channels, model.shape[2]) != (3, 1):
        raise TrainingError(
            f"The teacher {path} takes {model.shape[2]} channels; task {task.name} has "
            f"{task.channels}.",
            "Name a model that takes the task's input.",
        )
    if model.classes != classes:
        raise TrainingError(
            f"The teacher {path} has {model.classes} outputs; task {task.name} has {classes} "
            f"classes: {', '.join(task.labels)}.",
            "Name a model that was trained for these classes, in this order.",
        )
    sample = some(task.train, EXAMINED_SAMPLES)
    labels = sample.labels
    answers: dict[str, tuple[float, float, str]] = {}
    for pixels in PIXELS:
        returned = np.asarray(model(tf.constant(sample.images), pixels), np.float32)
        outputs = _kind(returned, path)
        logits = as_logits(tf.constant(returned), outputs)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        share = float(np.mean(returned.argmax(axis=1) == labels))
        answers[pixels] = (float(tf.reduce_mean(losses)), share, outputs)
    best = min(loss for loss, _, _ in answers.values())
    pixels = next(one for one, (loss, _, _) in answers.items() if loss <= best + SAME_LOSS)
    _, share, outputs = answers[pixels]
    chance = float(np.bincount(labels).max() / len(labels))
    if share <= chance + 3 * np.sqrt(chance * (1 - chance) / len(labels)):
        raise TrainingError(
            f"The teacher {path} does not know task {task.name}: it finds {share:.1%} of "
            f"{len(labels)} training samples, no better than guessing ({chance:.1%}).",
            f"Its outputs must be in the order of the classes ({', '.join(task.labels)}), its "
            f"pixels {' or '.join(PIXELS)}; a sound is a log-mel picture, see docs/tasks.md.",
        )
    height, width, channels = (side or "any" for side in model.shape)
    say(
        f"{task.name} is taught by {path.name}: input {height}x{width}x{channels}, pixels "
        f"{pixels}, outputs {outputs}; {share:.1%} of {len(labels)} training samples."
    )
    return FloatTeacher.model_validate({"file": str(path), "pixels": pixels, "outputs": outputs})


def _kind(returned: Floats, path: Path) -> str:
    """``probabilities`` where all rows are distributions, else ``logits``.

    Raises:
        TrainingError: they are neither.
    """
    if not np.isfinite(returned).all():
        raise TrainingError(
            f"The teacher {path} returns values that are not finite.", "Train the model again."
        )
    if returned.min() < 0 or returned.max() > 1 + 1e-4:
        return "logits"
    if np.abs(returned.sum(axis=1) - 1).max() < 1e-3:
        return "probabilities"
    raise TrainingError(
        f"The teacher {path} returns neither probabilities nor logits: all values are from 0 to "
        "1, but they do not add up to 1.",
        "Let the model end with softmax, or without an activation.",
    )
