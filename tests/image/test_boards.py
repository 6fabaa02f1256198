"""Board manifests: consistent with linker scripts and PlatformIO, or refused with a reason."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import pytest

from rbnn.image.board import BoardError, Region, board_names, load_board
from rbnn.image.defaults import BOARDS_VARIABLE
from rbnn.places import boards_folder
from rbnn.spec.puf import PATTERN_BYTES

MARKER_BYTES = 8
_SHORTER = re.compile(r"DEFINED\(rbnn_has_partition\) \? 0x[0-9A-F]+ : ")
_MEMORY = re.compile(r"(\w+) \(\w+\)\s*: ORIGIN = (0x[0-9A-F]+), LENGTH = (0x[0-9A-F]+)")


def test_the_two_boards_of_this_version() -> None:
    assert {"qemu", "nucleo"} <= set(board_names())
    assert load_board("qemu").is_emulated_only
    assert not load_board("nucleo").is_emulated_only


def _region(one: Region) -> Region:
    return Region(address=one.address, bytes=one.bytes)


@pytest.mark.parametrize("name", board_names())
def test_linker_script_and_manifest_agree(name: str) -> None:
    board = load_board(name)
    manifest = json.loads(board.manifest.read_text())
    script = (board.folder / manifest["build"]["ldscript"]).read_text()
    found = {
        region: Region(address=int(origin, 16), bytes=int(length, 16))
        for region, origin, length in _MEMORY.findall(_SHORTER.sub("", script))
    }
    assert found == {
        "flash": board.flash,
        "provisioning": board.provisioning,
        "store": board.store,
        **({"boot": board.boot} if board.boot else {}),
        "ram": board.ram,
        "noinit": board.noinit,
        **({"model": _region(board.model)} if board.model else {}),
    }
    if board.model and board.model.end == board.flash.end:
        (shorter,) = _SHORTER.findall(script)
        assert int(shorter.split()[2], 16) == board.program_bytes(partition=True)
        assert board.flash.address < board.model.address
    assert manifest["upload"]["maximum_size"] == board.flash.bytes
    assert manifest["upload"]["maximum_ram_size"] == board.ram.bytes


@pytest.mark.parametrize("name", board_names())
def test_regions_follow_each_other(name: str) -> None:
    board = load_board(name)
    regions = sorted(
        (one for one in (board.boot, board.flash, board.provisioning, board.store) if one),
        key=lambda one: one.address,
    )
    assert all(a.end <= b.address for a, b in itertools.pairwise(regions))
    assert board.image.end == board.flash.end
    assert board.ram.end <= board.noinit.address
    assert board.noinit.bytes >= PATTERN_BYTES + 1 + MARKER_BYTES
    assert board.puf == Region(address=board.noinit.address, bytes=PATTERN_BYTES)
    assert board.stack_bytes < board.ram.bytes


def test_nucleo_never_erases_one_part_with_another() -> None:
    """RM0390, table 4: an STM32F446RE has sectors of 4 x 16 KB, 64 KB, 3 x 128 KB."""
    board = load_board("nucleo")
    sizes = [0x4000] * 4 + [0x1_0000] + [0x2_0000] * 3
    starts = [0x0800_0000 + sum(sizes[:number]) for number in range(len(sizes))]

    def sectors(region: Region) -> set[int]:
        return {
            number
            for number, (start, size) in enumerate(zip(starts, sizes, strict=True))
            if start < region.end and start + size > region.address
        }

    assert board.boot is not None
    # What the port's flash.c erases as the store's two pages.
    assert sectors(board.store) == {1, 2} and board.store.address == starts[1]
    assert sectors(board.boot) == {0} and sectors(board.provisioning) == {3}
    assert sectors(board.flash) == {4, 5, 6, 7}
    assert board.model is not None and board.model.sector_bytes == sizes[5]
    assert sectors(board.model) == {5, 6, 7} and board.model.address == starts[5]
    assert board.flash.end == 0x0808_0000


def test_unknown_board_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BoardError, match="Unknown board 'nukleo'") as refusal:
        load_board("nukleo")
    assert "nucleo" in refusal.value.fix and "qemu" in refusal.value.fix


@pytest.mark.parametrize("name", ["../boards/qemu", "qemu/board.json", ""])
def test_a_board_is_a_name_not_a_path(name: str) -> None:
    with pytest.raises(BoardError, match="Unknown board"):
        load_board(name)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("{", "JSON"),
        ('{"name": "x", "build": {"cpu": "m", "f_cpu": "1L"}}', "rbnn: Field required"),
        (None, "rbnn.stack_bytes"),
    ],
)
def test_unusable_manifest_names_the_member(
    change: str | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if change is None:
        manifest = json.loads((boards_folder() / "qemu" / "board.json").read_text())
        manifest["rbnn"]["stack_bytes"] = -8
        change = json.dumps(manifest)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "board.json").write_text(change)
    monkeypatch.setenv(BOARDS_VARIABLE, str(tmp_path))
    with pytest.raises(BoardError, match=re.escape(said)):
        load_board("mine")
