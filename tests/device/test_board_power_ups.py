"""The figures of the fingerprint, measured on the real firmware under QEMU.

Each power-up is its own QEMU process with fresh noise in the SRAM. Several run at a time, because
most of a power-up is the second that QEMU takes to notice that its pseudo terminal was opened.
``make test`` takes 30 of them, ``make test-full`` 100.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from flashed_board import TASK, Flashed, quiet

from rbnn.device.emulated.target import EmulatedTarget
from rbnn.device.enrolment import enroll
from rbnn.device.errors import DeviceError
from rbnn.keys import provisioning
from rbnn.keys.registry import Registry
from rbnn.spec.status import Status

pytestmark = [pytest.mark.qemu, pytest.mark.slow]

AT_A_TIME = 6
BIT_ERROR_RATE = 0.10


@pytest.fixture(params=[30, pytest.param(100, marks=pytest.mark.full)])
def count(request: pytest.FixtureRequest) -> int:
    """How many power-ups, or chips."""
    return int(request.param)


def try_to_unlock(flashed: Flashed, chip: EmulatedTarget) -> Status | None:
    """A chip's answer to the right key after a power-up; then switches it off."""
    chip.power_cycle()
    try:
        with chip.open() as session:
            session.unlock(TASK, flashed.psk(session))
            return Status.OK
    except DeviceError as error:
        return error.status
    finally:
        chip.emulator.power_off()


def test_power_ups_give_the_same_root_key(flashed: Flashed, count: int) -> None:
    chips = [
        flashed.copy(f"power-{count}-{number}", bit_error_rate=BIT_ERROR_RATE)
        for number in range(AT_A_TIME)
    ]
    counts = [count // AT_A_TIME + (number < count % AT_A_TIME) for number in range(AT_A_TIME)]

    def power_ups(number: int) -> list[str]:
        keys = []
        for _ in range(counts[number]):
            chips[number].power_cycle()
            with chips[number].open() as session:
                keys.append(session.identify().public)
        chips[number].emulator.power_off()
        return keys

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        keys = [key for part in pool.map(power_ups, range(AT_A_TIME)) for key in part]
    assert len(keys) == count
    assert set(keys) == {flashed.public.hex()}


def test_other_devices_unlock_nothing(flashed: Flashed, count: int) -> None:
    def try_on_another_chip(number: int) -> Status | None:
        chip = flashed.copy(f"other-{count}-{number}", same_chip=False)
        return try_to_unlock(flashed, chip)

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        answers = list(pool.map(try_on_another_chip, range(count)))
    assert answers == [Status.PUF_HELPER] * count


def test_ten_enrolled_devices_do_not_open_each_others_licences(flashed: Flashed) -> None:
    held = provisioning.parse(flashed.target.device.provisioning_file.read_bytes())

    def try_on_an_enrolled_chip(number: int) -> Status | None:
        chip = flashed.copy(f"enrolled-{number}", same_chip=False)
        chip.erase_provisioning()
        with Registry.open(flashed.folder / f"enrolled-{number}.sqlite") as registry:
            enroll(chip, registry, quiet)
            (found,) = registry.devices()
            device = registry.device(bytes.fromhex(found.public))
        chip.write_provisioning(provisioning.build(device.helper_record, held.licences))
        return try_to_unlock(flashed, chip)

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        answers = list(pool.map(try_on_an_enrolled_chip, range(10)))
    assert answers == [Status.LICENCE_REFUSED] * 10
