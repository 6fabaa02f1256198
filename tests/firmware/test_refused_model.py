"""A container that the firmware cannot run: it names the layer, and still answers the line."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import host_firmware
import pytest
from host_firmware import HostFirmware, error_name

from rbnn.container.container import CRC_OFFSET, Container, container_crc32
from rbnn.export.carray import FEATURES_FILE, image_source
from rbnn.spec.layout import CONTAINER_HEADER, LAYER
from rbnn.spec.puf import PATTERN_BYTES


class Damaged:
    """What ``image_source`` needs of a container, with other bytes."""

    def __init__(self, container: Container, data: bytes) -> None:
        self.data = data
        self.model_id = container.model_id
        self.digest = container.digest


@pytest.fixture(scope="module")
def refused(random_export: Callable[..., Any]) -> Path:
    """A firmware whose model's third layer has a window of 200 pixels."""
    export = random_export(architecture="resnet").export
    data = bytearray(export.container.data)
    data[CONTAINER_HEADER.size + 2 * LAYER.size + 2] = 200
    struct.pack_into("<I", data, CRC_OFFSET, container_crc32(bytes(data)))
    damaged: Any = Damaged(export.container, bytes(data))
    (export.folder / "model_image.c").write_text(image_source(damaged))
    return host_firmware.build(export.folder)


def test_the_layer_is_named(refused: Path, tmp_path: Path) -> None:
    with HostFirmware(refused, bytes(PATTERN_BYTES), tmp_path) as firmware:
        for command in ("tasks", "infer 1", "switch colour", "trace"):
            answer = firmware.ask(command)
            assert error_name(answer) == "container-layer"
            assert answer[0].endswith("does not fit this firmware: layer 2]")
        assert firmware.ask("profile")[1] == "m-model-[none]"
        assert error_name(firmware.ask("nonsense")) == "unknown-command"


def test_a_feature_that_the_firmware_was_built_without(
    random_export: Callable[..., Any], tmp_path: Path
) -> None:
    """Its stem has no RPReLU, its first convolution has."""
    folder = random_export(architecture="reactnet").export.folder
    features = folder / FEATURES_FILE
    text = features.read_text()
    assert "#define RBNN_WITH_RPRELU 1\n" in text
    features.write_text(text.replace("RPRELU 1", "RPRELU 0"))
    program = host_firmware.build(folder)
    with HostFirmware(program, bytes(PATTERN_BYTES), tmp_path) as firmware:
        answer = firmware.ask("tasks")
        assert error_name(answer) == "container-layer"
        assert answer[0].endswith("does not fit this firmware: layer 1]")
