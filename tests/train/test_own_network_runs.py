"""``rbnn train --arch FILE`` as typed: a run of a network of the user's own needs no file later."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typed import typed, typed_here

from rbnn.runs.run import Run
from rbnn.spec import operators

NETWORK = """
def network(net):
    x = net.stem(32, kernel=3, pool=2, stream=True)
    x = net.conv(x, 32, kernel=5, stride=2, shortcut=x)
    x = net.conv(x, 64, shortcut=x, activation="rprelu")
    net.dense(net.average_pool(x))
"""
SHORT = ("--steps", "6", "--batch", "8", "--json")


def done(folder: Path, *arguments: str) -> Any:
    found = typed_here(folder, *arguments)
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A working folder, and the run in it; the file is gone."""
    where = tmp_path_factory.mktemp("work")
    (where / "mine.py").write_text(NETWORK)
    options = ("--superpose", "--baseline", "--distill", "0.5", "--trunk", "1")
    ends = ("--stem-bits", "8", "--classifier-bits", "8")
    document = done(
        where, "train", "--tasks", "digits", "--arch", "mine.py", *options, *ends, *SHORT
    )
    (where / "mine.py").unlink()
    return where, where / document["run"]


def test_the_run_holds_the_whole_network(trained: tuple[Path, Path]) -> None:
    config = Run(trained[1]).config()
    assert (config.architecture, config.width, config.depth) == ("mine", None, None)
    topology = config.topology()
    assert [layer.op for layer in topology.layers] == [
        operators.STEM8, operators.AVERAGE_POOL, operators.CONV, operators.CONV,
        operators.AVERAGE_POOL, operators.DENSE_STREAM8,
    ]  # fmt: skip
    alone = Run(trained[1] / "baseline" / "digits").config()
    assert alone.topology() == topology


def test_what_follows_needs_no_file(trained: tuple[Path, Path]) -> None:
    folder, run = trained
    resumed = done(folder, "train", "--resume", str(run), "--json")
    assert resumed["tasks"][0]["task"] == "digits"
    measured = done(folder, "eval", str(run), "--wrong-secrets", "0", "--json")
    exported = done(folder, "export", str(run), "--json")
    (check,) = exported["checks"]
    assert check["passed"] and check["differing_outputs"] == 0
    assert check["keras_accuracy"] == measured["tasks"][0]["accuracy"]
    assert exported["manifest"]["architecture"] == "mine"
    reported = typed_here(folder, "report", str(run))
    assert reported.returncode == 0, reported.stderr
    page = (run / "report.html").read_text()
    assert "--arch mine.py" in page


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("--width", "32"), "mine.py says how wide and deep the network is; --width has no effect"),
        (("--trunk", "9"), "A trunk of this network has 0 to 3 layers"),
        (("--tasks", "digits,words", "--arch", "no.py"), "Cannot read the network no.py"),
    ],
)
def test_options_that_do_not_fit_are_refused_before_the_data_are_read(
    tmp_path: Path, arguments: tuple[str, ...], what: str
) -> None:
    (tmp_path / "mine.py").write_text(NETWORK)
    found = typed(tmp_path, "train", "--tasks", "digits", "--arch", "mine.py", *arguments)
    assert found.returncode == 1
    assert what in found.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.py"]


def test_an_error_in_the_file_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(NETWORK.replace("kernel=5", "kernel=9"))
    found = typed(tmp_path, "train", "--tasks", "digits", "--arch", "mine.py")
    assert found.returncode == 1
    assert found.stderr.splitlines()[0].startswith("error: mine.py, line 4: Layer 2 (conv) has a")
    assert found.stderr.splitlines()[1] == "try: The nearest is 7."


def test_other_commands_say_that_they_take_no_file(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(NETWORK)
    found = typed(
        tmp_path, *("bench", "accuracy", "--tasks", "digits", "--arch", "mine.py", "--out", "x")
    )
    assert found.returncode == 1
    assert "only rbnn train and rbnn nets take a network of your own" in found.stderr
