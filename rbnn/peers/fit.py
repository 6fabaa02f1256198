"""One training of an int8 network's float form: the shared network's data, loss and schedule.

Sub-batches, augmentation, learning rate over the steps, weights of the tasks and float teachers are
those of :mod:`rbnn.train`; Adam moves the weights. As there, a training is a function of its
settings and data, so that it can stop after any step and continue.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np

from rbnn.nets.framework import tf
from rbnn.peers.build import MOMENTUM, Floats, Network, build, normalise, norms
from rbnn.peers.shapes import PeerShape
from rbnn.runs.config import Distillation
from rbnn.tasks import TaskData
from rbnn.tasks.dataset import Labels
from rbnn.train.checkpoint import Checkpoints
from rbnn.train.evaluate import BATCH
from rbnn.train.feed import TaskFeed
from rbnn.train.float_teacher import FloatTeaching
from rbnn.train.interrupt import caught_interrupts
from rbnn.train.outlook import Outlook
from rbnn.train.progress import ProgressBars
from rbnn.train.schedule import learning_rate
from rbnn.train.statistics import SAMPLES, ModelStatistics
from rbnn.train.teachers import task_loss

SECONDS_BETWEEN_CHECKPOINTS = 180.0
STEPS_BETWEEN_REPORTS = 10


@dataclass(frozen=True)
class Lesson:
    """What is trained, and on what.

    Args:
        shape: of the network; its heads are those of the tasks, in order.
        data: the tasks.
        batches: samples of each task in a step.
        weights: factor of each task's loss.
        steps: to take.
        rate: the learning rate at the peak of the schedule.
        seed: of the samples' order and the first values.
        teachers: float models, by task.
        distillation: how the network learns from them.
        halved: train with bfloat16, as binary networks are; the result is float32.
    """

    shape: PeerShape
    data: tuple[TaskData, ...]
    batches: Mapping[str, int]
    weights: Mapping[str, float]
    steps: int
    rate: float
    seed: int
    teachers: Mapping[str, FloatTeaching] = field(default_factory=dict)
    distillation: Distillation | None = None
    halved: bool = False


def fit(
    lesson: Lesson,
    folder: Path,
    title: str,
    command: str,
    later: float = 0.0,
    until: datetime | None = None,
) -> tuple[Network, float]:
    """Train a network from what its checkpoints hold to its end.

    Args:
        lesson: what to train.
        folder: of its checkpoints; they stay until the caller removes them.
        title: for the progress bars.
        command: that continues.
        later: the work of the trainings that follow, in units of this one's.
        until: stop at this time as with Ctrl-C; None for never.

    Returns:
        The network, with the statistics of its batch norms measured, and the seconds it took.

    Raises:
        TrainingInterruptedError: Ctrl-C, or the time has come; the last step is saved.
        RbnnError: something cannot be read or written.
    """
    tf.config.experimental.enable_op_determinism()
    network = build(lesson.shape, lesson.seed, lesson.halved)
    optimizer = tf.keras.optimizers.Adam(lesson.rate)
    optimizer.build(network.trainable_variables)
    taken = tf.Variable(0, dtype=tf.int64)
    spent = tf.Variable(0.0, dtype=tf.float64)
    checkpoints = Checkpoints(
        folder, None, model=network, optimizer=optimizer, step=taken, seconds=spent
    )
    checkpoints.restore()
    feeds = [TaskFeed(task, lesson.batches[task.name], lesson.seed) for task in lesson.data]
    names = [task.name for task in lesson.data]

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def move(batches: list[tuple[tf.Tensor, tf.Tensor]]) -> tuple[tf.Tensor, tf.Tensor]:
        answers = [
            lesson.teachers[name].answer(images) if name in lesson.teachers else None
            for name, (images, _) in zip(names, batches, strict=True)
        ]
        values = [_normalised(images, lesson.shape.channels) for images, _ in batches]
        losses, shares, first = [], [], 0
        with tf.GradientTape() as tape:
            outputs = _as_list(network(tf.concat(values, axis=0), training=True))
            for logits, (_, labels), answer in zip(outputs, batches, answers, strict=True):
                own = logits[first : first + labels.shape[0]]
                first += labels.shape[0]
                losses.append(task_loss(own, labels, answer, lesson.distillation))
                right = tf.argmax(own, axis=-1) == labels
                shares.append(tf.reduce_mean(tf.cast(right, tf.float32)))
            weights = [lesson.weights[name] for name in names]
            weighted = [w * one for w, one in zip(weights, losses, strict=True)]
            loss = tf.add_n(weighted) / sum(weights) + tf.add_n(network.losses)
        gradients = tape.gradient(loss, network.trainable_variables)
        optimizer.apply_gradients(zip(gradients, network.trainable_variables, strict=True))
        return tf.stack(losses), tf.stack(shares)

    per_epoch = max(-(-len(feed.data.train) // feed.batch) for feed in feeds)
    bars = ProgressBars(title, names, per_epoch, outlook=Outlook(later, until))
    with bars, caught_interrupts(until) as wanted:
        saved = time.monotonic()
        clock = saved - float(spent)
        while (step := int(taken)) < lesson.steps:
            optimizer.learning_rate.assign(learning_rate(lesson.rate, step / lesson.steps))
            batches = [feed.at(step) for feed in feeds]
            losses, shares = move([tuple(map(tf.constant, batch)) for batch in batches])
            taken.assign_add(1)
            spent.assign(time.monotonic() - clock)
            done = step + 1
            if step % STEPS_BETWEEN_REPORTS == 0 or done == lesson.steps:
                shown = zip(names, losses.numpy().tolist(), shares.numpy().tolist(), strict=True)
                bars.step(done, done / lesson.steps, {n: (loss, s) for n, loss, s in shown})
            stop = wanted.wanted
            due = time.monotonic() - saved >= SECONDS_BETWEEN_CHECKPOINTS
            if stop or due or done == lesson.steps:
                checkpoints.save(done)
                saved = time.monotonic()
            if stop:
                raise wanted.stopped(f"after step {done} of {folder}", command)
    whole = build(lesson.shape, lesson.seed)
    whole.set_weights(network.get_weights())
    ModelStatistics(whole, norms(whole), MOMENTUM).measure(_sample(lesson))
    return whole, float(spent)


def classes(network: Network, head: int, images: Floats) -> Labels:
    """Class numbers that the float network finds, (n,) int64; ``images`` as it takes them."""
    found = [
        _as_list(network(tf.constant(images[first : first + BATCH]), training=False))[head]
        .numpy()
        .argmax(axis=1)
        for first in range(0, len(images), BATCH)
    ]
    return np.asarray(np.concatenate(found), np.int64)


def mean_accuracy(network: Network, data: tuple[TaskData, ...]) -> float:
    """Accuracy of the float network on the data's test parts, averaged over the tasks."""
    channels = network.input_shape[3]
    shares = [
        np.mean(classes(network, head, normalise(task.test.images, channels)) == task.test.labels)
        for head, task in enumerate(data)
    ]
    return float(np.mean(shares))


def forget(folder: Path) -> None:
    """Remove the checkpoints of a training whose result is on disk."""
    shutil.rmtree(folder, ignore_errors=True)


def _as_list(outputs: tf.Tensor) -> list[tf.Tensor]:
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def _normalised(images: tf.Tensor, channels: int) -> tf.Tensor:
    """As :func:`rbnn.peers.build.normalise`."""
    values = tf.cast(images, tf.float32) / 127.5 - 1.0
    return tf.repeat(values, channels // images.shape[3], axis=3)


def _sample(lesson: Lesson) -> Floats:
    """Training images, mixed as in a step."""
    total = sum(lesson.batches[task.name] for task in lesson.data)
    parts = []
    for task in lesson.data:
        share = lesson.batches[task.name] / total
        count = min(len(task.train), max(1, round(SAMPLES * share)))
        chosen = np.linspace(0, len(task.train) - 1, count).astype(np.int64)
        parts.append(normalise(task.train.images[chosen], lesson.shape.channels))
    images = np.concatenate(parts)
    order = np.random.default_rng(lesson.seed).permutation(len(images))
    return np.asarray(images[order], np.float32)
