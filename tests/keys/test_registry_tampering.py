"""What somebody does who can read or write the registry's database, but has not its key."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from registry_tools import DEVICE, RECORD, a_licence, unkeyed, unlocked

from rbnn.errors import ExitCode
from rbnn.keys.chain import GENESIS
from rbnn.keys.errors import RegistryError
from rbnn.keys.registry import Registry
from rbnn.keys.user_key import UserKey, derive_user_key


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


LOG = "number, time, event, subject, about, previous, hash"


def rechain(connection: sqlite3.Connection) -> None:
    """Number and chain all entries again, with the hash that needs no key."""
    rows = connection.execute(
        "SELECT time, event, subject, about FROM audit ORDER BY number"
    ).fetchall()
    connection.execute("DELETE FROM audit")
    previous = GENESIS
    for number, row in enumerate(rows, 1):
        link = unkeyed(number, *row[:3], previous)
        connection.execute(
            f"INSERT INTO audit ({LOG}) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (number, *row, previous, link),
        )
        previous = link


def remove_an_entry(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM audit WHERE number = 3")
    rechain(connection)


def forge_an_entry(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE audit SET subject = '{}' WHERE number = 4")
    rechain(connection)


def replace_an_entry(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT OR REPLACE INTO audit SELECT 2, time, 'x', subject, previous, hash, "
                       "about FROM audit WHERE number = 2")  # fmt: skip


def raise_a_limit(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE licences SET inference_limit = 5 WHERE sequence = 2")


def swap_the_bytes(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE licences SET data = x'00' WHERE sequence = 2")


def remove_a_licence(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM licences WHERE sequence = 3")


def add_a_licence(connection: sqlite3.Connection) -> None:
    connection.execute(
        "INSERT INTO licences SELECT 'f00', device, 9, model_id, model_digest, task_number, "
        "task_name, user_fingerprint, inference_limit, data, issued_at, provider "
        "FROM licences LIMIT 1"
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
    "slip_in",
    [
        "UPDATE devices SET sign_public = 'f00'",
        "UPDATE devices SET helper_record = x'00'",
        "UPDATE audit SET subject = replace(subject, 'qemu', 'mars') WHERE number = 1",
        "DELETE FROM audit WHERE number = 1",
    ],
)
def test_no_licence_for_a_device_that_was_slipped_in(path: Path, slip_in: str) -> None:
    connection = unlocked(path)
    connection.execute(slip_in)
    connection.commit()
    connection.close()
    with Registry.open(path) as registry:
        with pytest.raises(RegistryError, match="behind the audit"), registry.issuing(DEVICE):
            pytest.fail("a licence could be issued")
        assert len(registry.licences()) == 3


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT OR REPLACE INTO audit SELECT 2, time, 'x', subject, previous, hash, about "
        "FROM audit WHERE number = 2",
        "REPLACE INTO audit (rowid, time, event, subject, previous, hash, about) "
        "VALUES (1, '', '', '', '', '', '')",
        "INSERT INTO audit SELECT number + 9, time, event, subject, previous, hash, about "
        "FROM audit WHERE number = 2",
        "INSERT OR REPLACE INTO licences SELECT licence_id, device, sequence, model_id, "
        "model_digest, task_number, task_name, user_fingerprint, 9, data, issued_at, "
        "provider FROM licences",
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


def test_registry_key_and_journals_are_private(tmp_path: Path, user: UserKey) -> None:
    before = os.umask(0o022)
    try:
        with Registry.open(tmp_path / "registry.sqlite") as registry:
            registry.add_device(DEVICE, bytes(32), "qemu", RECORD)
            with registry.issuing(DEVICE) as desk:
                desk.add(a_licence(user, 1), "digits", user)
                journal = tmp_path / "registry.sqlite-wal"
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


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (["DROP TABLE meta"], "does not say which key it has"),
        (["DELETE FROM meta WHERE name = 'key'"], "does not say which key it has"),
        (
            ["DROP TABLE meta", "DROP TABLE registry_version"],
            "by an earlier version, but has a key",
        ),
        (["DELETE FROM registry_version"], "has version missing"),
    ],
)
def test_a_log_cannot_be_made_to_look_like_an_earlier_version(
    path: Path, statements: list[str], said: str
) -> None:
    connection = unlocked(path)
    for statement in statements:
        connection.execute(statement)
    remove_an_entry(connection)
    connection.commit()
    connection.close()
    with pytest.raises(RegistryError, match=said):
        Registry.open(path)
