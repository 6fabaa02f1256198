"""A packed model on a board, from its files to measured figures; nothing is trained.

Build, flash, enrol, license; show what is refused; unlock every task, switch through them, and
compare the device with what was recorded when the model was packed.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rbnn.container.sizes import measure
from rbnn.demo import attempts
from rbnn.demo.figures import Refusal
from rbnn.demo.main_job import unlock_all
from rbnn.demo.packed_figures import PackedFigures, PackedTaskFigures
from rbnn.device import deploy
from rbnn.device.emulated.target import EmulatedTarget
from rbnn.device.evaluation import evaluate_on_board, pick
from rbnn.device.session import Session
from rbnn.device.target import Target
from rbnn.errors import ExitCode, RbnnError
from rbnn.export.packed import PackedModel, PackedTask
from rbnn.keys.published import published_provider
from rbnn.keys.registry import DEFAULT_FILE, Registry
from rbnn.keys.user_key import UserKey, create_user_key
from rbnn.tasks import TaskData
from rbnn.tasks.load import load
from rbnn.tasks.loading_bar import LoadingBar
from rbnn.tasks.names import KNOWN
from rbnn.tasks.overview import overview

Say = Callable[[str], None]
Find = Callable[[PackedTask], "TaskData | str"]
"""The data of a task, or why they are not used."""


@dataclass(frozen=True)
class PackedDemoPlan:
    """What the demonstration needs.

    Args:
        folder: a new folder for its keys, registry, build and emulated boards.
        model: what to flash.
        target: the board; an emulated one is switched off at the end.
        samples: test samples of each task to run on the device, if its data are available.
        registry: devices and licences.
    """

    folder: Path
    model: PackedModel
    target: Target
    samples: int
    registry: str | Path


def registry_for(target: Target, folder: Path) -> Path:
    """The registry for the demonstration's device: an emulated board is new and in ``folder``, a
    real one is enrolled once and for all."""
    return folder / "registry.sqlite" if isinstance(target, EmulatedTarget) else DEFAULT_FILE


def find_data(task: PackedTask) -> TaskData | str:
    """Load the data that a task was measured on when it was packed; nothing is downloaded.

    Returns:
        The data, or in a few words why they are not used.
    """
    states = {one.name: one for one in overview()}
    if task.name not in KNOWN or not states[task.name].ready:
        return "no data available"
    try:
        with LoadingBar() as bar:
            data = load(task.name, progress=bar.show)
    except RbnnError as error:
        return f"data unusable: {error.what}"
    # Other data of that name may contain samples that the model was trained on.
    return data if data.fingerprint == task.fingerprint else "not the model's data"


def demonstrate(plan: PackedDemoPlan, say: Say, find: Find = find_data) -> PackedFigures:
    """Flash a packed model and measure it; an emulated board is off afterwards.

    Args:
        plan: what to work on.
        say: told of each step.
        find: asked for each task's data.

    Raises:
        RbnnError: the model does not fit the board, a step failed, or the board accepted what it
            must refuse.
    """
    try:
        return _demonstrate(plan, say, find)
    finally:
        if isinstance(plan.target, EmulatedTarget):
            plan.target.emulator.power_off()


def _demonstrate(plan: PackedDemoPlan, say: Say, find: Find) -> PackedFigures:
    started = time.monotonic()
    target, model = plan.target, plan.model
    target.check()
    Registry.open(plan.registry).close()  # an unusable one is refused before minutes of building
    provider = published_provider()
    alice = create_user_key(plan.folder / "alice.key")
    mallory = create_user_key(plan.folder / "mallory.key")
    prepared = deploy.prepare_packed(model, target, say, plan.folder / "export", development=True)
    with Registry.open(plan.registry) as registry:
        report = deploy.flash(prepared, target, provider, alice, registry, (), say)
        say("Trying what the board must refuse.")
        refusals = _steal(plan, registry, alice)
    tasks = []
    with target.open() as session:
        refusals += [
            attempts.before_unlocking(session),
            attempts.wrong_key(session, mallory),
            attempts.foreign_licence(session, provider, bytes.fromhex(report.device), alice),
        ]
        say(f"Unlocking {len(model.document.tasks)} tasks with the right key.")
        unlock_all(session, alice)
        for number, task in enumerate(model.document.tasks):
            data = find(task)
            what = f"{data}, probes only" if isinstance(data, str) else "probes, test samples"
            say(f"Switching to {task.name}: {what}.")
            tasks.append(_measure(plan, session, number, data))
        stack_used = session.stack().used
    return PackedFigures(
        model=str(model.folder),
        board=target.board.name,
        bits=model.document.bits,
        shared_bytes=prepared.export.manifest.sizes.shared,
        tasks=tuple(tasks),
        refusals=tuple(refusals),
        image=prepared.sizes,
        stack_used=stack_used,
        go_on=_go_on(plan),
        seconds=time.monotonic() - started,
    )


def require_equal(figures: PackedFigures) -> None:
    """Refuse a board whose results differ from the recorded ones.

    Raises:
        RbnnError: names the tasks.
    """
    wrong = [task.name for task in figures.tasks if task.differing_layers]
    if wrong:
        raise RbnnError(
            f"Layer outputs on {figures.board} differ from the recorded ones: {', '.join(wrong)}.",
            "Report this bug with the board's name and the compiler's version.",
            exit_code=ExitCode.CHECK_FAILED,
        )


def _steal(plan: PackedDemoPlan, registry: Registry, alice: UserKey) -> list[Refusal]:
    """What a thief with another chip would try; needs emulated boards."""
    target, elsewhere = plan.target, plan.folder / "emulated"
    if not isinstance(target, EmulatedTarget):
        return []
    return [
        attempts.copied_image(target, elsewhere / "copy", alice),
        attempts.moved_licence(target, elsewhere / "other", alice, registry, lambda _: None),
    ]


def _measure(
    plan: PackedDemoPlan, session: Session, number: int, data: TaskData | str
) -> PackedTaskFigures:
    """Switch to a task, compare the probes' layers, then run test samples if there are any."""
    task, sizes = plan.model.document.tasks[number], measure(plan.model.container).tasks[number]
    with LoadingBar() as bar:
        switch_us = session.switch(task.name)
        golden = plan.model.golden[task.name]
        differing, inference_us = _compare(session, task.name, golden.images, golden.crc32, bar)
        device, samples = None, 0
        if not isinstance(data, str):
            chosen = pick(len(data.test), plan.samples)
            images, labels = data.test.images[chosen], data.test.labels[chosen]
            found = evaluate_on_board(
                session,
                task.name,
                images,
                labels,
                lambda done, total: bar.show(f"{task.name}: test samples", done, total),
            )
            device, samples = found.accuracy, found.samples
    return PackedTaskFigures(
        name=task.name,
        classes=len(task.labels),
        test_samples=task.test_samples,
        recorded=task.accuracy,
        keras=task.keras_accuracy,
        device_samples=samples,
        device=device,
        no_data=data if isinstance(data, str) else "",
        probes=len(golden.images),
        differing_layers=differing,
        own_bytes=sizes.own,
        separate_bytes=sizes.separate,
        switch_us=switch_us,
        inference_us=inference_us,
        switch_instructions=_instructions(plan.target, switch_us),
        inference_instructions=_instructions(plan.target, inference_us),
    )


def _compare(
    session: Session,
    task: str,
    images: npt.NDArray[np.uint8],
    expected: npt.NDArray[np.uint32],
    bar: LoadingBar,
) -> tuple[int, float]:
    """Layers that differ from the recorded ones over all images, and the last one's time."""
    differing, us = 0, 0.0
    for done, (image, crcs) in enumerate(zip(images, expected, strict=True), 1):
        trace = session.trace(image.tobytes())
        differing += len(trace.differing(crcs.tolist()))
        us = sum(layer.ticks for layer in trace.layers) * 1e6 / trace.ticks_hz
        bar.show(f"{task}: probes", done, len(images))
    return differing, us


def _instructions(target: Target, us: float) -> int | None:
    """Instructions in a time on an emulated device; None on a real one."""
    if not isinstance(target, EmulatedTarget):
        return None
    return target.emulator.instructions(round(us * target.emulator.emulation.tick_hz / 1e6))


def _go_on(plan: PackedDemoPlan) -> tuple[str, ...]:
    """Commands that work on the flashed board."""
    board = f"--board {plan.target.board.name}"
    if isinstance(plan.target, EmulatedTarget):
        board += "" if plan.target.board.is_emulated_only else " --emulated"
        board += f" --device-folder {shlex.quote(str(plan.target.device.folder))}"
    task = plan.model.document.tasks[-1].name
    return (
        f"rbnn switch {task} {board} --user-key {shlex.quote(str(plan.folder / 'alice.key'))}",
        f"rbnn infer FILE {board}",
    )
