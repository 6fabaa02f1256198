"""Fixed-width little-endian records that exist in Python and, generated, in C."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

Value = int | bytes | tuple[int, ...]

_CODES = {"u8": "B", "i8": "b", "u16": "H", "i16": "h", "u32": "I", "i32": "i"}
_C_TYPES = {
    "u8": "uint8_t",
    "i8": "int8_t",
    "u16": "uint16_t",
    "i16": "int16_t",
    "u32": "uint32_t",
    "i32": "int32_t",
}


@dataclass(frozen=True)
class Field:
    """One member: ``count`` values of ``kind``. ``u8`` with a count above 1 reads as bytes."""

    name: str
    kind: str
    doc: str
    count: int = 1

    @property
    def code(self) -> str:
        """Format of this member in the language of :mod:`struct`."""
        if self.kind == "u8" and self.count > 1:
            return f"{self.count}s"
        return f"{self.count if self.count > 1 else ''}{_CODES[self.kind]}"

    @property
    def declaration(self) -> str:
        """The member in C."""
        suffix = f"[{self.count}]" if self.count > 1 else ""
        return f"{_C_TYPES[self.kind]} {self.name}{suffix};"


@dataclass(frozen=True)
class Record:
    """A packed record without implicit padding, members naturally aligned."""

    name: str
    doc: str
    fields: tuple[Field, ...]

    @property
    def format(self) -> str:
        """Format of the whole record in the language of :mod:`struct`."""
        return "<" + "".join(field.code for field in self.fields)

    @property
    def size(self) -> int:
        """Bytes of one record."""
        return struct.calcsize(self.format)

    def offset(self, member: str) -> int:
        """Byte offset of ``member``."""
        position = 0
        for field in self.fields:
            if field.name == member:
                return position
            position += struct.calcsize("<" + field.code)
        raise KeyError(member)

    def pack(self, values: Mapping[str, Value]) -> bytes:
        """Encode one record.

        Args:
            values: one value for each member, by name; none missing, none unknown.

        Raises:
            ValueError: a member is missing, unknown, out of range or of wrong length.
        """
        names = {field.name for field in self.fields}
        if names != set(values):
            raise ValueError(
                f"Record {self.name} has the members {sorted(names)}. Received: {sorted(values)}"
            )
        flat: list[int | bytes] = []
        for field in self.fields:
            value = values[field.name]
            if isinstance(value, bytes) and len(value) != field.count:
                raise ValueError(
                    f"{self.name}.{field.name} has {field.count} bytes. Received: {len(value)}"
                )
            if isinstance(value, tuple):
                if len(value) != field.count:
                    raise ValueError(
                        f"{self.name}.{field.name} has {field.count} values. Received: {len(value)}"
                    )
                flat.extend(value)
            else:
                flat.append(value)
        try:
            return struct.pack(self.format, *flat)
        except struct.error as error:
            raise ValueError(f"Record {self.name}: {error}. Received: {dict(values)}") from error

    def unpack(self, data: bytes, offset: int = 0) -> dict[str, Value]:
        """Decode one record that starts at ``offset``.

        Raises:
            ValueError: ``data`` ends before the record does.
        """
        if offset < 0 or len(data) < offset + self.size:
            raise ValueError(
                f"Record {self.name} at offset {offset} needs {self.size} bytes. "
                f"Received: {max(0, len(data) - offset)}"
            )
        flat = list(struct.unpack_from(self.format, data, offset))
        values: dict[str, Value] = {}
        for field in self.fields:
            if field.count > 1 and field.kind != "u8":
                values[field.name] = tuple(flat[: field.count])
                del flat[: field.count]
            else:
                values[field.name] = flat.pop(0)
        return values
