"""Both implementations of the secure sketch behind one interface."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rbnn import monocypher
from rbnn.engine.compile import MONOCYPHER, compile_native, room_sources
from rbnn.keys import pattern as patterns
from rbnn.keys import puf as model
from rbnn.keys.errors import FingerprintError
from rbnn.keys.puf import SketchEnrolment
from rbnn.keys.secret import Secret
from rbnn.spec.layout import HELPER_RECORD_BYTES
from rbnn.spec.status import Status

REFUSALS = (Status.PUF_PATTERN, Status.PUF_BIAS, Status.PUF_ENTROPY)


@dataclass(frozen=True)
class Sketch:
    """One implementation: enrolment and reproduction, None if it refuses; and what it thinks of a
    pattern."""

    enroll: Callable[[bytes], SketchEnrolment | None]
    reproduce: Callable[[bytes, bytes], Secret | None]
    examine: Callable[[bytes], Status]


def python_sketch() -> Sketch:
    """The host's model."""

    def enroll(pattern: bytes) -> SketchEnrolment | None:
        try:
            return model.enroll(pattern)
        except FingerprintError:
            return None

    def reproduce(pattern: bytes, record: bytes) -> Secret | None:
        try:
            return model.reproduce(pattern, record)
        except FingerprintError:
            return None

    return Sketch(enroll, reproduce, lambda pattern: patterns.examine(pattern)[0])


def c_sketch() -> Sketch:
    """The firmware's, on this machine."""
    monocypher.lay_out(monocypher.folder())
    sources: list[Path] = [*room_sources("crypto", "puf"), MONOCYPHER / "monocypher.c"]
    library = ctypes.CDLL(str(compile_native("libsketch.so", sources, ["-O2", "-shared", "-fPIC"])))

    def enroll(pattern: bytes) -> SketchEnrolment | None:
        record = ctypes.create_string_buffer(b"\xaa" * HELPER_RECORD_BYTES, HELPER_RECORD_BYTES)
        root = ctypes.create_string_buffer(b"\xaa" * 32, 32)
        status = library.rbnn_sketch_enroll(pattern, record, root)
        if status == Status.OK:
            return SketchEnrolment(record.raw, Secret(root.raw))
        assert status in REFUSALS
        assert record.raw == bytes(HELPER_RECORD_BYTES) and root.raw == bytes(32)
        return None

    def reproduce(pattern: bytes, record: bytes) -> Secret | None:
        root = ctypes.create_string_buffer(b"\xaa" * 32, 32)
        status = library.rbnn_sketch_reproduce(pattern, record, root)
        if status == Status.OK:
            return Secret(root.raw)
        assert status == Status.PUF_HELPER and root.raw == bytes(32)
        return None

    return Sketch(enroll, reproduce, lambda pattern: Status(library.rbnn_pattern_check(pattern)))
