"""Small int8 networks, so that they are soon built, trained and converted."""

from __future__ import annotations

import pytest

from rbnn.peers import build, quantize, shapes


def use_small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ResNet of two stages, a DS-CNN of one block, and few samples to choose ranges by."""
    monkeypatch.setattr(shapes, "FILTERS", {"ResNet-8": (4, 8), "DS-CNN": (8,)})
    for module in (shapes, build):
        monkeypatch.setattr(module, "DS_CNN_BLOCKS", 1)
    monkeypatch.setattr(shapes, "LARGEST_SCALE", 2)
    monkeypatch.setattr(quantize, "REPRESENTATIVES", 8)
