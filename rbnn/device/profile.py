"""``rbnn profile``: where the active task's inference spends its time, layer by layer."""

from __future__ import annotations

from collections.abc import Callable

from rbnn.device.emulated.emulator import instructions
from rbnn.device.errors import PortError
from rbnn.device.session import Session
from rbnn.device.switching import switch_task
from rbnn.device.target import Target
from rbnn.frozen import Frozen
from rbnn.image.board import CountUnit, Emulation
from rbnn.keys.user_key import UserKey
from rbnn.nets.padding import pad
from rbnn.nets.topology import Topology
from rbnn.runs.run import Run


class ProfiledLayer(Frozen):
    """One layer of one inference; with ``macs`` and ``per_mac`` if the run was named."""

    layer: int
    operator: str
    counts: int
    share: float
    macs: int | None = None
    per_mac: float | None = None


class Profile(Frozen):
    """One inference. ``counts`` are instructions of an emulated core or cycles of a real one."""

    board: str
    task: str
    unit: CountUnit
    counts: int
    layers: tuple[ProfiledLayer, ...]


def profile_task(
    target: Target,
    task: str,
    user_key: Callable[[], UserKey] | None,
    run: Run | None = None,
    *,
    emulated: bool,
) -> Profile:
    """Switch to a task, run two inferences of a grey picture, and report every layer of the second.

    A layer's cost depends only on shapes, so any input will do.

    Args:
        target: the board.
        task: name of the task.
        user_key: called if the task is locked; None if the user gave no key.
        run: the run that was flashed, for the layers' multiply-accumulates; or None.
        emulated: whether the board is emulated.

    Raises:
        RbnnError: the board's model is not ``run``'s, or the board refuses the task.
    """
    with target.open() as session:
        topology = None if run is None else _topology(session, run)
        switch_task(session, task, user_key)
        emulation = target.board.emulator if emulated else None
        return profile_active(session, task, emulation, topology)


def profile_active(
    session: Session, task: str, emulation: Emulation | None, topology: Topology | None = None
) -> Profile:
    """Run two inferences of a grey picture, and report every layer of the second.

    Args:
        session: a board with an active task.
        task: that task.
        emulation: how the board is emulated; None for a real one.
        topology: the board's model, for the layers' multiply-accumulates; or None.

    Raises:
        RbnnError: no task is active, or the firmware is a release build.
    """
    height, width, channels = session.active_task().input_shape
    grey = bytes([128]) * (height * width * channels)
    session.infer(grey)  # the first one also reconfigures the layers that stay in RAM
    trace = session.trace(grey)
    counts = [
        instructions(emulation, layer.ticks) if emulation else layer.ticks for layer in trace.layers
    ]
    total = sum(counts)
    layers = []
    for traced, count in zip(trace.layers, counts, strict=True):
        macs = topology.layers[traced.layer].macs if topology else 0
        layers.append(
            ProfiledLayer(
                layer=traced.layer,
                operator=traced.operator,
                counts=count,
                share=count / total if total else 0.0,
                macs=macs or None,
                per_mac=count / macs if macs else None,
            )
        )
    return Profile(
        board=session.board_name,
        task=task,
        unit="instructions" if emulation else "cycles",
        counts=total,
        layers=tuple(layers),
    )


def _topology(session: Session, run: Run) -> Topology:
    """The layers of the board's model."""
    config = run.config()
    carried = session.identify().model_id
    if carried != config.model_id:
        raise PortError(
            f"The board holds model {carried[:8]}..., not that of {run.folder}.",
            "Name the run that was flashed, or omit --run.",
        )
    return pad(config.topology()).topology
