"""Runs with random values are such as training leaves behind: they can be exported."""

from __future__ import annotations

from pathlib import Path

import pytest

from rbnn.errors import RbnnError
from rbnn.export.export import NO_PROVIDER, make_container
from rbnn.runs.parameters import ModelParameters
from rbnn.runs.synthetic import TASKS, write_synthetic_run
from rbnn.spec.layout import Cipher


@pytest.mark.parametrize("name", ["vgg", "resnet", "reactnet"])
@pytest.mark.parametrize("bits", [1, 8])
def test_every_architecture_exports(name: str, bits: int, tmp_path: Path) -> None:
    ends = {"stem_bits": bits, "classifier_bits": bits}
    run = write_synthetic_run(tmp_path, name, width=32, classes=5, cipher="chacha8", **ends)
    config = run.config()
    container = make_container(
        config, ModelParameters.load(run.parameters_file), run.secrets(), NO_PROVIDER
    )
    assert [task.name for task in container.tasks] == list(TASKS)
    assert container.topology.max_classes == 5
    assert container.cipher is Cipher.CHACHA8


def test_the_same_seed_gives_the_same_run(tmp_path: Path) -> None:
    runs = [write_synthetic_run(tmp_path / str(n), "vgg", width=32) for n in range(2)]
    assert runs[0].config() == runs[1].config()
    assert runs[0].parameters_file.read_bytes() == runs[1].parameters_file.read_bytes()


def test_an_unknown_architecture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RbnnError, match="Unknown architecture 'lenet'"):
        write_synthetic_run(tmp_path, "lenet")
