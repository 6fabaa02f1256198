"""``rbnn license show``, ``list`` and ``rbnn provision`` as a person types them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from typer.testing import CliRunner, Result

from rbnn.cli.main import build
from rbnn.keys import licence
from rbnn.keys.licence import Licence
from rbnn.keys.provider_key import ProviderKey
from rbnn.keys.registry import Registry
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import UserKey
from rbnn.spec.layout import HELPER_RECORD_BYTES

PROVIDER = ProviderKey(X25519PrivateKey.generate())
HALL, YARD = (X25519PrivateKey.generate().public_key().public_bytes_raw() for _ in range(2))
ANN, BOB = UserKey(Secret(b"\x07" * 32)), UserKey(Secret(b"\x08" * 32))


def issue(registry: Registry, device: bytes, user: UserKey, task: str, limit: int = 0) -> Licence:
    ids = (b"i" * 16, b"d" * 32, 3, b"s" * 32)
    with registry.issuing(device) as desk:
        one = licence.issue(PROVIDER, device, user, *ids, desk.next_sequence(), limit)
        desk.add(one, task, user)
    return one


@pytest.fixture
def issued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Licence]:
    """A registry in the working folder: two devices, two users of one task, some closed."""
    monkeypatch.chdir(tmp_path)
    with Registry.open("registry.sqlite") as registry:
        registry.add_device(HALL, bytes(32), "qemu", bytes(HELPER_RECORD_BYTES), "hall")
        registry.add_device(YARD, bytes(32), "nucleo", bytes(HELPER_RECORD_BYTES))
        made = {
            "ann": issue(registry, HALL, ANN, "digits", 7),
            "bob": issue(registry, HALL, BOB, "digits"),
            "words": issue(registry, YARD, BOB, "words"),
            "lost": issue(registry, YARD, ANN, "words"),
            "moved": issue(registry, HALL, ANN, "words"),
        }
        registry.revoke(made["lost"].licence_id, "stolen")
        with registry.transferring(made["moved"].licence_id, YARD, b"receipt") as desk:
            ids = (b"i" * 16, b"d" * 32, 3, b"s" * 32)
            made["new"] = licence.issue(PROVIDER, YARD, ANN, *ids, desk.next_sequence())
            desk.add(made["new"], "words", ANN)
    return made


def rbnn(*arguments: str) -> Result:
    return CliRunner().invoke(build(), list(arguments), env={"COLUMNS": "250"})


def listed(*arguments: str) -> list[dict[str, Any]]:
    done = rbnn("license", "list", *arguments, "--json")
    assert done.exit_code == 0, done.output
    rows: list[dict[str, Any]] = json.loads(done.stdout)["licences"]
    return rows


def numbers(issued: dict[str, Licence], *names: str) -> set[str]:
    return {issued[name].licence_id.hex() for name in names}


def test_licences_are_listed_by_device_user_task_and_state(issued: dict[str, Licence]) -> None:
    with Registry.open("registry.sqlite") as registry:
        ann = registry.user(ANN)
    for arguments, names in (
        ([], list(issued)),
        (["--device", "hall"], ["ann", "bob", "moved"]),
        (["--device", YARD.hex()[:12], "--valid"], ["words", "new"]),
        (["--user", ann[:6], "--task", "words"], ["lost", "moved", "new"]),
        (["--revoked"], ["lost", "moved"]),
        (["--task", "digits"], ["ann", "bob"]),
        (["--task", "nothing"], []),
    ):
        found = {row["licence"] for row in listed(*arguments)}
        assert found == numbers(issued, *names), arguments
    states = {row["licence"]: (row["state"], row["reason"]) for row in listed()}
    assert states[issued["lost"].licence_id.hex()] == ("revoked", "stolen")
    assert states[issued["moved"].licence_id.hex()] == ("transferred", "transferred")
    assert states[issued["ann"].licence_id.hex()] == ("valid", None)
    table = rbnn("license", "list").stdout
    assert "revoked" in table and "transferred" in table and "valid" in table


def test_a_licence_is_shown_by_its_number_or_its_file(
    issued: dict[str, Licence], tmp_path: Path
) -> None:
    one = issued["ann"]
    (tmp_path / "one.licence").write_bytes(one.data)
    documents = [
        json.loads(rbnn("license", "show", what, "--json").stdout)["licence"]
        for what in (one.licence_id.hex()[:10], "one.licence")
    ]
    assert documents[0] == documents[1]
    assert documents[0]["device_name"] == "hall" and documents[0]["inference_limit"] == 7
    assert (documents[0]["task"], documents[0]["task_number"]) == ("digits", 3)
    shown = rbnn("license", "show", issued["lost"].licence_id.hex()).stdout
    assert "revoked at" in shown and ": stolen" in shown and "no limit" in shown
    moved = rbnn("license", "show", issued["moved"].licence_id.hex()).stdout
    assert issued["new"].licence_id.hex() in moved and "transferred" in moved


def test_a_file_that_the_registry_does_not_have(issued: dict[str, Licence], tmp_path: Path) -> None:
    other = licence.issue(PROVIDER, HALL, ANN, b"i" * 16, b"d" * 32, 3, b"s" * 32, 4, 9)
    (tmp_path / "other.licence").write_bytes(other.data)
    for arguments in ([], ["--registry", "none.sqlite"]):
        done = rbnn("license", "show", "other.licence", "--json", *arguments)
        found = json.loads(done.stdout)["licence"]
        assert (found["state"], found["inference_limit"]) == ("not in this registry", 9)
        assert found["device"] is None and found["task"] is None
    assert not (tmp_path / "none.sqlite").exists()


@pytest.mark.parametrize("what", ["zz", "", "0000"])
def test_an_unknown_number_is_refused(issued: dict[str, Licence], what: str) -> None:
    done = rbnn("license", "show", what)
    assert done.exit_code != 0 and "rbnn license list" in str(done.exception)


def test_a_changed_file_is_detected(issued: dict[str, Licence], tmp_path: Path) -> None:
    changed = bytearray(issued["ann"].data)
    changed[-1] ^= 1
    (tmp_path / "changed.licence").write_bytes(changed)
    assert "it was changed" in str(rbnn("license", "show", "changed.licence").exception)
    (tmp_path / "short.licence").write_bytes(b"short")
    assert "no licence file" in str(rbnn("license", "show", "short.licence").exception)


def test_devices_have_names_and_the_audit_prints_its_end(issued: dict[str, Licence]) -> None:
    devices = json.loads(rbnn("devices", "--json").stdout)["devices"]
    assert {one["name"] for one in devices} == {"hall", None}
    audit = json.loads(rbnn("devices", "audit", "--last", "2", "--json").stdout)
    assert [one["event"] for one in audit["audit"]] == ["issue", "transfer"]
    assert audit["entries"] == 2 + 6 + 2


def test_a_fleet_needs_its_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "rbnn provision --csv FILE" in str(rbnn("provision").exception)
    assert "Cannot read none.csv" in str(rbnn("provision", "--csv", "none.csv").exception)
