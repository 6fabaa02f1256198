"""``make bench-engines SOURCES=folder``: measure other engines, write ``rbnn/cost/peer_table.py``.

The folder holds a git checkout of each, by the names that ``git clone`` gives. Afterwards, `make
bench` writes docs/benchmarks.md anew.
"""

from __future__ import annotations

import argparse
import datetime
import sys
import tempfile
from pathlib import Path

from rbnn.bench.board import PROGRAM
from rbnn.bench.engines.engines import ENGINES, Engine
from rbnn.bench.engines.measure import COMPILERS, best_counts, commit
from rbnn.bench.layers import STANDARD
from rbnn.bench.measure import version
from rbnn.cost import peer_table
from rbnn.cost.peer import Peer, Rate
from rbnn.errors import RbnnError
from rbnn.files import write_atomic

DECIMALS = 4
HEAD = '''"""What other engines need for the standard layers; ``make bench-engines`` writes it."""

from __future__ import annotations

from rbnn.cost.peer import Peer, Rate

COMPILER = "{compiler}"
EMULATOR = "{emulator}"
PEERS = (
'''


def measure(engine: Engine, sources: Path, folder: Path) -> Peer:
    """One engine at the commit of its checkout."""
    found = commit(engine, sources)
    rates = {
        name: Rate(
            round(count.instructions / STANDARD[name].macs, DECIMALS), count.kernel, count.flags
        )
        for name, count in best_counts(engine, sources, folder).items()
    }
    return Peer(
        name=engine.name,
        repository=engine.repository,
        commit=found,
        measured=datetime.date.today().isoformat(),
        conv_a=rates.get("conv_a"),
        conv_b=rates.get("conv_b"),
        dense=rates.get("dense"),
        stem=rates.get("stem"),
    )


def table_source(found: list[Peer], compiler: str, emulator: str) -> str:
    """Text of ``rbnn/cost/peer_table.py``."""
    lines = [HEAD.format(compiler=compiler, emulator=emulator).rstrip("\n")]
    for peer in found:
        lines.append("    Peer(")
        for name in ("name", "repository", "commit", "measured"):
            lines.append(f'        {name}="{getattr(peer, name)}",')
        for name in STANDARD:
            rate = getattr(peer, name)
            if rate is None:
                lines.append(f"        {name}=None,")
                continue
            lines.append(f"        {name}=Rate(")
            lines += [f"            {rate.per_mac},", f'            "{rate.kernel}",']
            lines += [f'            "{rate.flags}",', "        ),"]
        lines.append("    ),")
    return "\n".join([*lines, ")"]) + "\n"


def main() -> int:
    """Entry point of ``python -m rbnn.bench.engines``."""
    parser = argparse.ArgumentParser(prog="python -m rbnn.bench.engines", description=__doc__)
    parser.add_argument("sources", type=Path, help="folder of the checkouts")
    sources = parser.parse_args().sources
    found = []
    try:
        for engine in ENGINES:
            commit(engine, sources)
        with tempfile.TemporaryDirectory(prefix="rbnn-engines-") as temporary:
            for engine in ENGINES:
                found.append(measure(engine, sources, Path(temporary)))
                rates = {name: getattr(found[-1], name) for name in STANDARD}
                said = [f"{name} {rate.per_mac:.4f}" for name, rate in rates.items() if rate]
                print(f"{engine.name}: {', '.join(said)}")
        text = table_source(found, version(COMPILERS[".c"]), version(PROGRAM))
        write_atomic(Path(peer_table.__file__), text)
    except RbnnError as error:
        print(f"error: {error.what}", file=sys.stderr)
        if error.fix:
            print(f"try: {error.fix}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
