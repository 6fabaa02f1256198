"""``rbnn nets``: networks ranked for a board."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from rbnn.cli import nets
from rbnn.errors import RbnnError


def run(*arguments: str) -> str:
    app = typer.Typer()
    nets.register(app)
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_those_that_fit_come_first_with_more_bits_before_fewer() -> None:
    found = json.loads(run("--board", "nucleo", "--width", "32", "--width", "128", "--json"))
    rows = found["candidates"]
    assert found["board"] == "nucleo"
    assert {row["architecture"] for row in rows} == {"vgg", "resnet", "reactnet"}
    order = [(not row["fits"], -row["bits"]) for row in rows]
    assert order == sorted(order)
    for row in rows:
        assert row["fits"] == (row["ram"] <= 127_488 and row["flash"] <= 458_752)
        assert row["instructions"] <= row["first_instructions"] < row["peer_instructions"]
        assert row["estimated_ms"] > row["instructions"] / 168_000
        for what, name, limit in (("ram", "RAM", 127_488), ("flash", "flash", 458_752)):
            assert (name in row["lacks"]) == (row[what] > limit)
            assert (f"{row[what] - limit:,} bytes too many" in row["why"]) == (row[what] > limit)
    assert any(not row["fits"] for row in rows)


def test_the_table_names_every_network() -> None:
    output = run("--arch", "resnet", "--width", "64", "--input", "16x16x1", "--classes", "4")
    assert "resnet 64/6" in output and "yes" in output


def test_80_columns_hold_what_the_board_has_and_what_a_network_lacks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    output = run("--board", "nucleo", "--arch", "resnet", "--width", "128", "--stages", "3")
    assert "459 KB flash, 127.5 KB RAM" in output
    last = [line.split("│")[-2].strip() for line in output.splitlines() if line.startswith("│")]
    assert " ".join(last) == "no: flash, RAM"
    assert "…" not in output
    assert "┓" in output  # the right border


def test_limits_of_a_board_are_said_for_an_input() -> None:
    arguments = ("--board", "nucleo", "--width", "32", "--input", "96x96x3")
    found = json.loads(run(*arguments, "--json"))
    limits = found["limits"]
    assert (limits["input"], limits["input_bytes"]) == ([96, 96, 3], 27_648)
    small = json.loads(run("--board", "nucleo", "--width", "32", "--json"))["limits"]
    # The usual buffer of 8,192 bytes grows to one input.
    assert small["model_ram"] - limits["model_ram"] == 27_648 - 8_192
    assert limits["model_flash"] == small["model_flash"] < limits["flash"] == 458_752
    fits = {row["architecture"]: row["fits"] for row in found["candidates"]}
    assert fits == {"vgg": True, "resnet": False, "reactnet": False}
    output = " ".join(run(*arguments).split())
    assert f"{limits['model_ram']:,} of 127,488 bytes of RAM" in output
    (lacking,) = (row for row in found["candidates"] if row["architecture"] == "resnet")
    assert f"resnet 32/6/2 does not fit. {lacking['why']}." in output


def test_networks_that_an_input_is_too_small_for_are_named() -> None:
    found = json.loads(run("--input", "7x16x1", "--width", "32", "--json"))
    assert found["refused"] == ["vgg needs an input of at least 8 pixels a side. Received: 7x16."]


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(RbnnError, match="height x width x channels"):
        run("--input", "32x32")
    with pytest.raises(RbnnError, match="Unknown architecture"):
        run("--arch", "lenet")
    with pytest.raises(RbnnError, match="resnet"):
        run("--arch", "resnet", "--input", "4x4x3")


OWN = """
def network(net):
    x = net.stem(64, pool=2, stream=True)
    net.dense(net.average_pool(net.conv(x, 64, shortcut=x)))
"""


def test_a_network_of_ones_own_is_ranked_beside_others(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(OWN)
    own = ("--arch", str(tmp_path / "mine.py"))
    (row,) = json.loads(run("--board", "nucleo", *own, "--json"))["candidates"]
    assert (row["architecture"], row["bits"], row["fits"]) == (
        "mine",
        27 * 64 + 9 * 64**2 + 640,
        True,
    )
    assert "width" not in row and row["instructions"] > 0
    (eight,) = json.loads(run(*own, "--stem-bits", "8", "--json"))["candidates"]
    assert eight["bits"] == row["bits"] - 27 * 64
    output = run(*own, "--arch", "resnet")
    assert " mine " in output and "resnet 64/6" in output
    with pytest.raises(RbnnError, match="--width has no effect on it"):
        run(*own, "--width", "32")
    (tmp_path / "mine.json").write_text('{"layers": [{"op": "stem", "filters": 32}]}')
    with pytest.raises(RbnnError, match="has no last layer"):
        run("--arch", str(tmp_path / "mine.json"))
