"""The size report: which part gets which bytes, and that too many are refused with the numbers."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from rbnn.image.errors import FitError
from rbnn.image.linkmap import Piece, pieces
from rbnn.image.sizes import PartSize, SizeReport, check_fits, table

MAP = """
Discarded input sections

 .text          0x00000000       0x40 /b/core/unused.o

Linker script and memory map

.text           0x00000000     0x1000
 *(.vectors)
 .vectors       0x00000000      0x1c0 /b/port/armv7m/startup.o
 .text.short    0x000001c0       0x20 /b/core/engine.o
                0x000001c0                short
 .text.rbnn_a_long_function_name
                0x000001e0       0x30 /b/link/line.o
 .text          0x00000210       0x10 /usr/lib/libc_nano.a(memcpy.o)
 *fill*         0x00000220        0x4 00
 .text.empty    0x00000224        0x0 /b/core/engine.o

/DISCARD/
 *(.comment)
 .comment       0x00000000       0x20 /b/core/engine.o

.bss            0x20004000       0x80
 .bss.arena     0x20004000       0x80 /b/src/main.o
"""


def report(**changes: int) -> SizeReport:
    values = {
        "flash": 100_000,
        "flash_limit": 393_216,
        "ram": 50_000,
        "ram_limit": 131_072,
        "stack": 16_384,
        "provisioning": 1_696,
        "provisioning_limit": 131_072,
    } | changes
    part = PartSize(part="engine", flash=values["flash"], ram=values["ram"])
    return SizeReport(board="nucleo", parts=(part,), **values)


def test_map_file() -> None:
    assert list(pieces(MAP)) == [
        Piece(".text", ".vectors", 0x1C0, "/b/port/armv7m/startup.o"),
        Piece(".text", ".text.short", 0x20, "/b/core/engine.o"),
        Piece(".text", ".text.rbnn_a_long_function_name", 0x30, "/b/link/line.o"),
        Piece(".text", ".text", 0x10, "/usr/lib/libc_nano.a(memcpy.o)"),
        Piece(".bss", ".bss.arena", 0x80, "/b/src/main.o"),
    ]


def test_what_fits_passes() -> None:
    check_fits(report())
    check_fits(report(flash=393_216, ram=131_072, provisioning=131_072))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"flash": 393_217}, "flash needs 393,217 bytes of 393,216 (1 too many)"),
        ({"ram": 140_000}, "RAM needs 140,000 bytes of 131,072 (8,928 too many)"),
        ({"provisioning_limit": 1_000}, "the provisioning partition needs 1,696 bytes of 1,000"),
    ],
)
def test_too_many_bytes_are_refused_with_the_numbers(changes: dict[str, int], said: str) -> None:
    with pytest.raises(FitError) as refusal:
        check_fits(report(**changes))
    assert said in refusal.value.what and "nucleo" in refusal.value.what
    assert refusal.value.fix


def test_every_memory_that_is_too_small_is_named() -> None:
    with pytest.raises(FitError, match=r"flash .*; RAM "):
        check_fits(report(flash=400_000, ram=140_000))


def test_table_and_json_have_the_same_figures() -> None:
    made = report()
    screen = Console(file=io.StringIO(), width=80)
    screen.print(table(made))
    shown = screen.file.getvalue()  # type: ignore[attr-defined]
    for number in ("100,000", "393,216", "50,000", "131,072", "1,696"):
        assert number in shown
    assert SizeReport.model_validate_json(made.model_dump_json()) == made
