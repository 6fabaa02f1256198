"""``config.json`` of a run folder: its tasks and settings, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import SerializerFunctionWrapHandler, model_serializer, model_validator

from rbnn.frozen import Frozen
from rbnn.nets.architectures import lay_out
from rbnn.nets.own.stored import StoredNetwork
from rbnn.nets.topology import Shape, Topology
from rbnn.runs.setting import KEPT
from rbnn.runs.settings import TABLE, Precision, Scheme, Settings
from rbnn.spec.layout import Adapter, Cipher, FrontEnd
from rbnn.spec.link import Benchmark
from rbnn.spec.series import Series
from rbnn.tasks.form import Form
from rbnn.tasks.names import usual_benchmark

CONFIG_VERSION = 3
"""2: depth and cipher; the bits are packed, and so keyed, in another order than in 1. 3: stages,
a sub-batch for each task, precision, distillation."""

KEYS = (
    *("version", "tasks", "architecture", "width", "depth", "stages", "input_shape", "scheme"),
    *("cipher", "model_id", "seed", "epochs", "learning_rate", "batch", "sampling", "shares"),
    *("weights", "precision", "trunk", "superpose", "distill", "steps_per_epoch", "steps"),
    *("minutes", "baseline"),
)
"""Order of the keys in the file. Keys that are not listed here, such as those of new settings, come
after them."""


OPTIONAL: dict[str, object] = {
    **{"teachers": {}, "benchmarks": {}, "input": None, "windows": {}, "hops": {}},
    **{"recipe": None, "stem_bits": 1, "classifier_bits": 1},
    **{"network": None, "imported": None},
}
"""Keys that are not in the file of a run that does not use them, as in files of earlier versions:
the value that stands for that.
"""


def _without_unused(values: dict[str, Any], unused: Mapping[str, object]) -> dict[str, Any]:
    """``values`` without those that are ``unused``."""
    return {
        name: value for name, value in values.items() if name not in unused or value != unused[name]
    }


class FloatTeacher(Frozen):
    """A float model that teaches one task.

    Args:
        file: the model, relative to the run's folder.
        pixels: the range of its input: a key of ``rbnn.train.float_model.PIXELS``.
        outputs: what it returns for each class.
    """

    file: str
    pixels: str
    outputs: Literal["logits", "probabilities"]


class RunSeries(Frozen):
    """How windows of a sensor series became inputs, as :class:`Series` has it."""

    window: int
    hop: int
    means: tuple[float, ...]
    factors: tuple[float, ...]

    @property
    def series(self) -> Series:
        """The same as the tasks have it."""
        return Series(**dict(self))


class RunTask(Frozen):
    """One task of a run.

    ``offsets`` are subtracted from each of the network's input channels (integers, the training
    set's rounded channel means); ``source`` is the spec with which ``rbnn.tasks.load`` finds the
    data again, ``fingerprint`` the SHA-256 that tells whether they are the same. ``batch`` is how
    many of its samples every step has. ``teacher`` is the run folder of the task's single-task
    network, relative to this run's folder; the shared network also learns from it.
    ``float_teacher`` takes its place where the user named one. ``front_end`` is what made its
    inputs, and what a device can make them with; runs of earlier versions have none, whose pictures
    of sounds were computed in floating point. ``series`` says how windows of a sensor series became
    inputs.
    """

    name: str
    labels: tuple[str, ...]
    input_channels: int
    adapter: Adapter
    offsets: tuple[int, ...]
    source: str
    fingerprint: str = ""
    batch: int = 64
    teacher: str | None = None
    float_teacher: FloatTeacher | None = None
    front_end: FrontEnd = FrontEnd.NONE
    series: RunSeries | None = None

    @model_serializer(mode="wrap")
    def _write(self, write_fields: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return _without_unused(
            write_fields(self), {"float_teacher": None, "front_end": FrontEnd.NONE, "series": None}
        )


class Distillation(Frozen):
    """How a network learns from its teachers' answers as well as from labels.

    The loss is ``(1 - weight) * cross_entropy + weight * temperature**2 * KL(teacher || student)``,
    both distributions softened by ``temperature``.

    Source: Hinton, Vinyals, Dean, "Distilling the Knowledge in a Neural Network", arXiv 1503.02531,
    section 2.
    """

    weight: float
    temperature: float


class ImportedModel(Frozen):
    """The Keras model that a run was converted from: the file's name and its digest."""

    file: str
    sha256: str


class RunConfig(Settings):
    """``config.json``: everything needed to build the network again; no keys, but class names.

    It holds every setting of the table, with the values that were chosen for the user where the
    user left them open. ``batch``, ``sampling`` and ``shares`` are what the tasks' sub-batches
    follow from. An epoch is ``steps_per_epoch`` steps. The run ends after ``epochs`` epochs, or
    ``steps`` steps, or ``minutes`` of training, whichever is set and comes first. In the file,
    ``distill`` is a :class:`Distillation`. ``recipe`` only says where the user began.

    ``network`` is the whole network where a file of the user's described it; it then has no width,
    depth and stages, and ``architecture`` is its name. ``imported`` is what the run was converted
    from, without a training of rbnn's.
    """

    architecture: str
    width: int | None
    depth: int | None
    scheme: Scheme
    epochs: int | None
    learning_rate: float
    precision: Precision = "float32"
    seed: int
    version: int = CONFIG_VERSION
    tasks: tuple[RunTask, ...]
    input_shape: Shape
    model_id: str
    steps_per_epoch: int = 1
    recipe: str | None = None
    network: StoredNetwork | None = None
    imported: ImportedModel | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_distillation(cls, values: Any) -> Any:
        if not isinstance(values, dict) or not isinstance(values.get("distill"), Mapping):
            return values
        found = Distillation.model_validate(values["distill"])
        return {**values, "distill": found.weight, "temperature": found.temperature}

    @model_serializer(mode="wrap")
    def _write(self, write_fields: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values = _without_unused(write_fields(self), OPTIONAL)
        values.pop("temperature", None)
        if "distill" in values and self.distillation is not None:
            values["distill"] = self.distillation.model_dump()
        places = {key: place for place, key in enumerate(KEYS)}
        return {
            key: values[key] for key in sorted(values, key=lambda key: places.get(key, len(KEYS)))
        }

    def single_task(self, task: str, steps: int) -> RunConfig:
        """The config of the single-task network of ``task``: nothing shared, no key.

        Shape, data, sub-batches, seed and float teacher are those of this run; its folder is
        ``baseline/<task>`` in this run's.

        Args:
            task: name of one of the run's tasks.
            steps: that the shared network takes.
        """
        entry = next(entry for entry in self.tasks if entry.name == task)
        values = {
            name: setting.single_task
            for name, setting in TABLE.items()
            if setting.single_task is not KEPT
        }
        own: dict[str, Any] = {"batch": entry.batch, "recipe": None}
        teacher = entry.float_teacher
        if teacher is not None:
            teacher = teacher.model_copy(update={"file": f"../../{teacher.file}"})
            learns = {"teachers": {task: self.teachers[task]}, "distill": self.distill}
            own |= learns | {"temperature": self.temperature}
        alone = entry.model_copy(update={"teacher": None, "float_teacher": teacher})
        own["tasks"] = (alone,)
        return self.model_copy(update={**values, **own, "steps": steps})

    def progress(self, steps: int, seconds: float) -> float:
        """Share of the run that is done: 1 or more at its end.

        Args:
            steps: taken so far.
            seconds: spent so far.
        """
        shares = [0.0 if self.imported is None else 1.0]
        if self.epochs is not None:
            shares.append(steps / (self.epochs * self.steps_per_epoch))
        if self.steps is not None:
            shares.append(steps / self.steps)
        if self.minutes is not None:
            shares.append(seconds / (60 * self.minutes))
        return max(shares)

    @property
    def distillation(self) -> Distillation | None:
        """How the network learns from its teachers' answers; None where it does not."""
        if self.distill is None:
            return None
        return Distillation(weight=self.distill, temperature=self.temperature)

    def form(self, task: str) -> Form:
        """What the samples of a task become."""
        if self.input is not None:
            return super().form(task)
        height, width, _ = self.input_shape
        return Form(height, width, None, self.windows.get(task), self.hops.get(task))

    def weight(self, task: str) -> float:
        """Factor of the task's loss in the shared network's."""
        return self.weights.get(task, 1.0)

    def benchmark(self, task: str) -> Benchmark:
        """The benchmark of MLPerf Tiny that a task stands for."""
        chosen = self.benchmarks.get(task)
        return usual_benchmark(task) if chosen is None else Benchmark[chosen.upper()]

    @property
    def all_benchmarks(self) -> dict[str, int]:
        """:meth:`benchmark` of every task, by name."""
        return {task.name: self.benchmark(task.name) for task in self.tasks}

    @property
    def planned_steps(self) -> int | None:
        """Steps that the run takes; None where its time decides."""
        planned = [] if self.epochs is None else [self.epochs * self.steps_per_epoch]
        planned += [] if self.steps is None else [self.steps]
        return None if self.minutes is not None or not planned else min(planned)

    @property
    def max_classes(self) -> int:
        """Outputs of the shared last layer."""
        return max(len(task.labels) for task in self.tasks)

    def topology(self) -> Topology:
        """The network of this run."""
        if self.network is not None:
            own = self.network.topology(self.max_classes)
            return own.with_own_weights(self.stem_bits > 1, self.classifier_bits > 1)
        return lay_out(
            self.architecture,
            self.input_shape,
            self.max_classes,
            self.width,
            self.depth,
            self.stages,
            self.stem_bits,
            self.classifier_bits,
        )

    @property
    def shape_text(self) -> str:
        """The network's shape in words: ``resnet, width 64, depth 8, 3 stages``."""
        sizes = (("width {}", self.width), ("depth {}", self.depth), ("{} stages", self.stages))
        parts = [text.format(size) for text, size in sizes if size is not None]
        return ", ".join([self.architecture, *parts])

    @property
    def key_cipher(self) -> Cipher:
        """The cipher of the key stream, as the container has it."""
        return Cipher[self.cipher.upper()]
