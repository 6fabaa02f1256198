"""Two workers on loopback train as one does, survive the death of one, and leave one run folder."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from test_cluster import free_addresses
from tiny_tasks import MODEL

from rbnn.runs.figures import read_figures
from rbnn.runs.run import Run
from rbnn.runs.settings import Settings
from rbnn.runs.start import start_run
from rbnn.tasks import parse_specs
from rbnn.tasks.load import load

EPOCHS = 2
PATIENCE_SECONDS = 240.0

Workers = list[subprocess.Popen[str]]
Ended = list[tuple[int, str, str]]
"""Exit code, output and errors of each worker."""


@pytest.fixture(scope="module")
def begin(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Run]:
    """Call it for a new run of the digits, always with the same secrets."""
    digits = [load(spec) for spec in parse_specs("digits")]
    # An odd batch: two workers take 71 and 72 samples.
    settings = Settings(width=8, depth=3, batch=143, epochs=EPOCHS, seed=5, precision="float32")

    def make() -> Run:
        folder = tmp_path_factory.mktemp("runs")
        run = start_run(folder, digits, settings, secrets={"digits": b"\1" * 32}, model_id=MODEL)
        return run

    return make


@pytest.fixture(scope="module")
def proxy() -> Iterator[None]:
    """The environment names a proxy that accepts, and never answers."""
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.MonkeyPatch.context() as environment,
    ):
        for name in ("http_proxy", "https_proxy", "grpc_proxy"):
            environment.setenv(name, f"http://127.0.0.1:{silent.getsockname()[1]}")
        environment.setenv("no_proxy", "example.org")
        yield


@pytest.fixture(scope="module")
def start(proxy: None) -> Iterator[Callable[[Run, int], Workers]]:
    """Call it to start workers of a run; those that still run at the end are killed."""
    started: Workers = []

    def run_workers(run: Run, count: int) -> Workers:
        addresses = free_addresses(count)
        cluster = {"cluster": {"worker": addresses}}
        new = []
        for index in range(count):
            config = {**cluster, "task": {"type": "worker", "index": index}}
            new.append(
                subprocess.Popen(
                    [
                        *(sys.executable, "-m", "rbnn.cli.main", "train", "--json"),
                        *("--distribute", "--resume", str(run.folder)),
                    ],
                    env={**os.environ, "TF_CONFIG": json.dumps(config)},
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
        started.extend(new)
        return new

    yield run_workers
    for process in started:
        process.kill()
        process.communicate()


def finish(workers: Workers) -> Ended:
    """Wait for their ends."""
    ended = [process.communicate(timeout=PATIENCE_SECONDS) for process in workers]
    return [(process.returncode, *texts) for process, texts in zip(workers, ended, strict=True)]


def await_checkpoint(run: Run, step: int, worker: subprocess.Popen[str]) -> None:
    """Wait until the run has saved this step."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (run.checkpoint_folder / f"ckpt-{step}.index").exists():
        assert worker.poll() is None, worker.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def parameters(run: Run) -> dict[str, npt.NDArray[np.float32]]:
    with np.load(run.parameters_file) as stored:
        return {key: stored[key] for key in stored.files}


@pytest.fixture(scope="module")
def alone(begin: Callable[[], Run]) -> Run:
    """The run as one worker trains it, also with ``--distribute``."""
    from rbnn.train.distribution import join
    from rbnn.train.session import train

    run = begin()
    train(run, [load(spec) for spec in parse_specs("digits")], join(None, print))
    return run


def test_servers_that_never_meet_leave_a_word(tmp_path: Path) -> None:
    script = (
        "import signal, time\n"
        "from rbnn.train import distribution\n"
        "distribution.START_SECONDS = 1\n"
        "distribution._say_at_the_alarm()\n"
        "signal.alarm(1)\n"
        "time.sleep(60)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == -signal.SIGALRM
    assert "error: TensorFlow's servers did not find one another" in done.stderr


def assert_trained_as_one(run: Run, chief: tuple[int, str, str], alone: Run) -> None:
    """The same curve as one worker's, up to the order in which float32 gradients are added."""
    assert json.loads(chief[1])["tasks"][0]["task"] == "digits"
    expected, found = read_figures(alone), read_figures(run)
    assert [epoch.steps for epoch in found] == [epoch.steps for epoch in expected]
    for one, two in zip(expected, found, strict=True):
        assert two.tasks["digits"].loss == pytest.approx(one.tasks["digits"].loss, rel=1e-5)


@pytest.fixture(scope="module")
def continued(
    begin: Callable[[], Run], start: Callable[[Run, int], Workers], alone: Run
) -> tuple[Run, Ended, Ended]:
    """A run one of whose two workers was killed, and that two workers ended; how both times the
    workers ended."""
    run = begin()
    workers = start(run, 2)
    await_checkpoint(run, run.config().steps_per_epoch, workers[0])
    workers[1].send_signal(signal.SIGKILL)
    died = finish(workers)
    assert read_figures(run)[-1].epoch < EPOCHS
    return run, died, finish(start(run, 2))


def test_two_workers_train_as_one_and_continue_after_a_death(
    continued: tuple[Run, Ended, Ended], alone: Run
) -> None:
    run, (chief, other), ended = continued
    assert other[0] == -signal.SIGKILL
    assert chief[0] == 1
    assert "Traceback" not in chief[2]
    errors = [line for line in chief[2].splitlines() if line.startswith(("error:", "try:"))]
    assert "is lost; the training has stopped" in errors[0]
    assert errors[1].endswith(f"rbnn train --resume {run.folder} --distribute")

    chief, other = ended
    assert chief[0] == other[0] == 0, ended
    assert other[1] == ""
    assert "Traceback" not in chief[2] + other[2]
    assert_trained_as_one(run, chief, alone)
    # Only the chief wrote, each time.
    assert len(list(run.tensorboard_folder.iterdir())) <= 2


@pytest.mark.full
def test_a_run_of_two_workers_that_none_left_has_the_same_bits(
    begin: Callable[[], Run],
    start: Callable[[Run, int], Workers],
    continued: tuple[Run, Ended, Ended],
    alone: Run,
) -> None:
    whole = begin()
    chief, other = finish(start(whole, 2))
    assert chief[0] == other[0] == 0, (chief, other)
    assert_trained_as_one(whole, chief, alone)
    assert len(list(whole.tensorboard_folder.iterdir())) == 1
    names = {path.name for path in whole.folder.iterdir()}
    assert names == {path.name for path in alone.folder.iterdir()}
    run = continued[0]
    figures, expected = read_figures(run), read_figures(whole)
    assert [epoch.tasks for epoch in figures] == [epoch.tasks for epoch in expected]
    resumed, uninterrupted = parameters(run), parameters(whole)
    for key, values in uninterrupted.items():
        np.testing.assert_array_equal(resumed[key], values, err_msg=key)
