"""No secret is in the registry's database: not as bytes, not as hexadecimal digits."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from registry_tools import PROVIDER, RECORD
from sqlalchemy import MetaData, inspect, select

from rbnn.keys import licence
from rbnn.keys.registry import Registry
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import UserKey, derive_user_key

SECRET = bytes(range(100, 132))
PASSPHRASE = "correct horse battery"


@pytest.fixture(scope="module")
def users() -> list[UserKey]:
    return [UserKey(Secret(bytes(range(32)))), derive_user_key(PASSPHRASE, "ann")]


def fill(registry: Registry, users: list[UserKey]) -> dict[str, bytes]:
    """Enrol, license, revoke and transfer; returns every secret that took part, by name."""
    chip = X25519PrivateKey.generate()
    device = chip.public_key().public_bytes_raw()
    registry.add_device(device, bytes(32), "qemu", RECORD, "kitchen")
    secrets = {
        "task secret": SECRET,
        "provider's key": PROVIDER.private.private_bytes_raw(),
        "device's key": chip.private_bytes_raw(),
        "passphrase": PASSPHRASE.encode(),
    }
    for number, user in enumerate(users):
        issued = []
        for _ in range(2):
            with registry.issuing(device) as desk:
                one = licence.issue(
                    PROVIDER, device, user, b"i" * 16, b"d" * 32, 0, SECRET, desk.next_sequence()
                )
                desk.add(one, "digits", user)
            issued.append(one)
            secrets[f"key of licence {one.sequence}"] = user.psk(one.licence_id)
        registry.revoke(issued[0].licence_id, "lost")
        with registry.transferring(issued[1].licence_id, device, b"receipt") as desk:
            new = licence.issue(
                PROVIDER, device, user, b"i" * 16, b"d" * 32, 0, SECRET, desk.next_sequence()
            )
            desk.add(new, "digits", user)
        secrets[f"user key {number}"] = user.key.reveal()
        secrets[f"fingerprint {number}"] = bytes.fromhex(user.fingerprint)
    return secrets


def everything(registry: Registry) -> bytes:
    """All columns of all rows of all tables."""
    found = bytearray()
    with registry._engine.connect() as connection:
        tables = MetaData()
        tables.reflect(connection)
        assert set(tables.tables) == set(inspect(connection).get_table_names())
        for table in tables.tables.values():
            for row in connection.execute(select(table)):
                for value in row:
                    found += bytes(value) if isinstance(value, bytes) else str(value).encode()
                    found += b"\0"
    return bytes(found)


def test_no_secret_is_in_the_database(place: str, users: list[UserKey], tmp_path: Path) -> None:
    with Registry.open(place) as registry:
        secrets = fill(registry, users)
        secrets["registry's key"] = registry._key.key.reveal()
        held = everything(registry)
    if "://" not in place:
        files = [*Path(place).parent.glob("registry.sqlite*")]
        assert files
        held += b"".join(file.read_bytes() for file in files)
    assert b"kitchen" in held and bytes(32).hex().encode() in held  # what is there is found
    for name, secret in secrets.items():
        assert secret not in held, f"{name} is in the database"
        assert secret.hex().encode() not in held.lower(), f"{name} is in the database"
