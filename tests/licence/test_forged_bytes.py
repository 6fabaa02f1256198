"""Licence, provisioning, helper data and container with changed bytes: none is accepted, in C under
sanitizers and in Python."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from licensed_world import ERROR_RATE, World, partition
from trust_rows import Trust, trust_row

from rbnn import monocypher
from rbnn.container import parse as container
from rbnn.engine.compile import MONOCYPHER, SANITIZERS, compile_native, room_sources
from rbnn.errors import RbnnError
from rbnn.keys import licence, provisioning, puf
from rbnn.spec import kdf
from rbnn.spec.layout import CONTAINER_HEADER, HELPER_RECORD_BYTES
from rbnn.spec.status import Status

MUTATIONS = 100_000
STRIDES = {"licence": 7, "provisioning": 101, "helper": 501, "container": 11,
           "container-corrected": 11}  # fmt: skip
"""Of the quick part: every so-manyth bit and length."""
forged_row = trust_row(
    "forged-bytes",
    "Every bit flipped, every truncation and random changes of a licence, a provisioning "
    "partition, its helper data and a container (bits of its header; with its checksum as it was "
    "and corrected)",
    "0 accepted, each with a named error",
)


@pytest.fixture(scope="session")
def forge_driver() -> Path:
    """forge_driver.c under AddressSanitizer and UndefinedBehaviorSanitizer."""
    monocypher.lay_out(monocypher.folder())
    sources = [
        Path(__file__).parent / "forge_driver.c",
        *room_sources("crypto", "store", "core", "puf", "reconf", "licence"),
        MONOCYPHER / "monocypher.c",
    ]
    return compile_native("forge", sources, ["-O1", *SANITIZERS])


@forged_row
@pytest.mark.parametrize("what", STRIDES)
def test_the_firmware_accepts_no_changed_byte(
    what: str, forge_driver: Path, world: World, tmp_path: Path, trust: Trust
) -> None:
    own = world.licence(0)
    files = {
        "container": world.container().data,
        "partition": partition(world, own, world.licence(1)),
        "pattern": world.device.fingerprint.power_up(ERROR_RATE, np.random.default_rng(5)),
        "licence": own.data,
        "psk": world.user.psk(own.licence_id),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    stride = trust.amount(quick=STRIDES[what], full=1)
    mutations = trust.amount(quick=300, full=MUTATIONS)
    done = subprocess.run(
        [str(forge_driver), str(tmp_path), what, str(stride), str(mutations)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    words = [line.split() for line in done.stdout.splitlines()]
    said = {name: (int(first), int(second)) for name, first, second in words}
    kinds = {name: said.pop(name) for name in ("flips", "truncations", "mutations")}
    tried, accepted = (sum(one[place] for one in kinds.values()) for place in (0, 1))
    trust.measured(f"C: {what}: {accepted} of {tried:,} accepted", tried)
    assert accepted == 0, done.stdout
    assert set(said) <= {status.name.lower().replace("_", "-") for status in Status} - {"ok"}
    assert sum(first for first, _ in said.values()) == tried


def flips(data: bytes, bits: int, stride: int) -> Iterator[bytes]:
    for bit in range(0, bits, stride):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        yield bytes(changed)


def truncations(data: bytes, stride: int) -> Iterator[bytes]:
    return (data[:size] for size in range(0, len(data), stride))


def mutations(data: bytes, count: int, seed: int) -> Iterator[bytes]:
    rng = np.random.default_rng(seed)
    while count:
        changed = bytearray(data)
        for _ in range(int(rng.integers(1, 5))):
            at, size = int(rng.integers(len(data))), int(rng.integers(1, 33))
            kind = int(rng.integers(4))
            if kind == 0:
                changed[at] ^= 1 << int(rng.integers(8))
            else:
                new = rng.bytes(size) if kind == 1 else bytes([255 * (kind - 2)]) * size
                changed[at : at + size] = new[: len(data) - at]
        if changed != data:
            count -= 1
            yield bytes(changed)


def host_reader(what: str, world: World) -> tuple[bytes, int, Callable[[bytes], object]]:
    """What is changed, how many of its bits, and what must refuse it."""
    own, made, device = world.licence(0), world.container(), world.device
    pattern = device.fingerprint.power_up(ERROR_RATE, np.random.default_rng(5))
    if what == "container":
        return made.data, 8 * CONTAINER_HEADER.size, container.parse
    if what == "provisioning":
        data = partition(world, own, world.licence(1))
        return data, 8 * len(data), provisioning.parse
    if what == "helper":
        return (
            device.helper_record,
            8 * HELPER_RECORD_BYTES,
            lambda record: puf.reproduce(pattern, record),
        )
    root = puf.reproduce(pattern, device.helper_record).reveal()
    private = X25519PrivateKey.from_private_bytes(kdf.derive(root, kdf.Label.DEVICE_X25519))

    def open_it(data: bytes) -> object:
        one = licence.parse(data)
        psk = world.user.psk(own.licence_id)
        if (one.model_id, one.model_digest) != (made.model_id, made.digest):
            raise licence.LicenceError("The licence is for another model.")
        return licence.open_licence(one, world.provider.public, private, psk, made.digest)

    return own.data, 8 * len(own.data), open_it


@forged_row
@pytest.mark.parametrize("what", ["licence", "provisioning", "helper", "container"])
def test_the_host_accepts_no_changed_byte(what: str, world: World, trust: Trust) -> None:
    own, bits, read = host_reader(what, world)
    read(own)
    stride = trust.amount(quick=STRIDES[what], full=1)
    count = trust.amount(quick=50 if what == "helper" else 300, full=MUTATIONS)
    tried = accepted = 0
    kinds = (flips(own, bits, stride), truncations(own, stride), mutations(own, count, 1))
    for changed in itertools.chain(*kinds):
        tried += 1
        try:
            read(changed)
            accepted += 1
        except RbnnError as error:
            assert error.what
    trust.measured(f"Python: {what}: {accepted} of {tried:,} accepted", tried)
    assert accepted == 0
