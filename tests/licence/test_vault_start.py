"""How the vault starts: partition, fingerprint and enrolment, on the host build of the C."""

from __future__ import annotations

import binascii

import pytest
from licensed_world import World, partition, unlock, words

from rbnn.keys import provisioning
from rbnn.spec.layout import (
    HELPER_RECORD_BYTES,
    LICENCE_BYTES,
    LICENCE_PROLOGUE,
    PROVISIONING_HEADER,
)


def test_enrolment_on_the_device_makes_licensable_keys(world: World) -> None:
    pattern = world.device.fingerprint.power_up(0.1)
    (fresh, enrolled, keys, again, left) = world.run(
        ["puf", "enroll", "keys", "enroll", "pattern"], pattern=pattern
    )
    assert fresh == ["fresh", "no-provisioning"]
    assert enrolled[0] == "ok"
    record = bytes.fromhex(enrolled[1])
    assert len(record) == HELPER_RECORD_BYTES
    assert again == ["enrolled", "00" * HELPER_RECORD_BYTES]
    assert left == ["wiped"]
    (later,) = world.run(["keys"], partition=provisioning.build(record, []))
    assert later == keys


def test_enrolment_is_refused(world: World) -> None:
    nothing = "00" * HELPER_RECORD_BYTES
    assert world.run(["enroll"], pattern=None) == [["power-cycle", nothing]]
    assert world.run(["enroll", "enroll", "pattern"], pattern=b"\x5a\xa5\x0f\xf0" * 768) == [
        ["puf-pattern", nothing],
        ["power-cycle", nothing],
        ["wiped"],
    ]
    damaged = bytearray(partition(world))
    damaged[40] ^= 1
    assert world.run(["puf", "enroll"], partition=bytes(damaged)) == [
        ["damaged", "provisioning-damaged"],
        ["provisioning-damaged", nothing],
    ]


def test_warm_reset_needs_a_power_cycle(world: World) -> None:
    licence = world.licence(0)
    assert world.run(
        ["puf", unlock(world, 0, licence), "state 0"],
        partition=partition(world, licence),
        pattern=None,
    ) == [["power-cycle", "ok"], ["power-cycle"], ["locked"]]


def test_not_enrolled(world: World) -> None:
    licence = world.licence(0)
    assert words(world.run([f"add {licence.data.hex()}", unlock(world, 0, licence)])) == [
        "ok",
        "not-enrolled",
    ]


def test_the_whole_flash_of_a_device_copied_to_another(world: World) -> None:
    licence = world.licence(0)
    assert words(
        world.run(
            ["puf", unlock(world, 0, licence), "enroll"],
            partition=partition(world, licence),
            pattern=world.other_device.fingerprint.power_up(0.1),
        )
    ) == ["damaged", "puf-helper", "enrolled"]


def test_without_a_model(world: World) -> None:
    licence = world.licence(0)
    answers = world.run(
        ["puf", unlock(world, 0, licence), f"add {licence.data.hex()}"],
        container=None,
        partition=partition(world, licence),
    )
    assert words(answers) == ["enrolled", "no-container", "no-container"]


@pytest.mark.parametrize("size", [0, 1, 15, 16, 100, 1367, 1368, 1530])
def test_truncated_partition(world: World, size: int) -> None:
    whole = partition(world, world.licence(0))
    assert len(whole) > 1530
    expected = "no-provisioning" if size < PROVISIONING_HEADER.size else "provisioning-damaged"
    assert world.run(["puf", "state 0"], partition=whole[:size]) == [
        ["fresh" if size < PROVISIONING_HEADER.size else "damaged", expected],
        ["unlicensed"],
    ]


def test_flipped_partition_bits(world: World) -> None:
    whole = partition(world, world.licence(0))
    for position in [*range(16), 16, 700, 1364, 1365, 1367, 1368, len(whole) - 1]:
        changed = bytearray(whole)
        changed[position] ^= 4
        assert world.run(["puf", "unlock 0 " + "0" * 64], partition=bytes(changed)) == [
            ["damaged", "provisioning-damaged"],
            ["provisioning-damaged"],
        ]


def test_blank_partitions(world: World) -> None:
    for blank in (b"\xff" * 4096, bytes(4096)):
        assert world.run(["puf"], partition=blank) == [["fresh", "no-provisioning"]]


def test_a_malformed_licence_in_flash_is_skipped(world: World) -> None:
    good, bad = world.licence(0), world.licence(1)
    data = bytearray(partition(world, good, bad))
    data[-LICENCE_BYTES + LICENCE_PROLOGUE.offset("flags") + 1] = 1
    data[12:16] = bytes(4)
    data[12:16] = binascii.crc32(data).to_bytes(4, "little")
    assert words(
        world.run(["puf", "state 0", "state 1", unlock(world, 0, good)], partition=bytes(data))
    ) == ["enrolled", "locked", "unlicensed", "ok"]
