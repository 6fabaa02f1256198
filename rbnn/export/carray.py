"""The container as C: ``model_image.c``, ``model_kernels.c`` and ``model_features.h`` for the
firmware, and ``model_config.h`` with the layer table.

``model_image.c`` implements ``firmware/core/model_image.h``. ``model_kernels.c`` names the kernels
that the model's operators need, so that the linker leaves the others out; ``model_features.h`` does
the same for parts of kernels and room for tasks (``firmware/core/kernel_features.h``).
``model_config.h`` tells the build how much memory the model needs, and a reader what it looks like;
the firmware reads the container's own tables.
"""

from __future__ import annotations

import math
from pathlib import Path

from rbnn.container.container import SEALED_OVERHEAD, Container
from rbnn.container.shapes import params_bytes
from rbnn.files import write_atomic
from rbnn.nets.topology import Topology
from rbnn.spec.layout import ALIGNMENT, Activation, Sign, Stage

IMAGE_FILE = "model_image.c"
CONFIG_FILE = "model_config.h"
KERNELS_FILE = "model_kernels.c"
FEATURES_FILE = "model_features.h"
_BYTES_PER_LINE = 16
_REFUSAL = (
    "#ifndef RBNN_ALLOW_TEST_ONLY",
    '#error "The keys of this model are TEST-ONLY: published, of no use to protect anything"',
    "#endif",
    "",
)


def image_source(container: Container) -> str:
    """Text of ``model_image.c``."""
    data = container.data
    lines = [
        "  " + " ".join(f"0x{byte:02x}," for byte in data[start : start + _BYTES_PER_LINE])
        for start in range(0, len(data), _BYTES_PER_LINE)
    ]
    return "\n".join(
        [
            "/* Written by `rbnn export`; do not edit. */",
            f"/* Model {container.model_id.hex()}, digest {container.digest.hex()}. */",
            '#include "core/model_image.h"',
            "",
            f"const uint32_t rbnn_model_image_bytes = {len(data)}u;",
            f"_Alignas({ALIGNMENT}) const uint8_t rbnn_model_image[{len(data)}] = {{",
            *lines,
            "};",
            "",
        ]
    )


def kernels_source(topology: Topology) -> str:
    """Text of ``model_kernels.c``."""
    used = sorted({layer.op for layer in topology.layers}, key=lambda op: op.number)
    return "\n".join(
        [
            "/* Written by `rbnn export`; do not edit. */",
            "#include <stddef.h>",
            "",
            '#include "core/kernels.h"',
            "",
            "const rbnn_kernel rbnn_kernels[RBNN_KERNELS] = {",
            *(
                f"  [RBNN_OPERATOR_{op.macro}] = {{{op.kernel}, {op.work_function or 'NULL'}}},"
                for op in used
            ),
            "};",
            "",
        ]
    )


def features_header(topology: Topology, tasks: int, *, takes_series: bool) -> str:
    """Text of ``model_features.h``, for a model of so many tasks."""
    layers = topology.layers
    words = {layer.in_shape[2] // 32 % 2 for layer in layers if layer.op.split_by_words}
    features = {
        "THRESHOLD": any(layer.stage is Stage.THRESHOLD for layer in layers),
        "RESIDUAL": any(layer.stage is Stage.RESIDUAL for layer in layers),
        "RPRELU": any(layer.activation is Activation.RPRELU for layer in layers),
        "SIGN_THRESHOLDS": any(layer.sign is Sign.THRESHOLDS for layer in layers),
        "ODD_WORDS": 1 in words,
        "EVEN_WORDS": 0 in words,
    }
    return "\n".join(
        [
            "/* Written by `rbnn export`; do not edit. */",
            "#ifndef RBNN_MODEL_FEATURES_H",
            "#define RBNN_MODEL_FEATURES_H",
            "",
            *(f"#define RBNN_WITH_{name} {int(used)}" for name, used in features.items()),
            f"#define RBNN_WITH_SERIES {int(takes_series)}",
            f"#define RBNN_WITH_TASKS {tasks}",
            f"#define RBNN_WITH_INPUT_BYTES {math.prod(topology.input_shape)}u",
            "",
            "#endif",
            "",
        ]
    )


def config_header(container: Container) -> str:
    """Text of ``model_config.h``."""
    layout = container.plan
    lines = [
        "/* Written by `rbnn export`; do not edit. */",
        f"/* Model {container.model_id.hex()}, architecture {container.topology.architecture}.",
        " *",
        " * number operator  input       output      window  bits at  bytes   params at  bytes",
    ]
    for number, layer in enumerate(container.topology.layers):
        place = layout.placements[number]
        shapes = ["x".join(map(str, shape)) for shape in (layer.in_shape, layer.out_shape)]
        window = f"{layer.kernel}/{layer.stride}+{layer.pad}" if layer.kernel else "-"
        lines.append(
            f" * {number:<6} {layer.op.name:<9} {shapes[0]:<11} {shapes[1]:<11} "
            f"{window:<7} {place.weights_offset:<8} {place.weights_bytes:<7} "
            f"{place.params_offset:<10} {params_bytes(layer)}"
        )
    lines += [" *", " * number task             classes  sealed bytes"]
    for number, task in enumerate(container.tasks):
        lines.append(f" * {number:<6} {task.name:<16} {task.classes:<8} {len(task.sealed)}")
    params = max(len(task.sealed) for task in container.tasks) - SEALED_OVERHEAD
    lines += [
        " */",
        "#ifndef RBNN_MODEL_CONFIG_H",
        "#define RBNN_MODEL_CONFIG_H",
        "",
        f"#define RBNN_MODEL_ARENA_BYTES {layout.arena_bytes}u",
        "#ifndef RBNN_MODEL_WORK_BYTES /* a board may have more: model_memory.h */",
        f"#define RBNN_MODEL_WORK_BYTES {layout.work_bytes}u",
        "#endif",
        f"#define RBNN_MODEL_PARAMS_BYTES {params}u",
        *(("#define RBNN_MODEL_TAKES_SOUND 1",) if container.takes_sound else ()),
        "",
        *(_REFUSAL if container.is_test_only else ()),
        "#endif",
        "",
    ]
    return "\n".join(lines)


def write_c(container: Container, folder: Path) -> None:
    """Write the four files into ``folder``.

    Raises:
        RbnnError: the folder cannot be written.
    """
    write_atomic(folder / IMAGE_FILE, image_source(container))
    write_atomic(folder / KERNELS_FILE, kernels_source(container.topology))
    features = features_header(
        container.topology, len(container.tasks), takes_series=container.takes_series
    )
    write_atomic(folder / FEATURES_FILE, features)
    write_atomic(folder / CONFIG_FILE, config_header(container))
