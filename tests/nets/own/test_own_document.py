"""``docs/own-networks.md``: its examples work, its table names every member, its error is real."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rbnn
from rbnn.errors import RbnnError
from rbnn.nets.own.document import LAYERS
from rbnn.nets.own.file import read_network

PAGE = (Path(rbnn.__file__).parents[1] / "docs" / "own-networks.md").read_text()


def block(kind: str, number: int = 0) -> str:
    """The text of a code block."""
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.S)[number]


def test_both_examples_are_the_same_network(tmp_path: Path) -> None:
    (tmp_path / "my_net.py").write_text(block("python"))
    (tmp_path / "my_net.json").write_text(block("json"))
    python, other = (
        read_network(tmp_path / f"my_net.{end}").topology((32, 32, 3), 10) for end in ("py", "json")
    )
    assert python == other
    assert [layer.out_shape[:2] for layer in python.layers] == [
        (16, 16), (16, 16), (8, 8), (8, 8), (8, 8), (1, 1), (1, 1)
    ]  # fmt: skip


def test_the_error_is_the_one_that_is_printed(tmp_path: Path) -> None:
    text = block("python").replace("conv(x, 32, shortcut", "conv(x, 32, kernel=9, shortcut")
    (tmp_path / "my_net.py").write_text(text)
    with pytest.raises(RbnnError) as caught:
        read_network(tmp_path / "my_net.py").topology((32, 32, 3), 10)
    assert f"error: {caught.value.what}\ntry: {caught.value.fix}\n" in PAGE


def test_the_table_names_every_member() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| [\w ,]+ \| (.*) \|$", PAGE, re.M))
    assert set(rows) == set(LAYERS)
    for op, kind in LAYERS.items():
        members = set(kind.model_fields) - {"op", "name", "input"}
        assert set(re.findall(r"`(\w+)`", rows[op])) == members, op
