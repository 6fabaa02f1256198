"""What the product firmware needs for a network, measured over an emulated serial line."""

from __future__ import annotations

import statistics
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rbnn.device import deploy
from rbnn.device.emulated.target import EmulatedTarget
from rbnn.device.session import Session
from rbnn.device.switching import switch_task
from rbnn.device.target import Say
from rbnn.export.export import export_run
from rbnn.frozen import Frozen
from rbnn.image.board import Board
from rbnn.image.sizes import SizeReport
from rbnn.keys.provider_key import ensure_provider
from rbnn.keys.registry import Registry
from rbnn.keys.user_key import create_user_key
from rbnn.runs.run import Run

ROUNDS = 4


class ApplicationCost(Frozen):
    """Times are in instructions: 31.25 per microsecond of the device at ``shift=5``."""

    switch: int
    inference: int
    stack_used: int
    sizes: SizeReport


def measure_application(run: Run, board: Board, folder: Path, say: Say) -> ApplicationCost:
    """Build, flash, enrol, license, then switch back and forth and infer.

    Args:
        run: of two tasks or more; the data of its golden vectors are not needed.
        board: emulated.
        folder: a new folder for keys, registry and device.
        say: told of each step.

    Raises:
        RbnnError: a tool is missing, or a step failed.
    """
    quiet: Say = lambda line: None  # noqa: E731 (typed in place)
    provider = ensure_provider(folder / "keys" / "provider.pem", prompt=False, say=quiet)
    user = create_user_key(folder / "keys" / "user.key")
    registry = Registry.open(folder / "registry.sqlite")
    target = EmulatedTarget(board, folder / "device", quiet)
    config = run.config()
    rng = np.random.default_rng(config.seed)
    images = {
        task.name: rng.integers(
            0, 256, (1, *config.input_shape[:2], task.input_channels), dtype=np.uint8
        )
        for task in config.tasks
    }
    export_run(run, provider.public, samples=images)
    say(f"Building the product firmware for {board.name} and measuring a task switch on it.")
    prepared = deploy.prepare(run, target, provider.public, quiet)
    deploy.flash(prepared, target, provider, user, registry, (), quiet)
    try:
        with target.open() as session:
            for task in images:
                switch_task(session, task, lambda: user)
            switches, inferences = _measure(session, images)
            session.self_test()  # uses the most stack
            stack_used = session.stack().used
    finally:
        target.emulator.power_off()
    emulation = target.emulator.emulation
    return ApplicationCost(
        switch=target.emulator.instructions(round(switches * emulation.tick_hz / 1e6)),
        inference=target.emulator.instructions(round(inferences * emulation.tick_hz / 1e6)),
        stack_used=stack_used,
        sizes=prepared.sizes,
    )


def _measure(session: Session, images: dict[str, npt.NDArray[np.uint8]]) -> tuple[float, float]:
    """Median microseconds of a switch, and of an inference."""
    switches, inferences = [], []
    for number in range(ROUNDS):
        task, image = list(images.items())[number % len(images)]
        switches.append(session.switch(task))
        inferences.append(session.infer(image.tobytes()).us)
    return statistics.median(switches), statistics.median(inferences)
