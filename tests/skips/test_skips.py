"""No single instruction, if the core leaves it out, opens a task or lifts the inference limit."""

from __future__ import annotations

import functools
import random
import shutil
from collections.abc import Callable
from typing import Any

import pytest
from campaign import Outcome, Session, Skip, Verdicts, campaign
from elftools.elf.elffile import ELFFile
from emulated_core import End
from sessions import (
    INFER,
    LOCKED,
    OPEN,
    PROVIDER,
    Chip,
    ask,
    make_chip,
    over_activations,
    over_limit,
    wrong_key,
)
from trust_rows import Trust, trust_row

from rbnn.image import platformio
from rbnn.image.board import load_board

Begun = tuple[Session, Callable[[Outcome], str]]
Begin = Callable[[Chip], Begun]
HARMLESS = ("refused", *(end.value for end in End))
HOW = (
    "each instruction that is executed, at its first and its last execution in each command, in "
    "the release ELF for the emulated Cortex-M4"
)
pytestmark = pytest.mark.skipif(
    not shutil.which("arm-none-eabi-gcc"), reason="arm-none-eabi-gcc is not installed"
)


@pytest.fixture(scope="module")
def chip(random_export: Callable[..., Any]) -> Chip:
    """A small network on a licensed device."""
    made = random_export(
        provider_public=PROVIDER.public, side=16, tasks=((OPEN, 5, 3), (LOCKED, 4, 1))
    )
    built = platformio.build(load_board("qemu"), made.export.folder)
    return make_chip(built.elf, built.board, made.export.container, made.secrets)


@pytest.fixture(scope="module")
def begun(chip: Chip) -> Callable[[Begin], Begun]:
    """A session that was traced once for all tests, and its judge."""
    return functools.cache(lambda begin: begin(chip))


def chosen(session: Session, trust: Trust, quick: dict[str, int]) -> list[Skip]:
    """All skips; or by step, some at random."""
    every = list(session.skips())
    if trust.full:
        return every
    found = []
    for step, count in quick.items():
        of_step = [skip for skip in every if skip.step == step]
        found += random.Random(1).sample(of_step, min(count, len(of_step)))
    return found


def counting(chip: Chip) -> tuple[int, int]:
    """Where in flash the functions of vault_counts.c are."""
    with chip.elf.open("rb") as stream:
        table = ELFFile(stream).get_section_by_name(".symtab")
        names = ("rbnn_vault_count_activation", "rbnn_vault_count", "rbnn_vault_confirm")
        found = [table.get_symbol_by_name(name)[0].entry for name in names]
    ends = [(one.st_value & ~1) + one.st_size for one in found]
    return min(one.st_value & ~1 for one in found), max(ends)


def figures(verdicts: Verdicts, names: tuple[str, ...]) -> str:
    """Counts of verdicts, the named ones first."""
    others = sorted(set(verdicts) - set(names))
    return ", ".join(f"{len(verdicts.get(name, []))} {name}" for name in (*names, *others))


def places(skips: list[Skip]) -> list[str]:
    """For messages: addresses for addr2line."""
    return [f"{skip.address:#x} ({skip.step}, execution {skip.execution})" for skip in skips]


@trust_row("skips-wrong-key", f"Instruction skips from reset to inference, wrong key: {HOW}",
           "0 usable, 0 with keys in RAM")  # fmt: skip
def test_no_skipped_instruction_opens_a_task(begun: Callable[[Begin], Begun], trust: Trust) -> None:
    session, judge = begun(wrong_key)
    quick = {"start": 5, "unlock with a wrong key": 20, "switch to the locked task": 40}
    skips = chosen(session, trust, {**quick, "infer": 20})
    verdicts = campaign(session, skips, judge)
    trust.measured(figures(verdicts, ("usable", "keys")), len(skips))
    opened = verdicts["usable"] + verdicts["keys"]
    assert not opened, places(opened)
    assert verdicts["refused"]


@trust_row("skips-limit", f"Instruction skips from reset to inference, inference limit: {HOW}",
           "0 bypassed")  # fmt: skip
def test_no_skipped_instruction_lifts_the_limit(
    begun: Callable[[Begin], Begun], trust: Trust
) -> None:
    session, judge = begun(over_limit)
    quick = {"start": 5, "unlock": 10, "switch": 30, "infer within the limit": 20}
    skips = chosen(session, trust, {**quick, "infer beyond the limit": 100})
    verdicts = campaign(session, skips, judge)
    trust.measured(figures(verdicts, ("bypassed",)), len(skips))
    assert not verdicts["bypassed"], places(verdicts["bypassed"])
    assert verdicts["refused"]


@trust_row("skips-activations",
           f"Instruction skips from reset to inference, activation limit: {HOW}",
           "0 bypassed")  # fmt: skip
def test_no_skipped_instruction_lifts_the_activation_limit(
    begun: Callable[[Begin], Begun], trust: Trust
) -> None:
    session, judge = begun(over_activations)
    quick = {"switch within the limit": 30, "switch beyond the limit": 40, "infer again": 10}
    skips = chosen(session, trust, quick)
    verdicts = campaign(session, skips, judge)
    trust.measured(figures(verdicts, ("bypassed",)), len(skips))
    assert not verdicts["bypassed"], places(verdicts["bypassed"])
    assert verdicts["refused"]


@pytest.mark.parametrize("make", [over_limit, over_activations])
def test_no_skip_where_counts_are_kept_lifts_a_limit(
    chip: Chip, begun: Callable[[Begin], Begun], make: Begin
) -> None:
    """All of them in ``rbnn_vault_count`` and its neighbours, in every step."""
    session, judge = begun(make)
    first, last = counting(chip)
    skips = [skip for skip in session.skips() if first <= skip.address < last]
    assert len(skips) > 50
    verdicts = campaign(session, skips, judge)
    assert not verdicts["bypassed"], places(verdicts["bypassed"])


def test_a_stop_without_a_skip_changes_nothing(begun: Callable[[Begin], Begun]) -> None:
    """So that what a skip does is not what the emulator does."""
    session, _ = begun(wrong_key)
    number = [step.name for step in session.steps].index("switch to the locked task")
    of_step = [skip for skip in session.skips() if skip.step == session.steps[number].name]
    in_blocks = {place.address for place in session.places[number] if place.address != place.start}
    assert in_blocks
    some = random.Random(2).sample(of_step, 20)
    some += [skip for skip in of_step if skip.address in in_blocks][:10]
    usual = "".join(session.printed[number:]).split("\r\n")
    ends = {session.run(skip, leave_out=False).ram for skip in some}
    assert len(ends) == 1
    assert session.run(some[0], leave_out=False).printed == usual


def test_an_opened_device_is_noticed(chip: Chip, begun: Callable[[Begin], Begun]) -> None:
    _, judge = begun(wrong_key)
    skip = Skip("switch to the locked task", 0, 1)
    core = chip.power_on()
    scores = ask(core, chip.unlock(LOCKED), b"switch grey%")
    assert judge(Outcome(skip, End.WAITS, scores, core.ram())) == "keys"
    scores = ask(core, *chip.image(1, 1), INFER)
    assert judge(Outcome(skip, End.WAITS, scores, core.ram())) == "usable"
    assert judge(Outcome(skip, End.WAITS, ["m-results-[1.000000]"], b"")) == "other scores"
