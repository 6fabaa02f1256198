"""``rbnn bench mlperf`` with a program in the runner's place: what it is given, and what is made of
its results."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlperf_place import Place
from typer.testing import CliRunner

from rbnn.bench.mlperf import run as mlperf_run
from rbnn.bench.mlperf.run import DISCLAIMER, Runner, read_results, run_runner
from rbnn.cli.main import build
from rbnn.errors import ExitCode, RbnnError

PROGRAM = """
import json, os, sys, usb.core
from serial.tools import list_ports
import beside
ports = [(p.device, p.vid, p.pid, p.description) for p in list_ports.comports(True)]
usb_only = list(usb.core.find(find_all=True)), usb.core.find()
os.makedirs("sessions/1")
seen = {"ports": ports, "usb": usb_only, "name": __name__, "arguments": sys.argv[1:]}
json.dump(seen, open("seen.json", "w"))
print("said by the runner")
"""
MEDIAN = "1130.120000 ulp-mlperf: Median throughput is      2.492 inf./sec.\n"
TOP = "1130.120000 ulp-mlperf: Top 1% = 77.5\n1130.120000 ulp-mlperf: AUC = 0.971\n"


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Makes a clone whose runner ends with the lines that it is given."""
    monkeypatch.setattr(mlperf_run, "PACKAGES", {"serial": "pyserial"})

    def make(ending: str) -> Path:
        folder = tmp_path / "tiny" / "benchmark" / "runner"
        folder.mkdir(parents=True)
        (folder / "main.py").write_text(PROGRAM + ending)
        (folder / "beside.py").write_text("")
        for mode in ("accuracy", "performance"):
            (folder / f"tests_{mode}.yaml").write_text("")
        return tmp_path / "tiny"

    return make


def writes(results: str) -> str:
    return f"open('sessions/1/results.txt', 'w').write({results!r})\n"


def test_the_runner_finds_one_board_and_no_other_device(
    runner: Callable[[str], Path], tmp_path: Path
) -> None:
    tiny, data, out = runner(writes(TOP)), tmp_path / "data", tmp_path / "out"
    before = sorted(tiny.rglob("*"))
    session, results = run_runner(
        Runner.find(tiny, None), "/dev/pts/99", data, "accuracy", out, quiet=True
    )
    assert (session, results) == (out / "sessions" / "1", TOP)
    seen = json.loads((out / "seen.json").read_text())
    assert seen["ports"] == [["/dev/pts/99", 0x1209, 0x0001, "rbnn emulated board"]]
    assert seen["usb"] == [[], None]
    assert seen["name"] == "__main__"
    assert seen["arguments"] == [
        f"--device_list={out / 'devices.yaml'}",
        f"--dataset_path={data}",
        f"--test_script={tiny / 'benchmark' / 'runner' / 'tests_accuracy.yaml'}",
        "--mode=a",
    ]
    assert (out / "devices.yaml").read_text().splitlines() == [
        "- name: rbnn",
        "  type: dut",
        "  baud: 115200",
        "  usb:",
        "    0x1209: 0x0001",
    ]
    assert sorted(tiny.rglob("*")) == before


@pytest.mark.parametrize(
    ("ending", "what", "code"),
    [
        ("raise SystemExit(7)\n", "failed with exit code 7", ExitCode.BOARD),
        ("", "wrote no results", ExitCode.BOARD),
        (
            writes("1130.120000 ulp-mlperf: ERROR 2 - loop exited before 10 seconds elapsed.\n"),
            "ERROR 2 - loop exited before 10 seconds elapsed.",
            ExitCode.CHECK_FAILED,
        ),
    ],
)
def test_what_the_runner_could_not_measure_is_an_error(
    runner: Callable[[str], Path], tmp_path: Path, ending: str, what: str, code: ExitCode
) -> None:
    found = Runner.find(runner(ending), None)
    with pytest.raises(RbnnError) as refusal:
        run_runner(found, "/dev/pts/99", tmp_path, "performance", tmp_path / "out", quiet=True)
    assert what in refusal.value.what
    assert refusal.value.exit_code == code
    assert "sessions" in refusal.value.fix


def test_figures_are_read_from_the_results() -> None:
    assert read_results(TOP) == {"accuracy": 77.5, "auc": 0.971}
    assert read_results(MEDIAN) == {"throughput": 2.492}


def test_no_runner_and_missing_packages_are_named(
    runner: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RbnnError, match="does not hold the MLPerf Tiny runner"):
        Runner.find(tmp_path, None)
    tiny = runner("")
    monkeypatch.setattr(mlperf_run, "PACKAGES", {"json": "x", "no_such_module": "pyyaml"})
    with pytest.raises(RbnnError, match=f"that {sys.executable} lacks: pyyaml") as refusal:
        Runner.find(tiny, None)
    assert f"{sys.executable} -m pip install pyyaml" in refusal.value.fix
    with pytest.raises(RbnnError, match="Cannot run /nowhere/python"):
        Runner.find(tiny, "/nowhere/python")


@pytest.mark.qemu
def test_the_command_unlocks_the_task_and_reports(
    runner: Callable[[str], Path], place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.folder)
    place.target.power_cycle()

    def mlperf(tiny: Path, *arguments: str) -> Any:
        typed = ["bench", "mlperf", "--runner", str(tiny), "--task", "colour", *arguments]
        return CliRunner().invoke(build(), typed)

    tiny, out = runner(writes(TOP)), tmp_path / "out"
    locked = mlperf(tiny, "--out", str(out))
    assert "no user key was given" in str(locked.exception)
    done = mlperf(tiny, "--out", str(out), "--user-key", "keys/user.key")
    assert done.exit_code == 0, done.output
    assert "accuracy 77.5 %" in done.stdout and "AUC 0.971" in done.stdout
    assert done.stdout.rstrip().endswith(DISCLAIMER)
    again = mlperf(tiny, "--out", str(out), "--user-key", "keys/user.key")
    assert "exists already" in str(again.exception)
    nothing = mlperf(tiny, "--data", str(tmp_path / "none"))
    assert "rbnn bench mlperf-data" in nothing.exception.fix  # type: ignore[union-attr]
