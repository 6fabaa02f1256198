"""A model apart from the firmware on an emulated board: written alone, and loaded over its line."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from flashed_board import OTHER_TASK, TASK, quiet

from rbnn.device import deploy
from rbnn.device.emulated.target import EmulatedTarget
from rbnn.device.errors import DeviceError, LinkError
from rbnn.device.model.loading import load_model
from rbnn.device.switching import switch_task
from rbnn.engine.reference import Reference
from rbnn.flash.emulated import EmulatedBoard
from rbnn.image.board import load_board
from rbnn.image.errors import FitError
from rbnn.keys.errors import SignedModelError
from rbnn.keys.models.signed import SignedModel, sign
from rbnn.keys.provider_key import ProviderKey, create_provider_key
from rbnn.keys.registry import Registry
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import UserKey, create_user_key
from rbnn.spec.status import Status

pytestmark = pytest.mark.qemu


@dataclass
class World:
    """A board with a model partition that holds ``old``."""

    folder: Path
    provider: ProviderKey
    user_key: UserKey
    registry: Registry
    target: EmulatedTarget
    old: Any
    new: Any
    report: deploy.FlashReport
    version: int

    def flash(self, prepared: deploy.PreparedModel, say: Any = quiet) -> deploy.FlashReport:
        return deploy.flash(
            *(prepared, self.target, self.provider, self.user_key, self.registry, (), say)
        )

    def prepared(self, made: Any, provider: ProviderKey | None = None) -> deploy.PreparedModel:
        return deploy.prepare_model(
            made.run.folder, made.run.secrets, made.export, provider or self.provider
        )

    def signed(self, made: Any) -> SignedModel:
        """Newer than all before."""
        self.version += 1
        return sign(made.export.container, self.provider, self.version)

    def digest(self) -> str:
        with self.target.open() as session:
            return session.identify().model_digest

    def cut_power_after(self, operations: int) -> None:
        """Let power fail in the middle of a flash operation; 0 for never."""
        with self.target.device.store_file.open("r+b") as file:
            file.seek(self.target.board.store.bytes)
            file.write(struct.pack("<I", operations))


@pytest.fixture(scope="module")
def world(
    tmp_path_factory: pytest.TempPathFactory, random_export: Callable[..., Any]
) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("partition")
    provider = create_provider_key(folder / "provider.pem", Secret(b"correct horse battery"))
    user_key = create_user_key(folder / "user.key")
    registry = Registry.open(folder / "registry.sqlite")
    old, new = (
        random_export(provider_public=provider.public, seed=seed, side=16, depth=3)
        for seed in (1, 2)
    )
    target = EmulatedTarget(load_board("qemu"), folder / "device", quiet)
    EmulatedBoard.create(folder / "device", "qemu", seed=7)
    prepared = deploy.prepare(old.run, target, provider.public, quiet, signer=provider)
    assert prepared.sizes.model > 0 and old.export.container.data not in (
        prepared.build.bin.read_bytes()
    )
    report = deploy.flash(prepared, target, provider, user_key, registry, (), quiet)
    # Far from the versions that the time gives.
    yield World(folder, provider, user_key, registry, target, old, new, report, 4_000_000_000)
    target.emulator.power_off()
    registry.close()


def infers(world: World, made: Any) -> None:
    """The board opens every task of that model, and computes what the reference does."""
    with world.target.open() as session:
        for number, task in enumerate((TASK, OTHER_TASK)):
            switch_task(session, task, lambda: world.user_key)
            image = made.images[task][:1]
            reference = Reference.open(made.export.container, number, made.secrets[task])
            best = int(reference.infer(image).logits[0].argmax())
            assert session.infer(image[0].tobytes()).best == best


def test_a_partition_build_runs_the_model_from_its_partition(world: World) -> None:
    assert world.report.model_digest == world.old.export.container.digest.hex()
    infers(world, world.old)


def test_model_only_changes_the_model_and_nothing_else(world: World) -> None:
    program = world.target.device.flash_file
    before = program.read_bytes(), program.stat().st_mtime_ns
    said: list[str] = []
    report = world.flash(world.prepared(world.new), said.append)
    assert report.model_digest == world.new.export.container.digest.hex()
    assert (report.device, report.enrolled_now) == (world.report.device, False)
    assert report.sizes is None and all(one.issued_now for one in report.licences)
    assert (program.read_bytes(), program.stat().st_mtime_ns) == before
    (ended,) = [line for line in said if "do not open the new model" in line]
    assert f"{TASK} (licence 1), {OTHER_TASK} (licence 2)" in ended
    infers(world, world.new)


def test_another_provider_s_model_is_refused_before_anything_is_written(
    world: World, random_export: Callable[..., Any]
) -> None:
    other = create_provider_key(world.folder / "other.pem", Secret(b"correct horse battery"))
    foreign = random_export(provider_public=other.public, seed=1, side=16, depth=3)
    before = world.digest()
    with pytest.raises(SignedModelError, match="has not signed this one"):
        world.flash(world.prepared(foreign, other))
    with pytest.raises(SignedModelError, match="has not signed this one"):
        load_model(world.target, world.prepared(foreign, other).signed, quiet)
    assert world.digest() == before


def test_a_model_that_needs_more_is_refused_with_the_figures(
    world: World, random_export: Callable[..., Any]
) -> None:
    wide = random_export(provider_public=world.provider.public, width=64)
    with pytest.raises(FitError, match="activations"):
        world.flash(world.prepared(wide))


def test_a_model_is_loaded_over_the_line_with_progress(world: World) -> None:
    """Old licences are named; the new model's open after they are issued."""
    holds = world.digest()
    made = world.old if holds != world.old.export.container.digest.hex() else world.new
    seen: list[tuple[int, int]] = []
    said: list[str] = []
    report = load_model(
        world.target,
        world.signed(made),
        said.append,
        lambda what, done, total: seen.append((done, total)),
    )
    assert report.loaded and report.kept_old and "rbnn license issue" in report.summary()
    assert [one.task for one in report.stale_licences] == [TASK, OTHER_TASK]
    assert f"{TASK} (licence" in said[0]
    size = len(made.export.container.data)
    assert seen[0] == (0, size) and seen[-1] == (size, size)
    assert world.digest() == made.export.container.digest.hex()
    world.target.power_cycle()
    with world.target.open() as session:
        assert {(one.task, one.place) for one in session.licences()} == {("-", "other-model")}
    again = load_model(world.target, world.signed(made), quiet)
    assert not again.loaded and "already" in again.summary()
    assert again.version == report.version < world.version
    with pytest.raises(DeviceError) as refused:  # its version is lower
        world.flash(world.prepared(made))
    assert refused.value.status is Status.MODEL_OLD
    world.flash(replace(world.prepared(made), signed=world.signed(made)))
    infers(world, made)


def test_an_older_model_is_refused_with_its_status(world: World) -> None:
    before = world.digest()
    made = world.new if before != world.new.export.container.digest.hex() else world.old
    old = sign(made.export.container, world.provider, 1)
    world.target.power_cycle()
    with pytest.raises(DeviceError) as refused:
        load_model(world.target, old, quiet)
    assert refused.value.status is Status.MODEL_OLD
    assert world.digest() == before


@pytest.mark.timeout(1800)
def test_power_cuts_in_a_load_leave_the_old_model_or_the_new(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the begin, in the container, and at the end; tests/firmware/partition has all others."""
    monkeypatch.setattr("rbnn.device.model.loading.ERASE_TIMEOUT_S", 10.0)
    before = world.digest()
    made = world.new if before != world.new.export.container.digest.hex() else world.old
    size = len(made.export.container.data)
    erased, words = -(-(size + 160) // 4096), -(-size // 32) * 8
    ends = erased + words
    for operations in (1, ends // 2, ends + 52):
        world.target.power_cycle()
        world.cut_power_after(operations)
        # The last cut may come when all is done.
        with contextlib.suppress(LinkError, DeviceError):
            load_model(world.target, world.signed(made), quiet)
        world.target.emulator.power_off()
        world.cut_power_after(0)
        found = world.digest()
        if operations <= ends:
            assert found == before, operations
        if found == made.export.container.digest.hex():
            break
        assert found == before, operations
    assert found == made.export.container.digest.hex(), "its header was whole"
