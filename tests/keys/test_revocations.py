"""Revoking and transferring licences: what the registry keeps, lists and detects."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from registry_tools import DEVICE, PROVIDER, RECORD, a_licence, unlocked

from rbnn.keys import licence
from rbnn.keys.errors import RegistryError
from rbnn.keys.licence import Licence
from rbnn.keys.queries import LicenceFilter
from rbnn.keys.registry import Registry
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import UserKey

OTHER = X25519PrivateKey.generate().public_key().public_bytes_raw()
ANN, BOB = UserKey(Secret(b"\x07" * 32)), UserKey(Secret(b"\x08" * 32))
SIGN = b"\x09" * 32


def issue(registry: Registry, user: UserKey = ANN, task: str = "digits") -> Licence:
    with registry.issuing(DEVICE) as desk:
        one = a_licence(user, desk.next_sequence())
        desk.add(one, task, user)
    return one


def successor(sequence: int, task: int = 0) -> Licence:
    return licence.issue(PROVIDER, OTHER, BOB, b"i" * 16, b"d" * 32, task, b"s" * 32, sequence)


@pytest.fixture
def registry(place: str) -> Iterator[Registry]:
    with Registry.open(place) as opened:
        opened.add_device(DEVICE, SIGN, "qemu", RECORD, "kitchen")
        opened.add_device(OTHER, SIGN, "qemu", RECORD)
        yield opened


def test_a_revoked_licence_is_known_listed_and_in_the_log(registry: Registry) -> None:
    lost, kept = issue(registry), issue(registry)
    revoked = registry.revoke(lost.licence_id, "stolen from the depot")
    assert (revoked.number, revoked.reason) == (1, "stolen from the depot")
    assert registry.is_revoked(lost.licence_id) and not registry.is_revoked(kept.licence_id)
    assert [one.licence_id for one in registry.revocations(DEVICE)] == [lost.licence_id.hex()]
    assert registry.revocations(OTHER) == []
    listed = registry.licences(DEVICE)
    assert [one.revocation and one.revocation.reason for one in listed] == [revoked.reason, None]
    shown = registry.find_licence(lost.licence_id.hex()[:12].upper())
    assert shown.revocation is not None and shown.revocation.revoked_at == revoked.revoked_at
    assert registry.audit(last=1)[0].event == "revoke"
    assert registry.verify_chain()[0] == 5


def test_revoking_twice_keeps_the_first_reason(registry: Registry) -> None:
    one = issue(registry)
    for reason in ("lost", "found again"):
        assert registry.revoke(one.licence_id, reason).reason == "lost"
    assert len(registry.revocations()) == 1


def test_refused_revocations_change_nothing(registry: Registry) -> None:
    one = issue(registry)
    count, _ = registry.verify_chain()
    for number, reason, said in (
        (bytes(16), "lost", "has no licence"),
        (one.licence_id, "", "1 to 200 characters"),
        (one.licence_id, "x" * 201, "1 to 200 characters"),
    ):
        with pytest.raises(RegistryError, match=said):
            registry.revoke(number, reason)
    assert registry.verify_chain()[0] == count and not registry.is_revoked(one.licence_id)


def test_a_transfer_closes_one_licence_and_issues_another(registry: Registry) -> None:
    old = issue(registry)
    with registry.transferring(old.licence_id, OTHER, b"signed by the old device") as desk:
        new = successor(desk.next_sequence())
        desk.add(new, "digits", BOB)
    (closed,) = registry.revocations(DEVICE)
    assert closed.successor == new.licence_id.hex()
    assert closed.receipt == b"signed by the old device"
    assert registry.is_revoked(old.licence_id) and not registry.is_revoked(new.licence_id)
    assert [entry.event for entry in registry.audit(last=2)] == ["issue", "transfer"]
    with (
        pytest.raises(RegistryError, match="was closed at"),
        registry.transferring(old.licence_id, OTHER, b"the same receipt"),
    ):
        pytest.fail("a licence was transferred twice")
    registry.verify_chain()


def test_a_transfer_that_fails_leaves_the_old_licence(registry: Registry) -> None:
    old = issue(registry)
    count, _ = registry.verify_chain()
    for add in ([], [1], [0, 0]):  # task numbers; the old licence is for task 0
        with (
            pytest.raises(RegistryError, match="one licence of the same model and task"),
            registry.transferring(old.licence_id, OTHER, b"receipt") as desk,
        ):
            for task in add:
                desk.add(successor(desk.next_sequence(), task), "digits", BOB)
    with pytest.raises(OSError), registry.transferring(old.licence_id, OTHER, b"receipt") as desk:
        desk.add(successor(desk.next_sequence()), "digits", BOB)
        raise OSError
    assert registry.licences(OTHER) == [] and not registry.is_revoked(old.licence_id)
    assert registry.verify_chain()[0] == count


def test_the_key_of_receipts_never_changes(registry: Registry) -> None:
    assert registry.device(DEVICE).sign_pin == SIGN.hex()
    assert registry.pin(DEVICE, SIGN).sign_pin == SIGN.hex()
    for attempt in (
        lambda: registry.pin(DEVICE, bytes(32)),
        lambda: registry.add_device(DEVICE, bytes(32), "qemu", RECORD),
    ):
        with pytest.raises(RegistryError, match="signs with another key"):
            attempt()
    assert registry.verify_chain()[0] == 2


def test_licences_are_filtered(registry: Registry) -> None:
    lost, _, words = issue(registry), issue(registry, BOB), issue(registry, BOB, "words")
    registry.revoke(lost.licence_id, "lost")

    def found(**wanted: object) -> list[int]:
        chosen = LicenceFilter(**wanted)  # type: ignore[arg-type]
        return [one.sequence for one in registry.licences(None, chosen)]

    assert found() == [1, 2, 3]
    assert found(user=registry.user(BOB)) == found(user=registry.user(BOB)[:6].upper()) == [2, 3]
    assert found(task="words") == [3] and found(user="zz") == []
    assert (found(is_revoked=True), found(is_revoked=False)) == ([1], [2, 3])
    assert found(device=DEVICE.hex(), model=words.model_id.hex()) == [1, 2, 3]
    assert found(device=OTHER.hex()) == found(model="00" * 16) == []


def test_a_licence_is_found_by_its_first_digits(registry: Registry) -> None:
    one, other = issue(registry), issue(registry)
    assert registry.find_licence(one.licence_id.hex()[:20]).sequence == 1
    for start in ("", "zz", "0" * 32, other.licence_id.hex() + "0"):
        with pytest.raises(RegistryError, match="rbnn license list"):
            registry.find_licence(start)


def test_all_licences_of_a_task_are_revoked_with_the_notice_that_says_so(
    registry: Registry,
) -> None:
    first, second, other = issue(registry), issue(registry), issue(registry)
    registry.revoke(first.licence_id, "lost")
    with registry.issuing(DEVICE) as desk:
        assert desk.revoke_task(bytes(16), 0, "another model") == 4
        assert desk.revoke_task(first.model_id, 9, "another task") == 4
    assert len(registry.revocations()) == 1
    with pytest.raises(OSError), registry.issuing(DEVICE) as desk:
        desk.revoke_task(first.model_id, first.task_number, "no notice was written")
        raise OSError
    assert len(registry.revocations()) == 1
    with registry.issuing(DEVICE) as desk:
        assert desk.revoke_task(first.model_id, first.task_number, "not paid") == 4
        desk.note("notice", {"accepts_from": 4})
    reasons = {one.licence_id: one.reason for one in registry.revocations(DEVICE)}
    assert list(reasons.values()) == ["lost", "not paid", "not paid"]
    assert set(reasons) == {one.licence_id.hex() for one in (first, second, other)}
    assert not registry.is_revoked(issue(registry).licence_id)
    assert registry.audit(last=2)[0].event == "notice"
    registry.verify_chain()


ATTACKS = {
    "take back": "DELETE FROM revocations",
    "change": "UPDATE revocations SET reason = 'none'",
    "add": "INSERT INTO revocations (licence_id, number, revoked_at, reason) "
    "SELECT licence_id, 9, 'now', 'slipped in' FROM licences WHERE sequence = 2",
    "name": "UPDATE devices SET name = 'another'",
    "pin": "UPDATE devices SET sign_pin = 'f00'",
    "hide": "UPDATE audit SET about = '' WHERE event = 'revoke'",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_every_manipulation_is_found(tmp_path: Path, attack: str) -> None:
    path = tmp_path / "registry.sqlite"
    with Registry.open(path) as registry:
        registry.add_device(DEVICE, SIGN, "qemu", RECORD, "kitchen")
        lost, _ = issue(registry), issue(registry)
        registry.revoke(lost.licence_id, "lost")
    refusing = sqlite3.connect(path)
    if "revocations" in ATTACKS[attack] and attack != "add":
        with pytest.raises(sqlite3.Error, match="only grows"):
            refusing.execute(ATTACKS[attack])
    refusing.close()
    connection = unlocked(path)
    connection.execute(ATTACKS[attack])
    connection.commit()
    connection.close()
    with Registry.open(path) as registry:
        with pytest.raises(RegistryError, match=r"behind the audit|tampered with"):
            registry.verify_chain()
        if attack == "take back":
            with pytest.raises(RegistryError, match="removed behind the audit"):
                registry.is_revoked(lost.licence_id)
