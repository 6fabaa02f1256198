"""The public header repeats types of the firmware: with one too few, memory past them is read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rbnn
from rbnn.places import firmware_folder

HEADER = Path(rbnn.__file__).parent / "library" / "templates" / "api.h.j2"
SOURCES = {"rbnn_flash": "store/flash.h", "rbnn_task_state": "licence/vault.h"}


def members(text: str, name: str) -> list[str]:
    """What stands between the braces of a type, without comments and layout."""
    plain = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    found = re.search(
        rf"typedef (?:struct|enum) {{([^{{}}]*(?:{{[^}}]*}})?[^{{}}]*)}} {name};", plain
    )
    assert found is not None, name
    return [" ".join(one.split()) for one in re.split(r"[;,](?![^(]*\))", found[1]) if one.strip()]


@pytest.mark.parametrize("name", SOURCES)
def test_public_types_are_those_of_the_firmware(name: str) -> None:
    own = members((firmware_folder() / SOURCES[name]).read_text(), name)
    assert len(own) > 3
    assert members(HEADER.read_text(), name) == own
