"""Issuing licences: many at once, and all or nothing."""

from __future__ import annotations

import subprocess
import sys
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

PROCESSES, EACH = 8, 20
PROVIDER = ProviderKey(X25519PrivateKey.generate())
USER = UserKey(Secret(b"\x07" * 32))
DEVICE = X25519PrivateKey.generate().public_key().public_bytes_raw()
ISSUER = """
import sys
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from rbnn.keys import licence
from rbnn.keys.provider_key import ProviderKey
from rbnn.keys.registry import Registry
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import UserKey

place, device, count = sys.argv[1], bytes.fromhex(sys.argv[2]), int(sys.argv[3])
provider, user = ProviderKey(X25519PrivateKey.generate()), UserKey(Secret(bytes(range(32))))
sys.stdin.readline()
with Registry.open(place) as registry:
    for _ in range(count):
        with registry.issuing(device) as desk:
            one = licence.issue(provider, device, user, b"i" * 16, b"d" * 32, 0, b"s" * 32,
                                desk.next_sequence())
            desk.add(one, "digits", user)
"""


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    path = tmp_path / "registry.sqlite"
    with Registry.open(path) as book:
        book.add_device(DEVICE, bytes(32), "qemu", bytes(HELPER_RECORD_BYTES))
    return path


def test_eight_processes_issue_at_once_and_none_is_refused(registry: Path) -> None:
    command = [sys.executable, "-c", ISSUER, str(registry), DEVICE.hex(), str(EACH)]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(PROCESSES)
    ]
    for process in running:  # all are past their imports when the last one starts
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate()[1] for process in running]
    assert [process.returncode for process in running] == [0] * PROCESSES, said
    with Registry.open(registry) as book:
        numbers = [one.sequence for one in book.licences(DEVICE)]
        assert numbers == list(range(1, PROCESSES * EACH + 1))
        assert book.verify_chain()[0] == 1 + PROCESSES * EACH


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
