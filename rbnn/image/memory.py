"""How a board's RAM is divided: activations, the kernels' working memory, resident weights.

Everything else is known beforehand: the stack from the board's manifest, the rest of the
application from ``APPLICATION_BYTES``. What is left is divided between the working memory, which
lets convolutions take fewer passes, and weights that stay reconfigured while their task is active
(the largest layers first), such that the cost model (``rbnn.cost.predict``) predicts the fewest
instructions. A manifest may limit either; with a limit of 0 for resident weights, every layer
streams.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rbnn.container.container import SEALED_OVERHEAD, Container
from rbnn.container.parse import parse
from rbnn.container.plan import ContainerPlan
from rbnn.container.work import most_work_bytes, work_steps
from rbnn.cost.predict import predict
from rbnn.files import write_atomic
from rbnn.image.board import Board
from rbnn.image.errors import FitError
from rbnn.nets.topology import Topology
from rbnn.spec.audio import LISTENER_BYTES
from rbnn.spec.layout import Cipher
from rbnn.spec.link import INPUT_BUFFER_BYTES

APPLICATION_BYTES = 16_640
"""RAM of the application besides stack and model; a test keeps it above the linker's figure."""
CONFIG_FILE = "model_memory.h"


@dataclass(frozen=True)
class MemoryPlan:
    """RAM that a model has on a board, in bytes.

    Args:
        arena: activations.
        params: opened parameters of the active task.
        work: the kernels' tables and tiles.
        resident_layers: numbers of the layers that are reconfigured once per task.
        resident: their weights.
    """

    arena: int
    params: int
    work: int
    resident_layers: tuple[int, ...]
    resident: int

    @property
    def mode(self) -> str:
        """``streaming``, or ``resident:`` and the layers."""
        if not self.resident_layers:
            return "streaming"
        return f"resident: layers {', '.join(map(str, self.resident_layers))}"

    def config_header(self) -> str:
        """Text of ``model_memory.h``, which is included before ``model_config.h``."""
        mask = sum(1 << number for number in self.resident_layers)
        return "\n".join(
            [
                "/* Written for one board; do not edit. */",
                "#ifndef RBNN_MODEL_MEMORY_H",
                "#define RBNN_MODEL_MEMORY_H",
                "",
                f"#define RBNN_MODEL_WORK_BYTES {self.work}u",
                f"#define RBNN_MODEL_RESIDENT_LAYERS {mask:#x}u",
                f"#define RBNN_MODEL_RESIDENT_BYTES {self.resident}u",
                "",
                "#endif",
                "",
            ]
        )


def plan_memory(board: Board, container: Container) -> MemoryPlan:
    """Divide a board's RAM for a model.

    Raises:
        FitError: the least that the model runs with does not fit; the message holds the numbers.
    """
    params = max(len(task.sealed) for task in container.tasks) - SEALED_OVERHEAD
    return share_memory(
        board,
        container.topology,
        container.plan,
        params,
        container.cipher,
        takes_sound=container.takes_sound,
    )


def share_memory(
    board: Board,
    topology: Topology,
    layout: ContainerPlan,
    params: int,
    cipher: Cipher = Cipher.CHACHA20,
    *,
    takes_sound: bool = False,
) -> MemoryPlan:
    """Divide a board's RAM.

    Args:
        board: its manifest.
        topology: with padded channels.
        layout: of the topology.
        params: bytes of a task's opened parameters.
        cipher: of the key streams.
        takes_sound: whether the device has to listen.

    Raises:
        FitError: the least that the model runs with does not fit; the message holds the numbers.
    """
    if excess := ram_excess(board, layout, params, takes_sound=takes_sound):
        raise FitError(
            f"The model does not fit board {board.name}: {excess}.",
            "Train a narrower network (rbnn train --width) or choose a larger board.",
        )
    fixed = (
        application_bytes(takes_sound, layout.input_bytes)
        + board.stack_bytes
        + layout.arena_bytes
        + params
    )
    left = board.ram.bytes - fixed
    most = min(left, max(most_work_bytes(layer) for layer in topology.layers))
    if board.work_bytes is not None:
        most = min(most, max(board.work_bytes, layout.work_bytes))
    shares = [
        MemoryPlan(layout.arena_bytes, params, work, *_choose_resident(board, layout, left - work))
        for work in _work_sizes(topology, layout.work_bytes, most // 4 * 4)
    ]
    return min(
        shares,
        key=lambda share: sum(
            cost.instructions
            for cost in predict(topology, share.work, share.resident_layers, cipher, board.cpu)
        ),
    )


def application_bytes(takes_sound: bool, input_bytes: int = 0) -> int:
    """RAM of the application besides stack and model; a device that listens has more.

    Args:
        takes_sound: whether it listens.
        input_bytes: of the network's input, for which the serial line has a buffer.
    """
    buffer = max(0, input_bytes - INPUT_BUFFER_BYTES)
    return APPLICATION_BYTES + buffer + (LISTENER_BYTES if takes_sound else 0)


def ram_excess(
    board: Board, layout: ContainerPlan, params: int, *, takes_sound: bool = False
) -> str:
    """What the least that a model runs with needs of a board's RAM, if that is too much."""
    application = application_bytes(takes_sound, layout.input_bytes)
    needed = application + board.stack_bytes + layout.arena_bytes + params
    needed += layout.work_bytes
    if needed <= board.ram.bytes:
        return ""
    return (
        f"RAM needs {needed:,} bytes of {board.ram.bytes:,} ({needed - board.ram.bytes:,} too "
        f"many): activations {layout.arena_bytes:,}, working memory {layout.work_bytes:,}, "
        f"parameters {params:,}, stack {board.stack_bytes:,}, application {application:,} "
        f"(of it the input's buffer {max(layout.input_bytes, INPUT_BUFFER_BYTES):,})"
    )


def _work_sizes(topology: Topology, least: int, most: int) -> list[int]:
    """Sizes of working memory worth trying: all of it, and those that save a kernel a pass."""
    steps = {size for layer in topology.layers for size in work_steps(layer)}
    return [most, *sorted({least, *(size for size in steps if least < size < most)}, reverse=True)]


def _choose_resident(board: Board, layout: ContainerPlan, room: int) -> tuple[tuple[int, ...], int]:
    """Layers whose weights fit into ``room``, chosen from the largest down, and their bytes."""
    if board.resident_bytes is not None:
        room = min(room, board.resident_bytes)
    chosen: list[int] = []
    taken = 0
    sizes = [place.weights_bytes for place in layout.placements]
    for number in sorted(range(len(sizes)), key=lambda n: (-sizes[n], n)):
        if sizes[number] and taken + sizes[number] <= room:
            chosen.append(number)
            taken += sizes[number]
    return tuple(sorted(chosen)), taken


def plan_folder(board: Board, model: Path) -> MemoryPlan | None:
    """The plan for an export folder; None for a folder that holds no container.

    Raises:
        FitError: the model does not fit.
        RbnnError: the container is damaged.
    """
    path = model / "container.bin"
    return plan_memory(board, parse(path.read_bytes())) if path.is_file() else None


def write_config(memory: MemoryPlan, folder: Path) -> None:
    """Write ``model_memory.h``; an unchanged one keeps its time stamp.

    Raises:
        RbnnError: the folder cannot be written.
    """
    text = memory.config_header()
    path = folder / CONFIG_FILE
    if not path.is_file() or path.read_text() != text:
        write_atomic(path, text)
