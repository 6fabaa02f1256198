"""docs/python.md: its examples, run from top to bottom in an empty folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rbnn
from rbnn.tasks.sets import words

GUIDE = Path(__file__).parents[2] / "docs" / "python.md"


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.usefixtures("own_cache")
def test_the_examples_of_the_guide_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(words, "UTTERANCES", {"train": 10, "test": 4})
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.S)
    assert len(blocks) >= 5
    names: dict[str, object] = {}
    for block in blocks:
        # As short as it can be: the text has the steps that make a useful network.
        exec(block.replace("steps=800", "steps=4").replace("samples=20", "samples=2"), names)
    model, board = names["model"], names["board"]
    assert isinstance(model, rbnn.Model) and isinstance(board, rbnn.Board)
    assert not model.unfinished and model.tasks == ("digits", "words")
    assert capsys.readouterr().out, "the examples print what they found"
