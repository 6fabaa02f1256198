"""The provider's public key, read without the private one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rbnn.errors import RbnnError
from rbnn.keys.errors import ProviderKeyError
from rbnn.keys.provider_key import (
    create_provider_key,
    load_provider_key,
    load_provider_public,
    public_file,
    read_passphrase,
)
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import create_user_key, load_user_key


def test_it_is_read_without_the_private_key(tmp_path: Path) -> None:
    path = tmp_path / "provider.pem"
    assert load_provider_public(path) is None
    key = create_provider_key(path, Secret(b"a passphrase for tests"))
    path.unlink()
    assert load_provider_public(path) == key.public


@pytest.mark.parametrize("text", ["", "zz" * 32, "00" * 31, "00" * 33])
def test_other_contents_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "provider.pem"
    public_file(path).write_text(text)
    with pytest.raises(ProviderKeyError, match="64 hex digits"):
        load_provider_public(path)


def test_a_key_of_another_kind_is_called_that(tmp_path: Path) -> None:
    path = tmp_path / "user.key"
    create_user_key(path)
    with pytest.raises(ProviderKeyError, match=r"does not hold a provider's key") as refusal:
        load_provider_public(path)
    assert "keys new provider" in refusal.value.fix


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "provider.pem"
    public_file(path).mkdir()
    with pytest.raises(ProviderKeyError, match="Cannot read"):
        load_provider_public(path)


@pytest.mark.parametrize(
    ("read", "name"),
    [
        *((load_provider_key, name) for name in ("provider.pem.pub", "public key", "README.md")),
        *((load_user_key, name) for name in ("provider.pem.pub", "public key", "README.md")),
        (read_passphrase, "provider.pem.pub"),
    ],
)
def test_nobody_is_told_to_make_a_public_file_private(
    tmp_path: Path, read: Callable[[Path], object], name: str
) -> None:
    path = tmp_path / name
    path.write_text("ab" * 32 + "\n")
    path.chmod(0o644)
    with pytest.raises(RbnnError) as refusal:
        read(path)
    assert "chmod" not in refusal.value.fix and "Others may read" not in refusal.value.what
    assert str(path.with_suffix("")) not in refusal.value.fix or read is not load_user_key


def test_the_command_that_makes_a_key_private_can_be_typed(tmp_path: Path) -> None:
    path = tmp_path / "two words.key"
    create_user_key(path)
    path.chmod(0o644)
    with pytest.raises(RbnnError) as refusal:
        load_user_key(path)
    assert refusal.value.fix == f"Make it private: chmod 600 '{path}'"
