"""The other engines: where they are published, what of them is compiled, and how.

Nothing of them is part of this repository. The programs in ``source`` call their kernels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

LEVELS = ("-O2", "-O3", "-Os", "-Ofast")
"""Every engine is compiled with each; a layer counts at the best."""


@dataclass(frozen=True)
class Engine:
    """One engine.

    Args:
        name: as in the tables.
        repository: where its source is published.
        program: of the folder ``source``; it calls the kernels.
        sources: patterns of the files to compile, in its checkout.
        leave_out: parts of the names of files that are not compiled.
        includes: folders of headers in its checkout.
        flags: always given to the compiler.
        choices: of flags, the best of which counts.
        corrections: of its sources, in a copy: text and what takes its place.
        headers: that it includes and that are not in its checkout: name and text.
    """

    name: str
    repository: str
    program: str
    sources: Sequence[str]
    includes: Sequence[str]
    leave_out: Sequence[str] = ()
    flags: Sequence[str] = ()
    choices: Sequence[Sequence[str]] = ((),)
    corrections: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def checkout(self) -> str:
        """Name of its folder, as ``git clone`` calls it."""
        return self.repository.rpartition("/")[2]


_RESTRICT = "-DOPTIONAL_RESTRICT_KEYWORD=__restrict"
_SINGLE_ROUNDING = "-DCMSIS_NN_USE_SINGLE_ROUNDING"

ENGINES = (
    Engine(
        "3PXNet",
        "github.com/nanocad-lab/3pxnet",
        "three_pxnet.c",
        [f"3pxnet-inference/{one}" for one in ("xnor/xnor_*.c", "bwn/bwn_dense_cn.c")],
        [f"3pxnet-inference/{one}" for one in ("util", "xnor", "bwn")],
        flags=("-DPCK32", "-DARCH32", "-DGCC"),
        choices=(("-DPCNTSW",), ()),
    ),
    Engine(
        "Larq Compute Engine, portable kernel",
        "github.com/larq/compute-engine",
        "larq.cc",
        (),
        (".",),
        flags=("-std=gnu++17", "-fno-exceptions", "-fno-rtti"),
        headers=dict.fromkeys(
            (
                "tensorflow/lite/kernels/internal/types.h",
                "tensorflow/lite/kernels/internal/common.h",
                "tensorflow/lite/kernels/internal/cppmath.h",
                "tensorflow/lite/c/builtin_op_data.h",
                "ruy/profiler/instrumentation.h",
                "flatbuffers/base.h",
            ),
            '#include "larq_needs.h"\n',
        ),
    ),
    Engine(
        "CBin-NN, optimized, index errors fixed",
        "github.com/Edge-Learning-Machine/CBin-NN",
        "cbin_nn.c",
        [
            f"Operators/{one}_Optimized.c"
            for one in ("BBConv2D", "BBFC", "BBQFC", "QBConv2D", "QQConv2D")
        ],
        ("Operators", "Example/Inc"),
        corrections=(
            ("in_ch_pad>>5", "(in_ch_pad>>5)"),
            ("i < out_ch_pad;", "i < (out_ch_pad>>5);"),
        ),
        headers={"cstring": "#include <string.h>\n"},
    ),
    Engine(
        "CMSIS-NN, int8",
        "github.com/ARM-software/CMSIS-NN",
        "cmsis_nn.c",
        [f"Source/{one}Functions/*s8*.c" for one in ("Convolution", "FullyConnected", "NNSupport")],
        ("Include",),
        leave_out=("depthwise", "transpose"),
        choices=((), (_RESTRICT,), (_SINGLE_ROUNDING,), (_RESTRICT, _SINGLE_ROUNDING)),
    ),
)
