"""Addresses and bits of the ports, against the vendors' headers.

What the headers say is in a table beside this file, with the header's name and revision: QEMU has
none of these chips, and no board was at hand.
"""

from __future__ import annotations

import pytest
from chips import HERE, Family

FAMILIES = sorted(path.stem for path in HERE.glob("*.json"))
CORE = 0xE000_0000
"""From here on, registers are Arm's."""


@pytest.mark.parametrize("name", FAMILIES)
def test_every_register_is_where_the_vendor_s_header_has_it(name: str) -> None:
    family = Family(name)
    registers, _ = family.defined()
    own = {register: address for register, address in registers.items() if address < CORE}
    assert own and own == {name: family.registers[name] for name in own}


@pytest.mark.parametrize("name", FAMILIES)
def test_every_bit_is_the_one_of_the_vendor_s_header(name: str) -> None:
    family = Family(name)
    _, constants = family.defined()
    bits = {bit: int(value, 16) for bit, (_, value) in family.vendor["bits"].items()}
    assert bits and bits == {bit: constants[bit] for bit in bits}
