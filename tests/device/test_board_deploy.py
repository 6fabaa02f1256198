"""The flow of `rbnn flash` and `rbnn enroll` on an emulated board."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from flashed_board import OTHER_TASK, TASK, Flashed, assert_answers, quiet

from rbnn.container.errors import ExportError
from rbnn.device import deploy
from rbnn.device.emulated.target import EmulatedTarget
from rbnn.device.enrolment import enroll
from rbnn.device.errors import DeviceError, EmulatorError, PortError
from rbnn.device.evaluation import check_layers, evaluate_on_board
from rbnn.device.inference import infer_files, listing
from rbnn.device.session import Session
from rbnn.device.status import read_status
from rbnn.device.switching import switch_task
from rbnn.engine.golden import layer_crc32
from rbnn.engine.reference import Reference
from rbnn.errors import RbnnError
from rbnn.flash.errors import FlashError
from rbnn.image.board import load_board
from rbnn.image.errors import ToolError
from rbnn.keys.registry import Registry
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import UserKey
from rbnn.spec.status import Status

pytestmark = pytest.mark.qemu


@pytest.fixture
def board(flashed: Flashed, request: pytest.FixtureRequest) -> Iterator[EmulatedTarget]:
    """A copy of the flashed board on the same chip, for tests that write to it."""
    name = "".join(c if c.isalnum() else "-" for c in request.node.name)
    target = flashed.copy(name)
    yield target
    target.emulator.power_off()


def flash(flashed: Flashed, target: EmulatedTarget, **changes: object) -> deploy.FlashReport:
    values: dict[str, object] = {
        "prepared": flashed.prepared,
        "target": target,
        "provider": flashed.provider,
        "user_key": flashed.user_key,
        "registry": flashed.registry,
        "tasks": (),
        "say": quiet,
    }
    return deploy.flash(**{**values, **changes})  # type: ignore[arg-type]


def test_first_contact_enrols_and_licenses_every_task(flashed: Flashed) -> None:
    report = flashed.report
    assert report.enrolled_now
    assert [(one.task, one.sequence) for one in report.licences] == [(TASK, 1), (OTHER_TASK, 2)]
    assert report.model_digest == flashed.container.digest.hex()
    assert flashed.registry.device(flashed.public).board == "qemu"
    assert "licence 1" in report.summary()


def test_flashing_again_keeps_the_device_and_continues_its_sequence(
    flashed: Flashed, board: EmulatedTarget
) -> None:
    before = max(entry.sequence for entry in flashed.registry.licences(flashed.public))
    report = flash(flashed, board)
    assert not report.enrolled_now
    assert report.device == flashed.report.device
    assert [one.sequence for one in report.licences] == [before + 1, before + 2]


def test_another_users_task_keeps_the_first_users_licence(
    flashed: Flashed, board: EmulatedTarget
) -> None:
    flash(flashed, board)
    bob = UserKey(Secret(os.urandom(32)))
    report = flash(flashed, board, user_key=bob, tasks=[OTHER_TASK])
    assert {one.task: one.issued_now for one in report.licences} == {
        TASK: False,
        OTHER_TASK: True,
    }
    with board.open() as session:
        assert switch_task(session, TASK, lambda: flashed.user_key).unlocked_now
        assert switch_task(session, OTHER_TASK, lambda: bob).unlocked_now
        session.lock()
        with pytest.raises(DeviceError):
            switch_task(session, OTHER_TASK, lambda: flashed.user_key)


def test_an_unknown_task_is_refused_before_anything_is_written(
    flashed: Flashed, board: EmulatedTarget
) -> None:
    image = board.device.flash_file.stat().st_mtime_ns
    with pytest.raises(ExportError, match="no task 'nope'"):
        flash(flashed, board, tasks=["nope"])
    assert board.device.flash_file.stat().st_mtime_ns == image


def test_enrolling_first_and_flashing_later_is_one_device(flashed: Flashed) -> None:
    target = flashed.copy("enrol-first", same_chip=False)
    target.erase_provisioning()
    with Registry.open(flashed.folder / "enrol-first.sqlite") as registry:
        first = enroll(target, registry, quiet)
        second = enroll(target, registry, quiet)
        assert (first.enrolled_now, second.enrolled_now) == (True, False)
        assert first.device == second.device
        report = flash(flashed, target, registry=registry)
        assert (report.device, report.enrolled_now) == (first.device, False)
        again = enroll(target, registry, quiet, again=True)
        assert again.enrolled_now
        assert again.device != first.device
        assert len(registry.devices()) == 2
    target.emulator.power_off()


def test_a_full_disk_leaves_the_old_image(
    flashed: Flashed, board: EmulatedTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = board.device.flash_file.read_bytes()

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(RbnnError, match="No space left on device"):
            flash(flashed, board)
    assert board.device.flash_file.read_bytes() == before
    assert not list(board.device.folder.glob(".*"))
    with board.open() as session:
        assert_answers(session)


def test_a_missing_emulator_says_how_to_install_it(
    board: EmulatedTarget, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(tmp_path))
        with pytest.raises(ToolError) as caught:
            board.power_cycle()
    assert "apt-get install qemu-system-arm" in caught.value.fix
    with board.open() as session:
        assert_answers(session)


def test_a_missing_compiler_leaves_the_board_alone(
    flashed: Flashed, board: EmulatedTarget, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    board.power_cycle()
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(tmp_path))
        with pytest.raises(ToolError) as caught:
            deploy.prepare(flashed.run, board, flashed.provider.public, quiet)
    assert "apt-get install gcc-arm-none-eabi" in caught.value.fix
    with board.open() as session:
        assert_answers(session)


def test_a_board_that_is_off_is_switched_on_to_talk(board: EmulatedTarget) -> None:
    assert not board.is_on()
    assert not read_status(board).on
    with board.open() as session:
        assert_answers(session)
    status = read_status(board)
    assert status.on
    assert [task.name for task in status.tasks] == [TASK, OTHER_TASK]
    assert status.identity is not None
    assert status.table().row_count >= 8


def test_a_blank_folder_says_what_to_do(tmp_path: Path) -> None:
    target = EmulatedTarget(load_board("qemu"), tmp_path / "none", quiet)
    assert target.is_blank()
    target.check()
    with pytest.raises(FlashError) as caught:
        target.open()
    assert "rbnn flash" in caught.value.fix


def test_another_boards_folder_is_refused_before_building(board: EmulatedTarget) -> None:
    other = EmulatedTarget(load_board("nucleo"), board.device.folder, quiet)
    with pytest.raises(FlashError, match="holds a board 'qemu', not 'nucleo'"):
        other.check()


def test_a_wrong_board_at_the_port_is_refused(
    board: EmulatedTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    with board.open():
        pass
    path = board.serial_path()
    other = EmulatedTarget(load_board("nucleo"), board.device.folder, quiet)
    monkeypatch.setattr(other, "serial_path", lambda: path)
    with pytest.raises(PortError, match="is a board 'qemu', not 'nucleo'"):
        other.open()


def test_resetting_a_board_that_is_off_says_how_to_switch_it_on(board: EmulatedTarget) -> None:
    with pytest.raises(EmulatorError) as caught:
        board.emulator.warm_reset()
    assert "rbnn board on" in caught.value.fix


@pytest.mark.parametrize("task", [TASK, OTHER_TASK])
def test_every_layer_equals_the_reference(session: Session, flashed: Flashed, task: str) -> None:
    images = flashed.images[task]
    number = flashed.container.task_number(task)
    outputs = Reference.open(flashed.container, number, flashed.run.secrets()[task]).infer(images)
    switch_task(session, task, lambda: flashed.user_key)
    seen: list[int] = []
    expected = layer_crc32(outputs)
    assert check_layers(session, images, expected, lambda done, total: seen.append(done)) == []
    assert seen == list(range(1, len(images) + 1))
    expected[0, 1] ^= 1
    (difference,) = check_layers(session, images[:1], expected[:1])
    assert (difference.sample, difference.layer) == (0, 1)
    with pytest.raises(RbnnError, match="hold different models"):
        check_layers(session, images[:1], expected[:1, :2])

    best = outputs.logits.argmax(axis=1)
    measured = evaluate_on_board(session, task, images[:5], best[:5])
    assert (measured.correct, measured.accuracy) == (5, 1.0)
    assert measured.us is None and measured.instructions is not None and measured.instructions > 0
    assert evaluate_on_board(session, task, images[:5], (best[:5] + 1) % 4).correct == 0
    with pytest.raises(RbnnError, match="no test sample"):
        evaluate_on_board(session, task, images[:0], best[:0])


def test_files_are_read_before_the_first_is_sent(
    session: Session, flashed: Flashed, tmp_path: Path
) -> None:
    from PIL import Image

    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    Image.fromarray(flashed.images[TASK][0]).save(good)
    bad.write_bytes(good.read_bytes()[:60])
    switch_task(session, TASK, lambda: flashed.user_key)
    (found,) = infer_files(session, [good], tmp_path, quiet)
    assert found.label == found.scores[0].label
    assert abs(sum(score.score for score in found.scores) - 1) < 1e-9
    assert (found.task, found.us) == (TASK, None)
    assert len(list(listing([good], iter([found])))) == 3
    for files in ([good, bad], [tmp_path / "none.png"], [tmp_path]):
        with pytest.raises(RbnnError):
            infer_files(session, files, tmp_path, quiet)
    session.lock()
    with pytest.raises(DeviceError) as caught:
        infer_files(session, [good], tmp_path, quiet)
    assert caught.value.status is Status.NO_ACTIVE_TASK


def test_the_timed_window_holds_inferences_only(session: Session, flashed: Flashed) -> None:
    switch_task(session, TASK, lambda: flashed.user_key)
    image = flashed.images[TASK][0].tobytes()
    one, three = session.infer(image, n=1, warm_ups=1), session.infer(image, n=3, warm_ups=1)
    assert one.instructions is not None and three.instructions is not None
    assert one.instructions - three.instructions < 500, "printing a line takes thousands"


def test_the_firmware_tests_itself_and_leaves_stack_to_spare(
    session: Session, flashed: Flashed
) -> None:
    switch_task(session, TASK, lambda: flashed.user_key)
    session.infer(flashed.images[TASK][0].tobytes(), n=2, warm_ups=1)
    assert session.results() == session.infer(flashed.images[TASK][0].tobytes()).scores
    parts = session.self_test()
    assert parts
    assert set(parts.values()) == {"ok"}
    stack = session.stack()
    assert 0 < stack.used <= stack.reserved * 3 // 4


def test_the_nucleo_image_runs_on_the_emulated_nucleo(flashed: Flashed) -> None:
    target = EmulatedTarget(load_board("nucleo"), flashed.folder / "nucleo", quiet)
    try:
        prepared = deploy.prepare(
            flashed.run, target, flashed.provider.public, quiet, development=True
        )
        report = flash(flashed, target, prepared=prepared)
        assert (report.board, report.enrolled_now) == ("nucleo", True)
        images = flashed.images[TASK][:4]
        outputs = Reference.open(flashed.container, 0, flashed.run.secrets()[TASK]).infer(images)
        with target.open() as session:
            switch_task(session, TASK, lambda: flashed.user_key)
            assert check_layers(session, images, layer_crc32(outputs)) == []
    finally:
        target.emulator.power_off()
