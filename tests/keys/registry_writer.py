"""A process that writes to a registry: enrols a device, issues, revokes and transfers licences.

``registry_writer.py PLACE SHARED_DEVICE NUMBER COUNT``; waits for a line on standard input, so that
several start at once. Its number makes its own device's public key.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from registry_tools import PROVIDER, RECORD

from rbnn.keys import licence
from rbnn.keys.registry import Registry
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import UserKey

USER = UserKey(Secret(bytes(range(32))))


def own_device(number: int) -> bytes:
    return (1000 + number).to_bytes(32, "little")


def a_licence(device: bytes, sequence: int) -> licence.Licence:
    return licence.issue(PROVIDER, device, USER, b"i" * 16, b"d" * 32, 0, b"s" * 32, sequence)


def work(registry: Registry, shared: bytes, own: bytes, count: int) -> None:
    """Each round leaves two licences of the shared device, both closed, and one of its own."""
    for device in (shared, own):
        registry.add_device(device, bytes(32), "qemu", RECORD)
    for _ in range(count):
        issued = []
        for _ in range(2):
            with registry.issuing(shared) as desk:
                issued.append(a_licence(shared, desk.next_sequence()))
                desk.add(issued[-1], "digits", USER)
        registry.revoke(issued[0].licence_id, "test")
        with registry.transferring(issued[1].licence_id, own, b"receipt") as desk:
            desk.add(a_licence(own, desk.next_sequence()), "digits", USER)


if __name__ == "__main__":
    place, device, number, count = sys.argv[1:]
    sys.stdin.readline()
    with Registry.open(place) as registry:
        work(registry, bytes.fromhex(device), own_device(int(number)), int(count))
