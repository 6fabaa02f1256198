"""The provider's public key, read without the private one."""

from __future__ import annotations

from pathlib import Path

import pytest

from rbnn.keys.errors import ProviderKeyError
from rbnn.keys.provider_key import create_provider_key, load_provider_public, public_file
from rbnn.keys.secret import Secret


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


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "provider.pem"
    public_file(path).mkdir()
    with pytest.raises(ProviderKeyError, match="Cannot read"):
        load_provider_public(path)
