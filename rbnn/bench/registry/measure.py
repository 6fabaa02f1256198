"""Timing single operations on a filled registry."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from rbnn.bench.registry.fill import BOARD, Filled, fill
from rbnn.files import make_folder
from rbnn.frozen import Frozen
from rbnn.keys import licence
from rbnn.keys.database import is_url
from rbnn.keys.licence import Licence
from rbnn.keys.provider_key import ProviderKey
from rbnn.keys.registry import Registry
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import UserKey
from rbnn.spec.layout import HELPER_RECORD_BYTES

GOAL_MS = 10.0
_KINDS = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
CHANGES = ("issue", "revoke", "transfer")
Say = Callable[[str], None]


class Duration(Frozen):
    """How long one operation takes: median and 99th percentile, in milliseconds; ``processor_ms``
    is the median of this process's time on the processor."""

    operation: str
    median_ms: float
    high_ms: float
    processor_ms: float


class RegistryBench(Frozen):
    """One database; ``sync_ms`` is what a transaction must wait for: one write to the disk.
    ``load`` is the machine's load average for each of its processors, while it was measured."""

    database: str
    devices: int
    licences: int
    operations: int
    sync_ms: float
    load: float
    durations: tuple[Duration, ...]


class _Clock:
    """Durations of one operation."""

    def __init__(self, operation: str) -> None:
        self._operation = operation
        self._walls: list[float] = []
        self._processors: list[float] = []

    @contextmanager
    def once(self) -> Iterator[None]:
        wall, processor = time.perf_counter(), time.process_time()
        yield
        self._processors.append(time.process_time() - processor)
        self._walls.append(time.perf_counter() - wall)

    def result(self) -> Duration:
        return Duration(
            operation=self._operation,
            median_ms=_percentile(self._walls, 50),
            high_ms=_percentile(self._walls, 99),
            processor_ms=_percentile(self._processors, 50),
        )


def _percentile(values: list[float], percent: int) -> float:
    ordered = sorted(values)
    return 1000 * ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def bench_registry(
    place: str | None, devices: int, licences: int, operations: int, say: Say
) -> RegistryBench:
    """Fill a registry, then time single operations on it.

    Args:
        place: file or URL of a new registry, which is left there; None for a file in the working
            folder, which is removed.
        devices: how many it has.
        licences: how many it has.
        operations: how many of each kind to time.
        say: told what happens.

    Raises:
        RbnnError: the registry is not empty, or cannot be opened.
    """
    make_folder(Path.cwd())
    with TemporaryDirectory(prefix=".bench-registry-", dir=Path.cwd()) as folder:
        where = place or str(Path(folder) / "registry.sqlite")
        say(f"Filling a registry with {devices:,} devices and {licences:,} licences.")
        filled = fill(where, devices, licences, operations, say)
        say(f"Timing {operations:,} operations of each kind.")
        sync = _sync(Path(folder), operations)
        durations = _measure(where, filled, operations)
        return RegistryBench(
            database=_kind(where),
            devices=devices,
            licences=licences,
            operations=operations,
            sync_ms=sync,
            load=os.getloadavg()[0] / (os.cpu_count() or 1),
            durations=durations,
        )


def _kind(place: str) -> str:
    """What to call a database: nothing of its address."""
    scheme = place.partition("+")[0].partition(":")[0] if is_url(place) else "sqlite"
    return _KINDS.get(scheme, scheme)


def _sync(folder: Path, count: int) -> float:
    """Milliseconds that the disk takes to keep 4,096 bytes: the least that a transaction takes."""
    clock = _Clock("sync")
    with (folder / "sync").open("wb", buffering=0) as file:
        for _ in range(count):
            with clock.once():
                file.write(bytes(4096))
                os.fsync(file.fileno())
    return clock.result().median_ms


def _measure(where: str, filled: Filled, count: int) -> tuple[Duration, ...]:
    provider = ProviderKey(X25519PrivateKey.generate())
    user = UserKey(Secret(os.urandom(32)))

    def make(device: bytes, sequence: int) -> Licence:
        ids = (b"\x11" * 16, b"\x22" * 32)
        return licence.issue(provider, device, user, *ids, 0, os.urandom(32), sequence)

    opening, enrol, device = map(_Clock, ("open", "enrol a device", "find a device"))
    find, listed = map(_Clock, ("find a licence", "list a device's licences"))
    issue, revoke, transfer = map(_Clock, (f"{do} a licence" for do in CHANGES))
    for _ in range(min(count, 20)):
        with opening.once(), Registry.open(where, create=False):
            pass
    chips = [X25519PrivateKey.generate().public_key().public_bytes_raw() for _ in range(count)]
    issued: list[Licence] = []
    with Registry.open(where, create=False) as registry:
        for chip in chips:
            with enrol.once():
                registry.add_device(chip, os.urandom(32), BOARD, os.urandom(HELPER_RECORD_BYTES))
        for one in filled.devices:
            with device.once():
                registry.find_device(one.hex()[:16])
            with listed.once():
                registry.licences(one)
        for one in filled.licences:
            with find.once():
                registry.find_licence(one.hex()[:16])
        for chip in chips:
            with issue.once(), registry.issuing(chip) as desk:
                issued.append(make(chip, desk.next_sequence()))
                desk.add(issued[-1], "task0", user)
        for one in filled.licences:
            with revoke.once():
                registry.revoke(one, "bench")
        for old, chip in zip(issued, reversed(chips), strict=True):
            with transfer.once(), registry.transferring(old.licence_id, chip, b"receipt") as desk:
                desk.add(make(chip, desk.next_sequence()), "task0", user)
    clocks = (opening, enrol, device, issue, find, listed, revoke, transfer)
    return tuple(clock.result() for clock in clocks)
