"""Builds the fused operations with this machine's compiler and gives them to TensorFlow."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Any

from rbnn.compiler import build_once, compiler, native_flags
from rbnn.nets.framework import tf
from rbnn.places import cache_folder

SOURCES = Path(__file__).parent / "source"
FLAGS = (
    *("-std=c11", "-O3", "-fPIC", "-shared", "-D_GNU_SOURCE", "-pthread", "-fno-strict-aliasing"),
    # Nothing reads errno or a floating-point flag, which would keep loops from being vectorised.
    *("-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast", "-Wno-psabi"),
)


@functools.cache
def operations() -> Any:
    """TensorFlow's module of the fused operations, built on first use.

    Raises:
        CompilerError: there is no compiler, or it does not build them.
    """
    program = compiler()
    command = [program, *FLAGS, *native_flags(program), f"-I{tf.sysconfig.get_include()}"]
    # TensorFlow's headers define a constant in every file that includes them.
    command += ["-Wl,--no-as-needed,--allow-multiple-definition"]
    command += [*tf.sysconfig.get_link_flags(), "-lm"]
    library = build_once(
        "fused.so",
        command,
        sorted(SOURCES.glob("*.c")),
        sorted(SOURCES.glob("*.h")),
        cache_folder(),
        version=tf.__version__,
    )
    return tf.load_op_library(str(library))


def threads() -> int:
    """How many an operation may use: as many as TensorFlow's own."""
    return tf.config.threading.get_intra_op_parallelism_threads() or len(os.sched_getaffinity(0))
