"""The store keeps what it was given, whenever power fails: the C on a fake flash."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest
from trust_rows import Trust, trust_row

from rbnn import monocypher
from rbnn.engine.compile import MONOCYPHER, SANITIZERS, compile_native, room_sources
from rbnn.spec import kdf
from rbnn.spec.store import (
    STORE_HEADER,
    STORE_MAGIC,
    STORE_RECORD,
    STORE_SLOT_BYTES,
    STORE_TAG_BYTES,
    STORE_VERSION,
)

ROOT = b"TEST-ONLY root key of the store".ljust(32, b"\0")
MODEL = b"model of the day"
power_cuts_row = trust_row(
    "power-cuts",
    "Power cuts in the flash operations of the store, each leaving a word or a page half done, in "
    "the firmware's C over a fake flash: at every operation, and at every 16th of those that put "
    "the first cut right; and at random in the life of one device",
    "the device starts every time, with the old state or the new one",
)


def build(*flags: str) -> Path:
    monocypher.lay_out(monocypher.folder())
    sources = [Path(__file__).parent / "store_driver.c", *room_sources("crypto", "store")]
    common = ["-O1", f"-I{Path(__file__).parent}", *SANITIZERS]
    return compile_native("store", [*sources, MONOCYPHER / "monocypher.c"], [*common, *flags])


@pytest.fixture(scope="module")
def driver() -> Path:
    return build()


@pytest.fixture(scope="module", params=[2, 8], ids=["64 bits", "256 bits"])
def with_ecc(request: pytest.FixtureRequest) -> Path:
    """Flash with error correction, programmed by 8 bytes (STM32L4) or by 32 (STM32H7)."""
    return build(f"-DUNIT_WORDS={request.param}u")


def run(driver: Path, *arguments: str) -> str:
    done = subprocess.run([str(driver), *arguments], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0 and done.stderr == "", done.stderr[-2000:]
    return done.stdout


def counts(text: str) -> dict[str, int]:
    return {name: int(count) for name, count in (line.split() for line in text.splitlines())}


@power_cuts_row
def test_power_may_fail_at_every_operation(driver: Path, trust: Trust) -> None:
    """And in what follows it; each time four ways of what a half-done operation leaves."""
    said = counts(run(driver, "cuts"))
    trust.measured(
        f"all {said['operations']:,} operations, {said['opened']:,} starts: all old or new",
        said["opened"],
    )
    assert said["operations"] > 1300
    assert said["opened"] > 8 * said["operations"]


def test_power_may_leave_what_cannot_be_read(with_ecc: Path) -> None:
    """Units of flash whose error correction fails; a read that is not asked for ends the test."""
    said = counts(run(with_ecc, "cuts"))
    assert said["operations"] > 150 and said["opened"] > 8 * said["operations"]
    assert counts(run(with_ecc, "random", "2000"))["finished"] > 2000


@power_cuts_row
def test_ten_thousand_power_cuts_in_one_life(driver: Path, trust: Trust) -> None:
    cuts = trust.amount(quick=1_000, full=10_000)
    said = counts(run(driver, "random", str(cuts)))
    trust.measured(f"{cuts:,} at random among {said['finished']:,} changes: all old or new", cuts)
    assert said["finished"] > 2 * cuts


def test_every_flipped_bit_is_refused_or_costs_the_last_slot(driver: Path) -> None:
    said = counts(run(driver, "flips"))
    slots = 6 * STORE_SLOT_BYTES * 8
    assert said["flips-cut"] == STORE_SLOT_BYTES * 8
    # A bit of an erased page that is not erased is erased again.
    total = said["flips-refused"] + said["flips-cut"] + said["flips-put-right"]
    assert said["flips-refused"] >= slots - STORE_SLOT_BYTES * 8
    assert total % (8 * STORE_SLOT_BYTES) == 0


def test_the_pages_are_what_the_specification_says(driver: Path) -> None:
    words = [int(line, 16) for line in run(driver, "show").split()]
    data = struct.pack(f"<{len(words)}I", *words)
    first, second = data[: len(data) // 2], data[len(data) // 2 :]
    assert set(second) == {0xFF}
    key = kdf.derive(ROOT, kdf.Label.DEVICE_STORE)
    slots = [first[at : at + STORE_SLOT_BYTES] for at in range(0, len(first), STORE_SLOT_BYTES)]
    assert all(set(slot) == {0xFF} for slot in slots[4:])
    for number, slot in enumerate(slots[:4]):
        content, tag = slot[:-STORE_TAG_BYTES], slot[-STORE_TAG_BYTES:]
        place = struct.pack("<II", 1, number)
        assert kdf.derive(key, kdf.Label.STORE_TAG, content + place)[:STORE_TAG_BYTES] == tag
    header = STORE_HEADER.unpack(slots[0])
    assert (header["magic"], header["version"]) == (STORE_MAGIC, STORE_VERSION)
    assert (header["generation"], header["base"], header["reserved"]) == (1, 0, 0)
    for task, slot in enumerate(slots[1:4]):
        record = STORE_RECORD.unpack(slot)
        assert (record["model"], record["task"]) == (MODEL[:5], task)
        assert (record["floor"], record["used"], record["activations"]) == (7 + task, 11 * task, 0)
