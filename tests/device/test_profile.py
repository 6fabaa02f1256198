"""``rbnn profile`` against a device that answers from a script."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from scripted_device import ScriptedDevice
from test_session import Buffer

from rbnn.device.profile import profile_task
from rbnn.device.session import Session
from rbnn.image.board import load_board

Make = Callable[..., ScriptedDevice]


@pytest.mark.parametrize(
    ("emulated", "unit", "counts"), [(True, "instructions", 125), (False, "cycles", 100)]
)
def test_the_first_inference_after_a_switch_is_not_counted(
    device: Make, emulated: bool, unit: str, counts: int
) -> None:
    buffer = Buffer()
    far = device(
        db=buffer.db,
        crc=buffer.crc,
        tasks="m-task-[0,words,2,unlocked]",
        switch="m-lap-us-1\nm-lap-us-2\nm-active-[words]",
        labels="m-input-[32,32,1]\nm-label-[0,a]",
        infer="m-lap-us-1\nm-lap-us-900\nm-results-[1.000000]",
        trace="m-layer-[0,stem,100,deadbeef]\nm-results-[1.000000]\nm-ticks-hz-[25000000]",
    )
    target = SimpleNamespace(open=lambda: Session(far.path), board=load_board("qemu"))
    found = profile_task(target, "words", None, emulated=emulated)  # type: ignore[arg-type]
    words = [command.split()[0] for command in far.received if command]
    assert words.index("switch") < words.index("infer") < words.index("trace")
    assert (found.unit, found.counts) == (unit, counts)
