"""The tiny tasks by name, and int8 networks that are soon trained."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from small_peers import train_eagerly, use_small_networks

from rbnn.peers import experiment
from rbnn.runs.config import RunConfig
from rbnn.tasks import TaskData


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    use_small_networks(monkeypatch)
    train_eagerly(monkeypatch)


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch, data: Sequence[TaskData]) -> None:
    """The tiny tasks are found by name."""

    def find(config: RunConfig, progress: object = None) -> list[TaskData]:
        names = [task.name for task in config.tasks]
        return [task for task in data if task.name in names]

    monkeypatch.setattr(experiment, "load_data", find)
