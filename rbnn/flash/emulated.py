"""The emulated board on disk: what a real one keeps when its power is off.

::

    emulated/qemu/
        board.json         BoardSettings: which board, how noisy its SRAM is
        fingerprint.bin    its SRAM: each cell's mismatch, float32; as secret as a real chip's
        flash.bin          firmware image
        provisioning.bin   provisioning partition, erased bytes 0xFF
        store.bin          RAM of the emulator; its start plays the flash of the store, and a
                           part of it the partition of the model
        model.bin          that partition, of a board whose emulator has no such RAM
        state.json         the running emulator (rbnn.device.emulated.emulator)
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field, ValidationError

from rbnn.files import write_atomic
from rbnn.flash.errors import FlashError
from rbnn.frozen import Frozen, first_problem
from rbnn.spec.partition import SIGNED_MODEL_HEADER
from rbnn.spec.puf import PATTERN_BYTES

if TYPE_CHECKING:  # numpy is needed at power-on only
    import numpy as np

    from rbnn.keys.fingerprint import Fingerprint

DEFAULT_BIT_ERROR_RATE = 0.05
ERASED = b"\xff"
MODEL_HEADER_BYTES = SIGNED_MODEL_HEADER.size
_FINGERPRINT_BYTES = 8 * PATTERN_BYTES * 4


class BoardSettings(Frozen):
    """``board.json``."""

    board: str
    bit_error_rate: float = Field(ge=0.0, lt=0.5)
    """Expected share of bits that differ between two power-ups."""


class EmulatedBoard:
    """A folder that represents one device.

    Args:
        folder: need not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings_file = folder / "board.json"
        self.fingerprint_file = folder / "fingerprint.bin"
        self.flash_file = folder / "flash.bin"
        self.provisioning_file = folder / "provisioning.bin"
        self.store_file = folder / "store.bin"
        self.model_file = folder / "model.bin"
        self.state_file = folder / "state.json"

    @property
    def exists(self) -> bool:
        """Whether the folder holds a device."""
        return self.settings_file.is_file()

    @property
    def has_firmware(self) -> bool:
        """Whether an image was written to it."""
        return self.flash_file.is_file()

    @classmethod
    def create(
        cls,
        folder: Path,
        board: str,
        *,
        seed: int | None = None,
        bit_error_rate: float = DEFAULT_BIT_ERROR_RATE,
    ) -> EmulatedBoard:
        """Make a new device with its own fingerprint, or use the one that is there.

        Args:
            folder: the device's folder.
            board: name of its board.
            seed: for a reproducible fingerprint (tests); by default the system draws one.
            bit_error_rate: chance of a bit error at each power-up.

        Raises:
            FlashError: the folder holds another board, or a damaged one.
            RbnnError: the folder cannot be written.
        """
        from rbnn.keys.fingerprint import Fingerprint

        device = cls(folder)
        if device.exists:
            device.settings(board)
            return device
        if device.fingerprint_file.exists():
            raise FlashError(
                f"{folder} holds a fingerprint but no {device.settings_file.name}.",
                "Restore that file, or name another folder: --device-folder PATH",
            )
        cells = Fingerprint.draw(seed).mismatch.astype("<f4").tobytes()
        write_atomic(device.fingerprint_file, cells, mode=0o600)
        settings = BoardSettings(board=board, bit_error_rate=bit_error_rate)
        write_atomic(device.settings_file, settings.model_dump_json(indent=2) + "\n")
        return device

    def settings(self, board: str | None = None) -> BoardSettings:
        """Read ``board.json``.

        Args:
            board: the name that it must contain; None for any.

        Raises:
            FlashError: no such device, a damaged one, or one of another board.
        """
        try:
            settings = BoardSettings.model_validate_json(self.settings_file.read_bytes())
        except OSError as error:
            raise FlashError(
                f"There is no emulated board in {self.folder}.",
                "Make it and write its firmware: rbnn flash --user-key PATH",
            ) from error
        except ValidationError as error:
            raise FlashError(
                f"{self.settings_file} is damaged: {first_problem(error)}.",
                "Remove the folder to start with a new device.",
            ) from error
        if board is not None and settings.board != board:
            raise FlashError(
                f"{self.folder} holds a board {settings.board!r}, not {board!r}.",
                "Name another folder: --device-folder PATH",
            )
        return settings

    def fingerprint(self) -> Fingerprint:
        """Its SRAM cells.

        Raises:
            FlashError: the file is missing or cut short.
        """
        import numpy as np

        from rbnn.keys.fingerprint import Fingerprint

        try:
            cells = self.fingerprint_file.read_bytes()
        except OSError as error:
            raise FlashError(
                f"Cannot read {self.fingerprint_file}: {error.strerror}.",
                "Remove the folder to start with a new device.",
            ) from error
        if len(cells) != _FINGERPRINT_BYTES:
            raise FlashError(
                f"{self.fingerprint_file} has {len(cells)} bytes instead of {_FINGERPRINT_BYTES}: "
                "it is damaged, or from an earlier version.",
                "Remove the folder to start with a new device.",
            )
        return Fingerprint(np.frombuffer(cells, "<f4").astype(np.float64))

    def power_up_pattern(self, noise: np.random.Generator | None = None) -> bytes:
        """What its SRAM holds after another power-on, ``PATTERN_BYTES``.

        Args:
            noise: source of the bit errors; None draws them from the operating system.
        """
        return self.fingerprint().power_up(self.settings().bit_error_rate, noise)

    def write_flash(self, image: bytes, capacity: int) -> None:
        """Replace the firmware image, completely or not at all.

        Args:
            image: starts at the first byte of the board's flash.
            capacity: bytes of its flash.

        Raises:
            FlashError: it is empty or does not fit.
        """
        self._check_size("firmware image", image, capacity)
        write_atomic(self.flash_file, image)

    def write_provisioning(self, partition: bytes, capacity: int) -> None:
        """Replace the provisioning partition, completely or not at all; its rest is erased."""
        self._check_size("provisioning partition", partition, capacity)
        write_atomic(self.provisioning_file, partition + ERASED * (capacity - len(partition)))

    def make_store(self, pages: int, size: int) -> None:
        """Make the file of the store unless there is one: erased pages, then zeros.

        Args:
            pages: bytes of the pages of its flash.
            size: bytes of the file; nearly all of it takes no place on the disk.

        Raises:
            FlashError: there is one of another size.
        """
        if not self.store_file.exists():
            made = self.store_file.with_suffix(".new")
            write_atomic(made, ERASED * pages)
            try:
                os.truncate(made, size)
                made.replace(self.store_file)
            except OSError as error:
                raise self._unwritable(error) from error
        if (found := self.store_file.stat().st_size) != size:
            raise FlashError(
                f"{self.store_file} has {found} bytes instead of {size}: it is damaged.",
                "Remove the folder to start with a new device.",
            )

    def write_model(self, model: bytes, capacity: int, place: int | None) -> None:
        """Replace the partition of the model; its rest is erased.

        Args:
            model: header and container.
            capacity: bytes of the partition.
            place: where it begins in the file of the store, which is there; None if it has a file
                of its own.
        """
        self._check_size("signed model", model, capacity)
        data = model + ERASED * (capacity - len(model))
        if place is None:
            write_atomic(self.model_file, data)
            return
        try:
            with self.store_file.open("r+b") as file:
                # The header comes last: without it, there is no model.
                file.seek(place)
                file.write(ERASED * MODEL_HEADER_BYTES + data[MODEL_HEADER_BYTES:])
                file.flush()
                os.fsync(file.fileno())
                file.seek(place)
                file.write(data[:MODEL_HEADER_BYTES])
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> FlashError:
        return FlashError(
            f"Cannot write {self.store_file}: {error.strerror}.",
            "Free some space, or make the folder writable, and run it again.",
        )

    def erase_provisioning(self, capacity: int) -> None:
        """Erase the provisioning partition."""
        write_atomic(self.provisioning_file, ERASED * capacity)

    def _check_size(self, what: str, data: bytes, capacity: int) -> None:
        if not 0 < len(data) <= capacity:
            raise FlashError(
                f"The {what} has {len(data)} bytes; {self.folder} accepts 1 to {capacity}.",
                "Train a smaller network, or choose a larger board.",
            )
