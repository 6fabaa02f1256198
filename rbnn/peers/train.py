"""Trains and measures one network at a time, and continues what was stopped."""

from __future__ import annotations

import dataclasses
import gc
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rbnn.files import write_atomic
from rbnn.peers.binary import measure_separate, prepare_separate
from rbnn.peers.build import normalise
from rbnn.peers.fit import Lesson, classes, fit, forget, mean_accuracy
from rbnn.peers.jobs import Job, peer_weights
from rbnn.peers.lite import read_lite
from rbnn.peers.measured import MeasuredNetwork, hits, write_measured
from rbnn.peers.plan import PeerPlan
from rbnn.peers.quantize import Int8Network, quantise
from rbnn.runs.errors import TrainingError, TrainingInterruptedError
from rbnn.runs.figures import read_figures
from rbnn.runs.run import Run
from rbnn.tasks import Split, TaskData
from rbnn.train.evaluate import some
from rbnn.train.float_teacher import FloatTeaching
from rbnn.train.session import fit as fit_run

NETWORK_FILE = "network.tflite"
RATES_FILE = "rates.json"
HELD_OUT = 10
"""One training sample of so many, and at most ``MOST_HELD_OUT``, is kept from the trials."""
MOST_HELD_OUT = 2000
FAST_FILTERS = 16
"""Steps in bfloat16 are slower than in float32 unless the first filters are a multiple of this."""
COMPARED = 500
"""Training samples on which the int8 network is compared with its float form."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Bench:
    """What all networks of a comparison have in common.

    Args:
        run: that is compared.
        plan: of the comparison.
        data: the plan's tasks, in its order.
        folder: of the comparison.
        flash: of the shared set, bytes.
        command: that continues.
        until: stop at this time as with Ctrl-C; None for never.
    """

    run: Run
    plan: PeerPlan
    data: Sequence[TaskData]
    folder: Path
    flash: int
    command: str
    until: datetime | None = None

    def train(self, job: Job, title: str, later: float) -> MeasuredNetwork:
        """Train a network, new or interrupted, measure it and write what was measured.

        Args:
            job: the network.
            title: for the progress bars.
            later: the work of the networks that follow, in units of this one's whole training.

        Raises:
            TrainingInterruptedError: Ctrl-C, or the time has come; the last step is saved.
            RbnnError: something cannot be read or written.
        """
        data = tuple(task for task in self.data if task.name in job.tasks)
        place = self.folder / job.path
        try:
            if job.shape is None:
                found = self._train_binary(job, data[0], place, title, later)
            else:
                found = self._train_int8(job, data, place, title, later)
        finally:
            _free_networks()
        write_measured(place, found)
        forget(place / "training")
        return found

    def _train_int8(
        self, job: Job, data: tuple[TaskData, ...], place: Path, title: str, later: float
    ) -> MeasuredNetwork:
        rates = self._try_rates(job, data, place, title, later)
        best = max(rates, key=lambda rate: rates[rate]) if rates else self.plan.rates[0]
        lesson = self._lesson(job, data, self.plan.steps, best)
        network, seconds = fit(
            lesson, place / "training" / "final", title, self.command, later, self.until
        )
        content = quantise(network, data)
        write_atomic(place / NETWORK_FILE, content)
        needs = read_lite(content)
        int8 = Int8Network(content)
        sample = [some(task.train, COMPARED).images for task in data]
        channels = network.input_shape[3]
        same = [
            np.mean(
                int8.predict(images, head) == classes(network, head, normalise(images, channels))
            )
            for head, images in enumerate(sample)
        ]
        assert job.shape is not None
        return MeasuredNetwork(
            shape=job.shape.text,
            scale=job.scale,
            tasks=tuple(
                hits(task.name, int8.predict(task.test.images, head), task.test.labels)
                for head, task in enumerate(data)
            ),
            flash=needs.flash,
            ram=needs.ram,
            file=needs.file,
            macs=needs.macs,
            instructions=needs.instructions,
            steps=self.plan.steps,
            seconds=round(seconds, 1),
            rate=best,
            rates={f"{rate:g}": share for rate, share in rates.items()},
            agreement=float(np.mean(same)),
        )

    def _try_rates(
        self, job: Job, data: tuple[TaskData, ...], place: Path, title: str, later: float
    ) -> dict[float, float]:
        """Validation accuracy by learning rate; of trials that end before this is complete, those
        that are finished are kept. Nothing if there is only one rate."""
        rates = self.plan.rates
        if len(rates) < 2:
            return {}
        found = _read_rates(place / RATES_FILE)
        parts = tuple(held_out(task, self.plan.seed) for task in data)
        share = self.plan.trial_steps / self.plan.steps
        for number, rate in enumerate(rates):
            if rate in found:
                continue
            after = (later + 1) / share + len(rates) - number - 1
            training = place / "training" / f"rate-{rate:g}"
            lesson = self._lesson(job, parts, self.plan.trial_steps, rate)
            what = f"{title}, trying rate {rate:g}"
            network, _ = fit(lesson, training, what, self.command, after, self.until)
            found[rate] = mean_accuracy(network, parts)
            write_atomic(
                place / RATES_FILE, json.dumps({f"{r!r}": one for r, one in found.items()}) + "\n"
            )
            forget(training)
            _free_networks()
        return {rate: found[rate] for rate in rates}

    def _lesson(self, job: Job, data: tuple[TaskData, ...], steps: int, rate: float) -> Lesson:
        config = self.run.config()
        halved = config.precision == "bfloat16"
        teachers = {
            task.name: FloatTeaching(
                self.run.folder / task.float_teacher.file, task.float_teacher, halved
            )
            for task in config.tasks
            if task.name in job.tasks and task.float_teacher is not None and config.distill
        }
        assert job.shape is not None
        return Lesson(
            shape=job.shape,
            data=data,
            batches=self.plan.batches,
            weights=peer_weights(config, self.plan),
            steps=steps,
            rate=rate,
            seed=self.plan.seed,
            teachers=teachers,
            distillation=config.distillation if teachers else None,
            halved=halved and job.shape.filters[0] % FAST_FILTERS == 0,
        )

    def _train_binary(
        self, job: Job, data: TaskData, place: Path, title: str, later: float
    ) -> MeasuredNetwork:
        run = prepare_separate(place / "run", self.run.config(), self.plan, job.name, self.flash)
        try:
            fit_run(run, [data], title, later=later, until=self.until)
        except TrainingInterruptedError as error:
            raise type(error)(error.what, self.command, exit_code=error.exit_code) from error
        return measure_separate(run, data, self.plan.steps, read_figures(run)[-1].seconds)


def held_out(data: TaskData, seed: int) -> TaskData:
    """A task whose test part is kept back from its training part; the test set is not in it."""
    size = len(data.train)
    count = min(MOST_HELD_OUT, max(1, size // HELD_OUT))
    order = np.random.default_rng((seed, size)).permutation(size)
    kept, rest = np.sort(order[:count]), np.sort(order[count:])

    def part(chosen: npt.NDArray[np.int64]) -> Split:
        return Split(data.train.images[chosen], data.train.labels[chosen])

    return dataclasses.replace(data, train=part(rest), test=part(kept))


def _read_rates(path: Path) -> dict[float, float]:
    try:
        return {float(rate): float(share) for rate, share in json.loads(path.read_text()).items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise TrainingError(
            f"Cannot read {path}: it is damaged.", "Delete it: the rates are then tried again."
        ) from error


def _free_networks() -> None:
    """Free the graphs that TensorFlow keeps of the last network."""
    from rbnn.nets.framework import tf

    tf.keras.backend.clear_session()
    gc.collect()
