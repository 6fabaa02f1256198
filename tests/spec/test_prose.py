"""Sizes that SPEC.md states in prose are those of the code."""

from __future__ import annotations

from pathlib import Path

import pytest

import rbnn
from rbnn.spec import layout, link, puf, scores

PROSE = (Path(rbnn.__file__).parents[1] / "SPEC.md").read_text()


@pytest.mark.parametrize(
    "stated",
    [
        f"{puf.PATTERN_BYTES:,} bytes of SRAM",
        f"Together {puf.HELPER_BYTES:,} bytes",
        f"{layout.HELPER_RECORD_BYTES:,} bytes",
        f"zero-padded to {layout.HELPER_RECORD_PADDED_BYTES:,} bytes",
        f"{layout.LICENCE_PROLOGUE.size} bytes of prologue",
        f"{layout.LICENCE_MESSAGE_BYTES} bytes of Noise message",
        f"licences of {layout.LICENCE_BYTES} bytes",
        f"{puf.CLASS_MIN_PERCENT}..{puf.CLASS_MAX_PERCENT} %",
        f"{puf.PLACE_MIN_PERCENT}..{puf.PLACE_MAX_PERCENT} %",
        f"fewer than {puf.KEPT_MIN_PERCENT} %",
        f"more than {puf.GUESSED_MAX_PERCENT} %",
        f"more than {puf.SILENT_MAX} groups",
        f"d·{scores.LOG2_E_Q16} >> 16",
        f"{link.BAUD} baud",
        layout.NOISE_PROTOCOL,
    ],
)
def test_stated_sizes(stated: str) -> None:
    assert stated in " ".join(PROSE.split())
