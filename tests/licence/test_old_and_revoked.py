"""A licence that is older than the device's floor, or was revoked, never opens; and no made-up
notice changes that, or voids a licence."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from licensed_world import TASKS, World, empty_store, partition, unlock, words
from trust_rows import Trust, trust_row

from rbnn.keys import revocation
from rbnn.keys.licence import Licence
from rbnn.keys.provider_key import ProviderKey
from rbnn.spec.layout import LICENCE_BYTES, LICENCE_PROLOGUE

FLOOR = 2**31
AT_ONCE = 100
FORGED = {"licence-format", "licence-model", "licence-refused"}
revoked_row = trust_row(
    "revoked-licences",
    "Genuine licences after the provider's notice of revocation, with the right user's key: "
    "loaded, and in flash at a start. Notices that are altered or made by others, before and after "
    "it",
    "0 unlocks, 0 made-up notices accepted",
)


@pytest.fixture
def store(world: World, tmp_path: Path) -> Path:
    return empty_store(world.device, tmp_path / "store.bin")


def older(world: World, rng: random.Random, task: int) -> Licence:
    """A genuine licence below the floor; often just below it."""
    below = rng.choice([1, rng.randrange(1, FLOOR)])
    return world.licence(task, sequence=FLOOR - below, inference_limit=rng.choice([0, 0, 9]))


def answers(world: World, store: Path, commands: list[str], *held: Licence) -> list[str]:
    return words(world.run(commands, partition=partition(world, *held), store=store))


def give(world: World, licence: Licence) -> list[str]:
    """Load a licence, unlock its task with the right key, and switch to it."""
    task = licence.task_number
    return [f"add {licence.data.hex()}", unlock(world, task, licence), f"switch {task}"]


def tried_in_vain(world: World, store: Path, licences: list[Licence]) -> int:
    """Give licences to the device one after the other, and put each into flash as well. Returns
    how many opened."""
    opened = 0
    for at in range(0, len(licences), AT_ONCE):
        some = licences[at : at + AT_ONCE]
        said = answers(world, store, [line for one in some for line in give(world, one)])
        opened += sum("ok" in said[place : place + 3] for place in range(0, len(said), 3))
    for one in licences:
        in_flash = answers(world, store, give(world, one)[1:], one)
        opened += in_flash != ["licence-old", "locked"]
    return opened


@trust_row(
    "old-licences",
    "Genuine licences whose sequence is below the newest one that the device has opened, with the "
    "right user's key: loaded, and in flash at a start",
    "0 unlocks",
)
def test_no_older_licence_opens(world: World, store: Path, trust: Trust) -> None:
    count = trust.amount(quick=20, full=1_000)
    rng = random.Random(11)
    newest = [world.licence(task, sequence=FLOOR) for task in range(len(TASKS))]
    for one in newest:
        assert answers(world, store, give(world, one)[1:], one) == ["ok", "ok"]
    old = [older(world, rng, rng.randrange(len(TASKS))) for _ in range(count)]
    opened = tried_in_vain(world, store, old)
    trust.measured(f"{opened} unlocks, loaded or in flash", 2 * count)
    assert opened == 0
    for one in newest:
        assert answers(world, store, give(world, one)[1:], one) == ["ok", "ok"]


@revoked_row
def test_no_revoked_licence_opens(world: World, store: Path, trust: Trust) -> None:
    count = trust.amount(quick=20, full=1_000)
    rng = random.Random(12)
    licences = [older(world, rng, rng.randrange(len(TASKS))) for _ in range(count)]
    first = min(licences, key=lambda one: one.sequence)
    assert answers(world, store, give(world, first)[1:], first) == ["ok", "ok"]
    for task in range(len(TASKS)):
        note = make_notice(world, task, FLOOR)
        assert answers(world, store, [f"revoke {note.hex()}"]) == ["ok"]
    opened = tried_in_vain(world, store, licences)
    trust.measured(f"revoked: {opened} unlocks", 2 * count)
    assert opened == 0


def make_notice(world: World, task: int, sequence: int, **changes: object) -> bytes:
    values: dict[str, object] = {
        "provider": world.provider,
        "device_public": world.device.public,
        "model_id": world.model_id,
        "task_number": task,
        "sequence": sequence,
    }
    return revocation.make(**{**values, **changes}).data  # type: ignore[arg-type]


def forged_notice(world: World, rng: random.Random, licence: Licence) -> bytes:
    """A notice that the provider has not made for this device and model."""
    sequence = rng.choice([0, 1, FLOOR, 2**32 - 1])
    kind = rng.randrange(6)
    if kind == 0:
        key = ProviderKey(X25519PrivateKey.from_private_bytes(rng.randbytes(32)))
        return make_notice(world, 0, sequence, provider=key)
    if kind == 1:
        return make_notice(world, 0, sequence, device_public=world.other_device.public)
    if kind == 2:
        return make_notice(world, 0, sequence, model_id=rng.randbytes(16))
    note = bytearray(make_notice(world, 0, FLOOR))
    if kind == 3:
        name = rng.choice(["sequence", "task", "licence_id", "model_id", "flags"])
        note[LICENCE_PROLOGUE.offset(name)] ^= rng.randrange(1, 256)
    elif kind == 4:
        for _ in range(rng.randrange(1, 5)):
            note[rng.randrange(LICENCE_BYTES)] ^= rng.randrange(1, 256)
    else:
        # The licence, as if it were a notice.
        note[4:] = licence.data[4:]
    return bytes(note)


@revoked_row
def test_no_made_up_notice_voids_a_licence_or_revives_one(
    world: World, store: Path, trust: Trust
) -> None:
    count = trust.amount(quick=60, full=1_000)
    rng = random.Random(13)
    licence = world.licence(0, sequence=FLOOR - 1)
    notices = [f"revoke {forged_notice(world, rng, licence).hex()}" for _ in range(count)]
    accepted = opened = 0
    for at in range(0, count, AT_ONCE):
        some = notices[at : at + AT_ONCE]
        said = answers(world, store, [*some, unlock(world, 0, licence), "switch 0"], licence)
        accepted += sum(one not in FORGED for one in said[:-2])
        assert said[-2:] == ["ok", "ok"]
    genuine = f"revoke {make_notice(world, 0, FLOOR).hex()}"
    assert answers(world, store, [genuine]) == ["ok"]
    for at in range(0, count, AT_ONCE):
        said = answers(world, store, [*notices[at : at + AT_ONCE], *give(world, licence)])
        accepted += sum(one not in FORGED for one in said[:-3])
        opened += "ok" in said[-3:]
    trust.measured(f"made-up notices: {accepted} accepted, {opened} unlocks", 2 * count)
    assert accepted == opened == 0
