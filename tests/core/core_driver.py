"""Python's end of ``core_driver.c``."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import numpy as np

from rbnn.export.container import layer_record
from rbnn.export.plan import Placement, Plan
from rbnn.nets.topology import Layer
from rbnn.spec.packing import FILTERS_PER_TILE

STEM, CONV, POOL, DENSE, SCORES, CRC, OPEN = range(1, 8)


class Driver:
    """A sanitized process that serves requests; it dies with a report on any fault."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def close(self) -> None:
        """End the process; a leak or a late fault fails here."""
        _, errors = self._process.communicate(timeout=30)
        assert self._process.returncode == 0, errors.decode()

    def call(
        self,
        operation: int,
        *,
        arguments: bytes = b"",
        data: bytes = b"",
        tile: bytes = b"",
        params: bytes = b"",
        output: bytes = b"",
    ) -> bytes:
        """Send one request; ``output`` is what the output buffer holds before the call."""
        sections = (arguments, data, tile, params, output)
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(struct.pack("<6I", operation, *map(len, sections)))
        self._process.stdin.write(b"".join(sections))
        self._process.stdin.flush()
        answer = self._process.stdout.read(len(output))
        if len(answer) != len(output):
            raise AssertionError(self._process.communicate()[1].decode())
        return answer

    def layer(
        self,
        operation: int,
        layer: Layer,
        *,
        data: bytes,
        rows: bytes = b"",
        params: bytes = b"",
        output_bytes: int,
        stem: tuple[int, int, tuple[int, ...]] = (0, 0, (0, 0, 0, 0)),
    ) -> bytes:
        """Run a layer tile by tile, as the engine does; the output begins as garbage."""
        plan = Plan((Placement(0, 0, 0, 0, 0),), 0, 0, 0, 0)
        record = layer_record(layer, plan, 0)
        output = np.random.default_rng(len(data)).bytes(output_bytes)
        filters = layer.out_shape[2]
        step = FILTERS_PER_TILE if rows else filters
        row_bytes = len(rows) // filters
        for first in range(0, filters, step):
            count = min(step, filters - first)
            arguments = record + struct.pack("<4I4h", first, count, stem[0], stem[1], *stem[2])
            tile = rows[first * row_bytes : (first + count) * row_bytes]
            output = self.call(
                operation, arguments=arguments, data=data, tile=tile, params=params, output=output
            )
        return output
