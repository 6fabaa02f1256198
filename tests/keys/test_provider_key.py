"""Provider keys: encrypted at rest, never overwritten, made at first use."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from rbnn.keys.errors import ProviderKeyError
from rbnn.keys.provider_key import (
    create_provider_key,
    ensure_provider,
    load_provider_key,
    load_provider_public,
)
from rbnn.keys.secret import Secret
from rbnn.spec.published import TEST_ONLY_MARKER

PASSPHRASE = Secret(b"a passphrase of words")


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def passphrase_file(tmp_path: Path) -> Path:
    path = tmp_path / "passphrase"
    path.write_bytes(PASSPHRASE.reveal() + b"\n")
    path.chmod(0o600)
    return path


def write_pem(path: Path, key: X25519PrivateKey | Ed25519PrivateKey, passphrase: bytes) -> None:
    encryption = (
        serialization.BestAvailableEncryption(passphrase)
        if passphrase
        else serialization.NoEncryption()
    )
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    )
    path.chmod(0o600)


def test_first_use_makes_a_key_and_says_so(tmp_path: Path, said: list[str]) -> None:
    path = tmp_path / "keys" / "provider.pem"
    key = ensure_provider(path, say=said.append)
    assert len(said) == 1 and str(path) in said[0]
    passphrase = path.with_name("provider.pem.passphrase")
    for file in (path, passphrase):
        assert file.stat().st_mode & 0o777 == 0o600
    assert b"ENCRYPTED" in path.read_bytes()
    assert path.with_name("provider.pem.pub").read_text() == key.public.hex() + "\n"
    assert load_provider_public(path) == key.public
    assert passphrase.read_text().strip() not in said[0]

    again = ensure_provider(path, say=said.append)
    assert again.public == key.public and len(said) == 1
    assert key.private.private_bytes_raw().hex() not in repr(key)


def test_a_passphrase_file(tmp_path: Path, passphrase_file: Path, said: list[str]) -> None:
    path = tmp_path / "provider.pem"
    key = ensure_provider(path, passphrase_file, say=said.append)
    assert not path.with_name("provider.pem.passphrase").exists()
    assert load_provider_key(path, passphrase_file).public == key.public
    with pytest.raises(ProviderKeyError, match="needs its passphrase"):
        load_provider_key(path, prompt=False)
    passphrase_file.write_text("something else entirely\n")
    with pytest.raises(ProviderKeyError, match="wrong passphrase"):
        load_provider_key(path, passphrase_file)
    passphrase_file.write_text("\n")
    with pytest.raises(ProviderKeyError, match="holds no passphrase"):
        load_provider_key(path, passphrase_file)
    passphrase_file.chmod(0o644)
    with pytest.raises(ProviderKeyError, match="Others may read"):
        load_provider_key(path, passphrase_file)


def test_refusals(tmp_path: Path, passphrase_file: Path) -> None:
    path = tmp_path / "provider.pem"
    with pytest.raises(ProviderKeyError, match="Cannot read"):
        load_provider_key(path, passphrase_file)
    create_provider_key(path, PASSPHRASE)
    with pytest.raises(ProviderKeyError, match="never overwritten"):
        create_provider_key(path, PASSPHRASE)
    path.chmod(0o644)
    with pytest.raises(ProviderKeyError, match="chmod 600") as caught:
        load_provider_key(path, passphrase_file)
    assert str(path) in caught.value.fix
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ProviderKeyError, match="damaged"):
        load_provider_key(path, passphrase_file)
    write_pem(path, X25519PrivateKey.generate(), b"")
    with pytest.raises(ProviderKeyError, match="not encrypted"):
        load_provider_key(path, passphrase_file)
    write_pem(path, Ed25519PrivateKey.generate(), PASSPHRASE.reveal())
    with pytest.raises(ProviderKeyError, match="not an X25519 key"):
        load_provider_key(path, passphrase_file)
    with pytest.raises(ProviderKeyError, match="at least 12"):
        create_provider_key(tmp_path / "other.pem", Secret(b"short"))
    assert not (tmp_path / "other.pem").exists()


def test_published_test_keys_are_refused(tmp_path: Path, passphrase_file: Path) -> None:
    path = tmp_path / "provider.pem"
    published = X25519PrivateKey.from_private_bytes(TEST_ONLY_MARKER.ljust(32, b"."))
    write_pem(path, published, PASSPHRASE.reveal())
    with pytest.raises(ProviderKeyError, match="TEST-ONLY"):
        load_provider_key(path, passphrase_file)


def test_public_key_file(tmp_path: Path) -> None:
    path = tmp_path / "provider.pem"
    assert load_provider_public(path) is None
    create_provider_key(path, PASSPHRASE)
    public = path.with_name("provider.pem.pub")
    public.write_text("zz")
    with pytest.raises(ProviderKeyError, match="64 hex digits"):
        load_provider_public(path)
    public.unlink()
    with pytest.raises(ProviderKeyError, match="--write-public"):
        load_provider_public(path)
