"""The joint trainer: each step draws a sub-batch from every task and moves the shared kernels once.

``loss = weighted mean over tasks of cross-entropy``, or of its mixture with the teachers' answers;
Adam moves the latent kernels, clipped to [-1, 1], and the batch norms of every task. A run is a
function of its config, data and secrets: sub-batches, augmentation and learning rate follow from
the step number (with ``--minutes``, the rate from the time spent), so that it can stop after any
step and continue.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from rbnn.errors import RbnnError
from rbnn.nets.build import SharedNetwork
from rbnn.nets.framework import tf
from rbnn.nets.fused.adam import apply_gradients
from rbnn.nets.fused.choose import training_models
from rbnn.runs.figures import EpochFigures, TaskFigures
from rbnn.runs.parameters import ModelParameters
from rbnn.runs.run import Run
from rbnn.tasks import TaskData
from rbnn.train.checkpoint import Checkpoints
from rbnn.train.distribution import Workers
from rbnn.train.evaluate import accuracy, some
from rbnn.train.feed import TaskFeed
from rbnn.train.figures import Figures
from rbnn.train.interrupt import StopRequest, caught_interrupts
from rbnn.train.progress import Watch
from rbnn.train.schedule import learning_rate
from rbnn.train.statistics import Statistics
from rbnn.train.teachers import Teachers, task_loss
from rbnn.train.transfer import (
    build_network,
    copy_statistics,
    read_parameters,
    write_parameters,
)

STEPS_BETWEEN_REPORTS = 10
SECONDS_BETWEEN_CHECKPOINTS = 180.0
"""The most that a kill may cost, where an epoch takes longer."""
EPOCH_SAMPLES = 1000
"""Test samples, evenly spaced, of every epoch's figures; the last one's are of the whole set."""


class Trainer:
    """Trains one run folder.

    Args:
        run: a folder with its config, and secrets unless its scheme is ``none``.
        data: the tasks of the config, in its order.
        watch: is shown the progress; may be None.
        workers: who trains it together; only the chief writes. One replica by default.
        fused: compute with the fused operations where they fit; see :mod:`rbnn.nets.fused`. Off
            by default until whole trainings have been compared.

    Attributes:
        network: what the steps move.

    Raises:
        RbnnError: a file of the run is missing or damaged, or a sub-batch too small to share out.
    """

    def __init__(
        self,
        run: Run,
        data: Sequence[TaskData],
        watch: Watch | None = None,
        workers: Workers | None = None,
        fused: bool = True,
    ) -> None:
        self.run = run
        self.config = run.config()
        self._distillation = self.config.distillation
        self._workers = workers or Workers()
        self._workers.check_batches({task.name: task.batch for task in self.config.tasks})
        self._data = {task.name: task for task in data}
        self._watch = watch
        # Same kernels, secrets and steps give the same run, whatever the threads do.
        tf.config.experimental.enable_op_determinism()
        shared_batch = self._workers.shared_batch
        with self._workers.building():
            self.network = self._build(shared_batch)
            self._models = training_models(self.network, fused)
            self._teachers = Teachers(run, shared_batch=shared_batch, fused=fused)
            self._teachers.begin(self.network)
            self._kernels = [layer.latent_kernel for layer in self.network.shared.values()]
            self._trained = self._kernels + [
                variable
                for own in self.network.own.values()
                for variable in own.trainable_variables
            ]
            self._optimizer = tf.keras.optimizers.Adam(self.config.learning_rate)
            self._optimizer.build(self._trained)
        # The chief cannot run by itself what spans the replicas, so it measures a copy.
        self._measured = self._build(False) if shared_batch else self.network
        self._feeds = {
            task.name: TaskFeed(task, entry.batch, self.config.seed)
            for task, entry in zip(data, self.config.tasks, strict=True)
        }
        self._statistics = {name: Statistics(self._measured, name) for name in self._data}
        self._step = tf.Variable(0, dtype=tf.int64)
        self._seconds = tf.Variable(0.0, dtype=tf.float64)
        self._loss_sums = tf.Variable(tf.zeros(len(data), tf.float64))
        self._hits = tf.Variable(tf.zeros(len(data), tf.int64))
        self._checkpoints = Checkpoints(
            run.checkpoint_folder,
            self.network,
            optimizer=self._optimizer,
            step=self._step,
            seconds=self._seconds,
            loss_sums=self._loss_sums,
            hits=self._hits,
        )
        # No control flow depends on a tensor: there is nothing to convert, which takes a second.
        self._train_step = tf.function(self._move_together, autograph=False)
        self._checkpoints.restore()
        self._workers.check_steps(self.steps, run.checkpoint_folder)
        if self._workers.chief:
            self.figures = Figures(run, self.steps // self.config.steps_per_epoch)

    def _build(self, shared_batch: bool) -> SharedNetwork:
        """The run's network, keyed, with its first values."""
        network = build_network(self.config, shared_batch=shared_batch)
        if self.config.scheme != "none":
            secrets, model_id = self.run.secrets(), bytes.fromhex(self.config.model_id)
            network.set_secrets(secrets, model_id)
            network.turn_first_values(secrets.values(), model_id)
        return network

    @property
    def fused(self) -> bool:
        """Whether the steps use the fused operations."""
        return self._models.fused

    @property
    def steps(self) -> int:
        """Steps done."""
        return int(self._step.numpy())

    @property
    def progress(self) -> float:
        """Share of the run that is done: 1 or more at its end."""
        return self.config.progress(self.steps, float(self._seconds.numpy()))

    def fit(self, until: datetime | None = None) -> None:
        """Train from where the run stands to its end; parameters and figures are then on disk.

        Args:
            until: stop at this time as with Ctrl-C; None for never.

        Raises:
            TrainingInterruptedError: Ctrl-C, SIGTERM, or the time has come; a checkpoint of the
                last step is on disk.
            RbnnError: something cannot be written; earlier checkpoints are intact.
        """
        if self.progress >= 1 and self._workers.chief:
            self._restore_parameters()
        self._workers.wait()
        with caught_interrupts(until) as interrupted:
            saved = time.monotonic()
            clock = saved - float(self._seconds.numpy())
            while (progress := self.progress) < 1:
                step = self.steps
                rate = self.advance(progress)
                stop = self._agree(clock, interrupted)
                progress = min(self.progress, 1.0)
                ends_epoch = progress == 1 or (step + 1) % self.config.steps_per_epoch == 0
                if self._watch and (ends_epoch or step % STEPS_BETWEEN_REPORTS == 0):
                    self._watch.step(step + 1, progress, self._training_figures())
                if ends_epoch:
                    self._end_epoch(rate)
                    stop = self._agree(clock, interrupted)
                is_due = time.monotonic() - saved >= SECONDS_BETWEEN_CHECKPOINTS
                if (ends_epoch or stop or is_due) and self._workers.chief:
                    self._checkpoints.save(step + 1)
                    saved = time.monotonic()
                if stop:
                    raise interrupted.stopped(
                        f"after step {step + 1} of {self.run.folder}",
                        self._workers.resume_command(self.run.folder),
                    )
        if self._workers.chief:
            self._complete_figures()

    def _agree(self, clock: float, interrupted: StopRequest) -> bool:
        """Take the run's time from the chief; whether a user wants to stop."""
        seconds, stop = self._workers.agree(time.monotonic() - clock, interrupted.wanted)
        self._seconds.assign(seconds)
        return stop

    def advance(self, progress: float) -> float:
        """Take the next step.

        Args:
            progress: of the run, which the learning rate follows.

        Returns:
            The learning rate.
        """
        rate = learning_rate(self.config.learning_rate, progress)
        self._optimizer.learning_rate.assign(rate)
        batches = {name: feed.at(self.steps) for name, feed in self._feeds.items()}
        self._train_step(self._workers.share(batches))
        self._step.assign_add(1)
        return rate

    def _restore_parameters(self) -> None:
        """Write a finished run's parameters again where the file is missing or damaged."""
        try:
            ModelParameters.load(self.run.parameters_file)
        except RbnnError:
            read_parameters(self.network).save(self.run.parameters_file)

    def _move_together(self, batches: Mapping[str, tuple[tf.Tensor, tf.Tensor]]) -> None:
        """Take one optimiser step in all replicas; adds to the epoch's sums."""
        losses, hits = self._workers.run(self._move, batches)
        self._loss_sums.assign_add(self._workers.total(losses))
        self._hits.assign_add(self._workers.total(hits))

    def _move(
        self, batches: Mapping[str, tuple[tf.Tensor, tf.Tensor]]
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """One replica's part of a step.

        Args:
            batches: images and labels by task, the replica's share of each sub-batch.

        Returns:
            losses, as shares of the sub-batches' means (tasks,) float64; hits (tasks,) int64.
        """
        sizes = {task.name: task.batch for task in self.config.tasks}
        losses = []
        hits = []
        answers = self._teachers.answer(batches)
        with tf.GradientTape() as tape:
            found = self._models.logits({name: images for name, (images, _) in batches.items()})
            for name, (_, labels) in batches.items():
                logits = found[name]
                loss = task_loss(logits, labels, answers.get(name), self._distillation)
                losses.append(labels.shape[0] / sizes[name] * loss)
                hits.append(tf.math.count_nonzero(tf.argmax(logits, axis=-1) == labels))
            weights = [self.config.weight(name) for name in batches]
            loss = tf.add_n([w * one for w, one in zip(weights, losses, strict=True)]) / sum(
                weights
            )
        gradients = tape.gradient(loss, self._trained)
        if self._models.fused:
            apply_gradients(self._optimizer, gradients, self._trained, clipped=len(self._kernels))
        else:
            self._optimizer.apply_gradients(zip(gradients, self._trained, strict=True))
            for kernel in self._kernels:
                kernel.assign(tf.clip_by_value(kernel, -1.0, 1.0))
        return tf.cast(tf.stack(losses), tf.float64), tf.stack(hits)

    def _training_figures(self) -> dict[str, tuple[float, float]]:
        """Mean loss and accuracy of this epoch's steps so far, by task."""
        steps = (self.steps - 1) % self.config.steps_per_epoch + 1
        losses = self._loss_sums.numpy() / steps
        samples = [steps * task.batch for task in self.config.tasks]
        shares = self._hits.numpy() / samples
        return {
            name: (float(loss), float(share))
            for name, loss, share in zip(self._data, losses, shares, strict=True)
        }

    def _complete_figures(self) -> None:
        """Record the end of a run whose time ran out while its last epoch was being measured."""
        last = self.figures.epochs[-1] if self.figures.epochs else None
        if last is None or self.config.progress(last.steps, last.seconds) >= 1:
            return
        self._measure_statistics()
        tasks = {
            name: replace(one, test_accuracy=accuracy(self._measured, name, self._data[name].test))
            for name, one in last.tasks.items()
        }
        self.figures.epochs.pop()
        self.figures.add(replace(last, seconds=float(self._seconds.numpy()), tasks=tasks))

    def _end_epoch(self, rate: float) -> None:
        """Record the epoch and reset the sums for the next one."""
        if self._workers.chief:
            self._record_epoch(rate)
        self._loss_sums.assign(tf.zeros_like(self._loss_sums))
        self._hits.assign(tf.zeros_like(self._hits))

    def _measure_statistics(self) -> None:
        """Measure what batch norms use at inference."""
        if self._measured is not self.network:
            write_parameters(self._measured, read_parameters(self.network))
        for name, statistics in self._statistics.items():
            statistics.measure(self._data[name].train.images)
        if self._measured is not self.network:
            copy_statistics(self._measured, self.network)

    def _record_epoch(self, rate: float) -> None:
        """Measure, record, and write the parameters."""
        self._measure_statistics()
        tasks = {}
        for name, (loss, share) in self._training_figures().items():
            data = self._data[name]
            test = data.test if self.progress >= 1 else some(data.test, EPOCH_SAMPLES)
            tasks[name] = TaskFigures(loss, share, accuracy(self._measured, name, test))
        figures = EpochFigures(
            epoch=-(-self.steps // self.config.steps_per_epoch),
            steps=self.steps,
            seconds=float(self._seconds.numpy()),
            learning_rate=rate,
            tasks=tasks,
        )
        read_parameters(self._measured).save(self.run.parameters_file)
        self.figures.add(figures)
        if self._watch:
            self._watch.epoch(figures)
