"""The whole firmware as a process under AddressSanitizer and UBSan, driven through pipes."""

from __future__ import annotations

import os
import select
import subprocess
import time
from pathlib import Path

from rbnn import monocypher
from rbnn.engine.compile import (
    MONOCYPHER,
    SANITIZERS,
    compile_native,
    room_sources,
)

ROOMS = (
    "crypto",
    "store",
    "core",
    "puf",
    "reconf",
    "licence",
    "device",
    "partition",
    "audio",
    "link",
    "port/host",
    "app",
)
TIMEOUT_S = 60.0
STORE_BYTES = 8192


def build(
    model: Path | None = None, *, development: bool = True, partition: Path | None = None
) -> Path:
    """Compile it.

    Args:
        model: an export folder, or None for a firmware without a model.
        development: with trace.
        partition: folder of ``model_key.h``: the model is in a partition of its own.
    """
    monocypher.lay_out(monocypher.folder())
    sources = [*room_sources(*ROOMS), MONOCYPHER / "monocypher.c"]
    flags = ["-O1", f"-DRBNN_DEVELOPMENT={int(development)}", *SANITIZERS]
    if model is not None:
        sources.append(model / "model_kernels.c")
        if partition is None:
            sources.append(model / "model_image.c")
        else:
            flags += [f"-I{partition}", "-DRBNN_PARTITION=1"]
        flags.append(f"-I{model}")
        if "RBNN_MODEL_TAKES_SOUND" in (model / "model_config.h").read_text():
            flags.append("-DRBNN_AUDIO=1")
    return compile_native("firmware", sources, flags)


class HostFirmware:
    """A running firmware. Use it in a ``with`` block.

    Args:
        program: what :func:`build` returned.
        pattern: its power-up pattern.
        provisioning: its provisioning partition, None for an erased one.
        folder: for the files that it reads.
        store: file that plays the flash of its store; None for a device without one.
        model: file that plays the flash of its model's partition, likewise.
    """

    def __init__(
        self,
        program: Path,
        pattern: bytes,
        folder: Path,
        provisioning: bytes | None = None,
        store: Path | None = None,
        model: Path | None = None,
    ) -> None:
        (folder / "pattern.bin").write_bytes(pattern)
        command = [str(program), "--pattern", str(folder / "pattern.bin")]
        if provisioning is not None:
            (folder / "provisioning.bin").write_bytes(provisioning)
            command += ["--provisioning", str(folder / "provisioning.bin")]
        if store is not None:
            if not store.exists():
                store.write_bytes(b"\xff" * STORE_BYTES)
            command += ["--store", str(store)]
        if model is not None:
            command += ["--model", str(model)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.boot = self.answer()

    def __enter__(self) -> HostFirmware:
        return self

    def __exit__(self, *_: object) -> None:
        _, said = self.process.communicate(timeout=TIMEOUT_S)
        assert self.process.returncode == 0, said.decode(errors="replace")

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def answer(self) -> list[str]:
        """Lines up to but not including the next ``m-ready``."""
        assert self.process.stdout is not None
        stream = self.process.stdout.fileno()
        raw = b""
        end = time.monotonic() + TIMEOUT_S
        while not (raw.endswith(b"\r\nm-ready\r\n") or raw == b"m-ready\r\n"):
            ready, _, _ = select.select([stream], [], [], max(0.0, end - time.monotonic()))
            # One byte at a time, so that nothing of the next answer is taken.
            byte = os.read(stream, 1) if ready else b""
            if not byte:
                said = b"silence" if ready == [] else self.process.stderr.read()  # type: ignore
                raise AssertionError(f"after {raw[-200:]!r}: {said.decode(errors='replace')}")
            raw += byte
        text = raw.decode("utf-8", errors="replace")
        assert text.replace("\r\n", "").find("\n") < 0
        return text.split("\r\n")[:-2]

    def ask(self, command: str | bytes) -> list[str]:
        """Answer to one command, without its ``m-ready``."""
        self.send((command.encode() if isinstance(command, str) else command) + b"%")
        return self.answer()

    def load(self, data: bytes) -> None:
        """Fill the buffer."""
        assert self.ask(f"db load {len(data)}") == [f"m-[Expecting {len(data)} bytes]"]
        for start in range(0, len(data), 512):
            said = self.ask(f"db {data[start : start + 512].hex()}")
            last = start + 512 >= len(data)
            assert said == (["m-load-done"] if last else [])


def error_name(answer: list[str]) -> str:
    """Name of the one error that an answer consists of."""
    assert len(answer) == 1, answer
    assert answer[0].startswith("e-[") and answer[0].endswith("]"), answer
    return answer[0][3:-1].partition(":")[0]
