"""The Python side of ``wide_driver.c``, and each layer's answer in numpy."""

from __future__ import annotations

import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from check_programs import sanitized_objects

from rbnn.container.params import Logits, Residual
from rbnn.container.shapes import bits_bytes, logits_bytes, stream_bytes
from rbnn.engine import arithmetic
from rbnn.engine.compile import FIRMWARE, SANITIZERS, compile_native, room_sources
from rbnn.nets.topology import Layer
from rbnn.operators.windows import Sums
from rbnn.operators.workings import WORKINGS
from rbnn.spec import packing
from rbnn.spec.layout import LAYER, Activation, Output, Sign, Stage
from rbnn.spec.operators import Reads, Writes

HERE = Path(__file__).parent
NAME_BYTES = 8
Int16s = npt.NDArray[np.int16]


def build_driver(flags: tuple[str, ...]) -> Path:
    """The driver under AddressSanitizer and UBSan, with the vectors that ``flags`` choose."""
    kernels = [path for path in FIRMWARE.glob("host/wide*.c") if path.name != "wide_batch.c"]
    # What has no vectors is compiled once.
    plain = sanitized_objects(room_sources("core"))
    sources = [HERE / "wide_driver.c", *plain, *sorted(kernels)]
    return compile_native("wide_driver", sources, ("-O1", *SANITIZERS, *flags))


@dataclass(frozen=True)
class Case:
    """One layer with everything that it reads.

    Args:
        layer: the layer.
        kernel: its weights, Keras' order, True for +1; None for a pool.
        inputs: bits, stream, or an image's pixels as the task has them; height, width, channels.
        values: its group's arrays by name (``rbnn.container.params``), and the shift.
        shortcut: stream to add, or None.
        in_place: the stream is written over the shortcut.
        offsets: of the image.
    """

    layer: Layer
    kernel: packing.Bits | None
    inputs: npt.NDArray[np.generic]
    values: dict[str, Int16s | npt.NDArray[np.int32]]
    shift: int = 0
    shortcut: Int16s | None = None
    in_place: bool = False
    offsets: tuple[int, ...] = ()

    def expected(self) -> bytes:
        """Bits, stream and logits in numpy."""
        layer, given = self.layer, self.inputs[None]
        match layer.op.reads:
            case Reads.IMAGE:
                pixels = np.broadcast_to(given, (*given.shape[:3], len(self.offsets)))
                given = pixels.astype(np.float32) - np.array(self.offsets, np.float32)
            case Reads.BITS:
                given = given.astype(np.bool_)
            case Reads.STREAM:
                given = given.astype(np.int16)
        made = WORKINGS[layer.op].compute(layer, given, self.kernel)
        match layer.op.writes:
            case Writes.STAGED:
                return self._stage(made)
            case Writes.BITS:
                return packing.pack_rows(made)
            case Writes.STREAM:
                return made.tobytes()
            case Writes.LOGITS:
                group = Logits(self.values["scales"], self.values["biases"])  # type: ignore[arg-type]
                logits = arithmetic.logits(made, group, layer.op)
                return logits.astype(np.int32).tobytes()

    def _stage(self, sums: Sums) -> bytes:
        if self.layer.stage is Stage.THRESHOLD:
            return packing.pack_rows(sums >= self.values["thresholds"])
        shortcut = None if self.shortcut is None else self.shortcut[None]
        group = Residual(self.shift, **self.values)  # type: ignore[arg-type]
        values, bits = arithmetic.residual(sums, shortcut, group)
        wanted = self.layer.output
        return (packing.pack_rows(bits) if Output.BITS in wanted else b"") + (
            values.astype("<i2").tobytes() if Output.STREAM in wanted else b""
        )

    def request(self) -> bytes:
        """The case as bytes for the driver."""
        layer = self.layer
        weights = b"" if self.kernel is None else packing.pack_kernel(self.kernel, layer.packing)
        members = {field.name: 0 for field in LAYER.fields} | {
            "op": layer.op.number, "packing": int(layer.packing), "kernel": layer.kernel,
            "stride": layer.stride, "pad": layer.pad, "pool": layer.pool,
            "stage": int(layer.stage), "activation": int(layer.activation),
            "sign": int(layer.sign), "output": int(layer.output),
            "in_height": layer.in_shape[0], "in_width": layer.in_shape[1],
            "in_channels": layer.in_shape[2], "out_height": layer.out_shape[0],
            "out_width": layer.out_shape[1], "out_channels": layer.out_shape[2],
            "shortcut_channels": 0 if self.shortcut is None else self.shortcut.shape[-1],
            "weights_bytes": len(weights),
        }  # fmt: skip
        channels = self.inputs.shape[-1]
        arguments = LAYER.pack(members) + struct.pack(
            "<3I4h", self.in_place, channels, channels > 1, *[*self.offsets, 0, 0, 0, 0][:4]
        )
        bits_in = layer.op.reads is Reads.BITS
        data = packing.pack_rows(self.inputs.astype(np.bool_)) if bits_in else self.inputs.tobytes()
        head = struct.pack("<HH", self.shift, 0) if layer.stage is Stage.RESIDUAL else b""
        shortcut = b"" if self.shortcut is None else self.shortcut.astype("<i2").tobytes()
        sections = (
            arguments, data, weights, head + b"".join(v.tobytes() for v in self.values.values()),
            b"" if self.in_place else shortcut, b"\x5a" * bits_bytes(layer),
            shortcut if self.in_place else b"\x5a" * stream_bytes(layer),
            b"\x5a" * logits_bytes(layer),
        )  # fmt: skip
        return struct.pack("<8I", *map(len, sections)) + b"".join(sections)


def random_group(
    rng: np.random.Generator, layer: Layer, largest: int
) -> dict[str, Int16s | npt.NDArray[np.int32]]:
    """A group's arrays in their order; 16-bit values up to ``largest`` either way."""
    channels = layer.out_shape[2]
    if layer.op.is_last:
        return {
            name: rng.integers(-(2**20), 2**20, channels).astype("<i4")
            for name in ("scales", "biases")
        }
    names = ["thresholds"]
    if layer.stage is Stage.RESIDUAL:
        names = ["scales", "biases"]
        names += ["points", "slopes", "offsets"] * (layer.activation is Activation.RPRELU)
        names += ["thresholds"] * (layer.sign is Sign.THRESHOLDS)
    return {name: rng.integers(-largest - 1, largest + 1, channels).astype("<i2") for name in names}


class Driver:
    """A sanitized process that serves requests; it dies with a report on any fault."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert self._process.stdout
        self.vectors = self._process.stdout.read(NAME_BYTES).decode().strip()

    def close(self) -> None:
        """End the process; a leak or a late fault fails here."""
        _, errors = self._process.communicate(timeout=30)
        assert self._process.returncode == 0, errors.decode()

    def check(self, case: Case) -> None:
        """Compare the kernel with what numpy computes."""
        assert self._process.stdin and self._process.stdout
        expected = case.expected()
        self._process.stdin.write(case.request())
        self._process.stdin.flush()
        answer = self._process.stdout.read(len(expected))
        if len(answer) != len(expected):
            raise AssertionError(self._process.communicate()[1].decode())
        assert answer == expected, case
