"""The demonstration from end to end, on two sets small enough to be trained in seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typed import typed_here

from rbnn.demo.figures import DemoFigures


def write_set(folder: Path, seed: int, classes: tuple[str, ...]) -> Path:
    """Grey noise whose brightness tells the class, 8 pictures to train on and 4 to test."""
    rng = np.random.default_rng(seed)
    for split, count in (("train", 8), ("test", 4)):
        for number, name in enumerate(classes):
            place = folder / split / name
            place.mkdir(parents=True)
            for index in range(count):
                level = 200 * number // (len(classes) - 1)
                pixels = rng.integers(level, level + 56, (32, 32), dtype=np.uint8)
                Image.fromarray(pixels).save(place / f"{index}.png")
    return folder


@pytest.mark.qemu
@pytest.mark.slow
@pytest.mark.usefixtures("own_cache")
def test_demo_trains_flashes_refuses_and_measures(tmp_path: Path) -> None:
    one = write_set(tmp_path / "one", 1, ("dark", "light"))
    two = write_set(tmp_path / "two", 2, ("black", "grey", "white"))
    done = typed_here(
        tmp_path,
        *("demo", "--json", "--samples", "3"),
        *("--tasks", f"one={one},two={two}", "--folder", "made"),
    )
    assert done.returncode == 0, done.stderr
    figures = DemoFigures.model_validate_json(done.stdout)
    assert [(task.name, task.classes) for task in figures.tasks] == [("one", 2), ("two", 3)]
    for task in figures.tasks:
        assert task.differing_outputs == 0
        assert task.differing_layers == 0
        assert task.agreement == 1.0
        assert task.device_samples == 3
        assert task.own_bytes < 0.05 * figures.shared_bytes
        assert task.inference_instructions > task.switch_instructions > 0
    assert [refusal.status for refusal in figures.refusals] == [
        "puf-helper",
        "licence-refused",
        "locked",
        "licence-refused",
        "licence-model",
    ]
    assert 0 < figures.stack_used < figures.image.stack
    made = list((tmp_path / "made").iterdir())
    assert len(made) == 1
    assert not list(made[0].rglob("state.json")), "an emulator was left running"
