"""Cases for ``conv_binary_driver.c`` and what they must give, computed with numpy."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rbnn.spec import layout, operators, packing
from rbnn.spec.layout import Activation, Output, Packing, Sign, Stage

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Shape:
    """A binary convolution; ``work_bytes`` 0 means the least."""

    size: tuple[int, int]
    channels: int
    filters: int
    kernel: int = 3
    stride: int = 1
    pad: int = 1
    stage: Stage = Stage.THRESHOLD
    activation: Activation = Activation.NONE
    sign: Sign = Sign.ZERO
    shortcut_channels: int = 0
    output: Output = Output.BITS
    work_bytes: int = 0
    copies_weights: bool = False
    is_reference: bool = False

    @property
    def out_size(self) -> tuple[int, int]:
        """Rows and columns of the output."""
        height, width = ((n + 2 * self.pad - self.kernel) // self.stride + 1 for n in self.size)
        return height, width

    @property
    def macs(self) -> int:
        """Nominal multiply-accumulates."""
        height, width = self.out_size
        return height * width * self.kernel**2 * self.channels * self.filters

    def record(self) -> bytes:
        """The layer's record."""
        values: dict[str, int] = {name.name: 0 for name in layout.LAYER.fields}
        values.update(
            op=operators.CONV.number,
            packing=Packing.TILES,
            kernel=self.kernel,
            stride=self.stride,
            pad=self.pad,
            pool=1,
            stage=self.stage,
            activation=self.activation,
            sign=self.sign,
            output=self.output,
            in_height=self.size[0],
            in_width=self.size[1],
            in_channels=self.channels,
            out_height=self.out_size[0],
            out_width=self.out_size[1],
            out_channels=self.filters,
            shortcut_channels=self.shortcut_channels,
            weights_bytes=self.kernel**2 * self.channels * self.filters // 8,
        )
        return layout.LAYER.pack(values)


@dataclass
class Case:
    """A shape with its data: bits (height, width, channels), kernel in Keras' order."""

    shape: Shape
    bits: packing.Bits
    kernel: packing.Bits
    shortcut: npt.NDArray[np.int16]
    params: dict[str, Integers] = field(default_factory=dict)
    shift: int = 0

    def sums(self) -> Integers:
        """Half the +-1 sums, (out_height, out_width, filters)."""
        shape = self.shape
        pad = ((shape.pad, shape.pad), (shape.pad, shape.pad), (0, 0))
        signs = np.pad(self.bits * 2.0 - 1, pad, constant_values=1.0)
        height, width = shape.out_size
        total = np.zeros((height, width, shape.filters))
        for y in range(shape.kernel):
            for x in range(shape.kernel):
                rows = slice(y, y + (height - 1) * shape.stride + 1, shape.stride)
                columns = slice(x, x + (width - 1) * shape.stride + 1, shape.stride)
                total += signs[rows, columns] @ (self.kernel[y, x] * 2.0 - 1)
        return total.astype(np.int64) // 2

    def expected(self) -> bytes:
        """Bits and stream, as the kernel must write them."""
        shape, params = self.shape, self.params
        value = self.sums()
        if shape.stage is Stage.THRESHOLD:
            return packing.pack_rows(value >= params["thresholds"])
        value = _saturate(params["biases"] + (params["scales"] * value >> self.shift))
        if shape.shortcut_channels:
            repeats = shape.filters // shape.shortcut_channels
            value = _saturate(value + np.tile(self.shortcut, (1, 1, repeats)))
        if shape.activation is Activation.RPRELU:
            moved = _saturate(value - params["points"])
            bent = moved * params["slopes"] >> layout.SLOPE_FRACTION_BITS
            value = _saturate(params["offsets"] + np.where(moved >= 0, moved, bent))
        threshold = params["thresholds"] if shape.sign is Sign.THRESHOLDS else 0
        parts = []
        if Output.BITS in shape.output:
            parts.append(packing.pack_rows(value >= threshold))
        if Output.STREAM in shape.output:
            parts.append(value.astype("<i2").tobytes())
        return b"".join(parts)

    def request(self) -> bytes:
        """The case as the driver reads it."""
        shape = self.shape
        groups: list[bytes] = []
        if shape.stage is Stage.RESIDUAL:
            groups.append(struct.pack("<HH", self.shift, 0))
        names = ("scales", "biases", "points", "slopes", "offsets", "thresholds")
        groups += [self.params[n].astype("<i2").tobytes() for n in names if n in self.params]
        parts = (
            packing.pack_rows(self.bits),
            packing.pack_kernel(self.kernel, Packing.TILES),
            self.shortcut.astype("<i2").tobytes(),
            b"".join(groups),
        )
        height, width = shape.out_size
        outputs = height * width * shape.filters
        sizes = (
            len(parts[0]),
            len(parts[1]),
            len(parts[2]),
            len(parts[3]),
            outputs // 8 if Output.BITS in shape.output else 0,
            outputs * 2 if Output.STREAM in shape.output else 0,
        )
        flags = (shape.is_reference, shape.copies_weights, shape.work_bytes)
        return struct.pack("<9I", *flags, *sizes) + shape.record() + b"".join(parts)


def _saturate(values: Integers) -> Integers:
    return np.clip(values, -32768, 32767)


def fill(shape: Shape, seed: int, ones: float = 0.5, weights: float = 0.5) -> Case:
    """A case with random data: ``ones`` and ``weights`` are the shares of 1 bits."""
    rng = np.random.default_rng(seed)
    height, width = shape.out_size
    kernel = rng.random((shape.kernel, shape.kernel, shape.channels, shape.filters)) < weights
    bits = rng.random((*shape.size, shape.channels)) < ones
    shortcut = rng.integers(-32768, 32768, (height, width, shape.shortcut_channels), np.int16)
    case = Case(shape, bits, kernel, shortcut)
    reach = shape.kernel**2 * shape.channels // 2
    draws = {"thresholds": (-reach // 8, reach // 8)}
    if shape.stage is Stage.RESIDUAL:
        case.shift = int(rng.integers(0, 17))
        draws = {"scales": (-32768, 32768), "biases": (-32768, 32768)}
        if shape.activation is Activation.RPRELU:
            draws.update(dict.fromkeys(("points", "slopes", "offsets"), (-32768, 32768)))
        if shape.sign is Sign.THRESHOLDS:
            draws["thresholds"] = (-32768, 32768)
    for name, (low, high) in draws.items():
        case.params[name] = rng.integers(low, high, shape.filters)
    if shape.stage is Stage.THRESHOLD:
        extremes = [-32768, 32767, -reach, reach]
        case.params["thresholds"][:4] = extremes
    return case


def draw_shape(rng: np.random.Generator, most_channels: int = 160) -> Shape:
    """A random shape that the kernel supports."""

    def pick(*values: int) -> int:
        return int(rng.choice(values))

    kernel = pick(1, 1, 2, 3, 3, 3, 4, 5, 7)
    pad = int(rng.integers(0, kernel))
    size = tuple(int(n) for n in rng.integers(max(1, kernel - 2 * pad), kernel + 9, 2))
    channels = 32 * int(rng.integers(1, most_channels // 32 + 1))
    filters = 32 * pick(1, 1, 2, 3)
    shape = Shape((size[0], size[1]), channels, filters, kernel, pick(1, 1, 2, 3), pad)
    shape = replace(shape, copies_weights=bool(pick(0, 1)), work_bytes=pick(0, 1 << 18))
    if pick(0, 1):
        output = Output(pick(1, 2, 3))
        shape = replace(
            shape,
            stage=Stage.RESIDUAL,
            output=output,
            activation=Activation(pick(0, 1)),
            sign=Sign(pick(0, 1)) if Output.BITS in output else Sign.ZERO,
            shortcut_channels=pick(0, filters, 32 if filters % 32 == 0 else 0),
        )
    return shape


@dataclass(frozen=True)
class Result:
    """What the driver answers to a case."""

    ticks: int
    work_bytes: int
    output: bytes


def run_cases(command: Sequence[str], folder: Path, cases: Sequence[Case]) -> list[Result]:
    """Run cases in one process: ``command`` with the files of cases and results appended."""
    requests, results = folder / "cases.bin", folder / "results.bin"
    requests.write_bytes(b"".join(case.request() for case in cases))
    command = [part.format(cases=requests, results=results) for part in command]
    done = subprocess.run(command, capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr.decode()
    data = results.read_bytes()
    found = []
    for case in cases:
        length = len(case.expected())
        ticks, work_bytes = struct.unpack_from("<2I", data)
        found.append(Result(ticks, work_bytes, data[8 : 8 + length]))
        data = data[8 + length :]
    assert not data
    return found
