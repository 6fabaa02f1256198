"""No frequent operation gets slower as the registry grows: every query goes through an index."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from registry_tools import DEVICE, RECORD, a_licence
from sqlalchemy import event

from rbnn.keys.queries import LicenceFilter
from rbnn.keys.registry import Registry
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import UserKey

USER = UserKey(Secret(b"\x07" * 32))


def test_frequent_operations_scan_no_table(tmp_path: Path) -> None:
    asked: dict[str, Any] = {}
    with Registry.open(tmp_path / "registry.sqlite") as registry:

        @event.listens_for(registry._engine, "before_cursor_execute")
        def _asked(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
            asked[statement] = parameters

        registry.add_device(DEVICE, bytes(32), "qemu", RECORD)
        registry.name_device(DEVICE, "hall")
        issued = []
        for _ in range(2):
            with registry.issuing(DEVICE) as desk:
                issued.append(a_licence(USER, desk.next_sequence()))
                desk.add(issued[-1], "digits", USER)
        registry.revoke(issued[0].licence_id, "lost")
        with registry.transferring(issued[1].licence_id, DEVICE, b"receipt") as desk:
            desk.add(a_licence(USER, desk.next_sequence()), "digits", USER)
        assert registry.is_revoked(issued[0].licence_id)
        registry.find_licence(issued[0].licence_id.hex()[:16])
        registry.find_device("hall")
        registry.find_device(DEVICE.hex()[:8])
        registry.licences(DEVICE)
        registry.licences(wanted=LicenceFilter(user=registry.user(USER)))
        with registry._engine.connect() as connection:
            queries = {one: asked[one] for one in list(asked) if one.startswith("SELECT")}
            assert len(queries) >= 10
            for query, parameters in queries.items():
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", parameters)
                steps = [str(row[3]) for row in plan]
                scans = [step for step in steps if step.startswith("SCAN") and "USING" not in step]
                newest = "WHERE" not in query and "LIMIT" in query and len(steps) == 1
                assert not scans or newest, (query, steps)  # the newest entry is the first read
