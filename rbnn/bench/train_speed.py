"""What a training step of a shared network costs, compared with one step per single-task network.

Both are measured in one run, taking turns, on random pictures: no time depends on them.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rbnn.frozen import Frozen
from rbnn.runs.run import Run
from rbnn.runs.settings import Settings
from rbnn.runs.start import start_run
from rbnn.tasks import Split, TaskData
from rbnn.tasks.form import SIDE
from rbnn.train.baseline import prepare_baseline

if TYPE_CHECKING:
    from rbnn.train.trainer import Trainer

WARM_UP_STEPS = 3
"""The first steps trace and allocate."""
CLASSES = 10


class Gain(Frozen):
    """What the fused operations gain; ``unfused`` in seconds of a step of all tasks.

    ``ratio`` is the median of the rounds' own ratios of samples a second, ``spread`` their lowest
    and highest.
    """

    unfused: float
    unfused_samples_per_second: float
    ratio: float
    spread: tuple[float, float]


class TrainSpeed(Frozen):
    """Medians over the rounds; seconds.

    ``shared`` is one step of all tasks, ``single`` the sum of one step of each single-task network;
    ``ratio`` is the median of the rounds' ratios, ``spread`` their lowest and highest.
    """

    architecture: str
    bits: int
    precision: str
    tasks: int
    samples: int
    rounds: int
    shared: float
    single: float
    ratio: float
    spread: tuple[float, float]
    samples_per_second: float
    fused: Gain | None = None


def bench_train(
    settings: Settings, tasks: int, rounds: int, show: Callable[[str, int, int], None]
) -> TrainSpeed:
    """Measure.

    Args:
        settings: of the network and its sub-batches.
        tasks: how many.
        rounds: each is one step of every network; 1 or more.
        show: told as ``show(what, done, total)``.

    Raises:
        RbnnError: a setting is unusable.
    """
    # TensorFlow takes seconds to import.
    from rbnn.train.trainer import Trainer

    data = [_random_task(number, settings.batch) for number in range(tasks)]
    with tempfile.TemporaryDirectory() as folder:
        run = start_run(Path(folder), data, settings)
        trainers = [Trainer(run, data), Trainer(run, data, fused=False)]
        for task in data:
            trainers.append(Trainer(prepare_baseline(run, task.name, rounds), [task]))
        for number in range(WARM_UP_STEPS):
            show("warming up", number, WARM_UP_STEPS)
            _time_each(trainers)
        seconds = []
        for number in range(rounds):
            show("measuring", number, rounds)
            seconds.append(_time_each(trainers))
        show("measuring", rounds, rounds)
        return _summary(run, np.array(seconds), settings.batch * tasks, trainers[0].fused)


def _time_each(trainers: Sequence[Trainer]) -> list[float]:
    """Seconds of one step of each."""
    found = []
    for trainer in trainers:
        start = time.perf_counter()
        trainer.advance(progress=0.5)
        found.append(time.perf_counter() - start)
    return found


def _summary(run: Run, seconds: npt.NDArray[np.float64], samples: int, fused: bool) -> TrainSpeed:
    config = run.config()
    shared, unfused, single = seconds[:, 0], seconds[:, 1], seconds[:, 2:].sum(axis=1)
    ratios = shared / single
    return TrainSpeed(
        architecture=config.architecture,
        bits=config.topology().bits,
        precision=config.precision,
        tasks=len(config.tasks),
        samples=samples,
        rounds=len(seconds),
        shared=float(np.median(shared)),
        single=float(np.median(single)),
        ratio=float(np.median(ratios)),
        spread=(float(ratios.min()), float(ratios.max())),
        samples_per_second=samples / float(np.median(shared)),
        fused=_gain(unfused, shared, samples) if fused else None,
    )


def _gain(unfused: npt.NDArray[np.float64], fused: npt.NDArray[np.float64], samples: int) -> Gain:
    ratios = unfused / fused
    return Gain(
        unfused=float(np.median(unfused)),
        unfused_samples_per_second=samples / float(np.median(unfused)),
        ratio=float(np.median(ratios)),
        spread=(float(ratios.min()), float(ratios.max())),
    )


def _random_task(number: int, samples: int) -> TaskData:
    generator = np.random.default_rng(number)

    def split(count: int) -> Split:
        images = generator.integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8)
        return Split(images, np.arange(count, dtype=np.int64) % CLASSES)

    return TaskData(
        name=f"task{number}",
        labels=tuple(map(str, range(CLASSES))),
        train=split(4 * samples),
        test=split(CLASSES),
        source=f"task{number}",
        origin="random pictures",
        kind="image",
    )
