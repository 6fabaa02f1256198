"""The provisioning partition: what a board's flash holds besides the firmware.

Header, helper record (zero-padded to a multiple of 4), licences. Nothing in it is secret. The
CRC-32 detects accidents; the helper record and each licence are protected by their own tags.
"""

from __future__ import annotations

import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from rbnn.keys import licence as licences_module
from rbnn.keys.errors import LicenceError, ProvisioningError
from rbnn.keys.licence import Licence
from rbnn.spec import layout

_LAYOUT = layout.PROVISIONING_HEADER
_FIXED_BYTES = _LAYOUT.size + layout.HELPER_RECORD_PADDED_BYTES
MAX_BYTES = _FIXED_BYTES + layout.MAX_LICENCES * layout.LICENCE_BYTES
"""A partition of this size holds any valid content; 6,616 bytes."""
_FLASH_AGAIN = "Flash the provisioning again: rbnn flash"


@dataclass(frozen=True)
class Provisioning:
    """A partition's content.

    Args:
        helper_record: 3,117 bytes.
        licences: in the order in which they are stored.
    """

    helper_record: bytes
    licences: tuple[Licence, ...]


def build(helper_record: bytes, licences: Sequence[Licence]) -> bytes:
    """Bytes to write at the partition's start.

    Args:
        helper_record: from the device's enrolment, 3,117 bytes.
        licences: at most 32, and at most one per task.

    Raises:
        ProvisioningError: the record has a wrong size, or the licences do not fit.
    """
    if len(helper_record) != layout.HELPER_RECORD_BYTES:
        raise ProvisioningError(
            f"A helper record has {layout.HELPER_RECORD_BYTES} bytes, not {len(helper_record)}.",
            "Enrol the device again: rbnn enroll",
        )
    if len(licences) > layout.MAX_LICENCES:
        raise ProvisioningError(
            f"A partition holds at most {layout.MAX_LICENCES} licences, not {len(licences)}."
        )
    numbers = [licence.task_number for licence in licences]
    if len(set(numbers)) != len(numbers):
        raise ProvisioningError(
            f"Two licences are for one task: task numbers {sorted(numbers)}.",
            "A device holds one licence per task; drop the older one.",
        )
    body = helper_record.ljust(layout.HELPER_RECORD_PADDED_BYTES, b"\0")
    body += b"".join(licence.data for licence in licences)
    values: dict[str, int | bytes] = {
        "magic": layout.PROVISIONING_MAGIC,
        "version": layout.PROVISIONING_VERSION,
        "licence_count": len(licences),
        "total_bytes": _LAYOUT.size + len(body),
        "crc32": 0,
    }
    values["crc32"] = binascii.crc32(_LAYOUT.pack(values) + body)
    return _LAYOUT.pack(values) + body


def parse(data: bytes) -> Provisioning:
    """Read a partition.

    Args:
        data: the partition, from its start; more may follow.

    Raises:
        ProvisioningError: empty, of another version, cut short or changed.
    """
    head = data[: _LAYOUT.size]
    if len(head) < _LAYOUT.size or not head.strip(b"\xff") or not head.strip(b"\0"):
        raise ProvisioningError("The provisioning partition is empty.", "Enrol: rbnn enroll")
    values = _LAYOUT.unpack(head)
    count, total = values["licence_count"], values["total_bytes"]
    assert isinstance(count, int) and isinstance(total, int)
    if (
        values["magic"] != layout.PROVISIONING_MAGIC
        or values["version"] != layout.PROVISIONING_VERSION
        or count > layout.MAX_LICENCES
        or total != _FIXED_BYTES + count * layout.LICENCE_BYTES
    ):
        raise ProvisioningError("The provisioning partition has another format.", _FLASH_AGAIN)
    if total > len(data):
        raise ProvisioningError(
            f"The provisioning partition is cut short: {len(data)} of {total} bytes.", _FLASH_AGAIN
        )
    zeroed = _LAYOUT.pack({**values, "crc32": 0}) + data[_LAYOUT.size : total]
    if binascii.crc32(zeroed) != values["crc32"]:
        raise ProvisioningError("The provisioning partition is damaged (CRC-32).", _FLASH_AGAIN)
    found = []
    for start in range(_FIXED_BYTES, total, layout.LICENCE_BYTES):
        try:
            found.append(licences_module.parse(data[start : start + layout.LICENCE_BYTES]))
        except LicenceError as error:
            raise ProvisioningError(
                f"Licence {len(found)} of the partition is malformed: {error.what}", _FLASH_AGAIN
            ) from error
    record = data[_LAYOUT.size : _LAYOUT.size + layout.HELPER_RECORD_BYTES]
    return Provisioning(record, tuple(found))
