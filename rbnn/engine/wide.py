"""Whole test sets through the C engine: the same numbers, with this machine's vectors and cores."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rbnn.container.container import Container
from rbnn.engine.native import Images, NativeEngine

VECTOR_BYTES = 64
"""Alignment with which the wide kernels are fastest."""
PART = 128
"""Images that a thread takes at once."""


class WideEngine(NativeEngine):
    """As :class:`NativeEngine`, with wide vectors, weights laid out once per call, and threads.

    Args:
        container: the model.
        threads: how many compute at once; by default as many as this process may run.
        cache: folder for the built library, by default the user's.
        library: from :func:`rbnn.engine.native.build_library`; None for the engine as it is.

    Attributes:
        vectors: the kind of vectors that the library was built with.

    Raises:
        ContainerError: the C code refuses the container.
        ExportError: the library cannot be built.
    """

    def __init__(
        self,
        container: Container,
        *,
        threads: int | None = None,
        cache: Path | None = None,
        library: Path | None = None,
    ) -> None:
        super().__init__(container, cache=cache, library=library)
        self.vectors = self._ffi.string(self._library.rbnn_wide_name()).decode()
        self.threads = _usable_processors() if threads is None else threads
        self._weights = _aligned(self._library.rbnn_wide_batch_weights_bytes(self._batch))
        scratch = self._library.rbnn_wide_batch_scratch_bytes(self._batch)
        self._scratches = [_aligned(scratch) for _ in range(self.threads)]

    def _compute(self, images: Images, logits: npt.NDArray[np.int32], kept: Images | None) -> None:
        weights = self._ffi.cast("uint32_t *", self._ffi.from_buffer(self._weights))
        self._library.rbnn_wide_batch_prepare(self._batch, weights)
        free = list(self._scratches)

        def part(start: int) -> None:
            stop = start + PART
            scratch = free.pop()
            # cffi releases the interpreter's lock during the call.
            self._library.rbnn_wide_batch_infer(
                self._batch,
                weights,
                self._ffi.cast("uint32_t *", self._ffi.from_buffer(scratch)),
                self._ffi.from_buffer("uint8_t[]", images[start:stop]),
                len(images[start:stop]),
                self._ffi.from_buffer("int32_t[]", logits[start:stop], require_writable=True),
                self._ffi.NULL
                if kept is None
                else self._ffi.from_buffer("uint8_t[]", kept[start:stop]),
            )
            free.append(scratch)

        try:
            with ThreadPoolExecutor(self.threads) as pool:
                list(pool.map(part, range(0, len(images), PART)))
        finally:
            self._weights[:] = 0


def _aligned(size: int) -> Images:
    """Memory for the wide kernels."""
    memory = np.zeros(size + VECTOR_BYTES, np.uint8)
    start = -memory.ctypes.data % VECTOR_BYTES
    return memory[start : start + size]


def _usable_processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
