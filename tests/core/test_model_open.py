"""``rbnn_model_open`` on broken containers: a status, never a fault."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from typing import Any

import pytest
from broken_containers import CASES, changed, member_offset, open_it, with_crc
from core_driver import Driver
from hypothesis import given
from hypothesis import strategies as st

from rbnn.container import plan
from rbnn.container.build import build
from rbnn.container.parse import parse
from rbnn.container.seal import unseal
from rbnn.errors import RbnnError
from rbnn.nets import device_rules, vgg
from rbnn.spec.layout import CONTAINER_HEADER, LAYER, TASK
from rbnn.spec.status import Status


def test_a_valid_container_runs(driver: Driver, container: bytes, params: bytes) -> None:
    assert open_it(driver, container, params) == (0, 0, 0, 0)


@pytest.mark.parametrize("architecture", ["vgg", "reactnet"])
def test_every_architecture_runs(
    driver: Driver, random_export: Callable[..., Any], architecture: str
) -> None:
    own = random_export(architecture=architecture, width=40)
    whole = own.export.container
    params = unseal(whole.tasks[0].sealed, own.secrets["colour"], whole.model_id, 0)
    assert open_it(driver, whole.data, params) == (0, 0, 0, 0)


def test_erased_flash_and_other_bytes_are_not_a_container(driver: Driver, container: bytes) -> None:
    for data in (b"", b"RB", b"\xff" * 4096, bytes(4096), b"X" + container[1:]):
        assert open_it(driver, data)[0] == Status.NO_CONTAINER


@pytest.mark.parametrize("size", [4, 123, 124, 1000, -1])
def test_truncated(driver: Driver, container: bytes, size: int) -> None:
    assert open_it(driver, container[:size])[0] == Status.CONTAINER_DAMAGED


@CASES
@given(position=st.integers(min_value=0), bit=st.integers(0, 7))
def test_any_flipped_bit_is_refused(
    driver: Driver, container: bytes, position: int, bit: int
) -> None:
    data = bytearray(container)
    data[position % len(data)] ^= 1 << bit
    assert open_it(driver, bytes(data))[0] != Status.OK


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("version", 1), ("header_bytes", 128), ("cipher", 3), ("scheme", 1),
        ("trunk_layers", 10), ("trunk_layers", 65535), ("input_height", 0),
        ("input_channels", 0), ("input_channels", 5), ("layer_count", 0),
        ("layer_count", 1), ("layer_count", 65), ("task_count", 0), ("task_count", 17),
        ("max_classes", 0), ("max_classes", 65), ("layers_offset", 0), ("layers_offset", 126),
        ("layers_offset", 0xFFFFFFFC), ("tasks_offset", 0), ("tasks_offset", 0xFFFFFFF0),
        ("weights_offset", 8), ("weights_offset", 0xFFFFFFF0), ("weights_bytes", 0xFFFFFFFF),
        ("params_bytes", 0), ("params_bytes", 20), ("arena_bytes", 3),
        ("arena_bytes", (1 << 24) + 4), ("arena_bytes", 0xFFFFFFFC), ("work_bytes", 5),
        ("work_bytes", 0),
    ],
)  # fmt: skip
def test_header_members(driver: Driver, container: bytes, name: str, value: int) -> None:
    data = changed(container, 0, CONTAINER_HEADER, name, value)
    assert open_it(driver, data)[0] in (Status.CONTAINER_FORMAT, Status.CONTAINER_LAYER)
    with pytest.raises(RbnnError):
        parse(data)


@pytest.mark.parametrize("name", ["arena_bytes", "work_bytes", "params_bytes"])
def test_the_device_takes_larger_sizes_that_the_host_does_not_write(
    driver: Driver, container: bytes, params: bytes, name: str
) -> None:
    """As SPEC.md says: the host reads only canonical containers."""
    offset, code = member_offset(CONTAINER_HEADER, name)
    larger = struct.unpack_from(code, container, offset)[0] + 32
    data = changed(container, 0, CONTAINER_HEADER, name, larger)
    assert open_it(driver, data, params) == (0, 0, 0, 0)
    with pytest.raises(RbnnError, match=name):
        parse(data)


@pytest.mark.parametrize(
    ("layer", "name", "value"),
    [
        (0, "op", 2), (2, "op", 1), (2, "op", 4), (2, "op", 0), (2, "op", 9), (9, "op", 2),
        (9, "op", 4), (2, "packing", 0), (2, "packing", 1), (2, "packing", 3), (4, "packing", 1),
        (2, "kernel", 0), (2, "kernel", 8), (8, "kernel", 7), (2, "stride", 0), (2, "pad", 3),
        (2, "pad", 255), (4, "pad", 1), (0, "pool", 0), (0, "pool", 3), (2, "pool", 2),
        (2, "stage", 0), (2, "stage", 1), (2, "stage", 3), (4, "stage", 2), (2, "activation", 2),
        (4, "activation", 1), (2, "sign", 2), (2, "output", 0), (2, "output", 4),
        (4, "output", 1), (9, "output", 1), (2, "in_height", 15), (2, "in_channels", 32 + 1),
        (2, "in_channels", 96), (2, "out_height", 0), (2, "out_width", 17),
        (2, "out_channels", 33), (2, "out_channels", 0), (9, "out_channels", 11),
        (2, "shortcut_channels", 31), (2, "shortcut_channels", 64), (4, "shortcut_channels", 32),
        (2, "in_offset", 4), (2, "out_offset", 0xFFFFFFFC), (2, "out_offset", 2),
        (4, "out_offset", 4), (2, "stream_offset", 4), (2, "stream_offset", 0xFFFFFFFC),
        (2, "shortcut_offset", 4), (2, "shortcut_offset", 2), (4, "shortcut_offset", 4),
        (0, "in_offset", 4), (2, "weights_offset", 0xFFFFFFF0), (2, "weights_offset", 8),
        (2, "weights_bytes", 4), (2, "params_offset", 0), (2, "params_offset", 22),
        (2, "params_offset", 0xFFFFFFFC), (9, "params_offset", 1 << 20), (4, "params_offset", 20),
    ],
)  # fmt: skip
def test_layer_members(driver: Driver, container: bytes, layer: int, name: str, value: int) -> None:
    start = CONTAINER_HEADER.size + layer * LAYER.size
    data = changed(container, start, LAYER, name, value)
    status, bad_layer, _, _ = open_it(driver, data)
    assert status == Status.CONTAINER_LAYER
    # A wrong output is noticed where it is made or where it is read.
    assert bad_layer in (layer, layer + 1)
    with pytest.raises(RbnnError):
        parse(data)


def test_an_input_has_at_most_the_bytes_that_a_firmware_takes(
    driver: Driver, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = vgg.topology((104, 96, 3), 10, 32)
    with pytest.raises(RbnnError, match="29,952 bytes; a container has inputs of at most 27,648"):
        plan.plan(large)
    monkeypatch.setattr(device_rules, "MAX_INPUT_BYTES", 1 << 16)
    weights = {
        number: bytes(place.weights_bytes)
        for number, place in enumerate(plan.plan(large).placements)
    }
    model = made.export.container
    data = build(large, model.model_id, model.provider_public, weights, model.tasks).data
    assert open_it(driver, data)[:2] == (Status.CONTAINER_LAYER, 0)


def test_regions_of_a_layer_may_not_overlap(driver: Driver, made: Any) -> None:
    """Bits in the place of the input, of the shortcut; the stream in the place of the input."""
    container = made.export.container
    place = container.plan.placements[2]
    for name, where in (
        ("out_offset", place.in_offset),
        ("out_offset", place.shortcut_offset),
        ("out_offset", place.stream_offset + 64),
        ("stream_offset", place.in_offset),
        ("stream_offset", place.shortcut_offset + 64),
    ):
        start = CONTAINER_HEADER.size + 2 * LAYER.size
        data = changed(container.data, start, LAYER, name, where)
        assert open_it(driver, data)[:2] == (Status.CONTAINER_LAYER, 2), (name, where)


def test_only_what_was_written_there_last_may_be_read(driver: Driver, made: Any) -> None:
    """Layer 3 keeps reading the place that layer 2 no longer writes."""
    container = made.export.container
    places = container.plan.placements
    assert places[3].in_offset == places[2].out_offset != places[1].out_offset
    record = CONTAINER_HEADER.size + 2 * LAYER.size
    moved = changed(container.data, record, LAYER, "out_offset", places[1].out_offset)
    assert open_it(driver, moved)[0] == Status.CONTAINER_LAYER


def test_a_container_asks_for_enough_working_memory(driver: Driver, made: Any) -> None:
    container = made.export.container
    less = container.plan.work_bytes - 4
    data = changed(container.data, 0, CONTAINER_HEADER, "work_bytes", less)
    assert open_it(driver, data)[0] == Status.CONTAINER_LAYER


@pytest.mark.parametrize(
    ("task", "name", "value"),
    [
        (0, "classes", 0), (0, "classes", 11), (0, "sealed_offset", 0),
        (0, "sealed_offset", 0xFFFFFFF0), (1, "sealed_offset", 24), (0, "sealed_bytes", 0),
        (0, "sealed_bytes", 47), (0, "sealed_bytes", 0xFFFFFFFF), (1, "sealed_bytes", 1 << 20),
    ],
)  # fmt: skip
def test_task_members(driver: Driver, container: bytes, task: int, name: str, value: int) -> None:
    start = struct.unpack_from("<I", container, member_offset(CONTAINER_HEADER, "tasks_offset")[0])
    data = changed(container, start[0] + task * TASK.size, TASK, name, value)
    assert open_it(driver, data)[0] == Status.CONTAINER_FORMAT
    with pytest.raises(RbnnError):
        parse(data)


@pytest.mark.parametrize("name", [b"\0" * 16, b"x" * 16, b"a\0b" + bytes(13), b"grey" + bytes(12)])
def test_task_names(driver: Driver, container: bytes, name: bytes) -> None:
    """Empty, not terminated, text after the zero byte, and the same name twice."""
    offset = struct.unpack_from("<I", container, member_offset(CONTAINER_HEADER, "tasks_offset")[0])
    data = bytearray(container)
    data[offset[0] : offset[0] + 16] = name
    assert open_it(driver, with_crc(data))[0] == Status.CONTAINER_FORMAT
    with pytest.raises(RbnnError):
        parse(with_crc(data))


@CASES
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 6))
def test_random_members_never_fault(
    driver: Driver, container: bytes, params: bytes, seed: int, count: int
) -> None:
    """Fuzz the tables and correct the CRC-32; what is accepted must also run."""
    random_source = random.Random(seed)
    tables = CONTAINER_HEADER.size + 10 * LAYER.size + 2 * TASK.size
    data = bytearray(container)
    for _ in range(count):
        position = random_source.randrange(4, tables)
        data[position] = random_source.choice([0, 1, 2, 16, 31, 32, 127, 128, 255])
    for _ in range(random_source.randrange(3)):
        position = random_source.randrange(4, tables - 4) // 4 * 4
        value = random_source.choice([0, 1, 4, 20, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFC])
        struct.pack_into("<I", data, position, value)
    fixed = with_crc(data)
    status, _, check, infer = open_it(driver, fixed, params)
    if check == Status.OK:
        assert infer == Status.OK
    try:
        parse(fixed)
    except RbnnError:
        return
    assert status == Status.OK


@CASES
@given(st.binary(max_size=400))
def test_random_bytes_never_fault(driver: Driver, data: bytes) -> None:
    assert open_it(driver, data)[0] < 0
    assert open_it(driver, with_crc(b"RBNN" + data))[0] < 0
