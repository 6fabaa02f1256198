"""``make bench-engines``: what it refuses, what it counts, and the table that it writes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from rbnn.bench.engines.__main__ import table_source
from rbnn.bench.engines.engines import ENGINES, Engine
from rbnn.bench.engines.measure import EngineError, best_counts, commit
from rbnn.cost import peer_table

NEEDED = ("arm-none-eabi-gcc", "qemu-system-arm")
PROGRAM = """#include "standard.h"
#include "rounds.h"
static void run(const standard_layer *layer)
{
  uint32_t rounds = (uint32_t)layer->inputs * ROUNDS;
  __asm volatile("1: subs %0, %0, #1\\n bne 1b" : "+r"(rounds)::"cc");
}
static int zero(const standard_layer *layer, int y, int x, int k)
{
  (void)layer;
  return 0 * (y + x + k);
}
static int other(const standard_layer *layer, int y, int x, int k)
{
  return zero(layer, y, x, k) + OFF;
}
void measure_engine(void) { measure(&standard[DENSE], "spin", run, zero, other); }
"""


def checkout(folder: Path, name: str, files: dict[str, str]) -> str:
    """A repository with one commit; returns it."""
    git = ["git", "-C", str(folder / name), "-c", "user.name=a", "-c", "user.email=a@b"]
    (folder / name).mkdir(parents=True)
    for file, text in files.items():
        (folder / name / file).write_text(text)
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *words], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return head.stdout.strip()


def engine(program: Path, **others: object) -> Engine:
    program.write_text(PROGRAM)
    return Engine("Spin", "example.org/a/spin", str(program), ["spin*.c"], ["."], **others)  # type: ignore[arg-type]


def test_a_missing_checkout_is_named_with_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(EngineError) as caught:
        commit(ENGINES[0], tmp_path)
    assert str(tmp_path / "3pxnet") in caught.value.what
    assert caught.value.fix == (
        f"Run: git clone https://github.com/nanocad-lab/3pxnet {tmp_path / '3pxnet'}"
    )


def test_the_commit_is_that_of_an_unchanged_checkout(tmp_path: Path) -> None:
    head = checkout(tmp_path, "3pxnet", {"a.c": "int a;"})
    assert commit(ENGINES[0], tmp_path) == head
    (tmp_path / "3pxnet" / "a.c").write_text("int b;")
    with pytest.raises(EngineError, match="were changed"):
        commit(ENGINES[0], tmp_path)


def test_a_copy_of_the_files_without_git_is_refused(tmp_path: Path) -> None:
    checkout(tmp_path, "around", {"a.c": "int a;"})
    (tmp_path / "around" / "3pxnet").mkdir()
    with pytest.raises(EngineError, match="its commit is unknown"):
        commit(ENGINES[0], tmp_path / "around")


@pytest.mark.qemu
@pytest.mark.skipif(not all(map(shutil.which, NEEDED)), reason=f"needs {', '.join(NEEDED)}")
def test_the_best_choice_of_flags_counts(tmp_path: Path) -> None:
    head = "#define OFF 0\n#ifndef ROUNDS\n#define ROUNDS 9\n#endif\n"
    checkout(tmp_path, "spin", {"rounds.h": head, "spin.c": "not C;"})
    spin = engine(
        tmp_path / "program.c",
        choices=((), ("-DROUNDS=4",)),
        corrections=(("not C;", "int corrected;"),),
    )
    found = best_counts(spin, tmp_path, tmp_path / "build")
    assert list(found) == ["dense"]
    assert found["dense"].kernel == "spin" and found["dense"].flags.endswith(" -DROUNDS=4")
    assert 0 <= found["dense"].instructions - 2 * 4 * 1024 <= 40


@pytest.mark.qemu
@pytest.mark.skipif(not all(map(shutil.which, NEEDED)), reason=f"needs {', '.join(NEEDED)}")
def test_a_kernel_that_computes_something_else_is_refused(tmp_path: Path) -> None:
    checkout(tmp_path, "spin", {"rounds.h": "#define OFF 1\n#define ROUNDS 1\n", "spin.c": ""})
    with pytest.raises(EngineError, match="spin with -O2 computes dense wrongly"):
        best_counts(engine(tmp_path / "program.c"), tmp_path, tmp_path / "build")


def test_the_table_is_as_the_command_writes_it() -> None:
    text = table_source(list(peer_table.PEERS), peer_table.COMPILER, peer_table.EMULATOR)
    assert Path(peer_table.__file__).read_text() == text
    assert [peer.name for peer in peer_table.PEERS] == [one.name for one in ENGINES]
