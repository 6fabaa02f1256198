"""``rbnn bench host``: how fast Keras and the C engine evaluate a test set on this machine.

All engines evaluate the same images with the same network in one run, taking turns, so that other
load on the machine slows all of them; each engine's best turn counts. On a busy machine, rates by
processor time say more than those by the clock.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import computed_field

from rbnn.engine.native import NativeEngine
from rbnn.engine.reference import Reference
from rbnn.engine.wide import WideEngine
from rbnn.errors import RbnnError
from rbnn.export.integer_predictor import current_container
from rbnn.frozen import Frozen
from rbnn.runs.run import Run
from rbnn.runs.synthetic import write_synthetic_run

VERDICT_IMAGES = 1000
"""Fewer give no reliable ratio: what is done once per set weighs as much as the images."""
BATCHES = (100, 250, 500)
"""Batch sizes that are tried for Keras; the fastest one is used."""
TURNS = 5
DEVICE_IMAGES = 100
"""Images for the device's kernels, which are not made for this machine."""

Images = npt.NDArray[np.uint8]
Say = Callable[[str], None]


class Rate(Frozen):
    """Images per second: by the clock, and by processor time summed over all threads."""

    clock: float
    processor: float


class HostBench(Frozen):
    """One network on this machine.

    ``keras`` is the network in plain float32 (:mod:`rbnn.bench.plain_keras`), ``keras_exact`` the
    model that rbnn trains, which repeats the device's integers; ``agreement`` and
    ``exact_agreement`` are the shares of images for which they and the integers find the same
    class. ``compared`` is the number of images whose logits were compared, and found equal bit for
    bit, between the C engine and the integer reference.
    """

    network: str
    bits: int
    macs: int
    images: int
    vectors: str
    threads: int
    keras_batch: int
    keras: Rate
    keras_exact: Rate
    c: Rate
    c_one_thread: Rate
    c_device_kernels: Rate
    agreement: float
    exact_agreement: float
    compared: int

    @computed_field  # type: ignore[prop-decorator]
    @property
    def ratio(self) -> float:
        """How many times faster the C engine is than the faster Keras, by the clock."""
        return self.c.clock / max(self.keras.clock, self.keras_exact.clock)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def processor_ratio(self) -> float:
        """How many times less processor time it takes."""
        return self.c.processor / max(self.keras.processor, self.keras_exact.processor)


def bench_host(
    networks: Sequence[str], run: Run | None, images: int, compared: int, say: Say
) -> list[HostBench]:
    """Measure networks.

    Args:
        networks: architectures of default size, with random weights.
        run: a trained run to measure instead, or None.
        images: number of random images in the test set; 1 or more.
        compared: how many of them to compare with the integer reference.
        say: told of each step.

    Raises:
        RbnnError: no compiler, or the C engine's results differ from the reference's.
    """
    if run is not None:
        return [_measure(run, images, compared, say)]
    results = []
    with tempfile.TemporaryDirectory(prefix="rbnn-bench-") as folder:
        for name in networks:
            synthetic = write_synthetic_run(Path(folder) / name, name)
            results.append(_measure(synthetic, images, compared, say))
    return results


def _measure(run: Run, count: int, compared: int, say: Say) -> HostBench:
    config = run.config()
    task = config.tasks[0]
    width = "" if config.width is None else f" of width {config.width}"
    title = f"{config.architecture}{width}"
    container = current_container(run)
    secret = run.secrets()[task.name]
    shape = (count, *config.input_shape[:2], task.input_channels)
    pixels = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    wide = WideEngine(container)
    single = WideEngine(container, threads=1)
    device = NativeEngine(container)

    say(f"{title}: comparing {compared} images with the integer reference.")
    logits = wide.logits(0, secret, pixels)
    expected = Reference.open(container, 0, secret).infer(pixels[:compared]).logits
    if not np.array_equal(logits[:compared], expected):
        raise RbnnError(
            f"{title}: the C engine and the integer reference differ.",
            "This is a bug in rbnn: report it.",
        )

    keras, exact = _keras(run, task.name)
    say(f"{title}: measuring {count} images in Keras and in C, {TURNS} turns each.")
    agreement, exact_agreement = (  # also traces the graphs
        float(np.mean(one(pixels, BATCHES[-1]) == logits.argmax(axis=1))) for one in (keras, exact)
    )
    batch = max(BATCHES, key=lambda size: _best(lambda: keras(pixels, size), count, 2).clock)
    contestants: dict[str, tuple[Callable[[], object], int]] = {
        "keras": (lambda: keras(pixels, batch), count),
        "keras_exact": (lambda: exact(pixels, batch), count),
        "c": (lambda: wide.logits(0, secret, pixels), count),
        "c_one_thread": (lambda: single.logits(0, secret, pixels), count),
        "c_device_kernels": (
            lambda: device.logits(0, secret, pixels[:DEVICE_IMAGES]),
            len(pixels[:DEVICE_IMAGES]),
        ),
    }
    turns = [
        {name: _best(work, size, 1) for name, (work, size) in contestants.items()}
        for _ in range(TURNS)
    ]
    rates = {name: _greatest([turn[name] for turn in turns]) for name in contestants}
    return HostBench(
        network=title,
        bits=container.topology.bits,
        macs=container.topology.macs,
        images=count,
        vectors=wide.vectors,
        threads=wide.threads,
        keras_batch=batch,
        agreement=agreement,
        exact_agreement=exact_agreement,
        compared=compared,
        **rates,
    )


Compute = Callable[[Images, int], npt.NDArray[np.int64]]
"""From images and a batch size to class numbers."""


def _keras(run: Run, name: str) -> tuple[Compute, Compute]:
    """The run's network in plain float32, and as rbnn trains it; both compiled to graphs."""
    # TensorFlow takes seconds to import.
    from rbnn.bench.plain_keras import plain_logits
    from rbnn.nets.framework import tf
    from rbnn.train.transfer import load_network

    network = load_network(run)
    model = network.models[name]
    (task,) = (one for one in network.tasks if one.name == name)

    def compiled(logits: Callable[[Any], Any]) -> Compute:
        def classes(batch: Any) -> Any:
            return tf.argmax(logits(batch), axis=-1)

        graph = tf.function(classes, reduce_retracing=True, autograph=False)

        def compute(images: Images, size: int) -> npt.NDArray[np.int64]:
            starts = range(0, len(images), size)
            parts = [graph(tf.constant(images[at : at + size])).numpy() for at in starts]
            return np.concatenate(parts)

        return compute

    return (
        compiled(plain_logits(network, task)),
        compiled(lambda batch: model(batch, training=False)),
    )


def _best(work: Callable[[], object], count: int, turns: int) -> Rate:
    """The best of some turns of ``count`` images each."""
    rates = []
    for _ in range(turns):
        clock, processor = time.perf_counter(), time.process_time()
        work()
        rates.append(
            Rate(
                clock=count / (time.perf_counter() - clock),
                processor=count / (time.process_time() - processor),
            )
        )
    return _greatest(rates)


def _greatest(rates: Sequence[Rate]) -> Rate:
    return Rate(
        clock=max(rate.clock for rate in rates), processor=max(rate.processor for rate in rates)
    )
