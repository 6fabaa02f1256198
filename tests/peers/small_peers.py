"""Small int8 networks, so that they are soon built, trained and converted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tiny_tasks import eagerly

from rbnn.peers import build, quantize, shapes, train


def use_small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ResNet of two stages, a DS-CNN of one block, and few samples to choose ranges by."""
    monkeypatch.setattr(shapes, "FILTERS", {"ResNet-8": (4, 8), "DS-CNN": (8,)})
    for module in (shapes, build):
        monkeypatch.setattr(module, "DS_CNN_BLOCKS", 1)
    monkeypatch.setattr(shapes, "LARGEST_SCALE", 2)
    monkeypatch.setattr(quantize, "REPRESENTATIVES", 8)


def train_eagerly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks of a few steps are trained without a graph; they are measured and converted with
    one."""

    def without_graph(fit: Callable[..., Any]) -> Callable[..., Any]:
        def fitted(*given: Any, **named: Any) -> Any:
            with eagerly():
                return fit(*given, **named)

        return fitted

    for name in ("fit", "fit_run"):
        monkeypatch.setattr(train, name, without_graph(getattr(train, name)))
