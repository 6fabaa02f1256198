"""Prepare a board for the MLPerf Tiny runner, start the runner, and read what it found."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rbnn.bench.mlperf import launch
from rbnn.bench.mlperf.dataset import check_dataset
from rbnn.device.switching import switch_task
from rbnn.device.target import Target
from rbnn.errors import ExitCode, RbnnError
from rbnn.files import write_atomic
from rbnn.frozen import Frozen
from rbnn.keys.user_key import UserKey
from rbnn.spec.link import BAUD, BENCHMARKS

Mode = Literal["accuracy", "performance"]

USB_ID = (0x1209, 0x0001)
"""Of the emulated board, for the runner only: the pair that pid.codes keeps for tests."""
PACKAGES = {
    "matplotlib": "matplotlib",
    "numpy": "numpy",
    "serial": "pyserial",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}
"""What the runner imports, and the packages that have it; ``launch`` stands in for pyusb."""
DISCLAIMER = (
    "Not an official MLPerf result: neither submitted to MLCommons nor reviewed or verified by it."
)
_FIGURES = {
    "accuracy": re.compile(r"Top 1% = (\d+\.?\d*)"),
    "auc": re.compile(r"AUC = (\d+\.?\d*)"),
    "throughput": re.compile(r"Median throughput is +(\d+\.?\d*) inf\./sec\."),
}


class MlperfFigures(Frozen):
    """What the runner found: accuracy in percent, throughput in inferences a second."""

    board: str
    task: str
    benchmark: str
    mode: Mode
    session: Path
    """The runner's own folder, with its log and results."""
    accuracy: float | None = None
    auc: float | None = None
    throughput: float | None = None
    note: str = DISCLAIMER


@dataclass(frozen=True)
class Runner:
    """The runner on this machine.

    Args:
        folder: of its ``main.py``.
        python: that runs it.
    """

    folder: Path
    python: str

    @classmethod
    def find(cls, folder: Path, python: str | None) -> Runner:
        """The runner in a folder, or in ``benchmark/runner`` of the clone that it is.

        Raises:
            RbnnError: it is not there, or its Python lacks packages.
        """
        places = (folder, folder / "benchmark" / "runner")
        place = next((one for one in places if (one / "main.py").is_file()), None)
        if place is None:
            raise RbnnError(
                f"{folder} does not hold the MLPerf Tiny runner: it has no main.py.",
                "Name benchmark/runner of a clone of github.com/mlcommons/tiny.",
            )
        runner = cls(place.resolve(), python or sys.executable)
        runner._check_packages()
        return runner

    def _check_packages(self) -> None:
        program = (
            "import importlib.util as u, sys\n"
            "print(*[name for name in sys.argv[1:] if u.find_spec(name) is None])"
        )
        try:
            done = subprocess.run(
                [self.python, "-c", program, *PACKAGES], capture_output=True, text=True
            )
        except OSError as error:
            raise RbnnError(
                f"Cannot run {self.python}: {error.strerror}.", "Name a Python with --python."
            ) from error
        if done.returncode != 0:
            raise RbnnError(
                f"{self.python} is no Python that works: {done.stderr.strip()[-200:]}",
                "Name another with --python.",
            )
        if missing := done.stdout.split():
            wanted = " ".join(PACKAGES[name] for name in missing)
            raise RbnnError(
                f"The runner needs packages that {self.python} lacks: {wanted}.",
                f"Install them: {self.python} -m pip install {wanted}; or name another Python with "
                "--python",
            )

    def tests(self, mode: Mode) -> Path:
        """The runner's own description of what it does in a mode."""
        return self.folder / f"tests_{mode}.yaml"


def unlock(target: Target, task: str, user_key: Callable[[], UserKey] | None, data: Path) -> str:
    """Make a task active, and check that the runner will find what it needs.

    Args:
        target: the board.
        task: the task's name.
        user_key: reads the user key; None if the user gave none.
        data: folder of the samples.

    Returns:
        The benchmark that the task stands for.

    Raises:
        RbnnError: the task stays locked, stands for no benchmark, or has no samples.
    """
    with target.open() as session:
        switch_task(session, task, user_key)
        name = session.ask("profile").one("model")
        input_shape = session.active_task().input_shape
    if name not in BENCHMARKS[1:]:
        known = "|".join(BENCHMARKS[1:])
        raise RbnnError(
            f"On this board, task {task} stands for no benchmark: to the runner it is {name!r}.",
            f"Flash it again, a run after `rbnn export RUN --benchmark {task}={known}`, a packed "
            f"model with `rbnn flash --test-only --benchmark {task}={known}`",
        )
    check_dataset(data, name, math.prod(input_shape))
    return name


def run_runner(
    runner: Runner,
    port: str,
    data: Path,
    mode: Mode,
    out: Path,
    tests: Path | None = None,
    *,
    quiet: bool = False,
) -> tuple[Path, str]:
    """Run the runner on a port; it writes into ``out`` only.

    Args:
        runner: where it is.
        port: of a board whose active task stands for a benchmark.
        data: folder of the samples.
        mode: what to measure.
        out: its working folder, which does not exist yet.
        tests: a YAML file in place of the runner's own for this mode.
        quiet: leave standard output free; the runner then prints to standard error.

    Returns:
        The runner's session folder, and its results.

    Raises:
        RbnnError: the runner failed, or says that what it measured is not valid.
    """
    devices = out / "devices.yaml"
    vendor, product = (f"{part:#06x}" for part in USB_ID)
    write_atomic(
        devices,
        f"- name: rbnn\n  type: dut\n  baud: {BAUD}\n  usb:\n    {vendor}: {product}\n",
    )
    # -u: what it prints comes at once, also through a pipe.
    command = [runner.python, "-u", str(Path(launch.__file__).resolve())]
    command += [port, f"{vendor}:{product}", str(runner.folder / "main.py")]
    command += [f"--device_list={devices.resolve()}", f"--dataset_path={data.resolve()}"]
    command += [f"--test_script={(tests or runner.tests(mode)).resolve()}", f"--mode={mode[0]}"]
    environment = {**os.environ, "MPLBACKEND": "Agg", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd=out, env=environment, stdout=sys.stderr.fileno() if quiet else None
    )
    log = f"Its log: {out / 'sessions'}"
    if done.returncode != 0:
        raise RbnnError(
            f"The runner failed with exit code {done.returncode}.", log, exit_code=ExitCode.BOARD
        )
    sessions = sorted((out / "sessions").glob("*/results.txt"))
    if not sessions:
        raise RbnnError("The runner wrote no results.", log, exit_code=ExitCode.BOARD)
    results = sessions[-1].read_text()
    if wrong := re.search(r"ERROR.*", results):
        raise RbnnError(
            f"The runner says that this is no valid measurement: {wrong.group()}",
            f"{log}; for longer windows, --tests with more inferences",
            exit_code=ExitCode.CHECK_FAILED,
        )
    return sessions[-1].parent, results


def read_results(text: str) -> dict[str, float]:
    """The figures in ``results.txt``, by the names of :class:`MlperfFigures`."""
    found = {name: pattern.search(text) for name, pattern in _FIGURES.items()}
    return {name: float(match.group(1)) for name, match in found.items() if match}
