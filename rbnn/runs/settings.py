"""The table of training settings: everything that a user may choose about a training.

Each field of :class:`Settings` is one setting. The command line (``rbnn train``,
``rbnn bench accuracy``), ``config.json``, ``benchmark.json``, the single-task networks and the
report all read this table. To add a setting, add a field here and use it where it has its effect;
:class:`rbnn.runs.setting.Setting` says what each entry means. The order of the fields is that of
the options in ``--help`` and of the rows in the report.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from rbnn.frozen import Frozen
from rbnn.nets.architectures import ARCHITECTURES
from rbnn.runs.setting import ABOVE_ZERO, KEPT, Allowed, Row, Setting, between, table_of
from rbnn.spec.link import BENCHMARKS

CipherName = Literal["chacha20", "chacha12", "chacha8"]
Precision = Literal["float32", "bfloat16"]
PrecisionChoice = Literal["auto", "float32", "bfloat16"]
Scheme = Literal["xor", "sign", "permute", "none"]

AUTO = "auto"
"""As a teacher: a float network that is trained for the task."""
DISTILL_WEIGHT = 0.5
"""Weight of the teachers' answers where ``--teacher`` is given without ``--distill``."""
FEWEST_SAMPLES = 2
"""A step's batch norm needs more than one."""

NETWORK = Row("architecture")
ENDS = Row("bits of a weight in the first and last layer")
LENGTH = Row("length", joint=" or ")
SAMPLES = Row("samples a step")
DISTILLATION = Row("distillation")

ONE_OR_EIGHT = Allowed("1 or 8", lambda value: value in (1, 8))


def _usual(option: str) -> str:
    """Defaults of an architecture's option; one where those that have it agree."""
    found = {one.name: getattr(one, option) for one in ARCHITECTURES.values()}
    known = {name: value for name, value in found.items() if value is not None}
    if len(set(known.values())) == 1:
        return f"Default: {next(iter(known.values()))}."
    return f"Default: {', '.join(f'{name} {value}' for name, value in known.items())}."


# fmt: off
class Settings(Frozen):
    """What the user chose; a setting that was not chosen has its default."""

    architecture: Annotated[str, Setting(
        option="--arch",
        help=f"Architecture: {', '.join(ARCHITECTURES)}.",
        fixed=True, single_task=KEPT,
        row=NETWORK,
    )] = "vgg"

    width: Annotated[int | None, Setting(
        help=f"Channels of the first stage, preferably a multiple of 32. {_usual('width')}",
        fixed=True, single_task=KEPT,
        row=NETWORK, text="width {}",
    )] = None

    depth: Annotated[int | None, Setting(
        help=f"Number of binary convolutions or blocks. {_usual('depth')}",
        fixed=True, single_task=KEPT,
        row=NETWORK, text="depth {}",
    )] = None

    stages: Annotated[int | None, Setting(
        help="Stages of a resnet or reactnet, 2 to 4. Each stage has half the height and width of "
        f"the one before it, and twice the channels. {_usual('stages')}",
        fixed=True, single_task=KEPT,
        row=NETWORK, text="{} stages",
    )] = None

    stem_bits: Annotated[int, Setting(
        help="Bits of a weight in the first layer, 1 or 8. Weights of 8 bits are each task's own.",
        allowed=ONE_OR_EIGHT,
        fixed=True, single_task=KEPT,
        row=ENDS, text="first {}",
    )] = 1

    classifier_bits: Annotated[int, Setting(
        help="Bits of a weight in the last layer, as --stem-bits.",
        allowed=ONE_OR_EIGHT,
        fixed=True, single_task=KEPT,
        row=ENDS, text="last {}",
    )] = 1

    scheme: Annotated[Scheme, Setting(
        help="How a secret changes the stored bits. Devices support only xor.",
        fixed=True, single_task="none", in_comparison=False,
        row=Row("scheme"),
    )] = "xor"

    cipher: Annotated[CipherName, Setting(
        help="Cipher that makes the key stream.",
        fixed=True, single_task=KEPT,
        row=Row("cipher"),
    )] = "chacha20"

    epochs: Annotated[int | None, Setting(
        help="Stop after this many epochs. An epoch is a pass over the largest task. Default: 10 "
        "to 20, depending on its size; no limit where --steps or --minutes is given.",
        allowed=ABOVE_ZERO,
        fixed=True, single_task=None,
        row=LENGTH, text="{:,.10g} epochs",
    )] = None

    steps: Annotated[int | None, Setting(
        help="Stop after this many steps.",
        allowed=ABOVE_ZERO,
        fixed=True, single_task=KEPT,
        row=LENGTH, text="{:,.10g} steps",
    )] = None

    minutes: Annotated[float | None, Setting(
        help="Stop after this many minutes of training. The learning rate falls over this time. "
        "With --baseline, the single-task networks then take as many steps: about as long again.",
        allowed=ABOVE_ZERO,
        fixed=True, single_task=None,
        row=LENGTH, text="{:,.10g} minutes",
    )] = None

    batch: Annotated[int, Setting(
        help="Samples per task and step, on average over the tasks.",
        allowed=Allowed(
            f"{FEWEST_SAMPLES} or more",
            lambda value: value >= FEWEST_SAMPLES,
            "Batch norm needs more than one sample.",
        ),
        fixed=True, single_task=KEPT,
        row=SAMPLES,
    )] = 64

    sampling: Annotated[float, Setting(
        help="How a step's samples are divided among the tasks: 0 equally, 1 in proportion to the "
        "training sets, a number between them in proportion to that power of their sizes. "
        "Default: 0.",
        allowed=between(0, 1),
        fixed=True, single_task=0.0,
        row=None,
    )] = 0.0

    shares: Annotated[dict[str, float], Setting(
        option="--share",
        help="NAME=FACTOR: multiply the task's samples per step by FACTOR. May be repeated.",
        allowed=ABOVE_ZERO,
        fixed=True, single_task={},
        row=None,
    )] = Field(default_factory=dict)

    weights: Annotated[dict[str, float], Setting(
        option="--weight",
        help="NAME=FACTOR: multiply the task's weight in the shared network's loss, and in the sum "
        "that --superpose starts from, by FACTOR. May be repeated.",
        allowed=ABOVE_ZERO,
        fixed=True, single_task={},
        row=Row("weights in the loss", empty="equal"), text="{}, others 1",
        remark="Some tasks weigh more than others in the shared networks' loss.",
    )] = Field(default_factory=dict)

    trunk: Annotated[int, Setting(
        help="Number of layers with binary weights, counted from the first, that have one key for "
        "all tasks. "
        "Default: 0.",
        fixed=True, single_task=0,
        row=Row("layers under one key"),
        remark="In shared networks with keys, one key opens the first {} layers for all tasks.",
    )] = 0

    learning_rate: Annotated[float, Setting(
        help="Highest learning rate of the schedule.",
        allowed=ABOVE_ZERO,
        fixed=True, single_task=KEPT,
        row=Row("learning rate"), text="{:g} at its peak",
    )] = 0.01

    precision: Annotated[PrecisionChoice, Setting(
        help="Number format of the binary convolutions in training. auto is bfloat16 where the CPU "
        "multiplies it at full speed.",
        fixed=True, single_task=KEPT,
        row=Row("precision in training"),
    )] = "auto"

    superpose: Annotated[bool, Setting(
        help="Start the shared network from the keyed sum of the single-task networks, which are "
        "trained first.",
        needs=("baseline",),
        fixed=True, single_task=False,
        row=Row("first values", empty="random"),
        text="the keyed sum of the single-task networks",
        remark="The shared networks start from the keyed sum of the single-task networks, and so "
        "build on those networks' steps as well as their own.",
    )] = False

    distill: Annotated[float | None, Setting(
        help="Weight of the teachers' answers in the shared network's loss, above 0 and at most 1. "
        "A task without --teacher is taught by its single-task network, which is trained first. "
        "Default with --teacher: 0.5.",
        allowed=Allowed("above 0 and at most 1", lambda value: 0 < value <= 1),
        needs=("baseline", "teachers"),
        fixed=True, single_task=None,
        row=DISTILLATION, text="weight {:g}",
        remark="The shared networks learn from labels and from answers: of the task's float model, "
        "or else of its single-task network. A single-task network learns from labels and from the "
        "float model where there is one.",
    )] = None

    temperature: Annotated[float, Setting(
        help="Temperature that softens the answers which --distill compares.",
        allowed=ABOVE_ZERO,
        refines="distill",
        fixed=True, single_task=KEPT,
        row=DISTILLATION, text="temperature {:g}",
    )] = 2.0

    teachers: Annotated[dict[str, str], Setting(
        option="--teacher",
        help="TASK=FILE: the task's networks also learn from the answers of this float model, a "
        "Keras (.h5, .keras) or TensorFlow Lite (.tflite) file. TASK=auto: a float network is "
        "trained for it. May be repeated.",
        form="TASK=FILE or TASK=auto", example="cifar=model.h5",
        fixed=True, single_task={},
        row=Row("float teachers"),
        remark="Tasks with a float model: {}.",
    )] = Field(default_factory=dict)

    benchmarks: Annotated[dict[str, str], Setting(
        option="--benchmark",
        help="TASK=NAME: the MLPerf Tiny benchmark that the task stands for, "
        f"{', '.join(BENCHMARKS)}. Default: ic01 for cifar, kws01 for kws. May be repeated.",
        allowed=Allowed(f"one of {', '.join(BENCHMARKS)}", BENCHMARKS.__contains__),
        form="TASK=NAME", example="mine=ic01",
        fixed=True, single_task={}, in_comparison=False,
        row=None,
    )] = Field(default_factory=dict)

    seed: Annotated[int, Setting(
        help="Seed of everything random except the task secrets.",
        allowed=between(0, 2**31 - 1),
        fixed=True, single_task=KEPT, in_comparison=False,
        row=Row("seed"),
    )] = 1

    baseline: Annotated[bool, Setting(
        help="Also train a single-task network for each task, and compare.",
        fixed=False, single_task=False, in_comparison=False,
        row=Row("single-task networks", empty="not trained"), text="trained too",
    )] = False
    # fmt: on

    @model_validator(mode="before")
    @classmethod
    def _learn_from_teachers(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("teachers") and values.get("distill") is None:
            return {**values, "distill": DISTILL_WEIGHT}
        return values

    @property
    def taught(self) -> bool:
        """Whether single-task networks teach the shared one, so that their training comes first."""
        learns = self.distill is not None and (self.baseline or not self.teachers)
        return self.superpose or learns

    def effective(self) -> Iterator[tuple[Setting, Any]]:
        """The settings that have an effect, with their values."""
        for name, setting in TABLE.items():
            value = getattr(self, name)
            idle = setting.refines is not None and not getattr(self, setting.refines)
            if not idle and not setting.is_off(value):
                yield setting, value


TABLE = table_of(Settings)
"""Every setting by its name, in order."""
