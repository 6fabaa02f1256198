"""The provider's key: an X25519 key pair that issues licences.

The private key is PKCS8 in PEM, encrypted under a passphrase (RFC 5958; ``cryptography``'s best
available encryption), mode 0600. Its public key is next to it in ``<name>.pub``, as 64 hex digits,
and in every model container. A passphrase that rbnn generated is in ``<name>.passphrase``, mode
0600.
"""

from __future__ import annotations

import getpass
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from rbnn.files import write_atomic
from rbnn.keys.errors import ProviderKeyError
from rbnn.keys.key_file import create_key_file, read_key_file
from rbnn.keys.secret import Secret

DEFAULT_FILE = Path("keys") / "provider.pem"
PASSPHRASE_MIN_LENGTH = 12
PUBLIC_KEY_BYTES = 32
_MAX_FILE_BYTES = 4096
_PEM = b"-----BEGIN"
_MAKE_ONE = "Make one with: rbnn keys new provider keys/provider.pem"
_FIND_IT = (
    "Name the key that the devices were enrolled with: --provider-key PATH. Where no device is "
    "enrolled yet, make one: rbnn keys new provider keys/provider.pem"
)
_WRITE_IT = "Name the file (mode 0600) whose first line is the passphrase: --passphrase-file PATH"


@dataclass(frozen=True)
class ProviderKey:
    """A provider's key pair."""

    private: X25519PrivateKey = field(repr=False)

    @property
    def public(self) -> bytes:
        """X25519 public key, 32 bytes."""
        return self.private.public_key().public_bytes_raw()


def public_file(path: Path) -> Path:
    """The file with the public key of ``path``."""
    return path.with_name(path.name + ".pub")


def passphrase_file_of(path: Path) -> Path:
    """The file with the generated passphrase of ``path``."""
    return path.with_name(path.name + ".passphrase")


def read_passphrase(path: Path) -> Secret:
    """The first line of a passphrase file.

    Raises:
        ProviderKeyError: missing, empty or readable by others.
    """
    if path.suffix == ".pub":
        beside = passphrase_file_of(path.with_suffix(""))
        raise ProviderKeyError(
            f"{path} is a public key, not a passphrase.",
            f"Name the file that holds the passphrase, such as {beside}",
        )
    lines = read_key_file(path, _MAX_FILE_BYTES, ProviderKeyError, _WRITE_IT).splitlines()
    if not lines or not lines[0]:
        raise ProviderKeyError(f"{path} holds no passphrase.", "Write it on the first line.")
    return Secret(lines[0])


def create_provider_key(path: Path, passphrase: Secret) -> ProviderKey:
    """Draw a key pair and write it, encrypted, to a new file, with the public key next to it.

    Raises:
        ProviderKeyError: the passphrase is too short, the file exists or cannot be written.
    """
    if len(passphrase) < PASSPHRASE_MIN_LENGTH:
        raise ProviderKeyError(
            f"A provider's passphrase must have at least {PASSPHRASE_MIN_LENGTH} characters.",
            "Use a longer one, or omit --passphrase-file: a random one is then made.",
        )
    private = X25519PrivateKey.generate()
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase.reveal()),
    )
    create_key_file(path, pem, ProviderKeyError)
    key = ProviderKey(private)
    write_public(path, key)
    return key


def load_provider_key(
    path: Path, passphrase_file: Path | None = None, prompt: bool = True
) -> ProviderKey:
    """Read a provider's key.

    Args:
        path: the PEM file.
        passphrase_file: holds the passphrase; None uses ``<name>.passphrase`` if it exists, and
            prompts otherwise.
        prompt: whether prompting is allowed. Without a terminal there is no prompt.

    Raises:
        ProviderKeyError: missing, readable by others, wrong passphrase, or not an X25519 key.
    """
    if path.suffix == ".pub":
        raise ProviderKeyError(
            f"{path} is the public part of a key; the private part is needed here.",
            f"Name its file: {path.with_suffix('')}",
        )
    pem = read_key_file(path, _MAX_FILE_BYTES, ProviderKeyError, _FIND_IT, _PEM)
    if not pem.startswith(_PEM):
        raise ProviderKeyError(f"{path} does not hold a provider's key.", _MAKE_ONE)
    beside = passphrase_file_of(path)
    if passphrase_file is not None:
        passphrase = read_passphrase(passphrase_file)
    elif beside.exists():
        passphrase = read_passphrase(beside)
    elif prompt and sys.stdin.isatty():
        passphrase = Secret(getpass.getpass(f"Passphrase of {path}: ").encode())
    else:
        raise ProviderKeyError(
            f"The provider key {path} needs its passphrase.",
            "Name a file that holds it: --passphrase-file PATH",
        )
    try:
        private = serialization.load_pem_private_key(pem, passphrase.reveal())
    except TypeError:
        raise ProviderKeyError(
            f"{path} is not encrypted, or its passphrase is empty.", _MAKE_ONE
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise ProviderKeyError(
            f"{path} does not open: wrong passphrase, or a damaged file.",
            "Name the file that holds its passphrase: --passphrase-file PATH",
        ) from None
    if not isinstance(private, X25519PrivateKey):
        raise ProviderKeyError(f"{path} is not an X25519 key.", _MAKE_ONE)
    if Secret(private.private_bytes_raw()).is_test_only:
        raise ProviderKeyError(
            f"{path} holds a published TEST-ONLY key, which protects nothing.", _MAKE_ONE
        )
    return ProviderKey(private)


def load_provider_public(path: Path) -> bytes | None:
    """The public key next to ``path``; needs no passphrase.

    Args:
        path: the PEM file, not the ``.pub`` file.

    Returns:
        32 bytes, or None if neither file exists.

    Raises:
        ProviderKeyError: the public key is missing although its private key exists, or malformed.
    """
    beside = public_file(path)
    if not beside.exists() and not path.exists():
        return None
    try:
        public = bytes.fromhex(beside.read_text().strip())
    except OSError as error:
        if path.exists() and not is_provider_file(path):
            raise ProviderKeyError(
                f"{path} does not hold a provider's key.", f"Name one, or {_MAKE_ONE.lower()}"
            ) from error
        raise ProviderKeyError(
            f"Cannot read {beside}: {error.strerror}.",
            f"Write it again: rbnn keys show {path} --write-public",
        ) from error
    except ValueError:
        public = b""
    if len(public) != PUBLIC_KEY_BYTES:
        raise ProviderKeyError(
            f"{beside} does not hold 64 hex digits.",
            f"Write it again: rbnn keys show {path} --write-public",
        )
    return public


def write_public(path: Path, key: ProviderKey) -> None:
    """Write the public key next to ``path``."""
    write_atomic(public_file(path), key.public.hex() + "\n")


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def is_provider_file(path: Path) -> bool:
    """Whether this file looks like a provider key rather than a user key."""
    try:
        with path.open("rb") as stream:
            return stream.read(len(_PEM)) == _PEM
    except OSError:
        return False


def new_provider_key(
    path: Path, passphrase_file: Path | None = None, say: Callable[[str], None] = _say
) -> ProviderKey:
    """Make a provider key; without a passphrase, generate one and write it next to the key.

    Args:
        path: the PEM file to make.
        passphrase_file: holds the passphrase to use.
        say: takes one line for a person to read.

    Raises:
        ProviderKeyError: see :func:`create_provider_key`.
    """
    if passphrase_file is not None:
        key = create_provider_key(path, read_passphrase(passphrase_file))
        say(f"made the provider key {path}")
        return key
    passphrase = Secret(secrets.token_urlsafe(32).encode())
    beside = passphrase_file_of(path)
    create_key_file(beside, passphrase.reveal() + b"\n", ProviderKeyError)
    try:
        key = create_provider_key(path, passphrase)
    except ProviderKeyError:
        beside.unlink(missing_ok=True)
        raise
    say(f"made the provider key {path}; its passphrase is in {beside} (both mode 0600)")
    return key


def ensure_provider(
    path: Path = DEFAULT_FILE,
    passphrase_file: Path | None = None,
    prompt: bool = True,
    say: Callable[[str], None] = _say,
) -> ProviderKey:
    """Read the provider's key; if there is none, make one and say so.

    A new key's random passphrase is written next to it, so that commands need no prompt. On a
    shared workstation, move it elsewhere and name it with ``--passphrase-file``.

    Args:
        path: the PEM file.
        passphrase_file: see :func:`load_provider_key`; also used for a new key, if given.
        prompt: whether prompting is allowed.
        say: takes one line for a person to read.

    Raises:
        ProviderKeyError: see :func:`load_provider_key` and :func:`create_provider_key`.
    """
    if path.exists():
        return load_provider_key(path, passphrase_file, prompt)
    return new_provider_key(path, passphrase_file, say)
