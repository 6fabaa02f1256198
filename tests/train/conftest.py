"""Two small tasks that a network of width 32 learns within a few steps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_tasks import MODEL, SECRETS, make_task

from rbnn.tasks import TaskData
from rbnn.train.run import Run
from rbnn.train.start import Settings, start_run


@pytest.fixture(scope="session")
def data() -> list[TaskData]:
    """A colour task of 4 classes and a grey audio task of 3."""
    return [make_task("colour", 3, 4, 50, False), make_task("sound", 1, 3, 30, True)]


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, data: list[TaskData]) -> Run:
    """A run of four epochs; not to be changed."""
    from rbnn.train.trainer import Trainer

    settings = Settings(width=32, batch=10, epochs=4, precision="float32", seed=5)
    folder = tmp_path_factory.mktemp("trained")
    run = start_run(folder, data, settings, secrets=SECRETS, model_id=MODEL)
    Trainer(run, data).fit()
    return run


@pytest.fixture
def begin(tmp_path: Path, data: list[TaskData]) -> Callable[..., Run]:
    """Call it with :class:`Settings` fields to begin a run with fixed secrets."""

    def make(folder: str = "runs", **fields: object) -> Run:
        usual: dict[str, object] = {"width": 32, "batch": 10, "epochs": 2, "seed": 5}
        # On any machine the same arithmetic.
        usual["precision"] = "float32"
        settings = Settings(**{**usual, **fields})  # type: ignore[arg-type]
        return start_run(tmp_path / folder, data, settings, secrets=SECRETS, model_id=MODEL)

    return make
