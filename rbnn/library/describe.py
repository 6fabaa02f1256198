"""What the templates of a library say about its model."""

from __future__ import annotations

from dataclasses import dataclass

from rbnn.container.container import SEALED_OVERHEAD, Container
from rbnn.container.shapes import weights_bytes
from rbnn.spec import audio, layout, puf, scores, store
from rbnn.spec.kdf import KEY_BYTES
from rbnn.spec.packing import round_up
from rbnn.spec.status import Status

STACK_BYTES = 4096
"""More than the library's deepest call takes on any Cortex-M at -O2 or -Os; measured by
``tests/library``."""
STORE_PAGE_BYTES = (1 + 2 * store.STORE_TASKS) * store.STORE_SLOT_BYTES
"""The smallest page of flash that the store takes; there are two."""
_LINE_ONLY = {
    Status.UNKNOWN_COMMAND,
    Status.LINE_TOO_LONG,
    Status.BUFFER_SIZE,
    Status.BUFFER_INCOMPLETE,
    Status.SELF_TEST,
    Status.OVERRUN,
    Status.STOPPED,
    Status.MODEL_OLD,
    Status.MODEL_ROOM,
    Status.MODEL_ORDER,
    Status.MODEL_READ_ONLY,
}
"""Statuses of the serial line, which a library does not have."""
_CONTEXT_BYTES = 704
_CONTEXT_TASK_BYTES = 272
_CONTEXT_POINTERS = 40
"""Room for what an ``rbnn_context`` holds; ``api.c.j2`` asserts that it suffices."""


@dataclass(frozen=True)
class TaskRow:
    """One task."""

    number: int
    name: str
    classes: int


@dataclass(frozen=True)
class Described:
    """A model as its users see it; sizes in bytes."""

    tasks: tuple[TaskRow, ...]
    bytes: int
    weights_bytes: int
    memory_bytes: int
    resident_bytes: int
    input_bytes: int
    height: int
    width: int
    classes: int


def describe(container: Container) -> Described:
    """What users of a model see of it."""
    height, width, channels = container.topology.input_shape
    params = max(len(task.sealed) for task in container.tasks) - SEALED_OVERHEAD
    plan = container.plan
    parts = (params, plan.arena_bytes, plan.work_bytes)
    return Described(
        tasks=tuple(
            TaskRow(number, task.name, task.classes) for number, task in enumerate(container.tasks)
        ),
        bytes=len(container.data),
        weights_bytes=plan.weights_bytes,
        memory_bytes=sum(round_up(part, 4) for part in parts),
        resident_bytes=sum(
            round_up(weights_bytes(layer), 4) for layer in container.topology.layers
        ),
        input_bytes=height * width * channels,
        height=height,
        width=width,
        classes=container.topology.max_classes,
    )


def status_text(status: Status) -> str:
    """A status's text without what only the serial line has."""
    return "; ".join(clause for clause in status.text.split("; ") if "%" not in clause)


def values(container: Container) -> dict[str, object]:
    """What every template may name."""
    count = len(container.tasks)
    return {
        "model": describe(container),
        "tasks": f"{count} task{'s' if count > 1 else ''}",
        "test_only": container.is_test_only,
        "statuses": [status for status in Status if status not in _LINE_ONLY],
        "text_of": status_text,
        "stack_bytes": STACK_BYTES,
        "context_bytes": _CONTEXT_BYTES + _CONTEXT_TASK_BYTES * count,
        "context_pointers": _CONTEXT_POINTERS,
        "fingerprint_bytes": puf.PATTERN_BYTES,
        "partition_bytes": layout.PROVISIONING_HEADER.size + layout.HELPER_RECORD_PADDED_BYTES,
        "page_bytes": STORE_PAGE_BYTES,
        "key_bytes": KEY_BYTES,
        "licence_bytes": layout.LICENCE_BYTES,
        "logit_one": 1 << layout.LOGIT_FRACTION_BITS,
        "score_ppm": scores.PPM,
        "audio": audio if container.takes_sound else None,
    }
