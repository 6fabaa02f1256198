"""A user's key: 256 random bits in one text line, or a passphrase.

The line is ``rbnn-user-key-1:<64 hex digits>:<8 hex digits>``; the last part is the start of
BLAKE2b-256 over everything before the last colon, to detect typing mistakes. The file is created
with mode 0600 and never overwritten.

A passphrase is turned into a key with Argon2id (RFC 9106: 3 passes, 64 MiB, 4 lanes, 32 bytes
out). Salt: the first 16 bytes of BLAKE2b-256 over ``rbnn/v1/user-passphrase``, a zero byte and the
owner's name (Unicode NFC, without outer spaces, case-folded) in UTF-8. The salt is computed rather
than stored, so that the same name and passphrase open the same licences from any workstation. The
name is required: without it, one table of passphrases would do for everyone.
"""

from __future__ import annotations

import getpass
import hashlib
import hmac
import os
import sys
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from rbnn.keys.errors import UserKeyError
from rbnn.keys.key_file import create_key_file, read_key_file
from rbnn.keys.secret import Secret
from rbnn.spec import kdf

DEFAULT_FILE = Path("keys") / "user.key"
PREFIX = "rbnn-user-key-1"
_ANY_VERSION = "rbnn-user-key-"
PASSPHRASE_MIN_LENGTH = 12
ARGON2_PASSES = 3
ARGON2_MEMORY_KIB = 64 * 1024
ARGON2_LANES = 4
_SALT_PREFIX = b"rbnn/v1/user-passphrase\0"
_MAX_FILE_BYTES = 1024
_MAKE_ONE = "Make one with: rbnn keys new user keys/user.key"
_OWNER_FIRST = (
    "Give two lines: the owner's name, such as an e-mail address, then the passphrase. The same "
    "passphrase has another key under another name."
)


@dataclass(frozen=True)
class UserKey:
    """A user's 256-bit key.

    Args:
        key: 32 bytes.
        is_derived: whether it comes from a passphrase.
    """

    key: Secret
    is_derived: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.key) != kdf.KEY_BYTES:
            raise ValueError(f"A user key has {kdf.KEY_BYTES} bytes. Received: {len(self.key)}")

    def psk(self, licence_id: bytes) -> bytes:
        """The pre-shared key (32 bytes) of the licence ``licence_id`` (16 bytes): the only thing
        that is ever sent to a device."""
        return kdf.derive(self.key.reveal(), kdf.Label.USER_PSK, licence_id)

    @property
    def fingerprint(self) -> str:
        """16 hex digits that identify this key. They reveal nothing about a random key; against
        those of a key from a passphrase, passphrases can be tried: show and store them only under
        a registry's key (``Registry.user``)."""
        return hashlib.blake2b(
            self.key.reveal(), digest_size=8, person=b"rbnn-user-name"
        ).hexdigest()

    def line(self) -> str:
        """The key file's text. It is the key: write it nowhere else."""
        body = f"{PREFIX}:{self.key.reveal().hex()}"
        return f"{body}:{_checksum(body)}\n"


def _checksum(body: str) -> str:
    return hashlib.blake2b(body.encode(), digest_size=32).hexdigest()[:8]


def parse_line(line: str, where: str) -> UserKey:
    """Read a key line.

    Args:
        line: text, with or without its line end.
        where: what to call its origin in an error.

    Raises:
        UserKeyError: not a key line, another version, mistyped, or a published test key.
    """
    text = line.strip()
    if not text.startswith(_ANY_VERSION):
        raise UserKeyError(f"{where} does not hold a user key.", _MAKE_ONE)
    if not text.startswith(PREFIX + ":"):
        raise UserKeyError(f"The user key in {where} has another version.", _MAKE_ONE)
    body, _, checksum = text.rpartition(":")
    digits = body.removeprefix(PREFIX + ":")
    try:
        raw = bytes.fromhex(digits)
    except ValueError:
        raw = b""
    if len(raw) != kdf.KEY_BYTES or not hmac.compare_digest(
        checksum.encode(), _checksum(body).encode()
    ):
        raise UserKeyError(
            f"The user key in {where} is damaged or mistyped: its checksum does not match.",
            "Copy the whole line again, or restore it from your backup.",
        )
    key = Secret(raw)
    if key.is_test_only:
        raise UserKeyError(
            f"{where} holds a published TEST-ONLY key, which protects nothing.", _MAKE_ONE
        )
    return UserKey(key)


def create_user_key(path: Path) -> UserKey:
    """Draw a key and write it to a new file with mode 0600.

    Raises:
        UserKeyError: the file exists or cannot be written.
    """
    user_key = UserKey(Secret(os.urandom(kdf.KEY_BYTES)))
    create_key_file(path, user_key.line().encode(), UserKeyError)
    return user_key


def derive_user_key(passphrase: str, owner: str) -> UserKey:
    """Turn a passphrase into a key.

    Args:
        passphrase: at least 12 characters.
        owner: name that goes into the salt; case and outer spaces do not matter.

    Raises:
        UserKeyError: the passphrase is too short, or the owner has no name.
    """
    name = unicodedata.normalize("NFC", owner).strip().casefold()
    if not name:
        raise UserKeyError("A passphrase needs its owner's name.", _OWNER_FIRST)
    if len(passphrase) < PASSPHRASE_MIN_LENGTH:
        raise UserKeyError(
            f"A passphrase must have at least {PASSPHRASE_MIN_LENGTH} characters.",
            "Use five or more random words, or a key file: rbnn keys new user keys/user.key",
        )
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    salt = hashlib.blake2b(_SALT_PREFIX + name.encode(), digest_size=32).digest()[:16]
    argon = Argon2id(
        salt=salt,
        length=kdf.KEY_BYTES,
        iterations=ARGON2_PASSES,
        lanes=ARGON2_LANES,
        memory_cost=ARGON2_MEMORY_KIB,
    )
    return UserKey(Secret(argon.derive(passphrase.encode())), is_derived=True)


def _from_lines(first: str, second: Callable[[], str], where: str) -> UserKey:
    """A key line, or else an owner's name and a passphrase.

    Args:
        first: the first line.
        second: reads the second one.
        where: what to call their origin in an error.

    Raises:
        UserKeyError: neither.
    """
    if first.startswith(_ANY_VERSION):
        return parse_line(first, where)
    passphrase = second()
    if not passphrase:
        raise UserKeyError(
            f"{where[0].upper()}{where[1:]} holds one line that is no user key.", _OWNER_FIRST
        )
    return derive_user_key(passphrase, first)


def _ask() -> UserKey:
    """Ask for a key or, if a name is given, for its passphrase; shows neither."""
    text = getpass.getpass("User key, or owner's name: ").strip()
    if not text:
        raise UserKeyError("No user key was given.", _MAKE_ONE)
    return _from_lines(text, lambda: getpass.getpass("Passphrase: "), "the prompt")


def _from_file(path: Path) -> UserKey:
    raw = read_key_file(path, _MAX_FILE_BYTES, UserKeyError, _MAKE_ONE, _ANY_VERSION.encode())
    try:
        text = raw.decode("ascii")
    except UnicodeDecodeError:
        text = ""
    if len(text.splitlines()) != 1:
        raise UserKeyError(f"{path} does not hold one line with a user key.", _MAKE_ONE)
    return parse_line(text, str(path))


def load_user_key(path: Path | None, prompt: bool = True) -> UserKey:
    """Find the user's key.

    Args:
        path: a key file; ``-`` reads a key, or an owner's name and a passphrase on two lines, from
            standard input; None uses ``keys/user.key`` if it exists, and prompts otherwise.
        prompt: whether prompting is allowed. Without a terminal there is no prompt.

    Raises:
        UserKeyError: no key, or one that is malformed, readable by others or published.
    """
    if path is not None and str(path) == "-":
        text = sys.stdin.readline().rstrip("\r\n")
        if not text:
            raise UserKeyError("Standard input holds no user key.", _MAKE_ONE)
        return _from_lines(text, lambda: sys.stdin.readline().rstrip("\r\n"), "standard input")
    if path is not None:
        return _from_file(path)
    if DEFAULT_FILE.exists():
        return _from_file(DEFAULT_FILE)
    if prompt and sys.stdin.isatty():
        return _ask()
    raise UserKeyError(f"There is no user key at {DEFAULT_FILE}.", _MAKE_ONE)
