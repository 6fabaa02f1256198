"""Several processes write to one registry: nothing is lost, none is refused."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from registry_tools import DEVICE
from registry_writer import own_device

import rbnn
from rbnn.keys.registry import Registry

PROCESSES, ROUNDS = 8, 3
SCRIPT = Path(__file__).with_name("registry_writer.py")


def start(place: str, rounds: int) -> list[subprocess.Popen[str]]:
    """The processes, at work."""
    running = [
        subprocess.Popen(
            [sys.executable, str(SCRIPT), place, DEVICE.hex(), str(number), str(rounds)],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(rbnn.__file__).parents[1])},
        )
        for number in range(PROCESSES)
    ]
    for process in running:  # all are past their imports when the last one starts
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return running


def test_eight_processes_write_at_once_and_none_is_refused(place: str) -> None:
    """They also make the registry, and a reader sees one state whatever is being written."""
    running = start(place, ROUNDS)
    with Registry.open(place) as registry:
        while any(process.poll() is None for process in running):
            registry.verify_chain()
            time.sleep(0.1)
    said = [process.communicate()[1] for process in running]
    assert [process.returncode for process in running] == [0] * PROCESSES, said
    rounds = PROCESSES * ROUNDS
    with Registry.open(place, create=False) as registry:
        numbers = [one.sequence for one in registry.licences(DEVICE)]
        assert numbers == list(range(1, 2 * rounds + 1))
        for number in range(PROCESSES):
            own = registry.licences(own_device(number))
            assert [one.sequence for one in own] == list(range(1, ROUNDS + 1))
        closed = registry.revocations()
        assert [one.number for one in closed] == list(range(1, 2 * rounds + 1))
        assert {one.licence_id for one in closed} == {
            one.licence_id for one in registry.licences(DEVICE)
        }
        assert registry.verify_chain()[0] == 2 * PROCESSES + 5 * rounds
