"""``make bench-library``: what the C library takes of flash on each kind of core.

Measured is the bare-metal example with its stubs and the C library's functions that it needs,
linked without what nothing calls; the model's own bytes and the store's two pages are not counted.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

from rbnn.bench.measure import version
from rbnn.container.container import Container
from rbnn.engine.compile import FIRMWARE
from rbnn.errors import RbnnError
from rbnn.export.export import make_container
from rbnn.files import write_atomic
from rbnn.library.describe import STORE_PAGE_BYTES
from rbnn.library.folder import write_folder
from rbnn.library.library import library_files
from rbnn.library.names import DEFAULT, Names
from rbnn.library.sources import adapt
from rbnn.pages.table import Table
from rbnn.runs.parameters import ModelParameters
from rbnn.runs.synthetic import write_synthetic_run
from rbnn.spec.published import TEST_ONLY_PROVIDER_PUBLIC

WARNINGS = ("-Wall", "-Wextra", "-Wconversion")
_NEWLIB = ("--specs=nano.specs", "--specs=nosys.specs")
_NAMES = Names(DEFAULT)


@dataclass(frozen=True)
class Core:
    """A kind of core.

    Args:
        title: for people.
        compiler: its program.
        flags: that choose the core.
        library: that choose the C library.
    """

    title: str
    compiler: str
    flags: tuple[str, ...]
    library: tuple[str, ...] = _NEWLIB


def _arm(name: str) -> Core:
    flags = (f"-mcpu={name.lower()}", "-mthumb", "-mfloat-abi=soft")
    return Core(name, "arm-none-eabi-gcc", flags)


CORES = (
    *map(_arm, ("Cortex-M0plus", "Cortex-M3", "Cortex-M4", "Cortex-M7", "Cortex-M33")),
    Core(
        "RISC-V rv32imc",
        "riscv64-unknown-elf-gcc",
        ("-march=rv32imc", "-mabi=ilp32"),
        ("--specs=picolibc.specs", "-Wl,--defsym=__flash_size=4M"),
    ),
)


@dataclass(frozen=True)
class Built:
    """What became of a library: bytes of code and its constants, and warnings."""

    bytes: int
    warnings: int


def smallest_model(folder: Path) -> Container:
    """The architecture that needs the least code, with random parameters."""
    run = write_synthetic_run(folder, "vgg", width=32, input_shape=(16, 16, 3))
    parameters = ModelParameters.load(run.parameters_file)
    # A provider whose key is published: nobody shall license this.
    return make_container(run.config(), parameters, run.secrets(), TEST_ONLY_PROVIDER_PUBLIC)


def with_all_operators(files: Mapping[str, str]) -> dict[str, str]:
    """A library that runs any model instead of its own only."""
    changed = dict(files)
    del changed["src/rbnn/model/model_kernels.c"]
    table = "core/kernel_table.c"
    place, text = adapt(table, (FIRMWARE / table).read_text(), _NAMES)
    changed[f"src/rbnn/{place}"] = text
    features = "src/rbnn/model/model_features.h"
    changed[features] = changed[features].replace(" 0\n", " 1\n")
    return changed


def build(core: Core, level: str, files: Mapping[str, str], folder: Path) -> Path:
    """Compile and link the bare-metal example; what the compiler said is beside it.

    Raises:
        RbnnError: the compiler is missing or refuses.
    """
    if shutil.which(core.compiler) is None:
        raise RbnnError(
            f"{core.compiler} is not installed.",
            "Run: sudo apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi "
            "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf",
        )
    write_folder(folder, files)
    sources = [name for name in files if name.endswith((".c", ".S")) and "workstation" not in name]
    done = subprocess.run(
        [
            *(core.compiler, *core.flags, *core.library, "-std=c11", level, *WARNINGS),
            *("-ffunction-sections", "-fdata-sections", "-nostartfiles", "-Wl,--gc-sections"),
            *("-Wl,-e,main", "-Isrc", "-DRBNN_ALLOW_TEST_ONLY", *sources, "-o", "example.elf"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RbnnError(f"{core.compiler} cannot build the library: {done.stderr[-2000:]}")
    (folder / "said").write_text(done.stderr)
    return folder / "example.elf"


def measure(core: Core, level: str, files: Mapping[str, str], model_bytes: int) -> Built:
    """Build it and count.

    Raises:
        RbnnError: see :func:`build`.
    """
    with tempfile.TemporaryDirectory() as temporary:
        elf = build(core, level, files, Path(temporary) / "library")
        warnings = (elf.parent / "said").read_text().count("warning: ")
        with elf.open("rb") as stream:
            kept = sum(
                section.data_size
                for section in ELFFile(stream).iter_sections()
                if section["sh_flags"] & SH_FLAGS.SHF_ALLOC and section["sh_type"] != "SHT_NOBITS"
            )
    return Built(kept - model_bytes - 2 * STORE_PAGE_BYTES, warnings)


def page(cores: Sequence[Core]) -> str:
    """The text of docs/benchmarks/library.md.

    Raises:
        RbnnError: a compiler is missing.
    """
    with tempfile.TemporaryDirectory() as temporary:
        container = smallest_model(Path(temporary))
    own = library_files(container, _NAMES)
    every = with_all_operators(own)
    builds = (("-Os", own), ("-Os", every), ("-O2", every))
    rows = []
    warnings = 0
    for core in cores:
        with ThreadPoolExecutor() as pool:
            results = list(pool.map(partial(_measured, core, len(container.data)), builds))
        warnings += sum(one.warnings for one in results)
        rows.append((core.title.replace("plus", "+"), *(f"{one.bytes:,}" for one in results)))
    table = Table(
        ("core", "smallest model, `-Os`", "all operators, `-Os`", "all operators, `-O2`"),
        tuple(rows),
    )
    compilers = sorted({core.compiler for core in cores})
    lines = [
        "# Code of the C library",
        "",
        "Written by `make bench-library`. Bytes of flash of the bare-metal example with the C",
        "library's functions that it needs, without the model's own bytes and the store's pages.",
        "The smallest model is a `vgg` of width 32; *all operators* runs any model.",
        "[docs/c-api.md](../c-api.md) says what this library is; `tests/library` compares its",
        "logits with the integer reference on every Cortex-M of this table that QEMU has",
        "(Cortex-M0 in place of M0+): none differs.",
        "",
        table.markdown(),
        "",
        f"Warnings with `{' '.join(WARNINGS)}`: {warnings}.",
        "",
        *(f"- {version(compiler)}" for compiler in compilers),
    ]
    return "\n".join(lines) + "\n"


def _measured(core: Core, model_bytes: int, how: tuple[str, Mapping[str, str]]) -> Built:
    return measure(core, how[0], how[1], model_bytes)


def main(arguments: Iterable[str] | None = None) -> int:
    """Entry point of ``python -m rbnn.bench.library``."""
    parser = argparse.ArgumentParser(description="Measure the C library's code on each core.")
    parser.add_argument("--out", type=Path, help="Markdown file to write; default: print it.")
    chosen = parser.parse_args(None if arguments is None else list(arguments))
    try:
        text = page(CORES)
        if chosen.out is None:
            print(text, end="")
        else:
            write_atomic(chosen.out, text)
            print(f"wrote {chosen.out}")
    except RbnnError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
