"""A comparison of peers that stops and continues."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from rbnn.peers import experiment
from rbnn.peers.jobs import jobs
from rbnn.peers.page import headline
from rbnn.peers.plan import PeerSettings
from rbnn.runs.errors import TrainingPausedError
from rbnn.runs.run import Run


@pytest.mark.slow
@pytest.mark.usefixtures("known", "small")
def test_a_comparison_that_stops_after_each_step_ends_as_if_nothing_had_happened(
    trained: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(experiment, "jobs", lambda *given: jobs(*given)[:1])
    monkeypatch.setattr(experiment, "is_due", lambda until: False)  # only between two networks
    # Nothing is drawn: test_peers_command.py looks at the plot.
    monkeypatch.setattr("rbnn.pages.plot_style.save", lambda *_: [])
    settings = PeerSettings(tasks="sound", steps=2, rates="0.003,0.01")
    said: list[str] = []
    whole = experiment.bench_peers(trained, settings, tmp_path / "whole", said.append)
    assert said == ["Measuring the shared set.", "Network 1 of 1: sound, DS-CNN of 16."]
    place, stops = tmp_path / "parts", 0
    while True:
        try:
            parts = experiment.bench_peers(
                trained, settings, place, said.append, resume=stops > 0, until=datetime.now()
            )
        except TrainingPausedError as error:
            assert error.fix == f"rbnn bench peers {trained.folder} --out {place} --resume"
            stops += 1
            assert stops <= 4
            assert (place / "peers.md").read_text().startswith("# Peers: not measured yet")
        else:
            break
    assert stops == 1 + 1 + 2  # each of two rates is tried for a step
    assert [row.accuracies for row in parts.rows] == [row.accuracies for row in whole.rows]
    assert parts.rates == whole.rates and set(parts.rates[0].rates) == {"0.003", "0.01"}
    files = [
        (tmp_path / name / "int8" / "sound" / "network.tflite").read_bytes()
        for name in ("whole", "parts")
    ]
    assert files[0] == files[1]
    assert not (place / "int8" / "sound" / "training").exists()
    assert parts.row("trunk") is None  # one task shares with no other
    assert parts.missing == ("published/sound",)
    assert "(unfinished)" in headline(parts)
