"""What the real firmware must refuse, under QEMU, and that it continues afterwards."""

from __future__ import annotations

import os

import numpy as np
import pytest
from flashed_board import OTHER_TASK, TASK, Flashed, assert_answers, quiet, refused, unlock_on

from rbnn.device.enrolment import enroll, recognise
from rbnn.device.errors import DeviceError
from rbnn.device.session import Session
from rbnn.device.switching import switch_task
from rbnn.keys import licence, provisioning
from rbnn.keys.errors import UserKeyError
from rbnn.keys.licence import Licence
from rbnn.keys.registry import Registry
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import UserKey
from rbnn.spec import layout
from rbnn.spec.status import Status

pytestmark = pytest.mark.qemu


def test_the_right_key_on_the_right_device_opens(session: Session, flashed: Flashed) -> None:
    assert switch_task(session, TASK, lambda: flashed.user_key).unlocked_now
    assert not switch_task(session, TASK, None).unlocked_now
    states = {task.name: task.state for task in session.tasks()}
    assert states == {TASK: "active", OTHER_TASK: "locked"}


def test_no_user_key(session: Session) -> None:
    with pytest.raises(UserKeyError, match="no user key was given"):
        switch_task(session, TASK, None)
    assert refused(session.switch, TASK) is Status.LOCKED
    assert refused(session.active_task) is Status.NO_ACTIVE_TASK


def test_a_hundred_wrong_user_keys(session: Session, flashed: Flashed) -> None:
    opened = 0
    for _ in range(100):
        stranger = UserKey(Secret(os.urandom(32)))
        with pytest.raises(DeviceError) as caught:
            switch_task(session, TASK, lambda stranger=stranger: stranger)
            opened += 1
        assert caught.value.status is Status.LICENCE_REFUSED
    assert opened == 0
    assert {task.state for task in session.tasks()} == {"locked"}
    session.unlock(TASK, flashed.psk(session))


def test_one_changed_key_bit(session: Session, flashed: Flashed) -> None:
    psk = bytearray(flashed.psk(session))
    psk[31] ^= 0x80
    assert refused(session.unlock, TASK, bytes(psk)) is Status.LICENCE_REFUSED


def test_copied_flash_on_another_chip(flashed: Flashed) -> None:
    thief = flashed.copy("other-chip", same_chip=False)
    assert unlock_on(thief, flashed) is Status.PUF_HELPER


def test_licences_of_this_device_on_another_enrolled_one(flashed: Flashed) -> None:
    thief = flashed.copy("enrolled-chip", same_chip=False)
    thief.erase_provisioning()
    with Registry.open(flashed.folder / "thief.sqlite") as registry:
        enroll(thief, registry, quiet)
        (found,) = registry.devices()
        device = registry.device(bytes.fromhex(found.public))
    stolen = provisioning.parse(flashed.target.device.provisioning_file.read_bytes()).licences
    thief.write_provisioning(provisioning.build(device.helper_record, stolen))
    assert unlock_on(thief, flashed) is Status.LICENCE_REFUSED


def test_a_chip_whose_words_prefer_opposite_values_is_not_enrolled(flashed: Flashed) -> None:
    chip = flashed.copy("biased-chip", same_chip=False)
    chip.erase_provisioning()
    cells = chip.device.fingerprint().mismatch
    cells += np.where(np.arange(cells.size) // 32 % 2 == 1, 0.95, -0.95)
    chip.device.fingerprint_file.write_bytes(cells.astype("<f4").tobytes())
    with Registry.open(flashed.folder / "biased.sqlite") as registry:
        with pytest.raises(DeviceError) as caught:
            enroll(chip, registry, quiet)
        assert list(registry.devices()) == []
    assert caught.value.status is Status.PUF_BIAS
    assert "noinit in boards/NAME/board.json" in caught.value.fix
    assert caught.value.exit_code != 0


def issue(flashed: Flashed, task: int = 0, **changes: object) -> Licence:
    """A licence for this device and model, unless ``changes`` say otherwise."""
    values: dict[str, object] = {
        "provider": flashed.provider,
        "device_public": flashed.public,
        "user_key": flashed.user_key,
        "model_id": flashed.container.model_id,
        "model_digest": flashed.container.digest,
        "task_number": task,
        "secret": flashed.run.secrets()[flashed.container.tasks[task].name],
        "sequence": 9,
    }
    return licence.issue(**{**values, **changes})  # type: ignore[arg-type]


def test_a_good_licence_over_the_line_opens(flashed: Flashed) -> None:
    target = flashed.copy("licence-in-ram")
    target.power_cycle()
    with target.open() as session:
        assert session.add_licence(issue(flashed).data).place == "ram"
        session.unlock(TASK, flashed.psk(session))
        session.switch(TASK)
    target.emulator.power_off()


def test_licences_for_another_device_model_or_task(flashed: Flashed) -> None:
    target = flashed.copy("foreign-licences")
    target.power_cycle()
    with target.open() as session:
        own = {entry.licence_id for entry in session.licences()}
        for changes in ({"model_id": bytes(16)}, {"model_digest": bytes(32)}):
            made = issue(flashed, **changes)
            assert refused(session.add_licence, made.data) is Status.LICENCE_MODEL
        assert {entry.licence_id for entry in session.licences()} == own

        elsewhere = licence.issue(
            flashed.provider,
            flashed.provider.public,  # a public key, but not this device's
            flashed.user_key,
            flashed.container.model_id,
            flashed.container.digest,
            0,
            bytes(32),
            9,
        )
        session.add_licence(elsewhere.data)
        assert refused(session.unlock, TASK, flashed.psk(session)) is Status.LICENCE_REFUSED

        # The other task's licence, its task number changed to this task's.
        moved = bytearray(issue(flashed, task=1).data)
        moved[layout.LICENCE_PROLOGUE.offset("task")] = 0
        session.add_licence(bytes(moved))
        assert refused(session.unlock, TASK, flashed.psk(session)) is Status.LICENCE_REFUSED

        # A properly issued licence for this task that carries the other task's secret.
        wrong = issue(flashed, secret=flashed.run.secrets()[OTHER_TASK])
        session.add_licence(wrong.data)
        assert refused(session.unlock, TASK, flashed.psk(session)) is Status.SEALED_BLOCK
        assert refused(session.switch, TASK) is Status.LOCKED
        assert_answers(session)
    target.emulator.power_off()


def test_changed_licences(flashed: Flashed) -> None:
    target = flashed.copy("changed-licences")
    target.power_cycle()
    with target.open() as session:
        made = issue(flashed)
        psk = flashed.user_key.psk(made.licence_id)
        prologue = layout.LICENCE_PROLOGUE
        places = [prologue.offset(name) for name in ("licence_id", "sequence", "inference_limit")]
        for at in (*places, prologue.size, prologue.size + 40, layout.LICENCE_BYTES - 1):
            changed = bytearray(made.data)
            changed[at] ^= 1
            session.add_licence(bytes(changed))
            assert refused(session.unlock, TASK, psk) is Status.LICENCE_REFUSED
        session.add_licence(made.data)
        session.unlock(TASK, psk)
    target.emulator.power_off()


@pytest.mark.parametrize("member", ["magic", "version", "flags"])
def test_a_malformed_licence(flashed: Flashed, session: Session, member: str) -> None:
    changed = bytearray(issue(flashed).data)
    changed[layout.LICENCE_PROLOGUE.offset(member)] ^= 0x40
    assert refused(session.add_licence, bytes(changed)) is Status.LICENCE_FORMAT


def test_changed_helper_data(flashed: Flashed) -> None:
    held = provisioning.parse(flashed.target.device.provisioning_file.read_bytes())
    record = bytearray(held.helper_record)
    record[700] ^= 4
    target = flashed.copy("helper", provisioning=provisioning.build(bytes(record), held.licences))
    assert unlock_on(target, flashed) is Status.PUF_HELPER
    target.power_cycle()
    with (
        target.open() as session,
        Registry.open(flashed.folder / "empty.sqlite") as registry,
        pytest.raises(DeviceError, match="helper data"),
    ):
        recognise(session, "qemu", registry, quiet)
    target.emulator.power_off()


def test_damaged_provisioning(flashed: Flashed) -> None:
    damaged = bytearray(flashed.target.device.provisioning_file.read_bytes())
    damaged[layout.PROVISIONING_HEADER.size + 100] ^= 1
    target = flashed.copy("damaged", provisioning=bytes(damaged))
    target.power_cycle()
    with target.open() as session:
        status = refused(session.unlock, TASK, bytes(32))
        assert status in (Status.PROVISIONING_DAMAGED, Status.PUF_HELPER)
        assert refused(session.enroll) is Status.PROVISIONING_DAMAGED
        assert_answers(session)
    target.emulator.power_off()


def test_changed_model_bits(flashed: Flashed) -> None:
    data = bytearray(flashed.container.data)
    data[data.index(flashed.container.weights) + 5] ^= 1
    target = flashed.copy("bits", flash=flashed.flash_with(bytes(data)))
    assert unlock_on(target, flashed) is Status.LICENCE_MODEL


def test_changed_sealed_block(flashed: Flashed) -> None:
    sealed = flashed.container.tasks[0].sealed
    data = bytearray(flashed.container.data)
    data[data.index(sealed) + len(sealed) // 2] ^= 1
    target = flashed.copy("sealed", flash=flashed.flash_with(bytes(data)))
    target.power_cycle()
    with target.open() as session:
        # The licence is for the unchanged model...
        assert refused(session.unlock, TASK, flashed.psk(session)) is Status.LICENCE_MODEL
        # ... and even one for the changed model does not open the block.
        digest = bytes.fromhex(session.identify().model_digest)
        assert digest != flashed.container.digest
        session.add_licence(issue(flashed, model_digest=digest).data)
        assert refused(session.unlock, TASK, flashed.psk(session)) is Status.SEALED_BLOCK
        assert refused(session.switch, TASK) is Status.LOCKED
        assert refused(session.active_task) is Status.NO_ACTIVE_TASK
        assert_answers(session)
    target.emulator.power_off()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bit-flip", Status.CONTAINER_DAMAGED),
        ("cut", Status.CONTAINER_DAMAGED),
        ("version", Status.CONTAINER_FORMAT),
        ("erased", Status.NO_CONTAINER),
    ],
)
def test_damaged_container(flashed: Flashed, name: str, expected: Status) -> None:
    data = bytearray(flashed.container.data)
    match name:
        case "bit-flip":
            data[-1] ^= 1
        case "cut":
            data[len(data) // 2 :] = b"\xff" * (len(data) - len(data) // 2)
        case "version":
            data[layout.CONTAINER_HEADER.offset("version")] += 1
        case "erased":
            data[:] = b"\xff" * len(data)
    image = flashed.flash_with(bytes(data), fix_crc=False)
    target = flashed.copy(f"container-{name}", flash=image)
    target.power_cycle()
    with target.open() as session:
        for command in ("tasks", f"switch {TASK}", "infer 1", "licences", "labels"):
            assert refused(session.ask, command) is expected
        assert session.identify().model_digest == ""
        assert_answers(session)
    target.emulator.power_off()
