"""What survives power-off: old licences, revoked ones, and counts, on the host build of the C."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from licensed_world import (
    STORE_PAGE_BYTES,
    World,
    empty_store,
    partition,
    unlock,
    words,
)

from rbnn.keys import revocation
from rbnn.keys.licence import Licence
from rbnn.keys.provider_key import ProviderKey
from rbnn.spec.layout import LICENCE_BYTES, LICENCE_PROLOGUE


@pytest.fixture
def store(world: World, tmp_path: Path) -> Path:
    return empty_store(world.device, tmp_path / "store.bin")


def use(world: World, store: Path, licence: Licence, *commands: str) -> list[str]:
    """Power up, open task 0's licence, and give commands."""
    opening = (unlock(world, 0, licence), "switch 0")
    held = partition(world, licence)
    return words(world.run([*opening, *commands], partition=held, store=store))


def test_neither_switch_nor_lock_nor_power_off_restarts_a_count(world: World, store: Path) -> None:
    licence = world.licence(0, inference_limit=3)
    again = (unlock(world, 0, licence), "switch 0")
    assert use(world, store, licence, "count", "switch 0", "lock", *again, "count") == [
        "ok", "ok", "ok", "ok", "ok", "ok", "ok", "ok",
    ]  # fmt: skip
    assert use(world, store, licence, "count", "count", "switch 0", "count") == [
        "ok", "ok", "ok", "limit", "ok", "limit",
    ]  # fmt: skip
    assert use(world, store, licence, "count") == ["ok", "ok", "limit"]


def test_a_power_cut_costs_at_most_a_block(world: World, store: Path) -> None:
    """1,000 inferences are reserved 16 at a time: 64 starts with one inference each use them up."""
    licence = world.licence(0, inference_limit=1000)
    starts = 0
    while use(world, store, licence, "count")[-1] == "ok":
        starts += 1
    assert starts == 63  # 62 blocks of 16, and the 8 that are left
    assert use(world, store, licence, *["count"] * 3)[2:] == ["limit"] * 3


def test_few_records_are_written(world: World, store: Path) -> None:
    licence = world.licence(0, inference_limit=1000)
    answers = world.run(
        [unlock(world, 0, licence), "switch 0", *["count"] * 1001, "store"],
        partition=partition(world, licence),
        store=store,
    )
    assert words(answers)[-3:] == ["ok", "limit", "ok"]
    assert answers[-1] == ["ok", "63"]
    free = world.licence(1)
    answers = world.run(
        [*[unlock(world, 1, free), "switch 1", "count"] * 20, "store"],
        partition=partition(world, free),
        store=store,
    )
    assert set(words(answers)) == {"ok"} and answers[-1] == ["ok", "0"]


def test_activations_are_counted(world: World, store: Path) -> None:
    licence = world.licence(0, activation_limit=3)
    assert use(world, store, licence, "switch 0") == ["ok", "ok", "ok"]
    answers = use(world, store, licence, "count", "switch 0", "count", "state 0")
    assert answers == ["ok", "ok", "ok", "limit", "no-active-task", "unlocked"]
    assert use(world, store, licence) == ["ok", "limit"]


def test_an_older_licence_is_refused_after_a_newer_one(world: World, store: Path) -> None:
    old, new = world.licence(0, sequence=4), world.licence(0, sequence=7, inference_limit=2)
    assert use(world, store, old, "count") == ["ok", "ok", "ok"]
    assert use(world, store, new, "count", "count", f"add {old.data.hex()}", "count") == [
        "ok", "ok", "ok", "ok", "licence-old", "limit",
    ]  # fmt: skip
    # Also after power-off, from flash, and with its own right key.
    assert use(world, store, old) == ["licence-old", "locked"]
    assert use(world, store, new, "count") == ["ok", "ok", "limit"]
    # A newer one has counts of its own, and other tasks have theirs.
    third = world.licence(0, sequence=9, inference_limit=2)
    assert use(world, store, third, "count", "count", "count")[2:] == ["ok", "ok", "limit"]
    other = world.licence(1, sequence=5)
    answers = world.run([unlock(world, 1, other)], partition=partition(world, other), store=store)
    assert words(answers) == ["ok"]


def test_a_licence_that_was_only_loaded_makes_no_other_old(world: World, store: Path) -> None:
    """Its sequence counts once the user's key has shown that it is genuine."""
    old, new = world.licence(0, sequence=4), world.licence(0, sequence=7)
    wrong = "unlock 0 " + "0" * 64
    answers = world.run([wrong, "state 0"], partition=partition(world, new), store=store)
    assert words(answers) == ["licence-refused", "locked"]
    assert use(world, store, old) == ["ok", "ok"]


def notice(world: World, sequence: int, task: int = 0, **changes: object) -> revocation.Notice:
    values: dict[str, object] = {
        "provider": world.provider,
        "device_public": world.device.public,
        "model_id": world.model_id,
        "task_number": task,
        "sequence": sequence,
    }
    return revocation.make(**{**values, **changes})  # type: ignore[arg-type]


def test_a_revoked_licence_never_opens_again(world: World, store: Path) -> None:
    licence = world.licence(0, sequence=4)
    note = notice(world, 5)
    answers = use(world, store, licence, f"revoke {note.data.hex()}", "state 0", "count")
    assert answers == ["ok", "ok", "ok", "locked", "no-active-task"]
    assert use(world, store, licence) == ["licence-old", "locked"]
    # The next licence is good, and an old notice changes nothing.
    new = world.licence(0, sequence=5, inference_limit=2)
    again = (unlock(world, 0, new), "switch 0")
    late = notice(world, 3)
    answers = use(
        world, store, new, "count", f"revoke {note.data.hex()}", f"revoke {late.data.hex()}",
        *again, "count", "count",
    )  # fmt: skip
    assert answers == ["ok", "ok", "ok", "ok", "ok", "ok", "ok", "ok", "limit"]
    assert use(world, store, licence) == ["licence-old", "locked"]


def test_a_notice_is_for_one_device_one_model_and_from_the_provider(
    world: World, store: Path
) -> None:
    licence = world.licence(0, sequence=4)
    refused = {
        "licence-refused": [
            notice(world, 5, provider=ProviderKey(X25519PrivateKey.generate())),
            notice(world, 5, device_public=world.other_device.public),
        ],
        "licence-model": [notice(world, 5, model_id=b"model of the eve")],
        "licence-format": [notice(world, 5, task=3)],
    }
    for status, notices in refused.items():
        for one in notices:
            answers = use(world, store, licence, f"revoke {one.data.hex()}", "count")
            assert answers == ["ok", "ok", status, "ok"]


def test_no_byte_of_a_notice_can_be_changed(world: World, store: Path) -> None:
    licence = world.licence(0, sequence=4)
    note = notice(world, 5).data
    commands = []
    for position in range(LICENCE_BYTES):
        for bit in (0, 6):
            changed = bytearray(note)
            changed[position] ^= 1 << bit
            commands.append(f"revoke {changed.hex()}")
    # Nor is a licence a notice, or a notice a licence.
    forged = LICENCE_PROLOGUE.offset("magic")
    as_notice = bytearray(licence.data)
    as_notice[forged : forged + 4] = note[:4]
    as_licence = bytearray(note)
    as_licence[forged : forged + 4] = licence.data[:4]
    commands += [f"revoke {licence.data.hex()}", f"revoke {as_notice.hex()}"]
    answers = use(world, store, licence, *commands, f"add {as_licence.hex()}", "count")
    assert set(answers[2:-2]) <= {"licence-format", "licence-model", "licence-refused"}
    assert answers[-2:] == ["licence-model", "ok"]
    assert use(world, store, licence) == ["ok", "ok"]


def test_without_a_store_only_licences_without_a_limit_open(world: World) -> None:
    for limit in ("inference_limit", "activation_limit"):
        licence = world.licence(0, **{limit: 3})
        answers = world.run(
            [unlock(world, 0, licence), "switch 0"], partition=partition(world, licence)
        )
        assert words(answers) == ["no-store", "locked"]
    free = world.licence(0)
    answers = world.run(
        [unlock(world, 0, free), "switch 0", "count", f"revoke {notice(world, 5).data.hex()}"],
        partition=partition(world, free),
    )
    assert words(answers) == ["ok", "ok", "ok", "no-store"]


@pytest.mark.parametrize("damage", ["erased", "another device's", "changed", "of an older format"])
def test_a_store_that_is_damaged_or_gone_opens_nothing(
    world: World, tmp_path: Path, damage: str
) -> None:
    device = world.other_device if damage == "another device's" else world.device
    file = empty_store(device, tmp_path / "store.bin")
    data = bytearray(file.read_bytes())
    if damage == "erased":
        data[:] = b"\xff" * len(data)
    elif damage == "changed":
        data[8] ^= 1
    elif damage == "of an older format":
        data[4] ^= 1
    file.write_bytes(data)
    licence = world.licence(0)
    answers = world.run(
        ["store", unlock(world, 0, licence), "switch 0"],
        partition=partition(world, licence),
        store=file,
    )
    assert words(answers) == ["store-damaged", "store-damaged", "locked"]


def test_enrolment_begins_an_empty_store(world: World, tmp_path: Path) -> None:
    file = tmp_path / "store.bin"
    file.write_bytes(bytes(2 * STORE_PAGE_BYTES))
    pattern = world.device.fingerprint.power_up(0.1)
    (_, enrolled, stored) = world.run(["puf", "enroll", "store"], pattern=pattern, store=file)
    assert enrolled[0] == "ok" and stored[0] == "ok"
    assert file.read_bytes()[:4] == b"RBST"


def test_what_is_too_old_for_the_table_is_refused(world: World, tmp_path: Path) -> None:
    """A page keeps 32 tasks; those that had to go are covered by the base."""
    file = empty_store(world.device, tmp_path / "store.bin", base=6)
    assert use(world, file, world.licence(0, sequence=6)) == ["licence-old", "locked"]
    assert use(world, file, world.licence(0, sequence=7), "count") == ["ok", "ok", "ok"]
