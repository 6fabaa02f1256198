"""An emulated board's folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rbnn.flash.emulated import BoardSettings, EmulatedBoard
from rbnn.flash.errors import FlashError
from rbnn.spec.puf import PATTERN_BYTES


def _differing_bits(a: bytes, b: bytes) -> float:
    return float(np.unpackbits(np.frombuffer(a, np.uint8) ^ np.frombuffer(b, np.uint8)).mean())


def test_a_seed_makes_the_same_device_and_no_seed_another(tmp_path: Path) -> None:
    first = EmulatedBoard.create(tmp_path / "a", "qemu", seed=5)
    second = EmulatedBoard.create(tmp_path / "b", "qemu", seed=5)
    other = EmulatedBoard.create(tmp_path / "c", "qemu")
    assert first.fingerprint_file.read_bytes() == second.fingerprint_file.read_bytes()
    assert first.fingerprint_file.read_bytes() != other.fingerprint_file.read_bytes()
    assert first.fingerprint_file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("rate", [0.0, 0.05, 0.1])
def test_power_ups_differ_at_the_boards_rate(tmp_path: Path, rate: float) -> None:
    device = EmulatedBoard.create(tmp_path, "qemu", seed=6, bit_error_rate=rate)
    noise = np.random.default_rng(1)
    patterns = [device.power_up_pattern(noise) for _ in range(6)]
    assert {len(pattern) for pattern in patterns} == {PATTERN_BYTES}
    measured = np.mean([_differing_bits(patterns[0], pattern) for pattern in patterns[1:]])
    assert abs(measured - rate) <= 0.015


def test_creating_again_keeps_the_device(tmp_path: Path) -> None:
    cells = EmulatedBoard.create(tmp_path, "qemu").fingerprint_file.read_bytes()
    again = EmulatedBoard.create(tmp_path, "qemu", bit_error_rate=0.2)
    assert again.fingerprint_file.read_bytes() == cells
    assert again.settings() == BoardSettings(board="qemu", bit_error_rate=0.05)


def test_another_boards_folder_is_refused(tmp_path: Path) -> None:
    EmulatedBoard.create(tmp_path, "qemu")
    with pytest.raises(FlashError, match="holds a board 'qemu', not 'nucleo'"):
        EmulatedBoard.create(tmp_path, "nucleo")


def test_a_device_whose_settings_are_lost_is_not_replaced(tmp_path: Path) -> None:
    device = EmulatedBoard.create(tmp_path, "qemu")
    cells = device.fingerprint_file.read_bytes()
    device.settings_file.unlink()
    with pytest.raises(FlashError, match=r"holds a fingerprint but no board\.json"):
        EmulatedBoard.create(tmp_path, "qemu")
    assert device.fingerprint_file.read_bytes() == cells


def test_damaged_files_are_named(tmp_path: Path) -> None:
    device = EmulatedBoard.create(tmp_path, "qemu")
    device.fingerprint_file.write_bytes(b"short")
    with pytest.raises(FlashError, match=r"fingerprint\.bin has 5 bytes"):
        device.fingerprint()
    device.fingerprint_file.unlink()
    with pytest.raises(FlashError, match=r"Cannot read .*fingerprint\.bin"):
        device.fingerprint()
    device.settings_file.write_text('{"board": "qemu", "bit_error_rate": 7}')
    with pytest.raises(FlashError, match=r"board\.json is damaged"):
        device.settings()


def test_no_device_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(FlashError) as caught:
        EmulatedBoard(tmp_path / "none").settings()
    assert "rbnn flash" in caught.value.fix


def test_images_are_written_completely_and_padded(tmp_path: Path) -> None:
    device = EmulatedBoard.create(tmp_path, "qemu")
    device.write_flash(b"firmware", 64)
    device.write_provisioning(b"partition", 16)
    assert device.flash_file.read_bytes() == b"firmware"
    assert device.provisioning_file.read_bytes() == b"partition" + b"\xff" * 7
    device.erase_provisioning(16)
    assert device.provisioning_file.read_bytes() == b"\xff" * 16
    assert not [file for file in tmp_path.iterdir() if file.name.startswith(".")]


@pytest.mark.parametrize("image", [b"", b"x" * 65])
def test_images_that_do_not_fit_change_nothing(tmp_path: Path, image: bytes) -> None:
    device = EmulatedBoard.create(tmp_path, "qemu")
    device.write_flash(b"firmware", 64)
    with pytest.raises(FlashError, match="accepts 1 to 64"):
        device.write_flash(image, 64)
    assert device.flash_file.read_bytes() == b"firmware"
