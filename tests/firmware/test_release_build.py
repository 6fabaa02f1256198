"""A release build shows nothing of what happens inside, and a licence can demand one."""

from __future__ import annotations

from pathlib import Path

import host_firmware
from host_firmware import HostFirmware, error_name
from licensed_model import LicensedModel


def test_a_release_build_does_not_trace(licensed: LicensedModel, tmp_path: Path) -> None:
    program = host_firmware.build(licensed.export.folder, development=False)
    pattern = licensed.noisy_pattern()
    with HostFirmware(program, pattern, tmp_path, licensed.partition) as device:
        assert "m-build-[release]" in device.ask("id")
        assert not [line for line in device.ask("help") if "trace" in line]
        one = licensed.issue("grey", release_only=True)
        device.load(one.data)
        assert device.ask("licence")[0].endswith(",ram]")
        psk = licensed.user.psk(one.licence_id).hex()
        assert device.ask(f"unlock grey {psk}") == ["m-unlocked-[grey]"]
        device.ask("switch grey")
        device.load(licensed.images["grey"][0].tobytes())
        assert error_name(device.ask("trace")) == "unknown-command"
        assert device.ask("infer 1 0")[-1].startswith("m-results-[")


def test_a_development_build_opens_no_licence_that_is_for_release_builds(
    device: HostFirmware, licensed: LicensedModel
) -> None:
    one = licensed.issue("grey", release_only=True)
    device.load(one.data)
    device.ask("licence")
    psk = licensed.user.psk(one.licence_id).hex()
    assert error_name(device.ask(f"unlock grey {psk}")) == "development-build"
    # Without its flag, it is another licence than the one that was sealed.
    device.load(one.data[:6] + bytes(2) + one.data[8:])
    device.ask("licence")
    assert error_name(device.ask(f"unlock grey {psk}")) == "licence-refused"


def test_a_byte_ends_a_long_run_of_inferences(
    device: HostFirmware, licensed: LicensedModel
) -> None:
    assert device.ask(f"unlock grey {licensed.psk('grey')}") == ["m-unlocked-[grey]"]
    device.ask("switch grey")
    device.load(licensed.images["grey"][0].tobytes())
    # On a workstation, what arrives in one piece with the command is there while it runs.
    device.send(b"infer 50000 50000%%")
    said = device.answer()
    assert said[0] == "m-warmup-start-50000" and said[-1].startswith("e-[stopped: ")
    device.send(b"infer 50000 0%\r\n%")
    said = device.answer()
    assert said[2] == "m-infer-start-50000" and said[-1].startswith("e-[stopped: ")
    assert error_name(device.ask("results")) == "buffer-incomplete"
    device.send(b"infer 2 0%\r\n")
    assert device.answer()[-1].startswith("m-results-[")
    assert device.ask("name") == ["m-name-dut-[host]"]
