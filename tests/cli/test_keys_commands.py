"""``rbnn keys``, ``rbnn license`` and ``rbnn devices`` as a person types them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from typed import typed

from rbnn.keys import licence
from rbnn.keys.errors import ProviderKeyError
from rbnn.keys.provider_key import ensure_provider, load_provider_key
from rbnn.keys.registry import Registry
from rbnn.keys.user_key import load_user_key
from rbnn.spec.layout import HELPER_RECORD_BYTES

ROOT = Path(__file__).resolve().parents[2]
Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def rbnn(tmp_path: Path) -> Command:
    """Runs a command in an empty folder."""

    def run(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return typed(tmp_path, *arguments, stdin=text)

    return run


def test_keys(rbnn: Command, tmp_path: Path) -> None:
    made = rbnn("keys", "new", "user", "keys/user.key")
    assert made.returncode == 0, made.stderr
    key = load_user_key(tmp_path / "keys" / "user.key")
    secret = key.key.reveal().hex()
    assert key.fingerprint in made.stdout
    shown = rbnn("keys", "show", "keys/user.key", "--json")
    assert json.loads(shown.stdout)["fingerprint"] == key.fingerprint
    again = rbnn("keys", "new", "user", "keys/user.key")
    assert again.returncode == 1 and "never overwritten" in again.stderr and "try:" in again.stderr

    provider = rbnn("keys", "new", "provider", "keys/provider.pem", "--json")
    assert provider.returncode == 0, provider.stderr
    public = json.loads(provider.stdout)["public key"]
    assert (tmp_path / "keys" / "provider.pem.pub").read_text().strip() == public
    assert "passphrase is in" in provider.stderr
    (tmp_path / "keys" / "provider.pem.pub").unlink()
    shown = rbnn("keys", "show", "keys/provider.pem", "--write-public")
    assert public in shown.stdout
    assert (tmp_path / "keys" / "provider.pem.pub").read_text().strip() == public
    typed = "ann@home\na passphrase of words\n"
    shown_derived = json.loads(rbnn("keys", "show", "-", "--json", text=typed).stdout)
    assert shown_derived == {"user key": "-"}
    unknown = rbnn("keys", "new", "neighbour", "keys/x")
    assert unknown.returncode == 2
    for done in (made, shown, again, provider):
        assert secret not in done.stdout + done.stderr


def test_licences_devices_and_audit(
    rbnn: Command, tmp_path: Path, random_export: Callable[..., Any]
) -> None:
    provider = ensure_provider(tmp_path / "keys" / "provider.pem", say=lambda _: None)
    made = random_export(tmp_path / "run", provider_public=provider.public)
    rbnn("keys", "new", "user", "keys/user.key")
    user = load_user_key(tmp_path / "keys" / "user.key")

    empty = rbnn("license", "issue", "run")
    assert empty.returncode == 1 and "rbnn enroll" in empty.stderr
    device = X25519PrivateKey.generate()
    public = device.public_key().public_bytes_raw()
    with Registry.open(tmp_path / "registry.sqlite") as registry:
        registry.add_device(public, bytes(32), "qemu", bytes(HELPER_RECORD_BYTES))

    issued = rbnn("license", "issue", "run", "--user-key", "--limit", "7", "--json")
    assert issued.returncode == 0, issued.stderr
    rows = json.loads(issued.stdout)["licences"]
    assert [row["task"] for row in rows] == ["colour", "grey"]
    for number, row in enumerate(rows):
        one = licence.parse((tmp_path / row["file"]).read_bytes())
        assert (one.task_number, one.sequence, one.inference_limit) == (number, number + 1, 7)
        secret = licence.open_licence(
            one,
            provider.public,
            device,
            user.psk(one.licence_id),
            made.export.container.digest,
        )
        assert secret.reveal() == made.secrets[row["task"]]

    line = (tmp_path / "keys" / "user.key").read_text()
    piped = rbnn(
        "license", "issue", "run", "--tasks", "grey", "--release-only", "--user-key", "-", text=line
    )
    assert piped.returncode == 0, piped.stderr
    listed = json.loads(rbnn("license", "list", "--device", public.hex()[:12], "--json").stdout)
    assert [row["sequence"] for row in listed["licences"]] == [1, 2, 3]
    assert [row["release_only"] for row in listed["licences"]] == [False, False, True]
    assert "grey" in rbnn("license", "list").stdout
    unknown = rbnn("license", "issue", "run", "--tasks", "nonsense", "--user-key")
    assert unknown.returncode == 1 and "nonsense" in unknown.stderr
    strange = rbnn("license", "issue", "run", "--device", "zz", "--user-key")
    assert strange.returncode == 1 and "rbnn devices" in strange.stderr

    devices = json.loads(rbnn("devices", "--json").stdout)["devices"]
    assert [row["public"] for row in devices] == [public.hex()]
    audit = json.loads(rbnn("devices", "audit", "--json").stdout)
    assert audit["entries"] == 4 and audit["audit"][-1]["event"] == "issue"
    assert "unbroken" in rbnn("devices", "audit", "--noted", audit["last_hash"]).stdout
    assert rbnn("devices", "audit", "--noted", "0f" * 32).returncode == 3
    names = {row["user"] for row in listed["licences"]}
    shown = json.loads(rbnn("keys", "show", "keys/user.key", "--json").stdout)
    assert names == {shown["user in the registry"]}


def test_a_model_of_another_provider(
    rbnn: Command, tmp_path: Path, random_export: Callable[..., Any]
) -> None:
    random_export(tmp_path / "run")
    ensure_provider(tmp_path / "keys" / "provider.pem", say=lambda _: None)
    rbnn("keys", "new", "user", "keys/user.key")
    with Registry.open(tmp_path / "registry.sqlite") as registry:
        registry.add_device(b"\x09" + bytes(31), bytes(32), "qemu", bytes(HELPER_RECORD_BYTES))
    done = rbnn("license", "issue", "run", "--user-key")
    assert done.returncode == 1 and "another provider key" in done.stderr
    assert not (tmp_path / "licences").exists()


@pytest.mark.parametrize(
    "command", ["devices", "devices audit", "license list", "license issue run"]
)
def test_a_mistyped_registry_is_refused(
    rbnn: Command, tmp_path: Path, random_export: Callable[..., Any], command: str
) -> None:
    provider = ensure_provider(tmp_path / "keys" / "provider.pem", say=lambda _: None)
    random_export(tmp_path / "run", provider_public=provider.public)
    rbnn("keys", "new", "user", "keys/user.key")
    done = rbnn(*command.split(), "--registry", "regsitry.sqlite")
    assert done.returncode == 1 and "There is no registry regsitry.sqlite" in done.stderr
    assert not (tmp_path / "regsitry.sqlite").exists()


def test_a_public_key_file_is_shown_and_never_to_be_made_private(
    rbnn: Command, tmp_path: Path
) -> None:
    provider = ensure_provider(tmp_path / "provider.pem", say=lambda _: None)
    shown = rbnn("keys", "show", "provider.pem.pub", "--json")
    assert json.loads(shown.stdout)["public key"] == provider.public.hex()
    with pytest.raises(ProviderKeyError, match="is the public part of a key") as refusal:
        load_provider_key(tmp_path / "provider.pem.pub")
    assert refusal.value.fix.endswith(str(tmp_path / "provider.pem"))


def test_a_damaged_run_is_described_in_words(rbnn: Command, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text("no JSON")
    done = rbnn("export", "run")
    assert done.returncode == 1 and "Invalid JSON" in done.stderr
    assert "()" not in done.stderr
