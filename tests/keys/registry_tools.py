"""Registries for tests of who manipulates them, and the tools to do it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from rbnn.keys import licence
from rbnn.keys.provider_key import ProviderKey
from rbnn.keys.user_key import UserKey
from rbnn.spec.layout import HELPER_RECORD_BYTES

PROVIDER = ProviderKey(X25519PrivateKey.generate())
DEVICE = X25519PrivateKey.generate().public_key().public_bytes_raw()
RECORD = bytes(HELPER_RECORD_BYTES)


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
