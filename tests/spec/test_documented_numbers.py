"""Numbers that documents state are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rbnn
from rbnn.library import describe
from rbnn.spec import audio, layout, puf

DOCS = Path(rbnn.__file__).parents[1] / "docs"


def row(document: str, name: str) -> str:
    """What a table of a document says of a constant."""
    (found,) = re.findall(rf"^\| `{name}` \| (.*)$", (DOCS / document).read_text(), re.M)
    return str(found)


@pytest.mark.parametrize(
    "name",
    [
        *("PAD_SAMPLES", "HOPS_PER_INFERENCE", "SMOOTHED", "THRESHOLD_PPM", "REFRACTORY_HOPS"),
        "LISTENER_BYTES",
    ],
)
def test_constants_of_the_listener(name: str) -> None:
    assert row("audio.md", name).startswith(f"{getattr(audio, name):,} |")


def test_what_the_listener_holds() -> None:
    parts = {
        "work of the front end": 4 * audio.FRAME_SAMPLES,
        "samples": 2 * audio.FRAME_SAMPLES,
        "columns": 2 * audio.PICTURE_BYTES,
        "scores": 4 * audio.SMOOTHED * layout.MAX_CLASSES,
    }
    parts["counters"] = audio.LISTENER_BYTES - sum(parts.values())
    said = ", ".join(f"{name} {size:,}" for name, size in parts.items())
    assert said in row("audio.md", "LISTENER_BYTES")


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("RBNN_LISTENER_BYTES", audio.LISTENER_BYTES),
        ("RBNN_FINGERPRINT_BYTES", puf.PATTERN_BYTES),
        (
            "RBNN_PARTITION_BYTES",
            layout.PROVISIONING_HEADER.size + layout.HELPER_RECORD_PADDED_BYTES,
        ),
        ("RBNN_STACK_BYTES", describe.STACK_BYTES),
    ],
)
def test_sizes_of_the_library(name: str, size: int) -> None:
    assert re.search(rf"\b{size:,}\b", row("c-api.md", name))


def test_samples_in_a_block() -> None:
    spec = (DOCS.parent / "SPEC.md").read_text()
    assert f"N at most {audio.MAX_BLOCK_SAMPLES:,}" in spec


def test_the_context_of_the_library() -> None:
    own = describe._CONTEXT_BYTES + 4 * describe._CONTEXT_POINTERS
    assert f" {own} and {describe._CONTEXT_TASK_BYTES} for each task" in row(
        "c-api.md", "RBNN_CONTEXT_BYTES"
    )
