"""``rbnn nets``: architectures and sizes for a board, ranked before anything is trained."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from rbnn.container.plan import plan
from rbnn.cost import peers
from rbnn.cost.predict import predict
from rbnn.errors import RbnnError
from rbnn.frozen import Frozen
from rbnn.image.board import Board
from rbnn.image.errors import FitError
from rbnn.image.fit import CODE_BYTES, container_bytes
from rbnn.image.memory import MemoryPlan, application_bytes, share_memory
from rbnn.nets.architectures import ARCHITECTURES, architecture, lay_out
from rbnn.nets.own.file import OwnNetwork
from rbnn.nets.padding import pad
from rbnn.nets.topology import Shape, Topology
from rbnn.tasks.form import check_input

LABEL_BYTES = 12
"""Approximate size of a class name with its zero byte."""
WIDTHS = (16, 32, 48, 64, 96, 128)
"""Tried if no width is given."""


class RankedNetwork(Frozen):
    """One network on one board. Sizes in bytes; instructions and milliseconds per inference.

    ``lacks`` names the memories that are too small, ``why`` says by how much; if RAM is among them,
    the figures are those of the least working memory. ``estimated_ms`` is an estimate: see
    ``rbnn.cost.predict``.
    """

    architecture: str
    width: int | None
    depth: int | None
    stages: int | None
    bits: int
    macs: int
    fits: bool
    lacks: tuple[str, ...]
    why: str
    flash: int
    ram: int
    arena: int
    work: int
    resident: int
    instructions: int
    first_instructions: int
    estimated_ms: float
    peer_instructions: int


class Limits(Frozen):
    """What a board has for a model with an input of this shape, in bytes.

    ``model_flash`` is what the code leaves; ``model_ram`` what the application, with a buffer for
    one input, and the stack leave.
    """

    input: Shape
    input_bytes: int
    flash: int
    model_flash: int
    ram: int
    model_ram: int


def limits(board: Board, input_shape: Shape) -> Limits:
    """What a board has for a model with an input of this shape.

    Raises:
        RbnnError: no container has such an input.
    """
    check_input(input_shape)
    size = math.prod(input_shape)
    return Limits(
        input=input_shape,
        input_bytes=size,
        flash=board.flash.bytes,
        model_flash=board.flash.bytes - CODE_BYTES,
        ram=board.ram.bytes,
        model_ram=board.ram.bytes - application_bytes(False, size) - board.stack_bytes,
    )


def candidates(
    board: Board,
    names: Sequence[str],
    widths: Sequence[int],
    depth: int | None,
    stages: int | None,
    input_shape: Shape,
    classes: int,
    tasks: int,
    ends: Mapping[str, int] | None = None,
    own: Sequence[OwnNetwork] = (),
    refusals: list[str] | None = None,
) -> list[RankedNetwork]:
    """Networks for a board: those that fit first, and those with more bits before those with fewer.

    Args:
        board: its manifest.
        names: architectures; empty for all, or none beside ``own``.
        widths: empty for ``WIDTHS``.
        depth: None for each architecture's default.
        stages: None for each architecture's default.
        input_shape: height, width, channels.
        classes: largest number of classes in a task.
        tasks: number of tasks.
        refusals: gets a sentence for each network that does not exist in this shape.
        ends: ``stem_bits`` and ``classifier_bits`` of :func:`rbnn.nets.architectures.lay_out`.
        own: networks of the user's own; ``widths``, ``depth`` and ``stages`` have no effect on
            them.

    Raises:
        RbnnError: an unknown architecture, or no network accepts this input.
    """
    check_input(input_shape)  # before arrays of that size are made
    found: list[RankedNetwork] = []
    refused: list[RbnnError] = []
    bits = {"stem_bits": 1, "classifier_bits": 1, **(ends or {})}
    for one in own:
        made = one.topology(input_shape, classes)
        made = made.with_own_weights(bits["stem_bits"] > 1, bits["classifier_bits"] > 1)
        found.append(_judge(board, made, None, dict.fromkeys(("depth", "stages")), tasks))
    for name in names or (() if own else tuple(ARCHITECTURES)):
        known = architecture(name)
        sizes = {
            "depth": known.depth if depth is None else depth,
            "stages": known.stages if stages is None else stages,
        }
        for width in widths or WIDTHS:
            try:
                shape = (width, sizes["depth"], sizes["stages"])
                topology = lay_out(name, input_shape, classes, *shape, **bits)
                found.append(_judge(board, topology, width, sizes, tasks))
            except RbnnError as error:
                refused.append(error)
    if not found:
        raise refused[0]
    if refusals is not None:
        refusals += dict.fromkeys(error.what for error in refused)
    return rank(found)


def rank(found: Iterable[RankedNetwork]) -> list[RankedNetwork]:
    """Those that fit first; within each group by more bits, then by fewer instructions."""
    return sorted(found, key=lambda one: (not one.fits, -one.bits, one.instructions))


def _judge(
    board: Board, topology: Topology, width: int | None, sizes: dict[str, int | None], tasks: int
) -> RankedNetwork:
    padded = pad(topology).topology
    layout = plan(padded)
    params = layout.labels_offset + topology.max_classes * LABEL_BYTES
    flash = CODE_BYTES + container_bytes(padded, layout, params, tasks)
    try:
        memory = share_memory(board, padded, layout, params)
    except FitError:
        memory = MemoryPlan(layout.arena_bytes, params, layout.work_bytes, (), 0)
    ram = application_bytes(False, layout.input_bytes) + board.stack_bytes
    ram += memory.arena + memory.params + memory.work + memory.resident
    excess = {"flash": flash - board.flash.bytes, "RAM": ram - board.ram.bytes}
    lacks = {name: bytes_ for name, bytes_ in excess.items() if bytes_ > 0}
    costs = predict(padded, memory.work, memory.resident_layers, cpu=board.cpu)
    first = predict(padded, memory.work, cpu=board.cpu)
    return RankedNetwork(
        architecture=topology.architecture,
        width=width,
        **sizes,
        bits=topology.bits,
        macs=topology.macs,
        fits=not lacks,
        lacks=tuple(lacks),
        why="; ".join(f"{name}: {bytes_:,} bytes too many" for name, bytes_ in lacks.items()),
        flash=flash,
        ram=ram,
        arena=memory.arena,
        work=memory.work,
        resident=memory.resident,
        instructions=sum(cost.instructions for cost in costs),
        first_instructions=sum(cost.instructions for cost in first),
        estimated_ms=sum(cost.cycles for cost in costs) / board.clock_hz * 1000,
        peer_instructions=peers.estimate(topology),
    )
