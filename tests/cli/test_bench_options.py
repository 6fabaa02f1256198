"""Options of ``rbnn bench`` that exclude each other, and the defaults in ``rbnn train --help``."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from rbnn.cli.main import build
from rbnn.errors import RbnnError
from rbnn.nets.architectures import ARCHITECTURES


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("device --layers-only --arch vgg", "--arch cannot be combined with --layers-only"),
        ("device --layers-only --run runs/x", "--run cannot be combined with --layers-only"),
        ("device --run runs/x --width 64", "--width cannot be combined with --run"),
        ("device --run runs/x --depth 6", "--depth cannot be combined with --run"),
        ("host --run runs/x --arch vgg", "--arch cannot be combined with --run"),
    ],
)
def test_options_that_exclude_each_other_are_refused(arguments: str, said: str) -> None:
    done = CliRunner().invoke(build(), ["bench", *arguments.split()])
    assert done.exit_code != 0
    assert isinstance(done.exception, RbnnError)
    assert said in str(done.exception)


def test_the_help_of_train_states_every_default_depth() -> None:
    done = CliRunner().invoke(build(), ["train", "--help"], env={"COLUMNS": "200"})
    said = " ".join(done.output.split())
    for name, architecture in ARCHITECTURES.items():
        assert f"{name} {architecture.depth}" in said
