"""Containers with one thing wrong, and what the C core says about them."""

from __future__ import annotations

import struct

from core_driver import Driver
from hypothesis import HealthCheck, settings

from rbnn.container.container import CRC_OFFSET, container_crc32
from rbnn.spec.structs import Record

NOT_RUN = 1
CASES = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def with_crc(data: bytes | bytearray) -> bytes:
    """The same container with its CRC-32 corrected."""
    changed = bytearray(data)
    if len(changed) >= CRC_OFFSET + 4:
        changed[CRC_OFFSET : CRC_OFFSET + 4] = struct.pack("<I", container_crc32(bytes(changed)))
    return bytes(changed)


def open_it(
    driver: Driver, data: bytes, params: bytes = b"", task: int = 0
) -> tuple[int, int, int, int]:
    """Status of opening, bad layer, status of the check and of one inference."""
    result = driver.run(data, params, task)
    return result.open, result.bad_layer, result.check, result.infer


def member_offset(record: Record, name: str) -> tuple[int, str]:
    """Offset and format of a member."""
    fields = record.fields[: [field.name for field in record.fields].index(name)]
    return struct.calcsize("<" + "".join(field.code for field in fields)), "<" + next(
        field.code for field in record.fields if field.name == name
    )


def changed(data: bytes, start: int, record: Record, name: str, value: int) -> bytes:
    """A container with one member of one record changed and its CRC-32 corrected."""
    offset, code = member_offset(record, name)
    result = bytearray(data)
    struct.pack_into(code, result, start + offset, value)
    return with_crc(result)
