"""A large registry, filled with made-up devices and licences in a few minutes.

Rows and log are those that :class:`rbnn.keys.registry.Registry` would write, with the right keyed
hashes. Only the licences themselves are random bytes: no one opens them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session

from rbnn.errors import RbnnError
from rbnn.keys import chain
from rbnn.keys.database import open_database
from rbnn.keys.records import AuditEntry, Device, IssuedLicence
from rbnn.keys.registry_key import RegistryKey
from rbnn.keys.schema import WRITES
from rbnn.spec.layout import HELPER_RECORD_BYTES, LICENCE_BYTES

USERS = 1000
BATCH = 5000
BOARD = "bench"
_LOG = ("number", "time", "event", "subject", "previous")


@dataclass(frozen=True)
class Filled:
    """What is in the registry, to look it up.

    Args:
        devices: some of the public keys.
        licences: some of the licence ids.
    """

    devices: list[bytes]
    licences: list[bytes]


def fill(
    place: str, devices: int, licences: int, wanted: int, say: Callable[[str], None]
) -> Filled:
    """Fill an empty registry.

    Args:
        place: a file or URL; made if it is missing.
        devices: how many to enrol.
        licences: how many to issue, spread over the devices.
        wanted: how many of each to name afterwards.
        say: told how far it is.

    Raises:
        RbnnError: the registry is not empty, or cannot be opened.
    """
    engine, where, key = open_database(place, create=True)
    try:
        with Session(engine) as session:
            if session.scalars(select(AuditEntry.number).limit(1)).first() is not None:
                raise RbnnError(
                    f"The registry {where} is in use: the benchmark would fill it with made-up "
                    "devices.",
                    "Name a new file or an empty database.",
                )
        publics = [os.urandom(32) for _ in range(devices)]
        log = _Log(key)
        _write(engine, Device, map(_device, publics), chain.ENROL, log, say)
        named: list[bytes] = []
        every = max(1, licences // wanted)
        made = _licences(publics, licences, key, named, every)
        _write(engine, IssuedLicence, made, chain.ISSUE, log, say)
    finally:
        engine.dispose()
    step = max(1, devices // wanted)
    return Filled(publics[::step][:wanted], named[:wanted])


class _Log:
    """Entries of the log, one after the other."""

    def __init__(self, key: RegistryKey) -> None:
        self._key = key
        self._number, self._last, self._time = 0, chain.GENESIS, chain.now()

    def entry(self, event: str, subject: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        about = str(subject.get("licence", subject["device"]))
        listed: list[int | str] = [
            self._number,
            self._time,
            event,
            chain.written(subject),
            self._last,
        ]
        self._last = self._key.link(listed)
        return {**dict(zip(_LOG, listed, strict=True)), "hash": self._last, "about": about}


def _device(public: bytes) -> Device:
    sign = os.urandom(32).hex()
    return Device(
        public=public.hex(),
        sign_public=sign,
        board=BOARD,
        helper_record=os.urandom(HELPER_RECORD_BYTES),
        enrolled_at=chain.now(),
        name=None,
        sign_pin=sign,
    )


def _licences(
    publics: list[bytes], count: int, key: RegistryKey, named: list[bytes], every: int
) -> Iterator[IssuedLicence]:
    """Licences by turns of the devices; each ``every``-th one's number goes into ``named``."""
    users = [key.user(f"{number:016x}") for number in range(USERS)]
    for number in range(count):
        licence_id = os.urandom(16)
        if number % every == 0:
            named.append(licence_id)
        yield IssuedLicence(
            licence_id=licence_id.hex(),
            device=publics[number % len(publics)].hex(),
            sequence=number // len(publics) + 1,
            model_id="11" * 16,
            model_digest="22" * 32,
            task_number=number % 7,
            task_name=f"task{number % 7}",
            user=users[number % USERS],
            inference_limit=0,
            data=os.urandom(LICENCE_BYTES),
            issued_at=chain.now(),
            provider="33" * 32,
        )


def _write(
    engine: Engine,
    table: type[Device] | type[IssuedLicence],
    rows: Iterator[Any],
    event: str,
    log: _Log,
    say: Callable[[str], None],
) -> None:
    subject = chain.device_subject if table is Device else chain.licence_subject
    columns = [column.key for column in table.__mapper__.column_attrs]
    done = 0
    while some := list(islice(rows, BATCH)):
        values = [{name: getattr(row, name) for name in columns} for row in some]
        entries = [log.entry(event, subject(row)) for row in some]
        with engine.execution_options(**{WRITES: True}).begin() as connection:
            session = Session(connection)
            session.execute(insert(table), values)
            session.execute(insert(AuditEntry), entries)
        done += len(some)
        if done % (20 * BATCH) == 0:
            say(f"{done:,} {table.__tablename__}")
