"""What somebody does who can read or write the registry's database, but has not its key."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from rbnn.errors import ExitCode
from rbnn.keys import licence
from rbnn.keys.chain import GENESIS
from rbnn.keys.errors import RegistryError
from rbnn.keys.provider_key import ProviderKey
from rbnn.keys.records import Base
from rbnn.keys.registry import Registry
from rbnn.keys.user_key import UserKey, derive_user_key
from rbnn.spec.layout import HELPER_RECORD_BYTES

PROVIDER = ProviderKey(X25519PrivateKey.generate())
DEVICE = X25519PrivateKey.generate().public_key().public_bytes_raw()
RECORD = bytes(HELPER_RECORD_BYTES)


@pytest.fixture(scope="module")
def user() -> UserKey:
    return derive_user_key("correct horse battery", "ann")


@pytest.fixture
def path(tmp_path: Path, user: UserKey) -> Path:
    """A registry with a device and three licences."""
    place = tmp_path / "registry.sqlite"
    with Registry.open(place) as registry:
        registry.add_device(DEVICE, bytes(32), "qemu", RECORD)
        for _ in range(3):
            with registry.issuing(DEVICE) as desk:
                number = desk.next_sequence()
                desk.add(a_licence(user, number), "digits", user)
    return place


def a_licence(user: UserKey, number: int) -> licence.Licence:
    return licence.issue(PROVIDER, DEVICE, user, b"i" * 16, b"d" * 32, 0, b"s" * 32, number)


def unlocked(path: Path) -> sqlite3.Connection:
    """The database without its triggers, as an attacker opens it."""
    connection = sqlite3.connect(path)
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
        connection.execute(f"DROP TRIGGER {name}")
    return connection


def unkeyed(number: int, time: str, event: str, subject: str, previous: str) -> str:
    listed = json.dumps([number, time, event, subject, previous])
    return hashlib.blake2b(listed.encode(), digest_size=32).hexdigest()


def rechain(connection: sqlite3.Connection) -> None:
    """Number and chain all entries again, with the hash that needs no key."""
    rows = connection.execute("SELECT time, event, subject FROM audit ORDER BY number").fetchall()
    connection.execute("DELETE FROM audit")
    previous = GENESIS
    for number, row in enumerate(rows, 1):
        link = unkeyed(number, *row, previous)
        connection.execute(
            "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?)", (number, *row, previous, link)
        )
        previous = link


def remove_an_entry(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM audit WHERE number = 3")
    rechain(connection)


def forge_an_entry(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE audit SET subject = '{}' WHERE number = 4")
    rechain(connection)


def replace_an_entry(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT OR REPLACE INTO audit SELECT 2, time, 'x', subject, previous, hash "
                       "FROM audit WHERE number = 2")  # fmt: skip


def raise_a_limit(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE licences SET inference_limit = 5 WHERE sequence = 2")


def swap_the_bytes(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE licences SET data = x'00' WHERE sequence = 2")


def remove_a_licence(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM licences WHERE sequence = 3")


def add_a_licence(connection: sqlite3.Connection) -> None:
    connection.execute(
        "INSERT INTO licences SELECT 'f00', device, 9, model_id, model_digest, task_number, "
        "task_name, user_fingerprint, inference_limit, data, issued_at FROM licences LIMIT 1"
    )


def swap_a_helper_record(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE devices SET helper_record = x'00'")


def swap_a_signing_key(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE devices SET sign_public = 'f00'")


@pytest.mark.parametrize(
    "attack",
    [
        remove_an_entry,
        forge_an_entry,
        replace_an_entry,
        raise_a_limit,
        swap_the_bytes,
        remove_a_licence,
        add_a_licence,
        swap_a_helper_record,
        swap_a_signing_key,
    ],
)
def test_every_manipulation_is_found(
    path: Path, attack: Callable[[sqlite3.Connection], None]
) -> None:
    connection = unlocked(path)
    attack(connection)
    connection.commit()
    connection.close()
    with Registry.open(path, create=False) as registry:
        with pytest.raises(
            RegistryError, match=r"tampered with at entry|behind the audit"
        ) as found:
            registry.verify_chain()
        assert found.value.exit_code is ExitCode.CHECK_FAILED


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT OR REPLACE INTO audit SELECT 2, time, 'x', subject, previous, hash FROM audit "
        "WHERE number = 2",
        "REPLACE INTO audit (rowid, time, event, subject, previous, hash) "
        "VALUES (1, '', '', '', '', '')",
        "INSERT INTO audit SELECT number + 9, time, event, subject, previous, hash FROM audit "
        "WHERE number = 2",
        "INSERT OR REPLACE INTO licences SELECT licence_id, device, sequence, model_id, "
        "model_digest, task_number, task_name, user_fingerprint, 9, data, issued_at FROM licences",
        "UPDATE licences SET inference_limit = 9",
        "DELETE FROM licences",
    ],
)
def test_the_database_refuses_replacements_by_other_programs(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.Error, match="only grows"):
        connection.execute(statement)
    connection.close()


def test_a_cut_end_shows_against_a_noted_hash(path: Path) -> None:
    with Registry.open(path) as registry:
        noted = registry.verify_chain()[1]
    connection = unlocked(path)
    connection.execute("DELETE FROM audit WHERE number = 4")
    connection.execute("DELETE FROM licences WHERE sequence = 3")
    connection.commit()
    connection.close()
    with Registry.open(path) as registry:
        assert registry.verify_chain()[0] == 3
        with pytest.raises(RegistryError, match="its end was cut off"):
            registry.verify_chain(noted)


def test_no_file_tells_whether_a_guessed_passphrase_is_right(path: Path, user: UserKey) -> None:
    assert user.fingerprint == derive_user_key("correct horse battery", "ann").fingerprint
    with Registry.open(path) as registry:
        names = {one.user for one in registry.licences()}
        assert names == {registry.user(user)} and user.fingerprint not in names
    for file in path.parent.rglob("*"):
        assert file.is_dir() or user.fingerprint.encode() not in file.read_bytes()


def test_registry_key_and_journals_are_private(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with Registry.open(tmp_path / "registry.sqlite") as registry:
            registry.add_device(DEVICE, bytes(32), "qemu", RECORD)
            with registry.issuing(DEVICE) as desk:
                desk._session.flush()
                journal = tmp_path / "registry.sqlite-journal"
                made = [file for file in tmp_path.rglob("*") if file.is_file()]
                assert {file.stat().st_mode & 0o777 for file in made} == {0o600}
                assert journal in made and tmp_path / "keys" / "registry.sqlite.key" in made
    finally:
        os.umask(before)
    (tmp_path / "registry.sqlite").chmod(0o644)
    Registry.open(tmp_path / "registry.sqlite", create=False).close()
    assert (tmp_path / "registry.sqlite").stat().st_mode & 0o777 == 0o600


def test_a_registry_without_its_key_is_refused(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = path.parent / "keys" / "registry.sqlite.key"
    elsewhere = tmp_path / "elsewhere.key"
    kept.rename(elsewhere)
    with pytest.raises(RegistryError, match="is missing"):
        Registry.open(path)
    assert not kept.exists()
    kept.write_text("11" * 32 + "\n")
    kept.chmod(0o600)
    with pytest.raises(RegistryError, match="is not the key of"):
        Registry.open(path)
    monkeypatch.setenv("RBNN_REGISTRY_KEY", str(elsewhere))
    with Registry.open(path) as registry:
        assert registry.verify_chain()[0] == 4


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


def test_a_log_cannot_be_made_to_look_like_an_earlier_version(path: Path) -> None:
    connection = unlocked(path)
    connection.execute("DROP TABLE meta")
    remove_an_entry(connection)
    connection.commit()
    connection.close()
    with pytest.raises(RegistryError, match="by an earlier version, but has a key"):
        Registry.open(path)
