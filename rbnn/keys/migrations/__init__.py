"""Versions of the registry's tables, and the way from each to the next (Alembic).

Revision ``000n`` makes version n. A new registry runs all of them; one of an earlier version, those
that it lacks. They run in the one transaction of :func:`rbnn.keys.schema.prepare`, which checks the
whole log before it commits. Each revision has the tables of its own time, and never imports those
of :mod:`rbnn.keys.records`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

VERSION_TABLE = "registry_version"
"""Where Alembic notes the revision; other programs in the same database may use its own name."""
MIGRATION = "migration"
"""Name of the :class:`Migration` among the attributes of Alembic's configuration."""
_one_at_a_time = threading.Lock()
"""Alembic keeps the migration that is running in variables of a module."""


@dataclass(frozen=True)
class Migration:
    """What the revisions need to know.

    Args:
        connection: in a transaction that writes.
        where: the registry, for messages.
        key_file: its key.
        is_new: there is no registry yet.
    """

    connection: Connection
    where: str
    key_file: Path
    is_new: bool


def migrate(migration: Migration, version: int | None) -> None:
    """Bring the tables to the newest version.

    Args:
        migration: what the revisions need to know.
        version: of the tables that are there, if Alembic has not noted it; None otherwise.
    """
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={MIGRATION: migration})
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    with _one_at_a_time:
        if version is not None:
            command.stamp(config, revision(version))
        command.upgrade(config, "head")


def revision(version: int) -> str:
    """Name of the revision that makes a version."""
    return f"{version:04d}"


def current() -> Migration:
    """The migration under way; for the revisions."""
    from alembic import context

    migration = context.config.attributes[MIGRATION]
    assert isinstance(migration, Migration)
    return migration
