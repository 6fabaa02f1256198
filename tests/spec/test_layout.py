"""Records: sizes that SPEC.md states, round trips, refusals."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rbnn.spec import layout
from rbnn.spec.structs import Field, Record, Value


def values_of(record: Record) -> st.SearchStrategy[dict[str, Value]]:
    def one(field: Field) -> st.SearchStrategy[Value]:
        bits = int(field.kind[1:])
        low, high = (
            (0, 2**bits - 1) if field.kind[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        )
        if field.count == 1:
            return st.integers(low, high)
        if field.kind == "u8":
            return st.binary(min_size=field.count, max_size=field.count)
        return st.tuples(*[st.integers(low, high)] * field.count)

    return st.fixed_dictionaries({field.name: one(field) for field in record.fields})


@pytest.mark.parametrize(
    ("record", "size"),
    [
        (layout.CONTAINER_HEADER, 124),
        (layout.LAYER, 52),
        (layout.TASK, 28),
        (layout.PARAMS_HEADER, 52),
        (layout.LICENCE_PROLOGUE, 84),
        (layout.HELPER_HEADER, 8),
        (layout.PROVISIONING_HEADER, 16),
    ],
)
def test_sizes_are_those_of_the_specification(record: Record, size: int) -> None:
    assert record.size == size


@pytest.mark.parametrize("record", layout.RECORDS, ids=lambda record: record.name)
def test_members_are_naturally_aligned(record: Record) -> None:
    for field in record.fields:
        assert record.offset(field.name) % (int(field.kind[1:]) // 8) == 0, field.name


@pytest.mark.parametrize("record", layout.RECORDS, ids=lambda record: record.name)
@given(data=st.data())
def test_round_trip(record: Record, data: st.DataObject) -> None:
    values = data.draw(values_of(record))
    packed = record.pack(values)
    assert len(packed) == record.size
    assert record.unpack(b"\xa5" * 3 + packed, 3) == values


def test_pack_refuses_missing_unknown_and_out_of_range_members() -> None:
    good: dict[str, Value] = {
        "name": b"a" * 16,
        "classes": 1,
        "front_end": 0,
        "benchmark": 0,
        "sealed_offset": 0,
        "sealed_bytes": 0,
    }
    layout.TASK.pack(good)
    for bad in (
        {key: value for key, value in good.items() if key != "classes"},
        good | {"extra": 1},
        good | {"classes": 65536},
        good | {"name": b"short"},
    ):
        with pytest.raises(ValueError, match="task"):
            layout.TASK.pack(bad)


@given(st.binary(max_size=layout.TASK.size - 1))
def test_unpack_refuses_a_cut_record(data: bytes) -> None:
    with pytest.raises(ValueError, match="needs 28 bytes"):
        layout.TASK.unpack(data)
