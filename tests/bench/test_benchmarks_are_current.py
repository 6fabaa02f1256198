"""docs/benchmarks.md says what the committed firmware takes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import rbnn
from rbnn.bench.document import document
from rbnn.bench.measure import SHIPPED, run_bench
from rbnn.image.board import load_board

DOCUMENT = Path(rbnn.__file__).parents[1] / "docs" / "benchmarks.md"
NEEDED = ("arm-none-eabi-gcc", "qemu-system-arm")
SECTIONS = (
    "### resnet 64/8/3 layer by layer, Cortex-M4",
    "## Standard layers, Cortex-M4, instructions per MAC",
)
"""Those that one board's measurement gives whole."""


def section(text: str, head: str) -> str:
    """What stands under a heading, up to the next one."""
    assert f"{head}\n" in text, f"{DOCUMENT.name} lacks {head!r}: make bench"
    return text.partition(f"{head}\n")[2].partition("\n#")[0].strip()


@pytest.mark.qemu
@pytest.mark.skipif(not all(map(shutil.which, NEEDED)), reason=f"needs {', '.join(NEEDED)}")
def test_the_document_says_what_the_firmware_takes() -> None:
    written = DOCUMENT.read_text()
    measured = run_bench(
        load_board("qemu"), SHIPPED, inputs=0, application=False, port=None, command="",
        say=lambda _: None,
    )  # fmt: skip
    if measured.compiler not in written:
        pytest.skip(f"{DOCUMENT.name} was written with another compiler than {measured.compiler}")
    now = document([measured])
    for head in SECTIONS:
        assert section(written, head) == section(now, head), "stale: make bench"
    whole = measured.network
    assert whole is not None
    assert f"| streaming | {whole.instructions:,} |" in written
    assert f"| plain | {whole.instructions_plain:,} |" in written


def test_the_readme_says_what_the_document_says() -> None:
    written = DOCUMENT.read_text()
    readme = " ".join((DOCUMENT.parents[1] / "README.md").read_text().split())
    networks = [part.partition("\n### ")[0] for part in written.split("## Whole network: ")[1:]]
    assert [part.partition(",")[0] for part in networks] == ["resnet 64/8/3", "resnet 64/6/2"]
    for part in networks:
        rows = {line.split(" | ")[0][2:]: line.split(" | ")[1] for line in part.splitlines()
                if " | " in line}  # fmt: skip
        millions = int(rows["streaming"].replace(",", "")) / 1e6
        assert f"{millions:.1f} million instructions" in readme
        assert f"{rows['times fewer'].strip('*')} times as many" in readme
        share = round(float(rows["share of reconfiguration"].rstrip("%")))
        assert f"{share} % " in readme
