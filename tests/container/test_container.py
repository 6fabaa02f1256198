"""The container: laid out, read back, and refused for every reason there is."""

from __future__ import annotations

import dataclasses
import hashlib
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import random_topology

from rbnn.container import params
from rbnn.container.build import build, with_benchmarks
from rbnn.container.container import CRC_OFFSET, SealedTask, container_crc32
from rbnn.container.errors import ContainerError, ExportError, SealedBlockError
from rbnn.container.parse import parse
from rbnn.container.plan import align, plan
from rbnn.container.seal import seal, unseal
from rbnn.container.shapes import params_bytes
from rbnn.errors import RbnnError
from rbnn.export.packed import SHIPPED, PackedModel
from rbnn.nets.padding import pad
from rbnn.spec import layout
from rbnn.spec.layout import ALIGNMENT, MAX_TASKS, Adapter, Cipher
from rbnn.spec.link import Benchmark


@pytest.fixture(scope="module")
def made(random_export: Callable[..., Any]) -> Any:
    return random_export(architecture="resnet", provider_public=bytes(range(32)))


def rebuilt(container: Any, **changes: Any) -> Any:
    """The same container built again with some arguments changed."""
    numbers = range(len(container.topology.layers))
    arguments = {
        "topology": container.topology,
        "model_id": container.model_id,
        "provider_public": container.provider_public,
        "weights": {n: bits for n in numbers if (bits := container.stored_bits(n))},
        "tasks": container.tasks,
        "cipher": container.cipher,
    }
    return build(**{**arguments, **changes})


def test_round_trip(made: Any) -> None:
    container = made.export.container
    assert parse(container.data) == container
    assert rebuilt(container).data == container.data
    assert container.provider_public == bytes(range(32))
    assert container.digest == hashlib.blake2b(container.data, digest_size=32).digest()
    assert [task.name for task in container.tasks] == ["colour", "grey"]
    assert container.task_number("grey") == 1
    with pytest.raises(ExportError, match="no task 'blue'"):
        container.task_number("blue")


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_any_graph_is_laid_out_and_read_back(made: Any, seed: int) -> None:
    topology = pad(random_topology(seed)).topology
    own = plan(topology)
    weights_end = 0
    params_end = layout.PARAMS_HEADER.size
    for place, layer in zip(own.placements, topology.layers, strict=True):
        if layer.bits:
            assert place.weights_offset % ALIGNMENT == 0 and place.weights_offset >= weights_end
            weights_end = place.weights_offset + place.weights_bytes
            assert place.params_offset % 4 == 0 and place.params_offset >= params_end
            params_end = place.params_offset + params_bytes(layer)
    assert weights_end <= own.weights_bytes == align(own.weights_bytes)
    assert own.labels_offset >= params_end
    container = made.export.container
    weights = {n: bytes(place.weights_bytes) for n, place in enumerate(own.placements)}
    tasks = [
        dataclasses.replace(task, classes=1, sealed=bytes(48 + own.labels_offset))
        for task in container.tasks
    ]
    data = build(topology, bytes(16), bytes(32), weights, tasks, Cipher.CHACHA8).data
    again = parse(data)
    assert again.topology == topology and again.plan == own and again.cipher is Cipher.CHACHA8


def test_truncated_at_every_section(made: Any) -> None:
    data = made.export.container.data
    for size in (0, 3, 4, 60, 123, 124, 500, len(data) // 2, len(data) - 1):
        with pytest.raises(ContainerError) as caught:
            parse(data[:size])
        assert caught.value.fix


def test_longer_than_it_says(made: Any) -> None:
    with pytest.raises(ContainerError, match="its header says"):
        parse(made.export.container.data + b"\0")


@given(position=st.integers(0, 1 << 30), bit=st.integers(0, 7))
def test_any_flipped_bit_is_refused(made: Any, position: int, bit: int) -> None:
    data = bytearray(made.export.container.data)
    data[position % len(data)] ^= 1 << bit
    with pytest.raises(ContainerError):
        parse(bytes(data))


def test_another_version_is_named(made: Any) -> None:
    data = bytearray(made.export.container.data)
    struct.pack_into("<H", data, 4, 1)
    data[CRC_OFFSET : CRC_OFFSET + 4] = struct.pack("<I", container_crc32(bytes(data)))
    with pytest.raises(ContainerError, match="format version 1; this program reads version 3"):
        parse(bytes(data))


@given(st.binary(max_size=300))
def test_random_bytes_are_refused(data: bytes) -> None:
    for candidate in (data, b"RBNN" + data):
        with pytest.raises(ContainerError):
            parse(candidate)


@pytest.mark.parametrize("name", ["", "sixteen-bytes-xx", "zero\0byte", "ä" * 8])
def test_names_that_do_not_fit(made: Any, name: str) -> None:
    container = made.export.container
    tasks = (dataclasses.replace(container.tasks[0], name=name),)
    with pytest.raises(ExportError, match="name"):
        rebuilt(container, tasks=tasks)


def test_task_counts(made: Any) -> None:
    container = made.export.container
    one = container.tasks[0]
    with pytest.raises(ExportError, match="1 to 16 tasks"):
        rebuilt(container, tasks=())
    many = tuple(dataclasses.replace(one, name=f"t{k}") for k in range(MAX_TASKS + 1))
    with pytest.raises(ExportError, match="1 to 16 tasks"):
        rebuilt(container, tasks=many)
    assert len(rebuilt(container, tasks=many[:-1]).tasks) == MAX_TASKS
    with pytest.raises(ExportError, match="the same name"):
        rebuilt(container, tasks=(one, one))


def test_a_benchmark_is_one_byte_of_the_task_table(made: Any) -> None:
    container = made.export.container
    named = with_benchmarks(container, {"grey": Benchmark.KWS01})
    assert [task.benchmark for task in named.tasks] == [Benchmark.NONE, Benchmark.KWS01]
    pairs = enumerate(zip(container.data, named.data, strict=True))
    changed = {place for place, (old, new) in pairs if old != new}
    record = layout.CONTAINER_HEADER.size + layout.LAYER.size * len(container.topology.layers)
    record += layout.TASK.size
    assert record + 19 in changed
    assert changed <= {record + 19, *range(CRC_OFFSET, CRC_OFFSET + 4)}
    assert with_benchmarks(named, {"grey": Benchmark.NONE}).data == container.data
    with pytest.raises(ExportError, match="no task 'more'"):
        with_benchmarks(container, {"more": Benchmark.IC01})


def test_a_container_from_before_benchmarks_is_read(made: Any) -> None:
    """Then the front end took two bytes, of which the second was zero."""
    container = made.export.container
    records = layout.CONTAINER_HEADER.size + layout.LAYER.size * len(container.topology.layers)
    for number in range(len(container.tasks)):
        field = records + number * layout.TASK.size + layout.TASK.offset("front_end")
        assert container.data[field + 1] == 0
    assert {task.benchmark for task in parse(container.data).tasks} == {Benchmark.NONE}


def test_the_shipped_model_hears_and_names_its_benchmarks() -> None:
    tasks = {task.name: task for task in PackedModel.read(SHIPPED).container.tasks}
    assert [name for name, task in tasks.items() if task.takes_sound] == ["kws"]
    assert {name: task.benchmark for name, task in tasks.items() if task.benchmark} == {
        "cifar": Benchmark.IC01,
        "kws": Benchmark.KWS01,
    }


def test_bits_of_another_size(made: Any) -> None:
    with pytest.raises(ExportError, match=r"Layer 0 \(stem\) needs 128 bytes"):
        rebuilt(made.export.container, weights={})


@given(plaintext=st.binary(max_size=100), where=st.integers(0, 1 << 16), bit=st.integers(0, 7))
def test_a_changed_sealed_block_does_not_open(plaintext: bytes, where: int, bit: int) -> None:
    secret, model_id = bytes(range(32)), bytes(16)
    block = seal(plaintext, secret, model_id, 3)
    assert unseal(block, secret, model_id, 3) == plaintext
    assert seal(plaintext, secret, model_id, 3) == block
    changed = bytearray(block)
    changed[where % len(block)] ^= 1 << bit
    attempts = [
        (bytes(changed), secret, model_id, 3),
        (block[:-1], secret, model_id, 3),
        (b"", secret, model_id, 3),
        (block, bytes(32), model_id, 3),
        (block, secret, b"\1" * 16, 3),
        (block, secret, model_id, 2),
    ]
    for attempt in attempts:
        with pytest.raises(SealedBlockError, match="does not open"):
            unseal(*attempt)


def test_two_plaintexts_never_share_a_nonce() -> None:
    blocks = {seal(bytes([k]), bytes(32), bytes(16), 0)[:12] for k in range(256)}
    assert len(blocks) == 256


def test_params_round_trip_and_refusals(made: Any) -> None:
    container = made.export.container
    topology, own = container.topology, container.plan
    data = unseal(container.tasks[1].sealed, made.secrets["grey"], container.model_id, 1)
    opened = params.decode(data, topology, own)
    assert opened.labels == ("grey-0", "grey-1", "grey-2", "grey-3")
    assert opened.adapter is Adapter.REPLICATE and opened.offsets == (100, 100, 100)
    assert params.encode(opened, topology, own) == data
    for broken in (b"", data[:10], data[:-1], data + b"\0", bytes(len(data))):
        with pytest.raises(SealedBlockError):
            params.decode(broken, topology, own)
    for change in (
        {"offsets": (1, 2)}, {"offsets": (1, 2, 256)}, {"offsets": (1, 2, -1)},
        {"labels": ("a", "")}, {"labels": ("a", "b\0c")},
    ):  # fmt: skip
        with pytest.raises(ExportError):
            params.encode(dataclasses.replace(opened, **change), topology, own)


def test_no_secret_and_no_plaintext_in_the_container(made: Any) -> None:
    """Neither secrets nor class names nor thresholds can be read without a secret."""
    data = made.export.container.data
    for secret in made.secrets.values():
        assert secret not in data
    assert b"colour-0" not in data and b"grey-0" not in data
    for path in filter(Path.is_file, made.export.folder.rglob("*")):
        raw = path.read_bytes()
        assert not any(s in raw or s.hex().encode() in raw for s in made.secrets.values()), path


def test_a_container_with_a_foreign_sealed_block_is_still_refused_on_opening(made: Any) -> None:
    """Swapping two tasks' blocks gives a valid container whose tasks do not open."""
    container = made.export.container
    first, second = container.tasks
    swapped = rebuilt(
        container,
        tasks=(
            SealedTask(first.name, second.classes, second.sealed),
            SealedTask(second.name, first.classes, first.sealed),
        ),
    )
    for number, name in enumerate(("grey", "colour")):
        with pytest.raises(RbnnError, match="does not open"):
            unseal(swapped.tasks[number].sealed, made.secrets[name], swapped.model_id, number)


def test_blocks_too_short_for_the_network_are_refused(made: Any) -> None:
    """As the device refuses them."""
    container = made.export.container
    least = params.labels_offset_of(container.topology, container.plan, 10)
    for size, refused in ((least, False), (least - 4, True)):
        blocks = (seal(bytes(size), bytes(32), container.model_id, k) for k in range(2))
        tasks = tuple(
            dataclasses.replace(task, sealed=block)
            for task, block in zip(container.tasks, blocks, strict=True)
        )
        if refused:
            with pytest.raises(ContainerError, match="params_bytes"):
                parse(rebuilt(container, tasks=tasks).data)
        else:
            parse(rebuilt(container, tasks=tasks).data)


def test_stored_bits_are_balanced(made: Any) -> None:
    bits = np.unpackbits(np.frombuffer(made.export.container.stored_bits(2), np.uint8))
    assert abs(bits.mean() - 0.5) < 5 / (2 * np.sqrt(bits.size))


def test_a_task_has_8_bit_weights_for_its_own_classes_only(
    random_export: Callable[..., Any],
) -> None:
    tasks = (("colour", 10, 3), ("grey", 4, 1))
    made = random_export(tasks=tasks, architecture="resnet", ends=8)
    container = made.export.container
    many, few = (
        unseal(task.sealed, made.secrets[task.name], container.model_id, number)
        for number, task in enumerate(container.tasks)
    )
    inputs = container.topology.layers[-1].kernel_shape[0]
    sizes = []
    for block in (many, few):
        labels = params.decode(block, container.topology, container.plan).labels
        sizes.append(len(block) - sum(len(label) + 1 for label in labels))
    assert sizes[0] - sizes[1] == 6 * inputs
