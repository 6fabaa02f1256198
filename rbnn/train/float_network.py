"""A float network of rbnn's own as teacher: ``--teacher TASK=auto``.

Pictures get the ResNet-8 of MLPerf Tiny (Banbury et al., arXiv 2106.07597), sounds a DS-CNN (Zhang
et al., "Hello Edge", arXiv 1711.07128) on the log-mel picture. The same data always give the same
network, so it is trained once and kept in the cache folder as ``teachers/<key>.keras``. While it is
trained, it is saved in the run's folder, so that the run continues anywhere.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from rbnn.errors import RbnnError
from rbnn.files import PRIVATE, write_atomic
from rbnn.nets.framework import tf
from rbnn.places import CACHE_VARIABLE, cache_folder
from rbnn.runs.config import RunConfig
from rbnn.runs.errors import TrainingError
from rbnn.runs.figures import EpochFigures, TaskFigures
from rbnn.runs.run import Run
from rbnn.runs.settings import AUTO
from rbnn.runs.start import usual_epochs
from rbnn.tasks import TaskData
from rbnn.tasks.cache import recipe_key
from rbnn.train.checkpoint import Checkpoints
from rbnn.train.feed import TaskFeed
from rbnn.train.float_model import FloatModel
from rbnn.train.interrupt import caught_interrupts
from rbnn.train.outlook import Outlook
from rbnn.train.progress import ProgressBars
from rbnn.train.schedule import learning_rate

VERSION = 2
"""To be raised whenever the same data would give another network."""
BATCH = 64
RATE = 0.002
SEED = 1
RESNET_FILTERS = (16, 32, 64)
DS_CNN_FILTERS = 64
DS_CNN_BLOCKS = 4
MEASURED_AT_ONCE = 256
STEPS_BETWEEN_REPORTS = 10

Network = Any
"""A Keras 2 model from (batch, height, width, channels), 0 to 255, to logits."""


def provide_teachers(
    run: Run,
    config: RunConfig,
    data: Sequence[TaskData],
    command: str,
    until: datetime | None = None,
) -> None:
    """Put the float networks that a run trains for its tasks into its folder.

    Args:
        run: new or interrupted; what it already has stays.
        config: of the run.
        data: its tasks.
        command: that continues the run.
        until: stop at this time as with Ctrl-C; None for never.

    Raises:
        TrainingInterruptedError: Ctrl-C, or the time has come; the network so far is saved.
        RbnnError: something cannot be written.
    """
    tasks = {task.name: task for task in data}
    for entry in config.tasks:
        if config.teachers.get(entry.name) != AUTO or entry.float_teacher is None:
            continue
        place = run.folder / entry.float_teacher.file
        if place.exists():
            continue
        kept = cached_teacher(tasks[entry.name].fingerprint)
        if (found := _whole(kept)) is None:
            network = _train(tasks[entry.name], place.parent / "checkpoints", command, until)
            found = _as_file(network)
            write_atomic(kept, found, mode=PRIVATE, folder_option=CACHE_VARIABLE)
        write_atomic(place, found, mode=PRIVATE)
        shutil.rmtree(place.parent / "checkpoints", ignore_errors=True)


def cached_teacher(fingerprint: str) -> Path:
    """The copy in the cache folder of the network for the data with this fingerprint."""
    return cache_folder() / "teachers" / f"{cache_key(fingerprint)}.keras"


def cache_key(fingerprint: str) -> str:
    """SHA-256 of everything that a task's float network depends on, as hex.

    Args:
        fingerprint: of the task's data.
    """
    return recipe_key({"float network": VERSION, "data": fingerprint})


def build_float_network(data: TaskData) -> Network:
    """A task's network with its first values."""
    layers = tf.keras.layers
    image = layers.Input(data.train.images.shape[1:])
    body = _ds_cnn if data.kind == "audio" else _resnet
    make = _Seeded()
    features = body(make, layers.Rescaling(1 / 127.5, offset=-1.0)(image))
    pooled = layers.GlobalAveragePooling2D()(features)
    head = layers.Dense(len(data.labels), kernel_initializer=make.first_values())
    return tf.keras.Model(image, head(pooled))


class _Seeded:
    """Makes convolutions, each with first values of its own that are always the same."""

    def __init__(self) -> None:
        self._made = 0

    def first_values(self) -> Any:
        """The next initialiser."""
        self._made += 1
        return tf.keras.initializers.GlorotUniform(seed=SEED + self._made)

    def convolve(self, values: Any, filters: int, side: int, stride: int = 1) -> Any:
        """A convolution and its batch norm."""
        layers = tf.keras.layers
        values = layers.Conv2D(
            *(filters, side, stride, "same"),
            use_bias=False,
            kernel_initializer=self.first_values(),
        )(values)
        return layers.BatchNormalization(momentum=0.9)(values)

    def convolve_depthwise(self, values: Any) -> Any:
        """A depthwise 3x3 convolution and its batch norm."""
        layers = tf.keras.layers
        values = layers.DepthwiseConv2D(
            *(3, 1, "same"), use_bias=False, depthwise_initializer=self.first_values()
        )(values)
        return layers.BatchNormalization(momentum=0.9)(values)


def _resnet(make: _Seeded, values: Any) -> Any:
    layers = tf.keras.layers
    values = layers.ReLU()(make.convolve(values, RESNET_FILTERS[0], 3))
    for stage, filters in enumerate(RESNET_FILTERS):
        stride = 1 if stage == 0 else 2
        inner = layers.ReLU()(make.convolve(values, filters, 3, stride))
        inner = make.convolve(inner, filters, 3)
        shortcut = values if stage == 0 else make.convolve(values, filters, 1, stride)
        values = layers.ReLU()(layers.Add()([inner, shortcut]))
    return values


def _ds_cnn(make: _Seeded, values: Any) -> Any:
    layers = tf.keras.layers
    values = layers.ReLU()(make.convolve(values, DS_CNN_FILTERS, 5, 2))
    for _ in range(DS_CNN_BLOCKS):
        values = layers.ReLU()(make.convolve_depthwise(values))
        values = layers.ReLU()(make.convolve(values, DS_CNN_FILTERS, 1))
    return values


def _train(data: TaskData, folder: Path, command: str, until: datetime | None) -> Network:
    """Train a task's network from what its checkpoints hold to its end."""
    tf.config.experimental.enable_op_determinism()
    network = build_float_network(data)
    optimizer = tf.keras.optimizers.Adam(RATE)
    optimizer.build(network.trainable_variables)
    taken = tf.Variable(0, dtype=tf.int64)
    checkpoints = Checkpoints(folder, None, model=network, optimizer=optimizer, step=taken)
    checkpoints.restore()
    feed = TaskFeed(data, BATCH, SEED)
    steps_per_epoch = -(-len(data.train) // BATCH)
    steps = steps_per_epoch * usual_epochs(steps_per_epoch)

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def move(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            logits = network(tf.cast(images, tf.float32), training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, network.trainable_variables)
        optimizer.apply_gradients(zip(gradients, network.trainable_variables, strict=True))
        right = tf.argmax(logits, axis=-1) == labels
        return loss, tf.reduce_mean(tf.cast(right, tf.float32))

    started = time.monotonic()
    rate, shown = RATE, (0.0, 0.0)
    title = f"{data.name} teacher"
    bars = ProgressBars(title, [data.name], steps_per_epoch, outlook=Outlook(until=until))
    with bars, caught_interrupts(until) as wanted:
        while (step := int(taken)) < steps:
            rate = learning_rate(RATE, step / steps)
            optimizer.learning_rate.assign(rate)
            loss, share = move(*feed.at(step))
            taken.assign_add(1)
            if step % STEPS_BETWEEN_REPORTS == 0 or step + 1 == steps:
                shown = (float(loss), float(share))
                bars.step(step + 1, (step + 1) / steps, {data.name: shown})
            stop = wanted.wanted
            if stop or (step + 1) % steps_per_epoch == 0:
                checkpoints.save(step + 1)
            if stop:
                raise wanted.stopped(
                    f"after step {step + 1} of the teacher of {data.name} in {folder.parent}",
                    command,
                )
        figures = TaskFigures(*shown, _accuracy(network, data))
        seconds = round(time.monotonic() - started, 3)
        bars.epoch(
            EpochFigures(steps // steps_per_epoch, steps, seconds, rate, {data.name: figures})
        )
    return network


def _accuracy(network: Network, data: TaskData) -> float:
    """Share of the test set that the network gets right."""
    right = 0
    for first in range(0, len(data.test), MEASURED_AT_ONCE):
        part = slice(first, first + MEASURED_AT_ONCE)
        logits = network(tf.constant(data.test.images[part], tf.float32), training=False)
        right += int(np.sum(np.argmax(logits, axis=1) == data.test.labels[part]))
    return right / len(data.test)


def _as_file(network: Network) -> bytes:
    """The network as a ``.keras`` file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.keras"
        try:
            network.save(path)
            return path.read_bytes()
        except OSError as error:
            raise TrainingError(
                f"Cannot write {path}: {error.strerror or error}.", "Free some space in TMPDIR."
            ) from error


def _whole(path: Path) -> bytes | None:
    """A kept network; None if there is none or its file is damaged."""
    try:
        FloatModel(path)
        return path.read_bytes()
    except (OSError, RbnnError):
        return None
