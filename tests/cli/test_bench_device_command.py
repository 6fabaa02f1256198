"""``rbnn bench device`` as typed, on the emulated Cortex-M4."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rbnn.cli.main import build
from rbnn.cost import peers

pytestmark = [
    pytest.mark.qemu,
    pytest.mark.skipif(
        not (shutil.which("qemu-system-arm") and shutil.which("arm-none-eabi-gcc")),
        reason="apt-get install qemu-system-arm gcc-arm-none-eabi libnewlib-arm-none-eabi",
    ),
]


def test_the_standard_layers_give_one_document_with_correct_results(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    arguments = ["bench", "device", "--layers-only", "--inputs", "3", "--json"]
    done = CliRunner().invoke(build(), [*arguments, "--out", str(file)])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert json.loads(file.read_text()) == found
    assert found["unit"] == "instructions"
    assert found["network"] is None and found["application"] is None
    layers = {layer["name"]: layer for layer in found["layers"]}
    assert list(layers) == ["conv_a", "conv_b", "dense", "stem"]
    for name, layer in layers.items():
        assert layer["crc_ok"]
        assert layer["instructions_per_mac_plain"] < layer["instructions_per_mac"]
        # No layer is slower than in the best other engine.
        assert layer["instructions_per_mac_plain"] < peers.best(name)[1]
    assert [one["rounds"] for one in found["key_streams"]] == [20, 12, 8]
    (spread,) = found["spreads"]
    assert spread["inputs"] == 5 and spread["least"] == spread["most"]
