"""Which networks ``rbnn bench accuracy`` trains, where each is stored, and in which order.

The order is chosen so that an early stop still gives a comparison: first the single-task and shared
networks of the first seed, then those of fewer tasks, the other schemes, and the other seeds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from rbnn.runs.settings import Scheme

SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
DEVICE_SCHEME: Scheme = "xor"
"""The scheme that devices support; networks of fewer tasks are trained under it."""
SINGLE = "single"


@dataclass(frozen=True)
class Job:
    """One network to train.

    Args:
        network: ``single``, a scheme, or ``xor-M`` for only the first M tasks.
        scheme: how its tasks' weights differ; ``none`` for a single-task network.
        tasks: names, in the comparison's order.
        seed: of the run.
    """

    network: str
    scheme: Scheme
    tasks: tuple[str, ...]
    seed: int

    @property
    def path(self) -> Path:
        """Its run folder, relative to the comparison's."""
        place = (SINGLE, self.tasks[0]) if self.network == SINGLE else ("shared", self.network)
        return Path(*place, f"seed-{self.seed}")

    @property
    def title(self) -> str:
        """What the user is shown."""
        if self.network == SINGLE:
            return f"{self.tasks[0]} alone, seed {self.seed}"
        return f"{len(self.tasks)} tasks shared, {self.scheme}, seed {self.seed}"

    @property
    def is_device_network(self) -> bool:
        """Whether it is the network of all tasks that a device would run."""
        return self.network == DEVICE_SCHEME


def count_network(count: int) -> str:
    """Name of the network of the first ``count`` tasks."""
    return f"{DEVICE_SCHEME}-{count}"


def trained_counts(counts: Sequence[int], tasks: int) -> list[int]:
    """Counts that need their own network: 1 is a single-task network, ``tasks`` the shared one."""
    return [count for count in counts if 1 < count < tasks]


def jobs(
    tasks: Sequence[str],
    seeds: Sequence[int],
    schemes: Sequence[Scheme],
    counts: Sequence[int],
) -> list[Job]:
    """Every network, the most informative ones first.

    Args:
        tasks: all of them, in the comparison's order.
        seeds: the first one comes first in everything.
        schemes: of the shared networks.
        counts: for networks of this many of the first tasks, if ``schemes`` has ``xor``.
    """
    names = tuple(tasks)

    def pair(seed: int) -> Iterator[Job]:
        for name in names:
            yield Job(SINGLE, "none", (name,), seed)
        if DEVICE_SCHEME in schemes:
            yield Job(DEVICE_SCHEME, DEVICE_SCHEME, names, seed)

    def fewer(seed: int) -> Iterator[Job]:
        for count in trained_counts(counts, len(names)) if DEVICE_SCHEME in schemes else []:
            yield Job(count_network(count), DEVICE_SCHEME, names[:count], seed)

    def others(seed: int) -> Iterator[Job]:
        for scheme in schemes:
            if scheme != DEVICE_SCHEME:
                yield Job(scheme, scheme, names, seed)

    first, rest = seeds[0], seeds[1:]
    found = [*pair(first), *fewer(first), *others(first)]
    for stage in (pair, fewer, others):
        for seed in rest:
            found += stage(seed)
    return found
