"""The workers that train one run together, as TensorFlow's variable TF_CONFIG names them.

TensorFlow's own server waits silently for an absent worker, for an hour and without heeding Ctrl-C.
So the workers first meet at the chief's address, and TensorFlow starts when all of them are there.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from rbnn.frozen import first_problem
from rbnn.numbers import whole_number
from rbnn.runs.errors import TrainingError

EXAMPLE = (
    'TF_CONFIG=\'{"cluster": {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}, '
    '"task": {"type": "worker", "index": 0}}\', and index 1 on the other machine'
)
PATIENCE_SECONDS = 600.0
"""How long workers wait for one another at the start."""
POLL_SECONDS = 0.5
LONGEST_LINE_BYTES = 1 << 16
JOBS = ("chief", "worker")
START_ALL = (
    "Start the same command on every worker; the ports of TF_CONFIG must be open between them."
)


class _Task(BaseModel):
    type: str
    index: int = Field(ge=0)


class _Config(BaseModel):
    """What ``TF_CONFIG`` must hold; anything else in it is left to TensorFlow."""

    cluster: dict[str, list[str]]
    task: _Task


@dataclass(frozen=True)
class Cluster:
    """All workers, and which of them this process is.

    Args:
        addresses: ``host:port`` of each, the chief first.
        index: this worker's place among them.
        has_chief_job: whether the chief has its own job in TensorFlow, and the others are worker 0
            and up.
    """

    addresses: tuple[str, ...]
    index: int
    has_chief_job: bool = False

    @property
    def chief(self) -> bool:
        """Whether this worker writes the run folder."""
        return self.index == 0

    def address(self, job: str, task: str) -> str:
        """Address of the worker that TensorFlow calls ``/job:<job>/task:<task>``."""
        return self.addresses[int(task) + (self.has_chief_job and job == "worker")]


def read_cluster(text: str) -> Cluster:
    """Read ``TF_CONFIG``.

    Args:
        text: JSON with ``cluster`` (addresses by job, ``chief`` or ``worker``) and ``task`` (type
            and index of this process). Without a job ``chief`` the first worker is the chief.

    Raises:
        TrainingError: says what is wrong, with an example.

    Source: TensorFlow's guide "Multi-worker training with Keras".
    """
    try:
        config = _Config.model_validate_json(text)
    except ValidationError as error:
        raise _refuse(first_problem(error)) from error
    cluster, task = config.cluster, config.task
    unknown = [job for job in cluster if job not in JOBS]
    if unknown:
        raise _refuse(f"job {unknown[0]!r} takes no part in this training; name workers only")
    if len(cluster.get("chief", [])) > 1:
        raise _refuse("it names more than one chief")
    if task.type not in cluster or task.index >= len(cluster[task.type]):
        raise _refuse(f"the cluster has no {task.type!r} number {task.index}")
    addresses = tuple(address for job in JOBS for address in cluster.get(job, []))
    for address in addresses:
        _split(address)
    if len(set(addresses)) < len(addresses):
        raise _refuse("two workers have the same address")
    has_chief = bool(cluster.get("chief"))
    return Cluster(addresses, task.index + (has_chief and task.type == "worker"), has_chief)


def meet(
    cluster: Cluster,
    announce: Callable[[str], None],
    patience_seconds: float = PATIENCE_SECONDS,
) -> None:
    """Wait until every worker of ``cluster`` is there.

    Args:
        cluster: all of them must have the same addresses.
        announce: called once, with the workers that this one waits for.
        patience_seconds: how long.

    Raises:
        TrainingError: a worker is missing or has another cluster, or the port is in use.
    """
    deadline = time.monotonic() + patience_seconds
    if cluster.chief:
        _await_workers(cluster, announce, deadline)
    else:
        _listen(cluster).close()  # TensorFlow's server will need the port
        _await_chief(cluster, announce, deadline)


def _await_workers(cluster: Cluster, announce: Callable[[str], None], deadline: float) -> None:
    """The chief's side: hear a greeting from each, then answer all of them."""
    greeted: dict[int, socket.socket] = {}
    announced = False
    with ExitStack() as open_sockets:
        listener = open_sockets.enter_context(_listen(cluster))
        listener.settimeout(POLL_SECONDS)
        while missing := sorted(set(range(1, len(cluster.addresses))) - set(greeted)):
            names = ", ".join(cluster.addresses[index] for index in missing)
            if time.monotonic() > deadline:
                raise TrainingError(f"No word from {names}.", START_ALL)
            try:
                caller = open_sockets.enter_context(listener.accept()[0])
            except OSError:
                if not announced:
                    announce(f"Waiting for {names}.")
                    announced = True
                continue
            try:
                caller.settimeout(POLL_SECONDS)
                greeting = _receive(caller)
                addresses, index = greeting["addresses"], greeting["index"]
            except (OSError, ValueError, KeyError):
                caller.close()  # not a worker, or too slow: a worker calls again
                continue
            if addresses != list(cluster.addresses) or index not in range(1, len(addresses)):
                what = f"A worker's TF_CONFIG names {addresses}, the chief's {cluster.addresses}."
                _send(caller, {"error": what})
                raise _differ(what)
            greeted[index] = caller
        for caller in greeted.values():
            _send(caller, {})


def _await_chief(cluster: Cluster, announce: Callable[[str], None], deadline: float) -> None:
    """Another worker's side: greet the chief until it answers."""
    chief = cluster.addresses[0]
    announced = False
    while True:
        try:
            with socket.create_connection(_split(chief), POLL_SECONDS) as connection:
                _send(connection, {"index": cluster.index, "addresses": cluster.addresses})
                connection.settimeout(max(deadline - time.monotonic(), POLL_SECONDS))
                answer = _receive(connection)
        except (OSError, ValueError):
            if time.monotonic() > deadline:
                raise TrainingError(
                    f"The chief does not answer at {chief}, or not all workers have arrived.",
                    START_ALL,
                ) from None
            if not announced:
                announce(f"Waiting for the chief, {chief}.")
                announced = True
            time.sleep(POLL_SECONDS)
            continue
        if "error" in answer:
            raise _differ(str(answer["error"]))
        return


def _listen(cluster: Cluster) -> socket.socket:
    """A socket that listens at this worker's port."""
    address = cluster.addresses[cluster.index]
    host, port = _split(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server(("", port), family=family)
    except OSError as error:
        raise TrainingError(
            f"Cannot listen at {address}: {error.strerror}.",
            "End the process that uses this port, or name another port in every TF_CONFIG.",
        ) from error


def _send(connection: socket.socket, message: object) -> None:
    connection.sendall(json.dumps(message).encode() + b"\n")


def _receive(connection: socket.socket) -> dict[str, Any]:
    """One line of JSON.

    Raises:
        ValueError: it is not a JSON object.
        OSError: nothing came in time.
    """
    with connection.makefile("rb") as lines:
        message = json.loads(lines.readline(LONGEST_LINE_BYTES))
    if not isinstance(message, dict):
        raise ValueError(f"A JSON object was expected. Received: {message}")
    return message


def _split(address: str) -> tuple[str, int]:
    """Host and port of ``host:port``."""
    host, _, port = address.rpartition(":")
    number = whole_number(port)
    if not host or number is None or not 0 < number < 1 << 16:
        raise _refuse(f"{address!r} is not host:port")
    return host.strip("[]"), number


def _refuse(what: str) -> TrainingError:
    return TrainingError(f"TF_CONFIG is not usable: {what}.", f"Set, for example, {EXAMPLE}.")


def _differ(what: str) -> TrainingError:
    return TrainingError(what, "Give all workers the same cluster, and each its own index.")
