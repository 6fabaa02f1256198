"""`rbnn doctor`: what is missing, whether it is needed, and what fixes it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rbnn.cli.main import build
from rbnn.device.machine import checks, doctor
from rbnn.device.machine.checks import Check
from rbnn.image.board import load_board

NUCLEO = load_board("nucleo")


def run(*arguments: str) -> tuple[int, dict[str, Check], list[str]]:
    done = CliRunner().invoke(build(), ["doctor", *arguments, "--json"])
    document = json.loads(done.stdout)
    found = [Check.model_validate(row) for row in document["checks"]]
    return done.exit_code, {one.name: one for one in found}, document["missing"]


def test_without_a_compiler_the_command_fails_and_names_the_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    code, found, missing = run()
    assert code == 1
    assert {"C compiler for Cortex-M", "C compiler of this machine", "emulator"} <= set(missing)
    assert found["C compiler for Cortex-M"].fix.startswith("sudo apt-get install gcc-arm-none-eabi")
    # For emulated boards, OpenOCD is not needed.
    assert found["OpenOCD"].state == "missing" and "OpenOCD" not in missing
    monkeypatch.setenv("COLUMNS", "60")
    shown = CliRunner().invoke(build(), ["doctor"])
    assert shown.exit_code == 1
    assert "fix emulator: sudo apt-get install qemu-system-arm\n" in shown.stdout


def test_a_real_board_also_needs_openocd_its_probe_and_the_rights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(doctor, "probes", lambda boards: [])
    monkeypatch.setattr(shutil, "which", lambda name: None)
    code, found, missing = run("--board", "nucleo")
    assert code == 1 and {"OpenOCD", "connected probes"} <= set(missing)
    assert "emulator" not in missing and "its machines" not in found


def test_a_board_that_is_unknown_is_refused() -> None:
    done = CliRunner().invoke(build(), ["doctor", "--board", "nukleo"])
    assert "Unknown board 'nukleo'" in str(done.exception)


def test_rules_are_looked_for_by_the_vendor_of_the_probes(tmp_path: Path) -> None:
    none = checks.udev_rules([NUCLEO], needed=True, folders=[str(tmp_path)])
    assert none.fails and "0483" in none.found and "udevadm control --reload" in none.fix
    (tmp_path / "60-probe.rules").write_text('ATTRS{idVendor}=="0483", MODE="660"\n')
    assert checks.udev_rules([NUCLEO], needed=True, folders=[str(tmp_path)]).state == "ok"


def test_who_is_not_in_a_group_is_told_how_to_join_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(checks.os, "getegid", lambda: 1000)
    monkeypatch.setattr(checks.os, "getgroups", lambda: [1000])
    outside = checks.group("dialout", needed=True)
    assert outside.fails and "usermod -aG dialout" in outside.fix
    assert not checks.group("no-such-group", needed=True).fails
    monkeypatch.setattr(checks.os, "getgroups", lambda: [checks.grp.getgrnam("dialout").gr_gid])
    assert checks.group("dialout", needed=True).state == "ok"


def test_a_cache_has_a_place_and_a_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one").write_bytes(bytes(3_000_000))
    assert checks.cache("cache", tmp_path).found == f"{tmp_path}, 3 MB"
    assert checks.cache("cache", tmp_path / "not yet").state == "ok"
    monkeypatch.setattr(checks.os, "access", lambda path, mode: False)
    assert checks.cache("cache", tmp_path).fails


@pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="apt-get install qemu-system")
def test_a_machine_that_the_emulator_lacks_is_named() -> None:
    assert NUCLEO.emulator
    newer = NUCLEO.emulator.model_copy(update={"machine": "board-of-tomorrow"})
    emulator = checks.program("qemu-system-arm", "emulator", needed=True)
    known = checks.machines([NUCLEO], emulator, "qemu-system-arm")
    lacking = checks.machines(
        [NUCLEO.model_copy(update={"emulator": newer})], emulator, "qemu-system-arm"
    )
    assert known.state == "ok"
    assert lacking.fails and lacking.found == "without board-of-tomorrow (nucleo)"
