"""Which board the options select, and a real board whose probe and user are played by the test."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scripted_device import ScriptedDevice

from rbnn.device import ports, real_target
from rbnn.device.emulated.target import EmulatedTarget
from rbnn.device.errors import PortError
from rbnn.device.real_target import RealTarget, wait_for
from rbnn.device.targets import find_target
from rbnn.flash import openocd
from rbnn.flash.errors import FlashError
from rbnn.image import platformio
from rbnn.image.board import load_board
from rbnn.image.platformio import BuildResult

QEMU, NUCLEO = load_board("qemu"), load_board("nucleo")


def quiet(line: str) -> None:
    """Discards progress messages."""


@pytest.fixture
def far() -> Iterator[ScriptedDevice]:
    device = ScriptedDevice({"name": "m-name-dut-[nucleo]"})
    yield device
    device.close()


def test_a_board_without_hardware_is_emulated_in_its_own_folder() -> None:
    target = find_target(QEMU, say=quiet)
    assert isinstance(target, EmulatedTarget)
    assert target.device.folder == Path("emulated/qemu")


def test_a_real_board_is_emulated_on_demand(tmp_path: Path) -> None:
    target = find_target(NUCLEO, folder=tmp_path, emulated=True, say=quiet)
    assert isinstance(target, EmulatedTarget)
    assert target.device.folder == tmp_path
    assert isinstance(find_target(NUCLEO, say=quiet), RealTarget)


def test_options_that_contradict_the_board(tmp_path: Path) -> None:
    with pytest.raises(PortError, match="is emulated; it has no serial port"):
        find_target(QEMU, port="/dev/ttyACM0", say=quiet)
    with pytest.raises(PortError, match="is real; it has no folder"):
        find_target(NUCLEO, folder=tmp_path, say=quiet)
    with pytest.raises(PortError, match="cannot be emulated"):
        find_target(NUCLEO.model_copy(update={"emulator": None}), emulated=True, say=quiet)


def test_the_port_is_found_by_the_manifests_usb_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(ports, "find", lambda board, ids: asked.append((board, ids)) or "/dev/x")
    assert RealTarget(NUCLEO, None, quiet).serial_path() == "/dev/x"
    assert NUCLEO.serial is not None
    ids = [(NUCLEO.serial.vendor_id, product) for product in NUCLEO.serial.product_ids]
    assert asked == [("nucleo", ids)]
    assert RealTarget(NUCLEO, "/dev/ttyUSB7", quiet).serial_path() == "/dev/ttyUSB7"


def test_check_names_what_is_missing(
    far: ScriptedDevice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PortError, match="There is no port /dev/nonesuch"):
        RealTarget(NUCLEO, "/dev/nonesuch", quiet).check()
    monkeypatch.setattr(openocd, "require", lambda: None)
    with pytest.raises(PortError, match=f"probe belongs to the port {far.path} cannot be told"):
        RealTarget(NUCLEO, far.path, quiet).check()
    monkeypatch.undo()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FlashError) as caught:
        RealTarget(NUCLEO, far.path, quiet).check()
    assert "apt-get install openocd" in caught.value.fix


def test_writing_uses_platformio_for_the_firmware_and_openocd_for_the_partition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[Any] = []
    monkeypatch.setattr(platformio, "upload", lambda *arguments, **_: done.append(arguments))
    monkeypatch.setattr(
        openocd,
        "program",
        lambda script, file, *rest: done.append((script, file.read_bytes(), *rest)),
    )
    monkeypatch.setattr(ports, "probe_serial", {"/dev/x": "066DFF"}.__getitem__)
    target = RealTarget(NUCLEO, "/dev/x", quiet)
    none = tmp_path / "none"
    target.write_firmware(BuildResult(NUCLEO, none, none, none, none), tmp_path)
    target.write_provisioning(b"partition")
    address = NUCLEO.provisioning.address
    assert done == [
        (NUCLEO, tmp_path, "066DFF"),
        (NUCLEO.openocd_script, b"partition", address, "066DFF", quiet),
    ]
    # All of the partition is erased, however many sectors that is.
    target.erase_provisioning()
    assert done[-1][1] == b"\xff" * NUCLEO.provisioning.bytes


def test_the_dry_run_prints_both_commands(tmp_path: Path) -> None:
    upload, program = RealTarget(NUCLEO, None, quiet).commands(tmp_path)
    assert "platformio run" in upload
    assert "--target upload" in upload
    assert program.startswith("openocd -f ")
    assert f"{NUCLEO.provisioning.address:#010x}" in program


def test_the_port_chooses_the_board_that_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = {"/dev/ttyACM0": "066AFF1", "/dev/ttyACM1": "066BFF2"}
    monkeypatch.setattr(ports, "probe_serial", numbers.__getitem__)
    for port, number in numbers.items():
        upload, program = RealTarget(NUCLEO, port, quiet).commands(tmp_path)
        assert f"RBNN_PROBE_SERIAL={number} " in upload
        assert f"; adapter serial {number}'" in program
    monkeypatch.undo()
    with pytest.raises(PortError, match="cannot be told"):
        RealTarget(NUCLEO, "/dev/nonesuch", quiet).commands(tmp_path)


def test_a_power_cycle_waits_for_the_user(
    far: ScriptedDevice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(real_target, "SETTLE_S", 0.0)
    port = tmp_path / "port"
    port.symlink_to(far.path)
    said: list[str] = []

    def user() -> None:
        while not said:
            time.sleep(0.01)
        port.unlink()
        while len(said) < 2:
            time.sleep(0.01)
        port.symlink_to(far.path)

    thread = threading.Thread(target=user)
    thread.start()
    target = RealTarget(NUCLEO, str(port), said.append)
    target.power_cycle()
    thread.join()
    assert [line.split()[0] for line in said] == ["Unplug", "Unplugged."]
    with target.open() as session:
        assert session.board_name == "nucleo"


def test_waiting_for_the_user_has_a_time_limit() -> None:
    with pytest.raises(PortError, match=r"not unplugged within 0\.1 s"):
        wait_for(lambda: False, "unplugged", timeout_s=0.1)
