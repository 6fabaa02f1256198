"""Partitions of any bytes: the vault starts, gives its status, and touches nothing outside."""

from __future__ import annotations

import binascii

import numpy as np
import pytest
from licensed_world import World

from rbnn.keys import provisioning


@pytest.mark.parametrize("seed", range(60))
def test_mutated_partitions(world: World, seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = bytearray(
        provisioning.build(
            world.device.helper_record, [world.licence(number) for number in range(seed % 3)]
        )
    )
    for _ in range(int(rng.integers(1, 6))):
        # Half of the changes hit the header and its lengths.
        limit = 16 if rng.random() < 0.5 else len(data)
        data[int(rng.integers(0, limit))] = int(rng.integers(0, 256))
    if rng.random() < 0.3:
        del data[int(rng.integers(0, len(data))) :]
    if rng.random() < 0.7 and len(data) >= 16:
        data[12:16] = bytes(4)
        data[12:16] = binascii.crc32(data).to_bytes(4, "little")
    psk = "00" * 32
    (puf, provisioned), *others = world.run(
        ["puf", f"unlock 0 {psk}", "switch 0", f"unlock 2 {psk}", "count"], partition=bytes(data)
    )
    assert puf in ("fresh", "enrolled", "damaged")
    assert provisioned in ("ok", "no-provisioning", "provisioning-damaged")
    assert all(answer[0] != "ok" for answer in others)
