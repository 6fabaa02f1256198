"""The demonstration on the emulated board, from two data sets to measured figures.

Train, export, check on the workstation, build, flash, enrol, license; then show what is refused,
unlock, switch between the tasks and measure each on the device.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rbnn.container.container import Container
from rbnn.demo import attempts
from rbnn.demo.figures import DemoFigures, DemoTaskFigures, Refusal
from rbnn.device import deploy
from rbnn.device.emulated.target import EmulatedTarget
from rbnn.device.evaluation import pick
from rbnn.device.session import Session
from rbnn.engine.golden import layer_crc32
from rbnn.engine.reference import Reference
from rbnn.export.checks import record
from rbnn.export.export import Export
from rbnn.export.verify import TaskCheck, require_passed, verify_run, warnings
from rbnn.image.board import load_board
from rbnn.image.defaults import DEFAULT_BOARD
from rbnn.keys.provider_key import ensure_provider
from rbnn.keys.registry import Registry
from rbnn.keys.user_key import UserKey, create_user_key
from rbnn.runs.run import Run
from rbnn.tasks import TaskData, parse_specs
from rbnn.tasks.load import load
from rbnn.tasks.loading_bar import LoadingBar

Say = Callable[[str], None]


@dataclass(frozen=True)
class DemoPlan:
    """What the demonstration needs.

    Args:
        folder: a new folder for its keys, registry and emulated boards.
        run: a trained run.
        data: the run's tasks.
        samples: test samples of each task to run on the device.
        started: ``time.monotonic()`` when the demonstration began.
    """

    folder: Path
    run: Run
    data: Sequence[TaskData]
    samples: int
    started: float


def run_demo(folder: Path, task_names: str, samples: int, say: Say) -> DemoFigures:
    """Train the tasks named with the default settings, then demonstrate them.

    Args:
        folder: a new folder for everything that the demonstration makes.
        task_names: as ``rbnn train --tasks`` takes them.
        samples: test samples of each task to run on the device.
        say: told of each step.

    Raises:
        RbnnError: see :func:`demonstrate`, and whatever stops a training.
    """
    from rbnn.runs.settings import Settings
    from rbnn.runs.start import start_run
    from rbnn.train.session import train

    started = time.monotonic()
    say(f"Loading {task_names}.")
    with LoadingBar() as bar:
        data = [load(spec, progress=bar.show) for spec in parse_specs(task_names)]
    run = start_run(folder / "runs", data, Settings())
    say(f"Training one network for {len(data)} tasks.")
    train(run, data)
    return demonstrate(DemoPlan(folder, run, data, samples, started), say)


def demonstrate(plan: DemoPlan, say: Say) -> DemoFigures:
    """Run everything that follows training.

    Args:
        plan: what to work on.
        say: told of each step.

    Raises:
        RbnnError: a step failed, or the board accepted what it must refuse.
    """
    provider = ensure_provider(plan.folder / "keys" / "provider.pem", prompt=False, say=say)
    alice = create_user_key(plan.folder / "keys" / "alice.key")
    mallory = create_user_key(plan.folder / "keys" / "mallory.key")
    registry = Registry.open(plan.folder / "registry.sqlite")
    target = EmulatedTarget(load_board(DEFAULT_BOARD), plan.folder / "emulated" / "device", say)

    prepared = deploy.prepare(plan.run, target, provider.public, say, development=True)
    say("Comparing C engine, integer reference and Keras on the whole test sets.")
    with LoadingBar() as bar:
        checks = verify_run(plan.run, prepared.export.container, plan.data, bar.show)
    record(prepared.export, checks)
    for line in warnings(checks):
        say(line)
    require_passed(checks)
    report = deploy.flash(prepared, target, provider, alice, registry, (), say)

    say("Trying what the board must refuse.")
    elsewhere = plan.folder / "emulated"
    refusals = [
        attempts.copied_image(target, elsewhere / "copy", alice),
        attempts.moved_licence(target, elsewhere / "other", alice, registry, lambda _: None),
    ]
    try:
        with target.open() as session:
            refusals += [
                attempts.before_unlocking(session),
                attempts.wrong_key(session, mallory),
                attempts.foreign_licence(session, provider, bytes.fromhex(report.device), alice),
            ]
            say(f"Unlocking {len(plan.data)} tasks with the right key.")
            unlock_all(session, alice)
            with LoadingBar() as bar:
                tasks = tuple(
                    _measure(plan, session, target, prepared.export, check, bar) for check in checks
                )
            stack_used = session.stack().used
    finally:
        target.emulator.power_off()
    return _figures(plan, prepared, tasks, refusals, stack_used)


def unlock_all(session: Session, user_key: UserKey) -> None:
    """Open every licence that the device holds."""
    for held in session.licences():
        session.unlock(held.task, user_key.psk(bytes.fromhex(held.licence_id)))


def _measure(
    plan: DemoPlan,
    session: Session,
    target: EmulatedTarget,
    export: Export,
    check: TaskCheck,
    bar: LoadingBar,
) -> DemoTaskFigures:
    """Switch to a task and run test samples, comparing every layer with the reference."""
    container: Container = export.container
    number = container.task_number(check.task)
    task = plan.data[number]
    chosen = pick(len(task.test), plan.samples)
    images, labels = task.test.images[chosen], task.test.labels[chosen]
    secret = plan.run.secrets()[check.task]
    expected = layer_crc32(Reference.open(container, number, secret).infer(images))

    board = target.board.emulator
    assert board is not None, "the demonstration runs on an emulated board"
    switch_us = session.switch(check.task)
    correct, differing, ticks = 0, 0, 0
    for done, (image, label, crcs) in enumerate(zip(images, labels, expected, strict=True), 1):
        trace = session.trace(image.tobytes())
        correct += int(trace.best == label)
        differing += len(trace.differing(crcs.tolist()))
        ticks = sum(layer.ticks for layer in trace.layers)
        bar.show(f"{check.task}: on the device", done, len(images))
    sizes = export.manifest.sizes.tasks[number]
    assert check.keras_accuracy is not None and check.agreement is not None, "Keras was run"
    return DemoTaskFigures(
        name=check.task,
        classes=container.tasks[number].classes,
        test_samples=check.samples,
        keras=check.keras_accuracy,
        reference=check.accuracy,
        agreement=check.agreement,
        differing_outputs=check.differing_outputs,
        device_samples=len(images),
        device=correct / len(images),
        differing_layers=differing,
        own_bytes=sizes.own,
        separate_bytes=sizes.separate,
        switch_instructions=target.emulator.instructions(switch_us * board.tick_hz // 1_000_000),
        inference_instructions=target.emulator.instructions(ticks),
    )


def _figures(
    plan: DemoPlan,
    prepared: deploy.Prepared,
    tasks: tuple[DemoTaskFigures, ...],
    refusals: Sequence[Refusal],
    stack_used: int,
) -> DemoFigures:
    manifest = prepared.export.manifest
    return DemoFigures(
        run=str(plan.run.folder),
        bits=manifest.bits,
        shared_bytes=manifest.sizes.shared,
        tasks=tasks,
        refusals=tuple(refusals),
        image=prepared.sizes,
        stack_used=stack_used,
        seconds=time.monotonic() - plan.started,
    )
