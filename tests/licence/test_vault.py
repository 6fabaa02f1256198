"""From a licence to a task's keys: every answer of the vault, on the host build of the C."""

from __future__ import annotations

import struct
import warnings

import monocypher as pymonocypher
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from licensed_world import TASKS, World, key_bytes, partition, unlock, words

from rbnn.keys import provisioning
from rbnn.keys.provider_key import ProviderKey
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import UserKey
from rbnn.spec.key_stream import stream_key
from rbnn.spec.layout import (
    CONTAINER_HEADER,
    LICENCE_BYTES,
    LICENCE_PROLOGUE,
)

ZERO_KEY = "00" * 32


def test_the_way_from_licence_to_keys(world: World) -> None:
    licence = world.licence(1)
    answers = world.run(
        [
            "puf",
            "keys",
            "pattern",
            "state 0",
            "state 1",
            unlock(world, 1, licence),
            "state 1",
            "switch 1",
            "state 1",
            "count",
            "lock",
            "state 1",
            "count",
            "switch 1",
        ],
        partition=partition(world, licence),
    )
    assert answers[0] == ["enrolled", "ok"]
    assert bytes.fromhex(answers[1][1]) == world.device.public
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a seed is all that the host needs
        sign_public = pymonocypher.compute_signing_public_key(world.device.sign_seed)
    assert bytes.fromhex(answers[1][2]) == sign_public
    assert answers[2] == ["wiped"]
    assert words(answers[3:7]) == ["unlicensed", "locked", "ok", "unlocked"]
    status, key, params, active = answers[7]
    assert (status, active) == ("ok", "1")
    assert bytes.fromhex(key) == stream_key(world.secrets[1], world.model_id)
    assert bytes.fromhex(params) == world.params[1]
    assert words(answers[8:]) == ["active", "ok", "ok", "locked", "no-active-task", "locked"]


def test_wrong_user_key_and_wrong_device_get_the_same_answer(world: World) -> None:
    licence = world.licence(0)
    stranger = UserKey(Secret(key_bytes("stranger")))
    wrong_user = world.run(
        [unlock(world, 0, licence, stranger), "state 0", "switch 0", unlock(world, 0, licence)],
        partition=partition(world, licence),
    )
    assert words(wrong_user) == ["licence-refused", "locked", "locked", "ok"]
    assert wrong_user[2][1] == ZERO_KEY

    other = world.other_device
    wrong_device = world.run(
        [unlock(world, 0, licence), "state 0", "switch 0"],
        partition=provisioning.build(other.helper_record, [licence]),
        pattern=other.fingerprint.power_up(0.1),
    )
    assert wrong_device == wrong_user[:3]


def test_a_hundred_wrong_users_unlock_nothing(world: World) -> None:
    licence = world.licence(0)
    tries = [
        unlock(world, 0, licence, UserKey(Secret(key_bytes(f"wrong {n}")))) for n in range(100)
    ]
    answers = world.run([*tries, "state 0"], partition=partition(world, licence))
    assert words(answers) == ["licence-refused"] * 100 + ["locked"]


def test_licence_of_another_task(world: World) -> None:
    licence = world.licence(0)
    answers = world.run(
        [
            f"unlock 1 {world.user.psk(licence.licence_id).hex()}",
            "switch 1",
            "unlock 9 " + "0" * 64,
        ],
        partition=partition(world, licence),
    )
    assert words(answers) == ["no-licence", "no-licence", "unknown-task"]
    # The same licence with its task number changed, and the other task's psk for its id.
    moved = bytearray(licence.data)
    struct.pack_into("<H", moved, LICENCE_PROLOGUE.offset("task"), 1)
    answers = world.run(
        [f"add {moved.hex()}", unlock(world, 1, licence), "state 1"], partition=partition(world)
    )
    assert words(answers) == ["ok", "licence-refused", "locked"]


def test_a_licence_whose_secret_is_of_another_task_opens_no_block(world: World) -> None:
    licence = world.licence(0, secret=world.secrets[1])
    answers = world.run(
        [unlock(world, 0, licence), "switch 0", "count"], partition=partition(world, licence)
    )
    assert words(answers) == ["sealed-block", "locked", "no-active-task"]
    assert answers[1][1] == ZERO_KEY
    assert set(answers[1][2]) == {"0"}
    assert answers[1][3] == "-1"


def test_licence_of_another_model_or_a_changed_model(world: World) -> None:
    other = world.container(model_id=b"model of the eve")
    licence = world.licence(0, model_id=other.model_id, model_digest=other.digest)
    assert words(
        world.run(
            [unlock(world, 0, licence), f"add {licence.data.hex()}"],
            partition=partition(world, licence),
        )
    ) == ["licence-model", "licence-model"]

    good = world.licence(0)
    container = world.container()
    weights = CONTAINER_HEADER.unpack(container.data)["weights_offset"]
    assert isinstance(weights, int)
    for offset in (weights, len(container.data) - 1):
        answers = world.run(
            [
                f"flip {offset}",
                unlock(world, 0, good),
                f"flip {offset}",
                unlock(world, 0, good),
                f"flip {offset}",
                unlock(world, 0, good),
                "lock",
                unlock(world, 0, good),
                "switch 0",
            ],
            partition=partition(world, good),
        )
        assert words(answers[:5]) == ["ok", "licence-model", "ok", "ok", "ok"]
        assert words(answers[5:]) == ["licence-model", "ok", "licence-model", "locked"]
        assert answers[8][1] == ZERO_KEY


def test_digest_and_tag_are_taken_when_a_task_is_unlocked(world: World) -> None:
    """Decision 7: a switch trusts both."""
    licence, container = world.licence(0), world.container()
    weights = CONTAINER_HEADER.unpack(container.data)["weights_offset"]
    answers = world.run(
        [
            unlock(world, 0, licence),
            "switch 0",
            f"flip {weights}",
            "switch 0",
            unlock(world, 0, licence),
        ],
        partition=partition(world, licence),
    )
    assert words(answers) == ["ok", "ok", "ok", "ok", "licence-model"]
    assert answers[1] == answers[3]


def test_changed_sealed_block_under_a_fitting_licence(world: World) -> None:
    own = world.container().tasks[0].sealed
    for position in (0, 12, len(own) - 1):
        changed = bytearray(own)
        changed[position] ^= 0x80
        container = world.container({0: bytes(changed)})
        licence = world.licence(0, model_digest=container.digest)
        answers = world.run(
            [unlock(world, 0, licence), "switch 0"],
            container=container.data,
            partition=partition(world, licence),
        )
        assert words(answers) == ["sealed-block", "locked"]
        assert answers[1][1] == ZERO_KEY and set(answers[1][2]) == {"0"}


def test_sealed_block_of_another_task_in_its_place(world: World) -> None:
    container = world.container({1: world.container().tasks[0].sealed})
    licence = world.licence(1, secret=world.secrets[0], model_digest=container.digest)
    answers = world.run(
        [unlock(world, 1, licence), "switch 1"],
        container=container.data,
        partition=partition(world, licence),
    )
    assert words(answers) == ["sealed-block", "locked"]


def test_every_byte_of_a_licence_counts(world: World) -> None:
    licence = world.licence(1)
    psk = world.user.psk(licence.licence_id).hex()
    commands = []
    for position in range(LICENCE_BYTES):
        changed = bytearray(licence.data)
        changed[position] ^= 0x40
        commands += [f"add {changed.hex()}", f"unlock 1 {psk}", "switch 1"]
    answers = words(world.run(commands, partition=partition(world)))
    of_model = range(
        LICENCE_PROLOGUE.offset("model_id"), LICENCE_PROLOGUE.offset("model_digest") + 32
    )
    of_form = {
        *(LICENCE_PROLOGUE.offset(name) + i for name in ("magic",) for i in range(4)),
        *(
            LICENCE_PROLOGUE.offset(name) + i
            for name in ("version", "flags", "task")
            for i in range(2)
        ),
    }
    for position in range(LICENCE_BYTES):
        added, unlocked, switched = answers[3 * position : 3 * position + 3]
        expected = "licence-model" if position in of_model else "ok"
        expected = "licence-format" if position in of_form else expected
        assert added == expected, position
        # If a licence is not taken, the one before it stays, and that was changed too.
        assert unlocked in ("licence-refused", "no-licence"), position
        assert switched in ("locked", "no-licence"), position
        if added == "ok":
            assert (unlocked, switched) == ("licence-refused", "locked"), position


def test_forged_provider(world: World) -> None:
    forged = world.licence(0, provider=ProviderKey(X25519PrivateKey.generate()))
    assert words(world.run([unlock(world, 0, forged)], partition=partition(world, forged))) == [
        "licence-refused"
    ]


def test_a_replacing_licence_locks_only_its_task(world: World) -> None:
    first, second, new = world.licence(0), world.licence(1), world.licence(0, sequence=3)
    answers = world.run(
        [
            unlock(world, 0, first),
            unlock(world, 1, second),
            "switch 0",
            f"add {new.data.hex()}",
            "state 0",
            "state 1",
            "count",
            unlock(world, 0, first),
            unlock(world, 0, new),
            "switch 0",
        ],
        partition=partition(world, first, second),
    )
    assert words(answers) == [
        "ok", "ok", "ok", "ok", "locked", "unlocked", "no-active-task", "licence-refused", "ok",
        "ok",
    ]  # fmt: skip
    assert answers[3][1] == "0"  # the slot of the one that it replaced


def test_a_failed_unlock_leaves_the_active_task_alone(world: World) -> None:
    licence = world.licence(0)
    answers = world.run(
        [unlock(world, 0, licence), "switch 0", "unlock 0 " + "0" * 64, "count", "state 0"],
        partition=partition(world, licence),
    )
    assert words(answers) == ["ok", "ok", "licence-refused", "ok", "active"]


def test_a_failed_switch_leaves_no_task_active(world: World) -> None:
    licence = world.licence(0)
    answers = world.run(
        [unlock(world, 0, licence), "switch 0", "switch 1", "count", "state 0"],
        partition=partition(world, licence, world.licence(1)),
    )
    assert words(answers) == ["ok", "ok", "locked", "no-active-task", "unlocked"]


def test_all_tasks_at_once(world: World) -> None:
    licences = [world.licence(number) for number in range(len(TASKS))]
    commands = [unlock(world, number, licence) for number, licence in enumerate(licences)]
    answers = world.run(
        [*commands, *(f"switch {number}" for number in range(len(TASKS)))],
        partition=partition(world, *licences),
    )
    assert words(answers) == ["ok"] * 2 * len(TASKS)
    for number, answer in enumerate(answers[len(TASKS) :]):
        assert bytes.fromhex(answer[1]) == stream_key(world.secrets[number], world.model_id)
        assert bytes.fromhex(answer[2]) == world.params[number]
