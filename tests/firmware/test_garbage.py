"""Whatever arrives on the line, the firmware neither crashes nor loses step (sanitizers watch)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from host_firmware import HostFirmware
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from licensed_model import LicensedModel

from rbnn.spec import link

WORDS = [command.word.encode() for command in link.COMMANDS if command.word != "reset"]
PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([*WORDS, b"load", b"print", b" ", b"%", b"0", b"99999999999", b"ff", b"\r\n"]),
    st.integers(0, 9000).map(lambda number: str(number).encode()),
    st.binary(max_size=600).map(lambda data: data.hex().encode()),
)


@pytest.fixture(scope="module")
def survivor(
    licensed: LicensedModel, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[HostFirmware]:
    """One device that has to live through all examples."""
    folder: Path = tmp_path_factory.mktemp("survivor")
    with HostFirmware(licensed.program, licensed.pattern, folder, licensed.partition) as firmware:
        yield firmware


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(pieces=st.lists(PIECES, max_size=12))
def test_garbage(survivor: HostFirmware, pieces: list[bytes]) -> None:
    # `reset` would end the answer elsewhere; anything else that looks like it is not a command.
    garbage = b"".join(pieces).replace(b"reset", b"rested")
    survivor.send(garbage)
    for _ in range(garbage.count(b"%")):
        survivor.answer()
    survivor.send(b"%")
    survivor.answer()
    assert survivor.ask("name") == ["m-name-dut-[host]"]


def test_every_prefix_of_a_command(survivor: HostFirmware) -> None:
    command = b"unlock colour " + b"0" * 64
    for size in range(1, len(command)):
        answer = survivor.ask(command[:size])
        assert len(answer) == 1 and answer[0].startswith("e-[")
