"""The firmware's C engine on this machine, loaded through cffi.

It runs the device's own kernels, to verify them; :mod:`rbnn.engine.wide` is for whole test sets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cffi
import numpy as np
import numpy.typing as npt

from rbnn.compiler import native_flags
from rbnn.container.container import Container
from rbnn.container.errors import ContainerError, ExportError, SealedBlockError
from rbnn.container.params import decode
from rbnn.container.seal import unseal
from rbnn.container.shapes import output_bytes
from rbnn.engine.compile import compile_native, compiler, engine_sources
from rbnn.engine.outputs import Outputs
from rbnn.errors import RbnnError
from rbnn.spec import key_stream
from rbnn.spec.layout import CONTAINER_HEADER, MAX_CLASSES
from rbnn.spec.status import Status

_DECLARATIONS = """
typedef struct rbnn_batch rbnn_batch;
uint32_t rbnn_batch_bytes(void);
int rbnn_batch_open(rbnn_batch *, const uint8_t *, uint32_t, uint32_t *);
int rbnn_batch_activate(rbnn_batch *, uint32_t, const uint8_t *, const uint8_t *, const uint8_t *,
                        uint32_t, uint32_t *, uint32_t, uint32_t *, uint32_t);
uint32_t rbnn_batch_image_bytes(const rbnn_batch *);
int rbnn_batch_infer(rbnn_batch *, const uint8_t *, uint32_t, int32_t *, uint8_t *);
void rbnn_batch_wipe(rbnn_batch *);
const char *rbnn_wide_name(void);
size_t rbnn_wide_batch_weights_bytes(const rbnn_batch *);
size_t rbnn_wide_batch_scratch_bytes(const rbnn_batch *);
void rbnn_wide_batch_prepare(const rbnn_batch *, uint32_t *);
void rbnn_wide_batch_infer(const rbnn_batch *, const uint32_t *, uint32_t *, const uint8_t *,
                           uint32_t, int32_t *, uint8_t *);
"""

Images = npt.NDArray[np.uint8]


def build_library(
    sources: Sequence[Path] = (), flags: Sequence[str] = (), cache: Path | None = None
) -> Path:
    """Build the engine for this machine.

    Args:
        sources: C files besides the firmware's.
        flags: of the compiler, besides the usual ones; headers in folders that they name with
            ``-I`` take precedence over the firmware's.
        cache: folder for the library, by default the user's.

    Raises:
        ExportError: it cannot be built.
    """
    own = ("-O3", "-fPIC", "-shared", "-fvisibility=default", *native_flags(compiler()))
    return compile_native("librbnn.so", [*engine_sources(), *sources], (*own, *flags), cache)


class NativeEngine:
    """The C engine over one container.

    Args:
        container: the model.
        cache: folder for the built library, by default the user's.
        library: from :func:`build_library`; None for the firmware's engine as it is.

    Raises:
        ContainerError: the C code refuses the container.
        ExportError: the library cannot be built.
    """

    def __init__(
        self, container: Container, *, cache: Path | None = None, library: Path | None = None
    ) -> None:
        self.container = container
        self._ffi = cffi.FFI()
        self._ffi.cdef(_DECLARATIONS)
        path = build_library(cache=cache) if library is None else library
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

    def force_bits(self, layer: int, packed: bytes) -> None:
        """Put other stored bits in the place of a layer's, in this engine only.

        Args:
            layer: number of the layer.
            packed: as many bytes as the layer has.

        Raises:
            ValueError: another number of bytes.
        """
        place = self.container.plan.placements[layer]
        if len(packed) != place.weights_bytes:
            raise ValueError(f"Wanted {place.weights_bytes} bytes. Received: {len(packed)}")
        where = CONTAINER_HEADER.offset("weights_offset")
        start = int.from_bytes(self.container.data[where : where + 4], "little")
        self._ffi.memmove(
            self._bytes(self._data) + start + place.weights_offset, packed, len(packed)
        )

    def infer(
        self, task: int, secret: bytes, images: Images, *, forced: bytes | None = None
    ) -> Outputs:
        """Run a batch and keep every layer's output.

        Args:
            task: task number.
            secret: task secret S_t, 32 bytes.
            images: (n, height, width, task's channels), uint8.
            forced: a secret to reconfigure with instead of the task's own, 32 bytes, as if it had
                been forced past the gate.

        Raises:
            SealedBlockError: the secret does not open the task's block, or the C engine refuses
                what is in it.
            RbnnError: the images do not have the shape of the task's input.
        """
        sizes = [output_bytes(layer) for layer in self.container.topology.layers]
        kept = np.zeros((len(images), sum(sizes)), np.uint8)
        logits = self._run(task, secret, forced, images, kept)
        layers = np.split(kept, np.cumsum(sizes)[:-1], axis=1)
        return Outputs(logits, tuple(layers))

    def logits(
        self, task: int, secret: bytes, images: Images, *, forced: bytes | None = None
    ) -> npt.NDArray[np.int32]:
        """As :meth:`infer`, but only the logits."""
        return self._run(task, secret, forced, images, None)

    def _run(
        self, task: int, secret: bytes, forced: bytes | None, images: Images, kept: Images | None
    ) -> npt.NDArray[np.int32]:
        pixels = np.ascontiguousarray(images, np.uint8)
        logits = np.zeros((len(pixels), MAX_CLASSES), np.int32)
        record = self.container.tasks[task]
        with self._active(task, secret, forced):
            wanted = self._library.rbnn_batch_image_bytes(self._batch)
            if pixels[:1].nbytes not in (0, wanted):
                raise RbnnError(
                    f"Task {record.name} takes images of {wanted} bytes. "
                    f"Received: {pixels.shape[1:]}."
                )
            self._compute(pixels, logits, kept)
        return logits[:, : record.classes].copy()

    @contextmanager
    def _active(self, task: int, secret: bytes, forced: bytes | None) -> Iterator[None]:
        """Make a task active; its secret, parameters and last tables are wiped afterwards."""
        ffi, library = self._ffi, self._library
        record = self.container.tasks[task]
        plaintext = unseal(record.sealed, secret, self.container.model_id, task)
        if forced is None:
            own = secret
            trunk = decode(plaintext, self.container.topology, self.container.plan).trunk_key
        else:
            own, trunk = forced, key_stream.trunk_key([forced], self.container.model_id)
        params = self._words(plaintext)
        try:
            status = library.rbnn_batch_activate(
                self._batch, task, own, trunk, self._bytes(params), len(plaintext),
                ffi.cast("uint32_t *", self._arena), self.container.plan.arena_bytes,
                ffi.cast("uint32_t *", self._work), self.container.plan.work_bytes,
            )  # fmt: skip
            if status != Status.OK:
                raise SealedBlockError(
                    f"The C engine refuses task {record.name}: {Status(status).text}."
                )
            yield
        finally:
            library.rbnn_batch_wipe(self._batch)
            for cells, size in (
                (params, len(plaintext)),
                (self._work, self.container.plan.work_bytes),
            ):
                ffi.memmove(cells, bytes(size), size)

    def _compute(self, images: Images, logits: npt.NDArray[np.int32], kept: Images | None) -> None:
        """Run the active task on ``images``; writes ``logits`` and ``kept``."""
        status = self._library.rbnn_batch_infer(
            self._batch,
            self._ffi.from_buffer("uint8_t[]", images),
            len(images),
            self._ffi.from_buffer("int32_t[]", logits, require_writable=True),
            self._ffi.NULL if kept is None else self._ffi.from_buffer("uint8_t[]", kept),
        )
        if status != Status.OK:
            raise ExportError(f"The C engine failed: {Status(status).text}.")
