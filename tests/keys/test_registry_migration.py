"""A registry of the first version, which had no key, becomes one of this version."""

from __future__ import annotations

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
    row = (one.licence_id.hex(), device, 1, "i", "d", 0, "digits", user.fingerprint, 0, one.data)
    connection.execute(f"INSERT INTO licences VALUES ({'?, ' * 10}'2026')", row)
    previous = GENESIS
    subjects = [
        ("enroll", {"device": device, "board": "qemu", "helper": "00"}),
        ("issue", {"device": device, "licence": row[0], "task": "digits", "user": row[7]}),
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


def test_a_first_version_that_was_tampered_with_is_not_adopted(
    tmp_path: Path, user: UserKey
) -> None:
    path = tmp_path / "registry.sqlite"
    first_version(path, user)
    connection = unlocked(path)
    connection.execute("UPDATE audit SET time = '2027' WHERE number = 2")
    connection.commit()
    with pytest.raises(RegistryError, match="tampered with at entry 2"):
        Registry.open(path)
    assert not (tmp_path / "keys").exists()
