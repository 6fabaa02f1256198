"""The Python side of ``core_driver.c``."""

from __future__ import annotations

import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

SCORES, CRC, LAYER, RUN = range(1, 5)
_SIZES = struct.Struct("<4Q3I")
_RESULT = struct.Struct("<iIii")


@dataclass(frozen=True)
class LayerSizes:
    """What the C core makes of one layer record; bytes, and whether a kernel serves it."""

    bits: int
    stream: int
    logits: int
    weights: int
    params: int
    work: int
    served: bool


@dataclass(frozen=True)
class RunResult:
    """What opening a container and one inference gave; 1 if a step was not reached."""

    open: int
    bad_layer: int
    check: int
    infer: int
    outputs: bytes


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
        image: bytes = b"",
        params: bytes = b"",
        output: int,
    ) -> bytes:
        """Send one request and read ``output`` bytes."""
        sections = (arguments, data, image, params, bytes(output))
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(struct.pack("<6I", operation, *map(len, sections)))
        self._process.stdin.write(b"".join(sections))
        self._process.stdin.flush()
        answer = self._process.stdout.read(output)
        if len(answer) != output:
            raise AssertionError(self._process.communicate()[1].decode())
        return answer

    def layer(self, record: bytes) -> LayerSizes:
        """Sizes of a layer record."""
        *sizes, served = _SIZES.unpack(self.call(LAYER, arguments=record, output=_SIZES.size))
        return LayerSizes(*sizes, served=bool(served))

    def run(
        self,
        container: bytes,
        params: bytes = b"",
        task: int = 0,
        *,
        secret: bytes = bytes(32),
        image: bytes = b"",
        more_work: int = 0,
        output_bytes: int = 0,
    ) -> RunResult:
        """Open a container, check a task's opened parameters, run one inference.

        Args:
            container: any bytes.
            params: plaintext of the task's sealed block.
            task: number.
            secret: of the task.
            image: pixels; zeros are added if it is too short.
            more_work: bytes of working memory beyond what the container asks for.
            output_bytes: what the layers give together; less keeps what fits.
        """
        answer = self.call(
            RUN,
            arguments=struct.pack("<II", task, more_work) + secret,
            data=container,
            image=image,
            params=params,
            output=_RESULT.size + output_bytes,
        )
        return RunResult(*_RESULT.unpack_from(answer), outputs=answer[_RESULT.size :])
