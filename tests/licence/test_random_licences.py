"""Licences that Python issues open in C; with one thing wrong, none does."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from licensed_world import (
    ERROR_RATE,
    TASKS,
    World,
    empty_store,
    key_bytes,
    make_device,
    partition,
    unlock,
    words,
)
from trust_rows import Trust, trust_row

from rbnn.keys import provisioning
from rbnn.keys.licence import Licence
from rbnn.keys.provider_key import ProviderKey
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import UserKey
from rbnn.spec.key_stream import stream_key
from rbnn.spec.layout import LICENCE_BYTES, LICENCE_PROLOGUE

AT_ONCE = 100
"""Licences of one world, and commands of one power-up."""
REFUSED = {"licence-refused", "licence-format", "licence-model", "no-licence", "sealed-block"}


def batches(items: list[str], size: int = AT_ONCE) -> Iterator[list[str]]:
    return (items[at : at + size] for at in range(0, len(items), size))


def random_user(rng: random.Random) -> UserKey:
    return UserKey(Secret(rng.randbytes(32)))


@trust_row(
    "random-licences",
    "Licences of random providers, users, devices, models, tasks, sequences and limits: issued in "
    "Python, opened in C",
    "all open, and give the task's keys and parameters",
)
def test_every_licence_opens(driver: Path, tmp_path: Path, trust: Trust) -> None:
    count = trust.amount(quick=200, full=10_000)
    opened = 0
    for number in range(count // AT_ONCE):
        rng = random.Random(number)
        device = make_device(1000 + number)
        world = World(
            driver,
            tmp_path,
            provider=ProviderKey(X25519PrivateKey.from_private_bytes(rng.randbytes(32))),
            device=device,
            other_device=device,
            model_id=rng.randbytes(16),
            secrets=tuple(rng.randbytes(32) for _ in TASKS),
            params=tuple(rng.randbytes(rng.randrange(1000, 3000)) for _ in TASKS),
        )
        commands, tasks, sequence = [], [], 0
        for _ in range(AT_ONCE):
            user, task = random_user(rng), rng.randrange(len(TASKS))
            sequence += rng.randrange(1, 2**25)
            one = world.licence(
                task,
                user_key=user,
                sequence=sequence,
                inference_limit=rng.choice([0, rng.randrange(2**32)]),
            )
            commands += [f"add {one.data.hex()}", unlock(world, task, one, user), f"switch {task}"]
            tasks.append(task)
        store = empty_store(device, tmp_path / "store")
        answers = world.run(commands, partition=partition(world), store=store)
        for task, added, unlocked, switched in zip(
            tasks, answers[::3], answers[1::3], answers[2::3], strict=True
        ):
            key = stream_key(world.secrets[task], world.model_id).hex()
            right = ["ok", key, world.params[task].hex(), str(task)]
            opened += [added[0], unlocked[0]] == ["ok", "ok"] and switched == right
    trust.measured(f"{opened:,} of {count:,} open", count)
    assert opened == count


@trust_row("wrong-users", "Unlocking with other users' keys, and with the right one but for a bit",
           "0 unlock")  # fmt: skip
def test_wrong_users_unlock_nothing(world: World, trust: Trust) -> None:
    count = trust.amount(quick=50, full=1_000)
    rng = random.Random(1)
    licence = world.licence(0)
    tries = [unlock(world, 0, licence, random_user(rng)) for _ in range(count)]
    right = world.user.psk(licence.licence_id)
    for bit in range(0, 256, trust.amount(quick=16, full=1)):
        changed = bytearray(right)
        changed[bit // 8] ^= 1 << bit % 8
        tries.append(f"unlock 0 {changed.hex()}")
    said = [
        answer
        for batch in batches(tries)
        for answer in words(world.run([*batch, "state 0"], partition=partition(world, licence)))
    ]
    unlocked = len([answer for answer in said if answer not in ("licence-refused", "locked")])
    trust.measured(f"{unlocked} unlock", len(tries))
    assert unlocked == 0
    assert said.count("licence-refused") == len(tries)


@trust_row(
    "wrong-devices",
    "Licences on other devices: with the other device's own helper data, and with the copied "
    "partition; the right user's key",
    "0 unlock",
)
def test_other_devices_unlock_nothing(world: World, trust: Trust) -> None:
    count = trust.amount(quick=8, full=1_000)
    licence = world.licence(0)
    command = [unlock(world, 0, licence), "state 0"]
    said = []
    for number in range(count):
        device = make_device(5000 + number)
        pattern = device.fingerprint.power_up(ERROR_RATE, np.random.default_rng(number))
        for data in (
            provisioning.build(device.helper_record, [licence]),
            partition(world, licence),
        ):
            said.append(words(world.run(command, partition=data, pattern=pattern)))
    locked = [["licence-refused", "locked"], ["puf-helper", "locked"]] * count
    unlocked = sum(found != wanted for found, wanted in zip(said, locked, strict=True))
    trust.measured(f"{unlocked} unlock", len(said))
    assert unlocked == 0


@trust_row(
    "swapped-tasks",
    "Licences of one task for another: its number changed, under the other task's key, issued "
    "with the other task's secret",
    "0 unlock",
)
def test_a_licence_of_another_task_unlocks_nothing(world: World, trust: Trust) -> None:
    count = trust.amount(quick=48, full=1_000)
    rng = random.Random(2)
    commands, tasks = [], []
    for number in range(count):
        task, other = rng.sample(range(len(TASKS)), 2)
        user = random_user(rng)
        if number % 3 == 2:
            wrong = world.licence(other, user_key=user, secret=world.secrets[task]).data
            key = user.psk(wrong[LICENCE_PROLOGUE.offset("licence_id") :][:16])
        else:
            one = world.licence(task, user_key=user)
            at = LICENCE_PROLOGUE.offset("task")
            wrong = one.data[:at] + other.to_bytes(2, "little") + one.data[at + 2 :]
            held = one if number % 3 == 0 else world.licence(other, user_key=user)
            key = user.psk(held.licence_id)
        commands += [f"add {wrong.hex()}", f"unlock {other} {key.hex()}", f"switch {other}"]
        tasks.append(other)
    said = [words(world.run(batch, partition=partition(world))) for batch in batches(commands, 99)]
    answers = list(itertools.chain(*said))
    unlocked = sum(
        unlock not in REFUSED or switched != "locked"
        for unlock, switched in zip(answers[1::3], answers[2::3], strict=True)
    )
    trust.measured(f"{unlocked} unlock", count)
    assert unlocked == 0
    assert answers[::3] == ["ok"] * count


def parts(licence: Licence) -> list[bytes]:
    """Members of the clear part, ephemeral key, sealed secret, tag."""
    fields = [field.name for field in LICENCE_PROLOGUE.fields]
    cuts = [LICENCE_PROLOGUE.offset(name) for name in fields]
    cuts += [LICENCE_PROLOGUE.size + size for size in (0, 32, 64)] + [LICENCE_BYTES]
    return [licence.data[start:end] for start, end in itertools.pairwise(cuts)]


@trust_row(
    "swapped-parts",
    "Licences put together from the parts of two of the same device: members of the clear part, "
    "ephemeral key, secret, tag; under the key of either",
    "0 unlock",
)
def test_parts_of_two_licences_unlock_nothing(world: World, trust: Trust) -> None:
    count = trust.amount(quick=40, full=1_000)
    rng = random.Random(3)
    users = [UserKey(Secret(key_bytes(f"user {number}"))) for number in range(2)]
    groups: list[list[str]] = []
    while len(groups) < count:
        pair = [
            world.licence(
                rng.randrange(len(TASKS)),
                user_key=rng.choice(users),
                sequence=rng.randrange(1, 9),
                inference_limit=rng.randrange(3),
            )
            for _ in range(2)
        ]
        mixed = b"".join(rng.choice(both) for both in zip(*map(parts, pair), strict=True))
        if mixed in (pair[0].data, pair[1].data):
            continue
        tries = itertools.product({one.task_number for one in pair}, users, pair)
        groups.append(
            [f"add {mixed.hex()}", *(unlock(world, task, one, user) for task, user, one in tries)]
        )
    unlocked = 0
    for at in range(0, count, 20):
        commands = list(itertools.chain(*groups[at : at + 20]))
        answers = words(world.run(commands, partition=partition(world)))
        unlocked += sum(
            answer not in REFUSED
            for command, answer in zip(commands, answers, strict=True)
            if command.startswith("unlock")
        )
    trust.measured(f"{unlocked} unlock", count)
    assert unlocked == 0
    whole = pair[0]
    right = [unlock(world, whole.task_number, whole, user) for user in users]
    said = words(world.run([f"add {whole.data.hex()}", *right], partition=partition(world)))
    # Without a store, a licence with a limit opens, but is not admitted.
    assert {"ok", "no-store"} & set(said[1:])
