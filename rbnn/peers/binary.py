"""The binary rows: the shared set of the run, and separate networks in the same flash.

Both are measured in the device's integers. Their flash is that of the container: for the shared set
bits and tables once and each task's record, sealed parameters and licence; for a separate network
the same without sealing and licence. RAM is the arena, the opened parameters and as much working
memory as the kernels gain from; instructions are those that the cost model predicts with it, every
weight decrypted while its layer runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rbnn.container.container import Container
from rbnn.container.errors import ExportError
from rbnn.container.plan import plan as lay_out_container
from rbnn.container.sizes import Sizes, single_task_bytes
from rbnn.container.sizes import measure as measure_sizes
from rbnn.container.work import most_work_bytes
from rbnn.cost.predict import predict
from rbnn.errors import RbnnError
from rbnn.export.integer_predictor import current_container, integer_predictor
from rbnn.nets.architectures import architecture, lay_out
from rbnn.nets.padding import pad
from rbnn.peers.measured import MeasuredNetwork, hits
from rbnn.peers.plan import PeerPlan
from rbnn.runs.config import RunConfig
from rbnn.runs.run import Run
from rbnn.tasks import TaskData

WIDTH_STEP = 8


@dataclass(frozen=True)
class BinaryShape:
    """Sizes of a separate binary network; ``stages`` is None where they are no option."""

    width: int
    depth: int
    stages: int | None


def shared_flash(sizes: Sizes, tasks: Sequence[str]) -> int:
    """Flash of a shared set with only these tasks."""
    return sizes.shared + sum(task.own for task in sizes.tasks if task.name in tasks)


def measure_shared(
    run: Run, plan: PeerPlan, data: Sequence[TaskData], seconds: float
) -> MeasuredNetwork:
    """The shared set of the run on its whole test sets.

    Args:
        run: trained for an epoch or more.
        plan: of the comparison.
        data: its tasks.
        seconds: that the run was trained.

    Raises:
        RbnnError: the run cannot be exported, or there is no C compiler.
    """
    container = current_container(run)
    flash = shared_flash(measure_sizes(container), plan.tasks)
    config = run.config()
    return _measured(run, container, data, flash, plan.steps, seconds, config)


def measure_separate(run: Run, data: TaskData, steps: int, seconds: float) -> MeasuredNetwork:
    """A separate binary network on its whole test set; arguments as for :func:`measure_shared`."""
    container = current_container(run)
    (task,) = measure_sizes(container).tasks
    return _measured(run, container, [data], task.separate, steps, seconds, run.config())


def _measured(
    run: Run,
    container: Container,
    data: Sequence[TaskData],
    flash: int,
    steps: int,
    seconds: float,
    config: RunConfig,
) -> MeasuredNetwork:
    engine = integer_predictor(run, "c")
    sizes = measure_sizes(container)
    work = max(most_work_bytes(layer) for layer in container.topology.layers)
    costs = predict(container.topology, work, cipher=container.cipher)
    return MeasuredNetwork(
        shape=f"binary {config.shape_text}",
        tasks=tuple(
            hits(task.name, engine(task.name, task.test.images), task.test.labels) for task in data
        ),
        flash=flash,
        ram=sizes.arena + sizes.params + work,
        macs=config.topology().macs,
        instructions=sum(cost.instructions for cost in costs),
        steps=steps,
        seconds=seconds,
        rate=config.learning_rate,
    )


def separate_binary(config: RunConfig, tasks: Sequence[str], flash: int) -> BinaryShape:
    """The shape with the most bits of which a network for each task fits into ``flash`` bytes.

    It has the run's architecture, and no more width, depth or stages. (Channels are padded to
    multiples of 32, so that less width alone may save little.)

    Raises:
        RbnnError: no such network fits.
    """
    best: tuple[int, BinaryShape] | None = None
    for shape in _shapes(config):
        try:
            bits, needed = _needs(config, tasks, shape)
        except RbnnError:  # the architecture has no such shape
            continue
        if needed <= flash and (best is None or bits > best[0]):
            best = bits, shape
    if best is None:
        raise ExportError(
            f"No {len(tasks)} separate binary networks fit into the {flash:,} bytes of the shared "
            "set.",
            "Omit --binary.",
        )
    return best[1]


def prepare_separate(folder: Path, config: RunConfig, plan: PeerPlan, task: str, flash: int) -> Run:
    """The run folder of a task's separate network; made where it is missing or incomplete.

    It has a key of its own, as on a device; that changes no accuracy.

    Raises:
        RbnnError: no such network fits, or the folder cannot be written.
    """
    from rbnn.runs.start import write_run

    run = Run(folder)
    if run.config_file.exists() and run.secrets_file.exists():
        return run
    shape = separate_binary(config, plan.tasks, flash)
    batched = tuple(
        one.model_copy(update={"batch": plan.batches.get(one.name, one.batch)})
        for one in config.tasks
    )
    own = config.model_copy(update={"tasks": batched}).single_task(task, plan.steps)
    write_run(run, own.model_copy(update={"scheme": "xor", **vars(shape)}))
    return run


def _shapes(config: RunConfig) -> Iterator[BinaryShape]:
    chosen = architecture(config.architecture)
    most = config.stages or chosen.stages
    assert config.depth is not None and config.width is not None  # make_plan refuses own networks
    for stages in [None] if most is None else range(most, 0, -1):
        for depth in range(config.depth, 0, -1):
            for width in range(config.width - config.width % WIDTH_STEP, 0, -WIDTH_STEP):
                yield BinaryShape(width, depth, stages)


def _needs(config: RunConfig, tasks: Sequence[str], shape: BinaryShape) -> tuple[int, int]:
    """Bits of the networks of all tasks, and the flash that they take together."""
    bits = flash = 0
    for task in config.tasks:
        if task.name not in tasks:
            continue
        classes = len(task.labels)
        topology = lay_out(
            config.architecture, config.input_shape, classes, shape.width, shape.depth, shape.stages
        )
        padded = pad(topology).topology
        names = sum(len(label.encode()) + 1 for label in task.labels)
        params = lay_out_container(padded).labels_offset + names
        bits += topology.bits
        flash += single_task_bytes(padded, classes, params)
    return bits, flash
