"""The registry: what it keeps, and that its log only grows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import delete, text, update
from sqlalchemy.orm import Session

from rbnn.keys import licence
from rbnn.keys.chain import GENESIS
from rbnn.keys.errors import RegistryError
from rbnn.keys.licence import Licence
from rbnn.keys.provider_key import ProviderKey
from rbnn.keys.records import AuditEntry
from rbnn.keys.registry import Registry
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import UserKey
from rbnn.spec.layout import HELPER_RECORD_BYTES

USER = UserKey(Secret(b"\x07" * 32))
PROVIDER = ProviderKey(X25519PrivateKey.generate())
FIRST, SECOND = (X25519PrivateKey.generate().public_key().public_bytes_raw() for _ in range(2))
SIGN, RECORD = bytes(32), bytes(HELPER_RECORD_BYTES)


def issue(registry: Registry, device: bytes = FIRST, sequence: int | None = None) -> Licence:
    """Issue a licence; its number is the next one unless given."""
    with registry.issuing(device) as desk:
        one = a_licence(sequence or desk.next_sequence(), device)
        desk.add(one, "digits", USER)
    return one


def a_licence(sequence: int, device: bytes = FIRST) -> Licence:
    return licence.issue(PROVIDER, device, USER, b"i" * 16, b"d" * 32, 0, b"s" * 32, sequence)


@pytest.fixture
def registry(place: str) -> Iterator[Registry]:
    with Registry.open(place) as opened:
        yield opened


def test_devices_and_licences(registry: Registry) -> None:
    registry.add_device(FIRST, SIGN, "qemu", RECORD)
    registry.add_device(SECOND, SIGN, "nucleo", RECORD)
    assert registry.device(FIRST).helper_record == RECORD
    assert {device.board for device in registry.devices()} == {"qemu", "nucleo"}
    one = issue(registry)
    with registry.issuing(SECOND) as desk:
        assert desk.next_sequence() == 1
    issue(registry)
    found = registry.licences(FIRST)
    assert [entry.sequence for entry in found] == [1, 2]
    assert licence.parse(found[0].data) == one
    assert registry.licences(SECOND) == [] and len(registry.licences()) == 2
    count, last = registry.verify_chain()
    assert count == 4 and last != GENESIS
    assert [entry.event for entry in registry.audit()] == ["enroll", "enroll", "issue", "issue"]


def test_enrolling_again_keeps_the_licences(registry: Registry) -> None:
    registry.add_device(FIRST, SIGN, "qemu", RECORD)
    issue(registry)
    registry.add_device(FIRST, SIGN, "qemu", RECORD[:-1] + b"\1")
    assert registry.device(FIRST).helper_record[-1] == 1
    assert issue(registry).sequence == 2
    assert registry.verify_chain()[0] == 4


def test_refusals_change_nothing(registry: Registry) -> None:
    assert registry.verify_chain() == (0, GENESIS)
    for attempt in (
        lambda: registry.device(FIRST),
        lambda: issue(registry),
    ):
        with pytest.raises(RegistryError, match="has no device") as caught:
            attempt()
        assert "rbnn enroll" in caught.value.fix
    registry.add_device(FIRST, SIGN, "qemu", RECORD)
    issue(registry)
    with pytest.raises(RegistryError, match="refused"):
        issue(registry, sequence=1)
    assert registry.verify_chain()[0] == 2 and len(registry.licences()) == 1


def test_find_device(registry: Registry) -> None:
    with pytest.raises(RegistryError, match="is empty"):
        registry.find_device(None)
    registry.add_device(FIRST, SIGN, "qemu", RECORD)
    assert registry.find_device(None).public == FIRST.hex()
    registry.add_device(SECOND, SIGN, "qemu", RECORD)
    assert registry.find_device(SECOND.hex()[:20].upper()).public == SECOND.hex()
    for start in (None, "zz", FIRST.hex() + "0"):
        with pytest.raises(RegistryError, match="devices of"):
            registry.find_device(start)
    with pytest.raises(RegistryError, match="name of the device is empty"):
        registry.find_device("")
    registry.add_device(FIRST, SIGN, "qemu", RECORD, "kitchen")
    assert registry.find_device("kitchen").public == FIRST.hex()
    registry.add_device(FIRST, SIGN, "qemu", RECORD)
    assert registry.find_device("kitchen").enrolled_at


def test_the_session_refuses_to_change_the_log(registry: Registry) -> None:
    registry.add_device(FIRST, SIGN, "qemu", RECORD)
    with Session(registry._engine) as session:
        entry = session.get(AuditEntry, 1)
        assert entry is not None
        entry.event = "nothing"
        with pytest.raises(RegistryError, match="only grows"):
            session.commit()
    with Session(registry._engine) as session:
        session.delete(session.get(AuditEntry, 1))
        with pytest.raises(RegistryError, match="only grows"):
            session.commit()
    for statement in (update(AuditEntry).values(event="nothing"), delete(AuditEntry)):
        with Session(registry._engine) as session, pytest.raises(RegistryError, match="only grows"):
            session.execute(statement)


def test_the_database_refuses_to_change_the_log(registry: Registry) -> None:
    registry.add_device(FIRST, SIGN, "qemu", RECORD)
    for statement in ("UPDATE audit SET event = 'nothing'", "DELETE FROM audit"):
        with pytest.raises(Exception, match="only grows"), registry._engine.begin() as connection:
            connection.execute(text(statement))
    assert registry.verify_chain()[0] == 1


@pytest.mark.parametrize(
    ("tampering", "entry"),
    [
        ("UPDATE audit SET subject = '{}' WHERE number = 2", 2),
        ("UPDATE audit SET time = '2000' WHERE number = 1", 1),
        ("UPDATE audit SET hash = previous WHERE number = 3", 3),
        ("DELETE FROM audit WHERE number = 2", 2),
        ("DELETE FROM audit WHERE number = 1", 1),
        ("UPDATE audit SET number = number + 10 WHERE number > 2", 3),
    ],
)
def test_tampering_is_detected(tmp_path: Path, tampering: str, entry: int) -> None:
    path = tmp_path / "registry.sqlite"
    with Registry.open(path) as registry:
        for device in (FIRST, SECOND, bytes(32)):
            registry.add_device(device, SIGN, "qemu", RECORD)
        connection = sqlite3.connect(path)
        connection.execute("DROP TRIGGER audit_keep_changes")
        connection.execute("DROP TRIGGER audit_keep_removals")
        connection.execute(tampering)
        connection.commit()
        connection.close()
        with pytest.raises(RegistryError, match=f"at entry {entry}"):
            registry.verify_chain()


def test_registries_that_cannot_be_opened(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.sqlite"
    damaged.write_bytes(b"this is no database" * 100)
    (tmp_path / "file").write_text("")
    for place in (damaged, tmp_path, tmp_path / "file" / "registry.sqlite", "nonsense://place"):
        with pytest.raises(RegistryError, match="Cannot open"):
            Registry.open(place)


@pytest.mark.parametrize(
    "place",
    [
        "postgresql+psycopg://user:hidden-word@localhost:1/none",
        "postgresql+psycopg://user:hidden-word@with-at@localhost:1/none",
        "postgresql+psycopg://user:hidden-word/slash@localhost:1/none",
        "postgresql+psycopg://localhost:1/none?user=u&password=hidden-word",
        "postgresql+psycopg://localhost:1/none?sslpassword=hidden-word",
        "postgresql+psycopg://user:hidden-word@localhost:port/none",
        "postgresql+psycopg://user:hidden-word@[localhost:1/none",
        "postgresql+nothing://user:hidden-word@localhost:1/none",
    ],
)
def test_a_password_in_the_url_is_not_shown(place: str) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(RegistryError, match="Cannot open") as caught:
        Registry.open(place)
    assert "hidden-word" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["audit%202026.sqlite", "what?.sqlite", "a#b.sqlite", ":memory:", "./a:/b"]
)
def test_a_path_is_taken_literally(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with Registry.open(name) as registry:
        registry.add_device(FIRST, SIGN, "qemu", RECORD)
    made = [file.relative_to(tmp_path) for file in tmp_path.rglob("*") if file.is_file()]
    key = Path(name).parent / "keys" / f"{Path(name).name}.key"
    assert sorted(map(str, made)) == sorted([str(Path(name)), str(key)])
    with Registry.open(name, create=False) as registry:
        assert len(registry.devices()) == 1


@pytest.mark.parametrize("prefix", ["", "sqlite:///"])
def test_reading_never_creates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RegistryError, match=r"There is no registry .*mistyped"):
        Registry.open(f"{prefix}deep/mistyped.sqlite", create=False)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty.sqlite").touch()
    with pytest.raises(RegistryError, match="There is no registry"):
        Registry.open(f"{prefix}empty.sqlite", create=False)
    assert (tmp_path / "empty.sqlite").read_bytes() == b""


def test_threads_may_open_registries_at_once(tmp_path: Path) -> None:
    def make(number: int) -> int:
        with Registry.open(tmp_path / f"{number}.sqlite") as registry:
            return len(registry.devices())

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(make, range(12))) == [0] * 12
