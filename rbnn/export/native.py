"""The firmware's C engine on this machine, loaded through cffi."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cffi
import numpy as np
import numpy.typing as npt

from rbnn.errors import RbnnError
from rbnn.export.compile import compile_native, engine_sources
from rbnn.export.container import Container
from rbnn.export.errors import ContainerError, ExportError, SealedBlockError
from rbnn.export.outputs import Outputs
from rbnn.export.seal import unseal
from rbnn.export.shapes import output_bytes
from rbnn.spec.layout import MAX_CLASSES
from rbnn.spec.status import Status

_DECLARATIONS = """
typedef struct rbnn_batch rbnn_batch;
uint32_t rbnn_batch_bytes(void);
int rbnn_batch_open(rbnn_batch *, const uint8_t *, uint32_t, uint32_t *);
int rbnn_batch_activate(rbnn_batch *, uint32_t, const uint8_t *, const uint8_t *, uint32_t,
                        uint32_t *, uint32_t, uint32_t *, uint32_t);
uint32_t rbnn_batch_image_bytes(const rbnn_batch *);
uint32_t rbnn_batch_output_bytes(const rbnn_batch *);
int rbnn_batch_infer(rbnn_batch *, const uint8_t *, uint32_t, int32_t *, uint8_t *);
void rbnn_batch_wipe(rbnn_batch *);
"""


class NativeEngine:
    """The C engine over one container.

    Args:
        container: the model.
        cache: folder for the built library, by default the user's.

    Raises:
        ContainerError: the C code refuses the container.
        ExportError: the library cannot be built.
    """

    def __init__(self, container: Container, *, cache: Path | None = None) -> None:
        self.container = container
        self._ffi = cffi.FFI()
        self._ffi.cdef(_DECLARATIONS)
        flags = ("-O3", "-fPIC", "-shared", "-fvisibility=default")
        path = compile_native("librbnn.so", engine_sources(), flags, cache)
        self._library: Any = self._ffi.dlopen(str(path))
        self._memory = self._ffi.new("uint64_t[]", (self._library.rbnn_batch_bytes() + 7) // 8)
        self._batch = self._ffi.cast("rbnn_batch *", self._memory)
        # uint64_t cells keep the engine's alignment.
        self._data = self._words(container.data)
        bad_layer = self._ffi.new("uint32_t *")
        status = self._library.rbnn_batch_open(
            self._batch, self._bytes(self._data), len(container.data), bad_layer
        )
        if status != Status.OK:
            where = f" (layer {bad_layer[0]})" if status == Status.CONTAINER_LAYER else ""
            raise ContainerError(
                f"The C engine refuses the container: {Status(status).text}{where}."
            )
        self._arena = self._words(bytes(container.plan.arena_bytes))
        self._work = self._words(bytes(container.plan.work_bytes))

    def _words(self, data: bytes) -> Any:
        cells = self._ffi.new("uint64_t[]", (len(data) + 7) // 8)
        self._ffi.memmove(cells, data, len(data))
        return cells

    def _bytes(self, cells: Any) -> Any:
        return self._ffi.cast("uint8_t *", cells)

    def infer(self, task: int, secret: bytes, images: npt.NDArray[np.uint8]) -> Outputs:
        """Run a batch and keep every layer's output.

        Args:
            task: task number.
            secret: task secret S_t, 32 bytes.
            images: (n, height, width, task's channels), uint8.

        Raises:
            SealedBlockError: the secret does not open the task's block, or the C engine refuses
                what is in it.
            RbnnError: the images have another shape than the task's input.
        """
        sizes = [output_bytes(layer) for layer in self.container.topology.layers]
        kept = np.zeros((len(images), sum(sizes)), np.uint8)
        logits = self._run(task, secret, images, kept)
        layers = np.split(kept, np.cumsum(sizes)[:-1], axis=1)
        return Outputs(logits, tuple(layers))

    def logits(
        self, task: int, secret: bytes, images: npt.NDArray[np.uint8]
    ) -> npt.NDArray[np.int32]:
        """As :meth:`infer`, logits alone."""
        return self._run(task, secret, images, None)

    def _run(
        self,
        task: int,
        secret: bytes,
        images: npt.NDArray[np.uint8],
        kept: npt.NDArray[np.uint8] | None,
    ) -> npt.NDArray[np.int32]:
        ffi, library = self._ffi, self._library
        record = self.container.tasks[task]
        plaintext = unseal(record.sealed, secret, self.container.model_id, task)
        params = self._words(plaintext)
        try:
            status = library.rbnn_batch_activate(
                self._batch, task, secret, self._bytes(params), len(plaintext),
                ffi.cast("uint32_t *", self._arena), self.container.plan.arena_bytes,
                ffi.cast("uint32_t *", self._work), self.container.plan.work_bytes,
            )  # fmt: skip
            if status != Status.OK:
                raise SealedBlockError(
                    f"The C engine refuses task {record.name}: {Status(status).text}."
                )
            pixels = np.ascontiguousarray(images, np.uint8)
            if pixels[:1].nbytes not in (0, library.rbnn_batch_image_bytes(self._batch)):
                raise RbnnError(
                    f"Task {record.name} takes images of "
                    f"{library.rbnn_batch_image_bytes(self._batch)} bytes. "
                    f"Received: {pixels.shape[1:]}."
                )
            logits = np.zeros((len(pixels), MAX_CLASSES), np.int32)
            status = library.rbnn_batch_infer(
                self._batch,
                ffi.from_buffer("uint8_t[]", pixels),
                len(pixels),
                ffi.from_buffer("int32_t[]", logits, require_writable=True),
                ffi.NULL if kept is None else ffi.from_buffer("uint8_t[]", kept),
            )
            if status != Status.OK:
                raise ExportError(f"The C engine failed on {record.name}: {Status(status).text}.")
        finally:
            library.rbnn_batch_wipe(self._batch)
            ffi.memmove(params, bytes(len(plaintext)), len(plaintext))
        return logits[:, : record.classes].copy()
