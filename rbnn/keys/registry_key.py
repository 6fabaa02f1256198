"""The registry's own key: what its audit log and its names of users are computed with.

32 random bytes as one line of hex digits, mode 0600, in the folder ``keys`` beside the registry
(``keys/registry.sqlite.key``); for a database that is no file, in ``keys`` of the working folder.
``RBNN_REGISTRY_KEY`` names another file, such as one on a disk that the database's host does not
have. Who can write the database but lacks this key cannot forge the log, and who can read it cannot
try passphrases against it.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from rbnn.keys.errors import RegistryError
from rbnn.keys.key_file import create_key_file, read_key_file
from rbnn.keys.secret import Secret

KEY_BYTES = 32
PLACE = "RBNN_REGISTRY_KEY"
"""Environment variable that names the key's file."""
_MAX_FILE_BYTES = 1024
_RESTORE = (
    f"Restore it from your backup, or name its file in {PLACE}. Without it the registry cannot "
    "be checked or continued."
)


@dataclass(frozen=True)
class RegistryKey:
    """The key; each use has its own BLAKE2b personalisation."""

    key: Secret

    def _hash(self, data: bytes, use: bytes, size: int) -> str:
        keyed = hashlib.blake2b(data, digest_size=size, key=self.key.reveal(), person=use)
        return keyed.hexdigest()

    @property
    def check(self) -> str:
        """64 hex digits that identify the key and reveal nothing about it."""
        return self._hash(b"", b"rbnn-reg-check", 32)

    def link(self, members: list[int | str]) -> str:
        """Hash of an entry of the audit log, 64 hex digits."""
        return self._hash(json.dumps(members).encode(), b"rbnn-reg-link", 32)

    def user(self, fingerprint: str) -> str:
        """What this registry calls a user: 16 hex digits.

        Args:
            fingerprint: ``UserKey.fingerprint``, with which passphrases could be tried.
        """
        return self._hash(fingerprint.encode(), b"rbnn-reg-user", 8)


def key_file(file: Path | None, database: str | None) -> Path:
    """Where the key of a registry is.

    Args:
        file: the registry's file; None for another database.
        database: that database's name.
    """
    named = os.environ.get(PLACE)
    if named:
        return Path(named)
    if file is not None:
        return file.parent / "keys" / f"{file.name}.key"
    return Path("keys") / f"{Path(database or 'registry').name}.key"


def create_key(path: Path) -> RegistryKey:
    """Draw a key and write it to a new file.

    Raises:
        RegistryError: the file exists or cannot be written.
    """
    key = Secret(os.urandom(KEY_BYTES))
    create_key_file(path, key.reveal().hex().encode() + b"\n", RegistryError)
    return RegistryKey(key)


def read_key(path: Path, where: str, check: str | None = None) -> RegistryKey:
    """Read a registry's key.

    Args:
        path: its file.
        where: the registry, for messages.
        check: :attr:`RegistryKey.check` of the right key.

    Raises:
        RegistryError: missing, malformed, readable by others, or another registry's.
    """
    if not path.exists():
        raise RegistryError(f"The key {path} of the registry {where} is missing.", _RESTORE)
    raw = read_key_file(path, _MAX_FILE_BYTES, RegistryError, _RESTORE)
    try:
        key = bytes.fromhex(raw.decode("ascii").strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise RegistryError(f"{path} does not hold 64 hex digits.", _RESTORE)
    found = RegistryKey(Secret(key))
    if check is not None and found.check != check:
        raise RegistryError(f"{path} is not the key of the registry {where}.", _RESTORE)
    return found
