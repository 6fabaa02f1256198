"""Replicas that train one run together: the GPUs of one machine, or of several workers.

Each replica takes its share of every task's sub-batch. Gradients, figures and the sums of batch
norm are summed over all of them, so that each makes the step that a single replica would make with
the whole sub-batch, except for the order in which floats are added. Only the chief writes.

Source: TensorFlow's guide "Distributed training with TensorFlow" (custom training loops).
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rbnn.nets.framework import tf
from rbnn.runs.errors import TrainingError
from rbnn.runs.run import Run
from rbnn.train.cluster import Cluster, meet, read_cluster

START_SECONDS = 120
"""How long TensorFlow's servers may take to find one another once all workers are there."""
LONGEST_PATH_BYTES = 4096
_LAST_WORDS = """
import os, sys, time
seconds, parent, said = float(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
begun = time.monotonic()
while os.getppid() == parent and time.monotonic() < begun + seconds + 5:
    time.sleep(0.1)
if os.getppid() != parent and time.monotonic() > begun + seconds - 2:
    sys.stderr.write(said)
"""
LOST = (
    tf.errors.UnavailableError,
    tf.errors.DeadlineExceededError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
)
"""How TensorFlow says that a worker has gone."""


class Workers:
    """The replicas of one training, seen from one worker; by default a single one.

    Args:
        strategy: how variables and sums are shared; None for a single replica.
        cluster: the workers, if there are several.
        shared_batch: normalise over all replicas' samples, in the same way if there is only one, so
            that their number changes nothing: Keras' own batch norm rounds differently.

    Attributes:
        replicas: of all workers together.
        chief: whether this worker writes the run folder.
        shared_batch: as given.
    """

    def __init__(
        self, strategy: Any = None, cluster: Cluster | None = None, *, shared_batch: bool = False
    ) -> None:
        self._strategy = strategy or tf.distribute.get_strategy()
        self._cluster = cluster
        self.replicas: int = self._strategy.num_replicas_in_sync
        self.chief = cluster is None or cluster.chief
        self.shared_batch = shared_batch
        self._add = tf.function(
            lambda values: self.total(self.run(tf.identity, values)), autograph=False
        )

    @contextmanager
    def building(self) -> Iterator[None]:
        """Every replica holds the variables that are made inside, with equal values."""
        with ExitStack() as scopes:
            if self.replicas > 1:
                scopes.enter_context(self._strategy.scope())
                scopes.enter_context(tf.variable_creator_scope(_hold_alike))
            yield

    def share(self, batches: Any) -> Any:
        """This worker's part of a step's data, for :meth:`run`.

        Args:
            batches: arrays, or a nest of them; the first axis is divided in order.
        """
        if self.replicas == 1:
            return batches

        def part(replica: Any) -> Any:
            number = replica.replica_id_in_sync_group
            return tf.nest.map_structure(lambda whole: self._slice(whole, number), batches)

        return self._strategy.experimental_distribute_values_from_function(part)

    def _slice(self, whole: npt.NDArray[Any], replica: int) -> tf.Tensor:
        first, end = (len(whole) * number // self.replicas for number in (replica, replica + 1))
        return tf.constant(whole[first:end])

    def run(self, step: Callable[..., Any], *arguments: Any) -> Any:
        """Call ``step`` in every replica; returns one value for each."""
        return self._strategy.run(step, args=arguments)

    def total(self, values: Any) -> Any:
        """The sums of what the replicas returned: the same on all workers."""
        return self._strategy.reduce(tf.distribute.ReduceOp.SUM, values, axis=None)

    def agree(self, seconds: float, stop: bool) -> tuple[float, bool]:
        """What all workers agree on after a step.

        Args:
            seconds: of training, by this worker's clock.
            stop: whether this worker's user wants to stop.

        Returns:
            The chief's seconds, and whether any user wants to stop.
        """
        if self._cluster is None:
            return seconds, stop
        agreed = self._sum([seconds if self.chief else 0.0, float(stop)])
        return float(agreed[0]), bool(agreed[1])

    def wait(self) -> None:
        """Wait until every worker has come this far."""
        self._sum([0.0])

    def same_run(self, run: Run | None) -> Run:
        """The chief's run, on every worker.

        Args:
            run: what the chief trains; the others wait to hear it.

        Raises:
            TrainingError: this worker does not see the run's folder, or the chief is gone.
        """
        if self._cluster is None and run is not None:
            return run
        said = os.fsencode(run.folder.resolve()) if run and self.chief else b""
        codes = np.zeros(LONGEST_PATH_BYTES)
        codes[: len(said)] = list(said)
        with self.together(None):
            heard = self._sum(codes).astype(np.uint8).tobytes().rstrip(b"\0")
        folder = Path(os.fsdecode(heard))
        if not folder.is_dir():
            raise TrainingError(
                f"This worker does not see the chief's run folder {folder}.",
                "With --out, choose a folder that all workers see under the same path.",
            )
        return run if run and self.chief else Run(folder)

    def check_batches(self, sizes: Mapping[str, int]) -> None:
        """Refuse sub-batches that leave a replica without a sample.

        Args:
            sizes: samples a step, by task.

        Raises:
            TrainingError: names the task.
        """
        for task, size in sizes.items():
            if size < self.replicas:
                raise TrainingError(
                    f"Task {task} has {size} samples in a step, too few for "
                    f"{self.replicas} replicas.",
                    "Start a run with a larger --batch, or use fewer workers.",
                )

    def check_steps(self, steps: int, folder: Path) -> None:
        """Refuse to continue from different checkpoints.

        Args:
            steps: how many this worker found done.
            folder: of the checkpoints.

        Raises:
            TrainingError: another worker found a different number.
        """
        if self._cluster is None:
            return
        every = len(self._cluster.addresses)
        total, squares = self._sum([steps, steps**2])
        if every * squares != total**2:
            raise TrainingError(
                f"The workers see different checkpoints in {folder}; this one continues from step "
                f"{steps}.",
                "Keep the run in a folder that all workers see under the same path.",
            )

    def resume_command(self, folder: Path) -> str:
        """The command that continues the run of ``folder``."""
        command = shlex.join(["rbnn", "train", "--resume", str(folder)])
        if self._cluster is None:
            return command + (" --distribute" if self.shared_batch else "")
        return f"On every worker: {command} --distribute"

    def _sum(self, values: Sequence[float] | npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Sums over the workers."""
        mine = tf.constant(values, tf.float64)
        if self._cluster is None:
            return np.asarray(mine)
        # The first replica of each worker contributes its values, any other one zeros.
        replicas = iter([mine])
        parts = self._strategy.experimental_distribute_values_from_function(
            lambda _: next(replicas, tf.zeros_like(mine))
        )
        return np.asarray(self._add(parts))

    @contextmanager
    def together(self, folder: Path | None) -> Iterator[None]:
        """Turn the loss of another worker into an error that says how to continue.

        Args:
            folder: of the run, if there is one yet.

        Raises:
            TrainingError: a worker is gone.
        """
        try:
            yield
        except LOST as error:
            if self._cluster is None:
                raise
            raise TrainingError(
                f"The connection to {self._seen_in(str(error))} is lost; the training has stopped.",
                self.resume_command(folder) if folder else "Its terminal shows why.",
            ) from error

    def _seen_in(self, message: str) -> str:
        """The address of the worker that a message of TensorFlow's names last."""
        assert self._cluster is not None
        found = re.findall(r"/job:(\w+)/(?:replica:\d+/)?task:(\d+)", message)
        return self._cluster.address(*found[-1]) if found else "another worker"


def join(config: str | None, announce: Callable[[str], None]) -> Workers:
    """Meet the other workers, or take all GPUs of this machine.

    Must come before any other use of TensorFlow.

    Args:
        config: the value of ``TF_CONFIG``; None if it is not set.
        announce: called with the workers that this one waits for.

    Raises:
        TrainingError: ``TF_CONFIG`` is not usable, or not all workers have arrived.
    """
    cluster = read_cluster(config) if config is not None else None
    if cluster is None or len(cluster.addresses) == 1:
        several = len(tf.config.list_logical_devices("GPU")) > 1
        strategy = tf.distribute.MirroredStrategy() if several else None
        return Workers(strategy, shared_batch=True)
    meet(cluster, announce)
    bypass_proxy(cluster.addresses)
    # TensorFlow holds Python's lock while it waits for the others' servers: only a signal whose
    # default is to end the process gets through, should one of them fail at this moment.
    signal.alarm(START_SECONDS)
    last_words = _say_at_the_alarm()
    on_termination = signal.getsignal(signal.SIGTERM)
    try:
        return Workers(tf.distribute.MultiWorkerMirroredStrategy(), cluster, shared_batch=True)
    except tf.errors.OpError as error:
        raise TrainingError(
            f"TensorFlow cannot start its server at {cluster.addresses[cluster.index]}: "
            f"{error.message.splitlines()[0]}",
            "Make sure that its port is free, and start all workers again.",
        ) from error
    finally:
        signal.alarm(0)
        last_words.kill()
        last_words.wait()
        signal.signal(signal.SIGTERM, on_termination)  # TensorFlow's own handler ignores it


def bypass_proxy(addresses: Sequence[str]) -> None:
    """Let gRPC connect to the workers directly: it would ask a proxy of the environment for them.

    Args:
        addresses: ``host:port`` of each.

    Source: gRPC's "environment variables" (no_grpc_proxy goes before no_proxy).
    """
    name, usual = "no_grpc_proxy", "no_proxy"
    known = os.environ.get(name) or os.environ.get(usual, "")
    hosts = [address.rpartition(":")[0].strip("[]") for address in addresses]
    os.environ[name] = ",".join(filter(None, [known, *dict.fromkeys(hosts)]))


def _say_at_the_alarm() -> subprocess.Popen[bytes]:
    """A process that says why, should this one be ended by its alarm: it cannot speak then."""
    said = (
        f"error: TensorFlow's servers did not find one another within {START_SECONDS} s.\n"
        "try: Check that no firewall is between the workers, and start all of them again.\n"
    )
    command = [sys.executable, "-S", "-c", _LAST_WORDS, str(START_SECONDS), str(os.getpid()), said]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)


def _hold_alike(create: Callable[..., Any], **options: Any) -> Any:
    """Make a variable that is never summed when it is read.

    All replicas see the same batch statistics, so their moving averages are equal too. Keras would
    sum them at every read, which the chief cannot do by itself.
    """
    if options.get("synchronization") is tf.VariableSynchronization.ON_READ:
        options["synchronization"] = tf.VariableSynchronization.ON_WRITE
        options["aggregation"] = tf.VariableAggregation.NONE
    return create(**options)
