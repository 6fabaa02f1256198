"""A registry of the first version, which had no key, becomes one of this version."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path

import pytest
from registry_tools import DEVICE, RECORD, a_licence, unkeyed, unlocked

from rbnn.keys.chain import GENESIS
from rbnn.keys.errors import RegistryError
from rbnn.keys.records import Base
from rbnn.keys.registry import Registry
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import UserKey


@pytest.fixture
def user() -> UserKey:
    return UserKey(Secret(bytes(range(32))))


def first_version(path: Path, user: UserKey) -> str:
    """A registry as the first version wrote it: one device, one licence; returns its last hash."""
    from sqlalchemy import create_engine

    engine = create_engine(f"sqlite:///{path}")
    tables = [table for name, table in Base.metadata.tables.items() if name != "meta"]
    Base.metadata.create_all(engine, tables=tables)
    engine.dispose()
    one, device = a_licence(user, 1), DEVICE.hex()
    connection = sqlite3.connect(path)
    for name, statement in (("changes", "UPDATE"), ("removals", "DELETE")):
        connection.execute(
            f"CREATE TRIGGER audit_keep_{name} BEFORE {statement} ON audit "
            "BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END"
        )
    connection.execute(
        "INSERT INTO devices VALUES (?, ?, ?, ?, ?)", (device, "00", "qemu", RECORD, "2026")
    )
    ids = (one.model_id.hex(), one.model_digest.hex())
    row = (one.licence_id.hex(), device, 1, *ids, 0, "digits", user.fingerprint, 0, one.data)
    connection.execute(f"INSERT INTO licences VALUES ({'?, ' * 10}'2026')", row)
    previous = GENESIS
    helper = hashlib.blake2b(RECORD, digest_size=32).hexdigest()
    subjects = [
        ("enroll", {"device": device, "board": "qemu", "helper": helper}),
        (
            "issue",
            {
                "device": device,
                "licence": row[0],
                "model": ids[0],
                "sequence": 1,
                "task": "digits",
                "user": row[7],
            },
        ),
    ]
    for number, (event, subject) in enumerate(subjects, 1):
        entry = (number, "2026", event, json.dumps(subject, sort_keys=True), previous)
        previous = unkeyed(*entry)
        connection.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?)", (*entry, previous))
    connection.commit()
    connection.close()
    return previous


def test_a_registry_of_the_first_version_is_migrated(tmp_path: Path, user: UserKey) -> None:
    path = tmp_path / "registry.sqlite"
    head = first_version(path, user)
    assert user.fingerprint.encode() in path.read_bytes()
    with Registry.open(path, create=False) as registry:
        assert registry.verify_chain(noted=head)[0] == 5
        assert [entry.event for entry in registry.audit()][2] == "migrate"
        assert [one.user for one in registry.licences()] == [registry.user(user)]
        with registry.issuing(DEVICE) as desk:
            assert desk.next_sequence() == 2
    assert user.fingerprint.encode() not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    with Registry.open(path) as registry:
        assert registry.verify_chain()[0] == 5
    with pytest.raises(sqlite3.Error, match="only grows"):
        sqlite3.connect(path).execute("DELETE FROM audit")


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE audit SET time = '2027' WHERE number = 2", "tampered with at entry 2"),
        ("UPDATE licences SET inference_limit = 99", "not as the audit log has it"),
        ("UPDATE licences SET task_name = 'words'", "not as the audit log has it"),
        ("UPDATE licences SET data = x'00'", "not as the audit log has it"),
        ("DELETE FROM audit WHERE number = 2", "not as the audit log has it"),
        ("DELETE FROM licences", "not as the audit log has it"),
        ("UPDATE devices SET helper_record = x'00'", "not as the audit log has it"),
    ],
)
def test_a_first_version_that_was_tampered_with_is_not_adopted(
    tmp_path: Path, user: UserKey, statement: str, said: str
) -> None:
    path = tmp_path / "registry.sqlite"
    first_version(path, user)
    connection = unlocked(path)
    connection.execute(statement)
    connection.commit()
    before = path.read_bytes()
    with pytest.raises(RegistryError, match=said):
        Registry.open(path)
    assert path.read_bytes() == before and not (tmp_path / "keys").exists()
