"""The network of a run: its layers, its container, and what it needs on a board."""

from __future__ import annotations

from dataclasses import dataclass

from rbnn.container.container import Container
from rbnn.container.sizes import Sizes, measure
from rbnn.cost.predict import predict
from rbnn.errors import RbnnError
from rbnn.export.export import NO_PROVIDER, Export, make_container
from rbnn.image.board import Board
from rbnn.image.errors import FitError
from rbnn.image.fit import code_bytes
from rbnn.image.memory import MemoryPlan, application_bytes, plan_memory
from rbnn.nets.padding import pad
from rbnn.nets.topology import Layer
from rbnn.report.figures import BoardFigures, ExportFigures, LayerFigures, NetworkFigures
from rbnn.runs.parameters import ModelParameters
from rbnn.runs.run import Run
from rbnn.spec.layout import Activation, Sign


@dataclass(frozen=True)
class Model:
    """A run's container: as exported, or as a new export would make it.

    Args:
        container: None if there cannot be one.
        export: the run folder's, if it is current.
        figures: the same for the report, without a board.
    """

    container: Container | None
    export: Export | None
    figures: ExportFigures


def find_model(run: Run) -> Model:
    """Read a run's export, or make the container in memory; nothing is written.

    Raises:
        RbnnError: the run's configuration or parameters cannot be read.
    """
    found: Export | None = None
    why = ""
    if (run.export_folder / "manifest.json").exists():
        try:
            found = Export.read(run.export_folder)
            if found.is_current(run, bytes.fromhex(found.manifest.provider_public)):
                sizes = found.manifest.sizes
                return Model(
                    found.container,
                    found,
                    _figures("current", "", sizes, found.manifest.model_digest),
                )
            why = "The run was trained further, or its files were changed, since it was exported."
        except RbnnError as error:
            why = f"The export cannot be used: {error.what}"
    state = "outdated" if why else "missing"
    parameters = ModelParameters.load(run.parameters_file)
    try:
        config = run.config()
        secrets = run.secrets() if config.scheme == "xor" else {}
        container = make_container(config, parameters, secrets, NO_PROVIDER)
    except RbnnError as error:
        return Model(None, None, _figures("impossible", str(error), None, None))
    return Model(container, None, _figures(state, why, measure(container), None))


def _figures(state: str, why: str, sizes: Sizes | None, digest: str | None) -> ExportFigures:
    return ExportFigures.model_validate(
        {
            "state": state,
            "why": why,
            "digest": digest,
            "shared": None if sizes is None else sizes.shared,
            "tasks": () if sizes is None else sizes.tasks,
            "container": None if sizes is None else sizes.container,
            "board": None,
        }
    )


def share_out(board: Board, container: Container) -> tuple[MemoryPlan | None, str | None]:
    """How a board's RAM would be used, or why the model does not fit."""
    try:
        return plan_memory(board, container), None
    except FitError as error:
        return None, str(error)


def describe_board(
    board: Board, container: Container, memory: MemoryPlan | None, problem: str | None
) -> BoardFigures:
    """A board's figures for a model; ``memory`` and ``problem`` as :func:`share_out` gives them."""
    code = code_bytes(container.takes_sound)
    needed = code + len(container.data)
    if problem is None and needed > board.flash.bytes:
        problem = (
            f"The model does not fit board {board.name}: it needs about {needed:,} bytes of flash; "
            f"there are {board.flash.bytes:,}."
        )
    sizes = measure(container)
    costs = (
        None
        if memory is None
        else predict(
            container.topology, memory.work, memory.resident_layers, container.cipher, board.cpu
        )
    )
    return BoardFigures(
        name=board.name,
        title=board.title,
        flash_limit=board.flash.bytes,
        ram_limit=board.ram.bytes,
        code=code,
        container=len(container.data),
        application=application_bytes(container.takes_sound, container.plan.input_bytes),
        stack=board.stack_bytes,
        arena=sizes.arena,
        params=sizes.params,
        work=None if memory is None else memory.work,
        resident=None if memory is None else memory.resident,
        mode=None if memory is None else memory.mode,
        instructions=None if costs is None else sum(cost.instructions for cost in costs),
        estimated_ms=(
            None if costs is None else sum(cost.cycles for cost in costs) / board.clock_hz * 1000
        ),
        problem=problem,
    )


def describe_network(
    run: Run, board: Board, container: Container | None, memory: MemoryPlan | None
) -> NetworkFigures:
    """A run's layers as the device has them, with predicted instructions if the model fits."""
    trained = run.config().topology()
    topology = pad(trained).topology if container is None else container.topology
    costs = (
        None
        if container is None or memory is None
        else predict(topology, memory.work, memory.resident_layers, container.cipher, board.cpu)
    )
    return NetworkFigures(
        architecture=topology.architecture,
        bits=trained.bits,
        stored_bits=topology.bits,
        macs=topology.macs,
        layers=tuple(
            LayerFigures(
                number=number,
                what=_what(layer),
                input=layer.in_shape,
                output=layer.out_shape,
                kernel=layer.kernel,
                bits=layer.bits,
                macs=layer.macs,
                instructions=None if costs is None else costs[number].instructions,
            )
            for number, layer in enumerate(topology.layers)
        ),
    )


def _what(layer: Layer) -> str:
    """A layer in a few words: ``convolution 3x3, shortcut, RPReLU``."""
    name = layer.op.title
    parts = [f"{name} {layer.kernel}x{layer.kernel}" if layer.kernel_shape[2:] else name]
    if layer.stride > 1:
        parts.append(f"stride {layer.stride}")
    if layer.pool > 1:
        parts.append(f"max pool {layer.pool}x{layer.pool}")
    if layer.shortcut is not None:
        parts.append("shortcut")
    if layer.activation is Activation.RPRELU:
        parts.append("RPReLU")
    if layer.sign is Sign.THRESHOLDS:
        parts.append("RSign")
    return ", ".join(parts)
