"""A registry of an earlier version becomes one of this version, in place."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from postgres_server import PostgresServer
from registry_tools import DEVICE, RECORD, a_licence, unkeyed, unlocked
from sqlalchemy import MetaData, create_engine, insert, select, text

from rbnn.errors import ExitCode
from rbnn.keys import migrations
from rbnn.keys.chain import GENESIS
from rbnn.keys.errors import RegistryError
from rbnn.keys.migrations import MIGRATION, VERSION_TABLE, Migration
from rbnn.keys.records import Base
from rbnn.keys.registry import Registry
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import UserKey


@pytest.fixture
def user() -> UserKey:
    return UserKey(Secret(bytes(range(32))))


FIRST_TABLES = """
CREATE TABLE devices (public VARCHAR(64) NOT NULL PRIMARY KEY, sign_public VARCHAR(64) NOT NULL,
    board VARCHAR(64) NOT NULL, helper_record BLOB NOT NULL, enrolled_at VARCHAR(32) NOT NULL);
CREATE TABLE licences (licence_id VARCHAR(32) NOT NULL PRIMARY KEY, device VARCHAR(64) NOT NULL,
    sequence INTEGER NOT NULL, model_id VARCHAR(32) NOT NULL, model_digest VARCHAR(64) NOT NULL,
    task_number INTEGER NOT NULL, task_name VARCHAR(64) NOT NULL,
    user_fingerprint VARCHAR(16) NOT NULL, inference_limit INTEGER NOT NULL, data BLOB NOT NULL,
    issued_at VARCHAR(32) NOT NULL, UNIQUE (device, sequence),
    FOREIGN KEY(device) REFERENCES devices (public));
CREATE TABLE audit (number INTEGER NOT NULL PRIMARY KEY, time VARCHAR(32) NOT NULL,
    event VARCHAR(32) NOT NULL, subject VARCHAR NOT NULL, previous VARCHAR(64) NOT NULL,
    hash VARCHAR(64) NOT NULL);
"""


def first_version(path: Path, user: UserKey) -> str:
    """A registry as the first version wrote it: one device, one licence; returns its last hash."""
    connection = sqlite3.connect(path)
    connection.executescript(FIRST_TABLES)
    one, device = a_licence(user, 1), DEVICE.hex()
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
        assert registry.verify_chain(noted=head)[0] == 7
        assert [entry.event for entry in registry.audit()][2] == "migrate"
        assert [one.user for one in registry.licences()] == [registry.user(user)]
        with registry.issuing(DEVICE) as desk:
            assert desk.next_sequence() == 2
    assert user.fingerprint.encode() not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    with Registry.open(path) as registry:
        assert registry.verify_chain()[0] == 7
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


SECOND = Path(__file__).with_name("registry_version_2.sql").read_text()
SECOND_KEY = re.findall("key ([0-9a-f]{64})", SECOND)[0]


def second_version(folder: Path) -> tuple[Path, list[tuple[object, ...]]]:
    """A registry as version 2 wrote it, with its key; returns its file and its log."""
    path = folder / "registry.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(SECOND)
    key = folder / "keys" / "registry.sqlite.key"
    key.parent.mkdir()
    key.write_text(SECOND_KEY + "\n")
    key.chmod(0o600)
    return path, log_of(path)


def log_of(path: Path) -> list[tuple[object, ...]]:
    query = "SELECT number, time, event, subject, previous, hash FROM audit ORDER BY number"
    return sqlite3.connect(path).execute(query).fetchall()


def test_a_registry_of_version_2_keeps_its_log_and_gets_the_new_tables(tmp_path: Path) -> None:
    path, before = second_version(tmp_path)
    head = str(before[-1][-1])
    with Registry.open(path, create=False) as registry:
        assert registry.verify_chain(noted=head)[0] == len(before) + 2
        (device,) = registry.devices()
        assert (device.name, device.sign_pin) == (None, None)
        public = bytes.fromhex(device.public)
        first, second = registry.licences(public)
        with registry.issuing(public) as desk:
            assert desk.next_sequence() == 3
        registry.revoke(bytes.fromhex(first.licence_id), "lost")
        assert not registry.is_revoked(bytes.fromhex(second.licence_id))
        with (
            pytest.raises(RegistryError, match="before the keys of receipts were pinned"),
            registry.transferring(bytes.fromhex(second.licence_id), public, b"receipt"),
        ):
            pass
        with pytest.raises(RegistryError, match="signs with another key"):
            registry.pin(public, b"\1" * 32)
        assert registry.pin(public, bytes(range(32))).sign_pin == bytes(range(32)).hex()
        assert [entry.event for entry in registry.audit(last=3)] == ["migrate", "revoke", "pin"]
        registry.verify_chain()
    assert log_of(path)[: len(before)] == before
    with pytest.raises(sqlite3.Error, match="only grows"):
        sqlite3.connect(path).execute("DELETE FROM audit")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET time = '2027' WHERE number = 2",
        "UPDATE licences SET inference_limit = 99",
        "DELETE FROM licences WHERE sequence = 2",
        "UPDATE devices SET helper_record = x'00'",
    ],
)
def test_a_version_2_that_was_tampered_with_stays_as_it_is(tmp_path: Path, statement: str) -> None:
    path, _ = second_version(tmp_path)
    connection = unlocked(path)
    connection.execute(statement)
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(RegistryError, match=r"tampered with|behind the audit") as found:
        Registry.open(path)
    assert found.value.exit_code is ExitCode.CHECK_FAILED
    assert path.read_bytes() == before


def test_a_version_2_without_its_key_is_not_migrated(tmp_path: Path) -> None:
    path, before = second_version(tmp_path)
    (tmp_path / "keys" / "registry.sqlite.key").unlink()
    with pytest.raises(RegistryError, match="is missing"):
        Registry.open(path)
    assert log_of(path) == before and not (tmp_path / "keys" / "registry.sqlite.key").exists()


def test_a_newer_registry_cannot_be_made_to_look_like_version_2(tmp_path: Path) -> None:
    path, _ = second_version(tmp_path)
    with Registry.open(path) as registry:
        first = registry.licences()[0]
        registry.revoke(bytes.fromhex(first.licence_id), "lost")
    connection = unlocked(path)
    for statement in (
        f"DROP TABLE {VERSION_TABLE}",
        "DROP TABLE revocations",
        "DROP INDEX ix_devices_name",
        "DROP INDEX ix_licences_user_fingerprint",
        "DROP INDEX ix_audit_about",
        "ALTER TABLE devices DROP COLUMN name",
        "ALTER TABLE devices DROP COLUMN sign_pin",
        "ALTER TABLE audit DROP COLUMN about",
        "ALTER TABLE licences DROP COLUMN provider",
        "UPDATE meta SET value = '2' WHERE name = 'version'",
    ):
        connection.execute(statement)
    connection.commit()
    connection.close()
    with pytest.raises(RegistryError, match="was removed behind the audit"):
        Registry.open(path)


@pytest.mark.parametrize("version", ["0005", "5", "x"])
def test_a_later_version_is_refused(tmp_path: Path, version: str) -> None:
    path = tmp_path / "registry.sqlite"
    Registry.open(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '{version}'")
    connection.commit()
    with pytest.raises(RegistryError, match="this version of rbnn reads 4"):
        Registry.open(path)


def test_the_migrations_make_the_tables_that_the_code_uses(place: str) -> None:
    with Registry.open(place) as registry, registry._engine.connect() as connection:
        options = {"version_table": VERSION_TABLE}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []


def test_a_folder_of_any_name_migrates(tmp_path: Path) -> None:
    odd = tmp_path / "100% of %(here)s"
    odd.mkdir()
    path, before = second_version(odd)
    with Registry.open(path) as registry:
        assert registry.verify_chain()[0] == len(before) + 2


def test_version_2_on_postgresql_is_migrated_too(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, before = second_version(tmp_path)
    key = tmp_path / "keys" / "registry.sqlite.key"
    monkeypatch.setenv("RBNN_REGISTRY_KEY", str(key))
    place = postgres.database()
    engine = create_engine(place)
    with engine.begin() as connection:
        migration = Migration(connection, place, key, is_new=True)
        config = Config(attributes={MIGRATION: migration})
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        command.upgrade(config, "0002")
        connection.execute(text(f"DROP TABLE {VERSION_TABLE}"))  # version 2 was made without it
        connection.execute(text("DELETE FROM meta"))
        tables = MetaData()
        tables.reflect(connection)
        with create_engine(f"sqlite:///{path}").connect() as old:
            for name in ("meta", "devices", "licences", "audit"):
                table = tables.tables[name]
                rows = [dict(row) for row in old.execute(select(table)).mappings()]
                connection.execute(insert(table), rows)
    engine.dispose()
    with Registry.open(place, create=False) as registry:
        assert registry.verify_chain(noted=str(before[-1][-1]))[0] == len(before) + 2
        first, _ = registry.licences()
        registry.revoke(bytes.fromhex(first.licence_id), "lost")
        assert registry.is_revoked(bytes.fromhex(first.licence_id))
        assert [entry.event for entry in registry.audit(last=2)] == ["migrate", "revoke"]
