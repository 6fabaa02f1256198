"""A whole training with baselines, and its figures side by side."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rbnn.runs.errors import TrainingError
from rbnn.runs.figures import read_figures
from rbnn.runs.run import Run
from rbnn.tasks import TaskData
from rbnn.train.session import train


def test_baselines_take_the_same_steps_without_a_key(
    begin: Callable[..., Run], data: list[TaskData], capsys: pytest.CaptureFixture[str]
) -> None:
    run = begin(depth=3, epochs=2, baseline=True)
    rows = train(run, data)
    assert [row.task for row in rows] == ["colour", "sound"]
    for row, task in zip(rows, data, strict=True):
        own = run.baseline(task.name)
        config = own.config()
        assert (config.scheme, config.max_classes) == ("none", len(task.labels))
        assert read_figures(own)[-1].steps == read_figures(run)[-1].steps == 10
        assert row.own == read_figures(own)[-1].tasks[task.name].test_accuracy
        assert row.difference == pytest.approx(row.shared - row.own)
        assert not own.secrets_file.exists()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "colour alone: epoch 2" in captured.err

    written = run.parameters_file.stat().st_mtime_ns
    assert train(run, data) == rows
    assert run.parameters_file.stat().st_mtime_ns == written


def test_damaged_figures_are_refused(begin: Callable[..., Run]) -> None:
    run = begin()
    assert read_figures(run) == []
    run.metrics_file.write_text('{"epochs": [{"epoch": 1}]}')
    with pytest.raises(TrainingError, match=r"metrics\.json"):
        read_figures(run)
