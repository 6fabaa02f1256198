"""Issuing licences: many at once, and all or nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from rbnn.device.licensing import LicenceFiles, issue_licences
from rbnn.errors import RbnnError
from rbnn.keys.provider_key import ProviderKey
from rbnn.keys.registry import Registry
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import UserKey
from rbnn.spec.layout import HELPER_RECORD_BYTES

PROVIDER = ProviderKey(X25519PrivateKey.generate())
USER = UserKey(Secret(b"\x07" * 32))
DEVICE = X25519PrivateKey.generate().public_key().public_bytes_raw()


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    path = tmp_path / "registry.sqlite"
    with Registry.open(path) as book:
        book.add_device(DEVICE, bytes(32), "qemu", bytes(HELPER_RECORD_BYTES))
    return path


def test_a_licence_that_cannot_be_written_is_not_issued(
    registry: Path, tmp_path: Path, random_export: Callable[..., Any]
) -> None:
    made = random_export(provider_public=PROVIDER.public)

    def issue(out: Path, secrets: dict[str, bytes]) -> list[Path]:
        with Registry.open(registry) as book, LicenceFiles(out) as files:
            issue_licences(
                made.export.container, secrets, PROVIDER, DEVICE, USER, book, [], 0, files.write
            )
        return files.paths

    (tmp_path / "file").write_text("")
    short = {**made.secrets, "grey": b"too short"}
    for out, secrets in ((tmp_path / "file", made.secrets), (tmp_path / "out", short)):
        with pytest.raises(RbnnError):
            issue(out, secrets)
    with Registry.open(registry) as book:
        assert book.licences() == [] and book.verify_chain()[0] == 1
    assert not (tmp_path / "out").exists()
    paths = issue(tmp_path / "out", made.secrets)
    assert sorted(paths) == sorted((tmp_path / "out").iterdir()) and len(paths) == 2


def test_files_are_gone_if_the_registry_fails(
    registry: Path, tmp_path: Path, random_export: Callable[..., Any]
) -> None:
    made = random_export(provider_public=PROVIDER.public)

    class FullError(Exception):
        pass

    files = LicenceFiles(tmp_path / "out")

    def fail(issued: Any) -> None:
        files.write(issued)
        raise FullError

    with pytest.raises(FullError), Registry.open(registry) as book, files:
        issue_licences(
            made.export.container, made.secrets, PROVIDER, DEVICE, USER, book, [], 0, fail
        )
    assert list((tmp_path / "out").iterdir()) == []
    with Registry.open(registry) as book:
        assert book.licences() == []
