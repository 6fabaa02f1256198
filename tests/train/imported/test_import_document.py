"""The example of ``docs/own-networks.md`` fits as it is; its error is the one that is printed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from larq_models import make_task, scatter

import rbnn
from rbnn.errors import RbnnError
from rbnn.train.imported.importing import Wishes, import_model

PAGE = (Path(rbnn.__file__).parents[1] / "docs" / "own-networks.md").read_text()


def example(text: str) -> Any:
    names: dict[str, Any] = {}
    exec(text, names)
    return names["model"]


def test_the_example_is_imported(tmp_path: Path) -> None:
    (_, text) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    task = make_task(channels=1, classes=10)
    scatter(example(text), falling=False).save(tmp_path / "model.keras")
    said: list[str] = []
    wishes = Wishes(1.0, 0.0)  # the labels are random, so they tell no range
    result = import_model(tmp_path / "runs", tmp_path / "model.keras", task, wishes, said.append)
    assert result.agreement > 0.6  # of ten classes: with random weights, a bit changes many others
    assert result.bits == 9 * 32 + 2 * 9 * 32 * 32 + 9 * 32 * 64 + 8 * 8 * 64 * 10
    assert not [note for note in result.notes if "pads" in note]

    # Without the ones, the first layer of bits does not fit.
    zeros = text.replace(', "pad_values": 1.0', "")
    example(zeros).save(tmp_path / "model.h5")
    with pytest.raises(RbnnError) as caught:
        import_model(tmp_path / "runs", tmp_path / "model.h5", task, wishes, said.append)
    assert f"try: {caught.value.fix}\n" in PAGE
    what = re.sub(r"quant_conv2d_\d+", "quant_conv2d_1", caught.value.what)
    assert f"error: {what}\n" in PAGE
