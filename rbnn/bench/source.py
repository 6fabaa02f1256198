"""The C files that the bench application (``firmware/bench``) is built with."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rbnn.bench.layers import OFFSETS, LayerCase
from rbnn.container.container import Container
from rbnn.container.params import decode
from rbnn.container.seal import unseal
from rbnn.container.shapes import output_bytes
from rbnn.export.carray import CONFIG_FILE, IMAGE_FILE, image_source
from rbnn.files import write_atomic
from rbnn.spec import key_stream
from rbnn.spec.layout import ALIGNMENT, CONTAINER_HEADER, MAX_INPUT_CHANNELS, Cipher

CASES_FILE = "bench_cases.c"
MODEL_ID = hashlib.sha256(b"rbnn bench: model of the layers by themselves").digest()[:16]
SECRET = hashlib.sha256(b"rbnn bench: protects nothing").digest()
_BYTES_PER_LINE = 16


@dataclass(frozen=True)
class NetworkCase:
    """A whole network and one input.

    Args:
        container: the model; its first task runs.
        secret: S_t of that task, 32 bytes. It is written into the bench's image in plaintext.
        image: (height, width, channels) uint8.
    """

    container: Container
    secret: bytes
    image: npt.NDArray[np.uint8]

    @property
    def params(self) -> bytes:
        """Plaintext of the task's sealed block."""
        return unseal(self.container.tasks[0].sealed, self.secret, self.container.model_id, 0)

    @property
    def weights(self) -> bytes:
        """The task's weights, laid out as P."""
        params = decode(self.params, self.container.topology, self.container.plan)
        keys = self.container.keys(self.secret, params.trunk_key)
        plain = bytearray(self.container.weights)
        for number, place in enumerate(self.container.plan.placements):
            start, end = place.weights_offset, place.weights_offset + place.weights_bytes
            stored = self.container.stored_bits(number)
            plain[start:end] = key_stream.reconfigure(
                stored, keys.of(number), number, self.container.cipher
            )
        return bytes(plain)


def write_bench(
    folder: Path, cases: Sequence[LayerCase], network: NetworkCase | None, work_bytes: int
) -> None:
    """Write the folder that :func:`rbnn.image.platformio.build` takes as the model's.

    Args:
        folder: to write to.
        cases: layers to run on their own, at least one.
        network: None for a bench of layers and cipher only.
        work_bytes: working memory for whatever runs.

    Raises:
        RbnnError: the folder cannot be written.
    """
    write_atomic(folder / CASES_FILE, _cases_source(cases, network))
    write_atomic(folder / IMAGE_FILE, _image_source(network))
    write_atomic(folder / CONFIG_FILE, _config(cases, network, work_bytes))


def _image_source(network: NetworkCase | None) -> str:
    if network is not None:
        return image_source(network.container)
    return (
        '#include "core/model_image.h"\n\nconst uint32_t rbnn_model_image_bytes = 16u;\n'
        "_Alignas(16) const uint8_t rbnn_model_image[16] = {0};\n"
    )


def _config(cases: Sequence[LayerCase], network: NetworkCase | None, work_bytes: int) -> str:
    sizes = {
        "MODEL_WORK": work_bytes,
        "MODEL_ARENA": network.container.plan.arena_bytes if network else 4,
        "MODEL_PARAMS": len(network.params) if network else 4,
        "BENCH_IMAGE": network.image.size if network else 4,
        "BENCH_INPUT": max(len(case.given) for case in cases),
        "BENCH_PARAMS": max(4, *(len(case.params) for case in cases)),
        "BENCH_RESIDENT": max(4, *(len(case.packed) for case in cases)),
        "BENCH_OUTPUT": max(output_bytes(case.layer) for case in cases),
    }
    lines = [f"#define RBNN_{name}_BYTES {size}u" for name, size in sizes.items()]
    guard = "RBNN_MODEL_CONFIG_H"
    return "\n".join(
        [
            "/* Written by `rbnn bench`; do not edit. */",
            *(f"#ifndef {guard}", f"#define {guard}", ""),
            *lines,
            *("", "#endif", ""),
        ]
    )


def _cases_source(cases: Sequence[LayerCase], network: NetworkCase | None) -> str:
    secret = network.secret if network else SECRET
    key = key_stream.stream_key(secret, MODEL_ID)
    records, plain, stored = bytearray(), bytearray(), bytearray()
    parts: list[str] = []
    rows: list[str] = []
    for number, case in enumerate(cases):
        packed = case.packed
        records += case.record(len(plain))
        plain += packed
        stored += key_stream.reconfigure(packed, key, number)
        assert len(packed) % ALIGNMENT == 0, "layers' bits are whole blocks"
        params = case.params or bytes(4)  # C has no empty arrays
        parts += [_array(f"input_{number}", case.given), _array(f"params_{number}", params)]
        rows.append(
            f'    {{"{case.name}", input_{number}, sizeof input_{number}, '
            f"params_{number}, sizeof params_{number}}},"
        )
    header = CONTAINER_HEADER.pack(
        {
            **{f.name: bytes(f.count) if f.count > 1 else 0 for f in CONTAINER_HEADER.fields},
            "model_id": MODEL_ID,
            "layer_count": len(cases),
            "cipher": int(Cipher.CHACHA20),
        }
    )
    parts += [
        _array("header", header),
        _array("layers", bytes(records)),
        _array("stored", bytes(stored)),
        _array("plain", bytes(plain)),
        _array("network_params", network.params if network else bytes(4)),
        _array("network_image", network.image.tobytes() if network else bytes(4)),
        _array("network_weights", network.weights if network else bytes(4)),
    ]
    return "\n".join(
        [
            "/* Written by `rbnn bench`; do not edit. */",
            '#include "bench/cases.h"',
            "",
            *parts,
            "const rbnn_model rbnn_bench_layer_model = {",
            "    .header = (const void *)header,",
            "    .layers = (const void *)layers,",
            "    .weights = stored,",
            "};",
            "const rbnn_bench_layer rbnn_bench_layers[] = {",
            *rows,
            "};",
            "const uint8_t *const rbnn_bench_layer_weights = plain;",
            f"const int16_t rbnn_bench_offsets[{MAX_INPUT_CHANNELS}] = "
            f"{{{', '.join(map(str, OFFSETS))}}};",
            "const rbnn_bench_network rbnn_bench_network_case = {",
            "    network_params, sizeof network_params, network_image, sizeof network_image,",
            "    network_weights,",
            "};",
            f"const uint8_t rbnn_bench_secret[{len(secret)}] = {{{_bytes(secret)}}};",
            "",
        ]
    )


def _bytes(data: bytes) -> str:
    return " ".join(f"0x{byte:02x}," for byte in data)


def _array(name: str, data: bytes) -> str:
    lines = [
        f"    {_bytes(data[start : start + _BYTES_PER_LINE])}"
        for start in range(0, len(data), _BYTES_PER_LINE)
    ]
    head = f"_Alignas({ALIGNMENT}) static const uint8_t {name}[{len(data)}] = {{"
    return "\n".join([head, *lines, "};", ""])
