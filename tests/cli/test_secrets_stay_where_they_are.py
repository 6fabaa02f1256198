"""While a board is flashed, unlocked and used, no key shows anywhere but in its own file.

Looked through are all files of the folder and of the user's temporary folder, the firmware's build,
what every command prints, and command lines and environments of all processes meanwhile.
"""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from rbnn.container.seal import unseal
from rbnn.export.checks import record
from rbnn.flash.emulated import EmulatedBoard
from rbnn.image import platformio
from rbnn.image.board import load_board
from rbnn.keys import licence, provisioning, puf
from rbnn.keys.provider_key import ensure_provider, passphrase_file_of
from rbnn.keys.user_key import create_user_key
from rbnn.spec import kdf, key_stream

pytestmark = pytest.mark.qemu
REPOSITORY = Path(__file__).resolve().parents[2]
PART_BYTES = 8
KEPT = {
    "keys/user.key": "the user's key file",
    "keys/stranger.key": "another user's",
    "keys/provider.pem.passphrase": "opens the provider's key, where rbnn generated it",
    "keys/registry.sqlite.key": "the registry's key",
    "runs/random/secrets/secrets.json": "the task secrets, at the provider",
    "emulated/qemu/fingerprint.bin": "stands for the chip's SRAM",
}
"""Where secrets are meant to be."""


def forms(secret: bytes) -> list[bytes]:
    """Parts of a secret as bytes, as hex digits, and the whole in base 64."""
    parts = [
        secret[at : at + PART_BYTES] for at in range(0, len(secret) - PART_BYTES + 1, PART_BYTES)
    ]
    digits = [part.hex().encode() for part in parts]
    return [*parts, *digits, *(one.upper() for one in digits), base64.b64encode(secret)[:-4]]


@dataclass
class Watch:
    """Command lines and environments of all processes, read over and over."""

    seen: set[bytes] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)

    def _look(self) -> None:
        while not self._stop.is_set():
            for process in Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    try:
                        self.seen.add((process / name).read_bytes())
                    except OSError:  # it has ended
                        continue
            time.sleep(0.03)

    @contextmanager
    def looking(self) -> Iterator[None]:
        thread = threading.Thread(target=self._look)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()


@dataclass
class Place:
    """A folder with a run, keys and a board, and what its commands have printed."""

    folder: Path
    said: list[bytes] = field(default_factory=list)
    begun: float = field(default_factory=lambda: time.time() - 1)
    """Objects that are older were made by other builds."""

    def rbnn(self, *arguments: str, given: str = "") -> int:
        done = subprocess.run(
            [sys.executable, "-m", "rbnn.cli.main", *arguments],
            cwd=self.folder,
            env={
                **os.environ,
                "PYTHONPATH": str(REPOSITORY),
                "TMPDIR": str(self.folder / "tmp"),
            },
            input=given.encode(),
            capture_output=True,
            check=False,
            timeout=300,
        )
        self.said += [done.stdout, done.stderr]
        return done.returncode

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Every file that is there now."""
        for path in sorted(self.folder.rglob("*")):
            name = str(path.relative_to(self.folder))
            if path.is_file() and name not in KEPT:
                yield name, path.read_bytes()
        build = platformio.build_folder(load_board("qemu"))
        for path in build.rglob("*"):
            if path.suffix in (".elf", ".bin", ".map", ".log", ".o", ".json"):
                yield f"build/{path.name}", path.read_bytes()
        for path in platformio.objects_folder().rglob("*"):
            if path.is_file() and path.stat().st_mtime >= self.begun:
                yield f"objects/{path.name}", path.read_bytes()


@pytest.fixture
def place(tmp_path: Path, random_export: Callable[..., Any]) -> Iterator[tuple[Place, Any]]:
    made = Place(tmp_path)
    (tmp_path / "tmp").mkdir()
    provider = ensure_provider(tmp_path / "keys" / "provider.pem", say=lambda line: None)
    create_user_key(tmp_path / "keys" / "user.key")
    create_user_key(tmp_path / "keys" / "stranger.key")
    random = random_export(tmp_path / "runs" / "random", provider_public=provider.public, trunk=2)
    record(random.export, [])
    yield made, (random, provider)
    made.rbnn("board", "off")


def find_secrets(place: Place, made: Any, provider: Any) -> dict[str, bytes]:
    """Every secret of the provider, the user and the device, by name."""
    folder, container = place.folder, made.export.container
    board = EmulatedBoard(folder / "emulated" / "qemu")
    partition = provisioning.parse(board.provisioning_file.read_bytes())
    root = puf.reproduce(board.power_up_pattern(), partition.helper_record).reveal()
    user = (folder / "keys" / "user.key").read_text().split(":")[1]
    stranger = (folder / "keys" / "stranger.key").read_text().split(":")[1]
    raw = serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
    secrets = {
        "user key": bytes.fromhex(user),
        "another user key": bytes.fromhex(stranger),
        "provider key": provider.private.private_bytes(*raw),
        "passphrase": passphrase_file_of(folder / "keys" / "provider.pem").read_bytes().strip(),
        "registry key": bytes.fromhex((folder / "keys" / "registry.sqlite.key").read_text()),
        "root key": root,
        "device key": kdf.derive(root, kdf.Label.DEVICE_X25519),
        "signing key": kdf.derive(root, kdf.Label.DEVICE_SIGN),
        "trunk key": key_stream.trunk_key(made.secrets.values(), container.model_id),
    }
    for one in partition.licences:
        psk = kdf.derive(bytes.fromhex(user), kdf.Label.USER_PSK, one.licence_id)
        secrets[f"pre-shared key {one.task_number}"] = psk
    for task, secret in made.secrets.items():
        secrets[f"secret of {task}"] = secret
        secrets[f"stream key of {task}"] = key_stream.stream_key(secret, container.model_id)
        secrets[f"params key of {task}"] = kdf.derive(secret, kdf.Label.PARAMS, container.model_id)
    return secrets


def test_flashing_unlocking_and_failing_leave_no_key_behind(
    place: tuple[Place, Any], tmp_path: Path
) -> None:
    board, (made, provider) = place
    watch = Watch()
    marker = b"a secret on a command line".hex()
    with watch.looking():
        assert board.rbnn("flash", "--user-key") == 0, board.said[-1].decode()
        assert board.rbnn("switch", "grey", "--user-key", "keys/user.key") == 0
        key = (tmp_path / "keys" / "user.key").read_text()
        assert board.rbnn("switch", "colour", "--user-key", "-", given=key) == 0
        assert board.rbnn("license", "issue", "--user-key", "--tasks", "grey") == 0
        # What fails prints more than what works.
        assert board.rbnn("board", "cycle") == 0
        assert board.rbnn("switch", "grey", "--user-key", "keys/stranger.key") != 0
        assert board.rbnn("switch", "nope", "--user-key") != 0
        assert board.rbnn("switch", "grey", "--user-key", "-", given=key[:-3]) != 0
        assert board.rbnn("board", "status", "--json") == 0
        subprocess.run([sys.executable, "-c", "import time; time.sleep(2)", marker], check=True)
    secrets = find_secrets(board, made, provider)
    assert any(marker.encode() in seen for seen in watch.seen), "processes are not seen"
    found = {
        f"{name} in {where}"
        for where, data in [
            *board.files(),
            *(("what a command printed", said) for said in board.said),
            *(("the list of processes", seen) for seen in watch.seen),
        ]
        for name, secret in secrets.items()
        if any(form in data for form in forms(secret))
    }
    assert found == set()
    kept = (tmp_path / "runs/random/secrets/secrets.json").read_bytes()
    assert any(form in kept for form in forms(secrets["secret of grey"])), "forms are not found"
    _assert_sealed(board, made)


def _assert_sealed(board: Place, made: Any) -> None:
    """Neither image nor flash show what a licence opens: parameters and class names."""
    container = made.export.container
    folder = board.folder / "emulated" / "qemu"
    images = [
        (board.folder / "runs/random/export/firmware/qemu/firmware.elf").read_bytes(),
        (folder / "flash.bin").read_bytes(),
        (folder / "provisioning.bin").read_bytes(),
    ]
    for number, task in enumerate(container.tasks):
        text = unseal(task.sealed, made.secrets[task.name], container.model_id, number)
        hidden = [*forms(text[52:]), *(f"{task.name}-{k}".encode() for k in range(task.classes))]
        hidden = [part for part in hidden if len(set(part)) > 4]
        assert not [part for part in hidden for image in images if part in image]
    # Licences are there, but not what is in them.
    for one in provisioning.parse(images[2]).licences:
        assert licence.parse(one.data) == one
