"""Power may fail at every flash operation of a load: firmware/partition on a fake flash."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from licensed_world import World

from rbnn import monocypher
from rbnn.engine.compile import MONOCYPHER, SANITIZERS, compile_native, room_sources
from rbnn.keys.models.signed import SignedModel, sign, verifying_key

SECTOR = 1024
ROOMS = ("crypto", "store", "core", "puf", "reconf", "licence", "device", "partition")


@pytest.fixture(scope="module")
def driver() -> Path:
    monocypher.lay_out(monocypher.folder())
    sources = [Path(__file__).with_name("update_driver.c"), *room_sources(*ROOMS)]
    return compile_native("update", [*sources, MONOCYPHER / "monocypher.c"], ["-O1", *SANITIZERS])


def sectors(model: SignedModel) -> int:
    return -(-len(model.data) // SECTOR)


def run(
    driver: Path, folder: Path, spare: int | None, older: SignedModel | None = None
) -> dict[str, int]:
    """Load the second of two models; without ``spare`` sectors there is room for one only, and for
    ``older``."""
    more = 1 if older is None else 2
    world = World(driver, folder, params=(World.params[0] * more, *World.params[1:]))
    old = sign(world.container(), world.provider, 5)
    new = sign(world.container(model_id=b"model of tomorro"), world.provider, 6)
    for name, model in (("old", old), ("new", new)):
        (folder / name).write_bytes(model.data)
    room = sectors(new) if spare is None else sectors(old) + sectors(new) + spare
    rest: list[Path] = []
    if older is not None:
        assert sectors(older) < sectors(new), "the new one does not fit in its place"
        room += sectors(older)
        rest = [folder / "older"]
        rest[0].write_bytes(older.data)
    done = subprocess.run(
        [
            str(driver),
            verifying_key(world.provider).hex(),
            folder / "old",
            folder / "new",
            str(room),
            *rest,
        ],
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr[-2000:]
    said = {name: int(count) for name, count in map(str.split, done.stdout.splitlines())}
    assert said["operations"] >= len(new.data) // 32
    assert said["old"] + said["new"] + said["none"] == 4 * said["operations"]
    assert said["loads"] > said["operations"] // 20
    return said


@pytest.mark.parametrize("spare", [0, 3])
def test_with_room_for_two_there_is_always_the_old_model_or_the_new(
    driver: Path, tmp_path: Path, spare: int
) -> None:
    said = run(driver, tmp_path, spare)
    assert said["none"] == 0
    assert said["old"] > 0 and said["new"] > 0


def test_with_room_for_one_there_is_none_in_between_and_the_load_can_be_repeated(
    driver: Path, tmp_path: Path
) -> None:
    said = run(driver, tmp_path, None)
    assert said["none"] > said["operations"], "the old one goes with the first sector"
    assert said["new"] > 0


def test_an_older_model_that_is_still_there_does_not_come_back(
    driver: Path, tmp_path: Path
) -> None:
    """Neither when power fails while the one that counts is given up, nor later."""
    world = World(driver, tmp_path)
    older = sign(world.container(model_id=b"model of yestday"), world.provider, 4)
    said = run(driver, tmp_path, None, older)
    assert said["none"] > 0 and said["new"] > 0
