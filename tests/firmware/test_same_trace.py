"""The image of a Cortex-M4 takes the same way and accesses the same memory for all secrets.

Power-on with the sketch's decoding, enrolment, opening a licence and switching run in an emulator
that notes each basic block and each address. Fingerprints, their noise, user keys, licences, task
secrets and weights differ.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from emulated_device import PROVIDER
from traced_firmware import Trace, TracedFirmware
from trust_rows import Trust, trust_row

from rbnn.image import platformio
from rbnn.image.board import load_board
from rbnn.image.platformio import BuildResult
from rbnn.keys import licence, provisioning, puf
from rbnn.keys.fingerprint import Fingerprint
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import UserKey
from rbnn.spec import kdf
from rbnn.spec.status import Status

pytestmark = pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None,
    reason="apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi",
)
TASK = "grey"
SHAPES = {"rbnn_layer_is_served", "plan_of"}
"""Functions that divide, on a Cortex-M4 in a time that depends on the operands: the model's shapes,
which are public."""

same_trace_row = trust_row(
    "same-trace",
    "Traces of the image for the Nucleo, in an emulator that notes each basic block and address, "
    "of devices with other fingerprints, noise, user keys, task secrets and models: power-on, a "
    "wrong and a right key, switch, inference (its way only), enrolment (its way and what it "
    "writes)",
    "0 differ",
)
RETURN_AT_ONCE = bytes.fromhex("7047")
"""The instruction `bx lr`."""
INTERRUPT_BYTES = 128
"""More than an interrupt's frame and its handler take."""


class Device:
    """A powered device with one licence, called through ``device/device.h``."""

    def __init__(self, build: BuildResult, made: Any, number: int, chip: int) -> None:
        self.firmware = TracedFirmware(build)
        self._board = build.board
        container = made.export.container
        self._task = container.task_number(TASK)
        self._images = made.images[TASK]
        fingerprint = Fingerprint.draw(chip)
        enrolment = puf.enroll(fingerprint.reference)
        root = enrolment.root.reveal()
        private = X25519PrivateKey.from_private_bytes(kdf.derive(root, kdf.Label.DEVICE_X25519))
        owner = UserKey(Secret(np.random.default_rng(number).bytes(32)))
        issued = licence.issue(
            PROVIDER, private.public_key().public_bytes_raw(), owner, container.model_id,
            container.digest, self._task, made.secrets[TASK], sequence=1,
        )  # fmt: skip
        self.psk = owner.psk(issued.licence_id)
        self.wrong = owner.psk(bytes(16))
        self._partition = provisioning.build(enrolment.helper_record, [issued])
        # Up to 15 % of the bits differ from those at enrolment.
        self._pattern = fingerprint.power_up(0.05 * number, np.random.default_rng(number))

    def start(self, *, enrolled: bool = True) -> Trace:
        """Power-on."""
        firmware, flash = self.firmware, self._board.provisioning
        partition = self._partition if enrolled else b"\xff" * len(self._partition)
        firmware.write(flash.address, partition)
        pattern = firmware.address("puf_region")
        firmware.write(pattern, self._pattern)
        size = int.from_bytes(
            firmware.read(firmware.address("rbnn_model_image_bytes"), 4), "little"
        )
        device, memory, model = map(firmware.address, ("device", "memory", "rbnn_model_image"))
        return firmware.call(
            "rbnn_device_start",
            *(device, memory, model, size, flash.address, flash.bytes, pattern),
            0,  # no store: this emulator has no flash controller
        )

    def enroll(self) -> Trace:
        """Like `enroll`; the record goes where the line is. Its loads are in IT blocks."""
        firmware = self.firmware
        device, record = firmware.address("device"), firmware.address("serial") + 4
        return firmware.call("rbnn_device_enroll", device, record, reads=False)

    def unlock(self, psk: bytes) -> Trace:
        """Like `unlock`."""
        device, place = self.firmware.address("device"), self.firmware.address("serial") + 4
        self.firmware.write(place, psk)
        return self.firmware.call("rbnn_device_unlock", device, self._task, place)

    def switch(self) -> Trace:
        """Like `switch`."""
        return self.firmware.call("rbnn_device_switch", self.firmware.address("device"), self._task)

    def lock(self) -> Trace:
        """Like `lock`."""
        return self.firmware.call("rbnn_device_lock", self.firmware.address("device"))

    def infer(self, sample: int) -> Trace:
        """Like `infer`; the logits go where the line is, before the input."""
        device, serial = self.firmware.address("device"), self.firmware.address("serial")
        image = self._images[sample].tobytes()
        self.firmware.write(serial + 512, image)
        return self.firmware.call("rbnn_device_infer", device, serial + 512, len(image), serial + 4)


@pytest.fixture(scope="module")
def devices(random_export: Callable[..., Any]) -> list[Device]:
    """Two models of one shape with other secrets, weights and parameters; on the first, two chips
    and two power-ups of one of them."""
    found = []
    for seed, chips in ((31, {1: 1, 2: 2, 3: 1}), (32, {1: 3})):
        made = random_export(seed=seed, provider_public=PROVIDER.public, trunk=2, side=16, depth=3)
        build = platformio.build(load_board("nucleo"), made.export.folder)
        found += [Device(build, made, number, chip) for number, chip in chips.items()]
    return found


def same(
    devices: list[Device], call: Callable[[Device], Trace], *, path_only: bool = False
) -> Trace:
    """Call a function on all devices, which must give the same trace."""
    first, *others = [call(device) for device in devices]
    for device, other in zip(devices[1:], others, strict=True):
        assert other.status == first.status
        if other.path != first.path or not (path_only or other.addresses == first.addresses):
            pytest.fail(f"other secrets, another trace: {device.firmware.parting(first, other)}")
    return first


def divisions(devices: list[Device], trace: Trace) -> set[str]:
    return set(devices[0].firmware.divisions(trace))


@same_trace_row
def test_no_trace_depends_on_a_secret(devices: list[Device], trust: Trust) -> None:
    trust.measured("a trace differs", 0)
    started = same(devices, Device.start)
    assert started.status == Status.OK and divisions(devices, started) <= SHAPES
    refused = same(devices, lambda device: device.unlock(device.wrong))
    assert refused.status == Status.LICENCE_REFUSED and not divisions(devices, refused)
    opened = same(devices, lambda device: device.unlock(device.psk))
    assert opened.status == Status.OK and not divisions(devices, opened)
    switched = same(devices, Device.switch)
    assert switched.status == Status.OK and not divisions(devices, switched)
    # Inference looks up tables at addresses that depend on weights (docs/security.md).
    inferred = same(devices, lambda device: device.infer(0), path_only=True)
    assert inferred.status == Status.OK and inferred.blocks > 10_000
    trust.measured("0 of those without enrolment differ", 5 * len(devices))
    # That differences would be seen: the way of a refusal, the addresses of another input.
    assert refused.path != opened.path
    assert devices[0].infer(1).addresses != inferred.addresses


@same_trace_row
def test_no_trace_of_an_enrolment_depends_on_the_fingerprint(
    devices: list[Device], trust: Trust
) -> None:
    trust.measured("a trace of enrolment differs", 0)
    one, two, *_ = devices
    same([one, two], lambda device: device.start(enrolled=False))
    enrolled = same([one, two], Device.enroll)
    assert enrolled.status == Status.OK and not divisions(devices, enrolled)
    trust.measured("0 of enrolment differ", 4)


def test_the_stack_is_wiped_as_deep_as_any_call_goes(devices: list[Device]) -> None:
    device = devices[0]
    wipe = device.firmware.address("rbnn_wipe_stack")
    wiped = device.firmware.call("rbnn_wipe_stack").stack
    kept = device.firmware.read(wipe, len(RETURN_AT_ONCE))
    device.firmware.write(wipe, RETURN_AT_ONCE)
    device.start(enrolled=False)
    calls = [device.enroll(), device.start(), device.unlock(device.wrong)]
    calls += [device.unlock(device.psk), device.switch(), device.infer(0), device.lock()]
    device.firmware.write(wipe, kept)
    deepest = max(call.stack for call in calls)
    assert 1000 < deepest < wiped - INTERRUPT_BYTES, (deepest, wiped)
