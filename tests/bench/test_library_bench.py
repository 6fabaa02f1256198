"""docs/benchmarks/library.md says what the committed library takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rbnn
from rbnn.bench import library
from rbnn.bench.library import CORES, measure, smallest_model, with_all_operators
from rbnn.bench.measure import version
from rbnn.errors import RbnnError
from rbnn.library.library import library_files
from rbnn.library.names import Names

DOCUMENT = Path(rbnn.__file__).parents[1] / "docs" / "benchmarks" / "library.md"


def test_the_document_says_what_the_library_takes(tmp_path: Path) -> None:
    written = DOCUMENT.read_text()
    core = next(core for core in CORES if core.title == "Cortex-M4")
    if library.shutil.which(core.compiler) is None:
        pytest.skip("apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi")
    if version(core.compiler) not in written:
        pytest.skip("library.md was written with another compiler")
    container = smallest_model(tmp_path)
    built = measure(core, "-Os", library_files(container, Names("rbnn_")), len(container.data))
    assert built.warnings == 0
    row = re.search(r"^\| Cortex-M4 \| ([\d,]+) \|", written, re.M)
    assert row is not None and row[1] == f"{built.bytes:,}", "stale: make bench-library"
    assert "Warnings with `-Wall -Wextra -Wconversion`: 0." in written


def test_all_operators_are_those_of_any_model(tmp_path: Path) -> None:
    own = library_files(smallest_model(tmp_path), Names("rbnn_"))
    every = with_all_operators(own)
    assert set(own) - set(every) == {"src/rbnn/model/model_kernels.c"}
    assert "RBNN_OPERATOR_LIST(ENTRY)" in every["src/rbnn/core/kernel_table.c"]
    assert " 0\n" in own["src/rbnn/model/model_features.h"]
    assert " 0\n" not in every["src/rbnn/model/model_features.h"]


def test_a_missing_compiler_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(library.shutil, "which", lambda _: None)
    with pytest.raises(RbnnError, match="arm-none-eabi-gcc is not installed"):
        measure(CORES[0], "-Os", {}, 0)
