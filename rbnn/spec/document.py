"""Write the tables of SPEC.md from this package: ``python -m rbnn.spec.document [--check]``.

A table is between ``<!-- table NAME -->`` and ``<!-- end -->``; the prose around it is written by
hand.
"""

from __future__ import annotations

import re
import sys
from enum import IntEnum
from pathlib import Path

from rbnn.files import write_atomic
from rbnn.pages.table import Table
from rbnn.places import repository
from rbnn.spec import layout, link, operators
from rbnn.spec.status import Status
from rbnn.spec.structs import Record

DOCUMENT = Path("SPEC.md")
_TABLE = re.compile(r"<!-- table (\w+) -->\n.*?<!-- end -->", re.DOTALL)


def _record(record: Record) -> Table:
    return Table(
        heads=("offset", "type", "member", "meaning"),
        rows=tuple(
            (
                str(record.offset(field.name)),
                field.kind if field.count == 1 else f"{field.kind}[{field.count}]",
                f"`{field.name}`",
                field.doc,
            )
            for field in record.fields
        ),
        align="rl",
    )


def _commands() -> Table:
    return Table(
        heads=("command", "arguments", "what it does", "answer before `m-ready`"),
        rows=tuple(
            (
                f"`{command.word}`",
                command.arguments,
                command.doc,
                "; ".join(command.answer).replace("<", "&lt;").replace(">", "&gt;"),
            )
            for command in link.COMMANDS
        ),
        align="l",
    )


def _statuses() -> Table:
    return Table(
        heads=("code", "name", "text"),
        rows=tuple(
            (str(status.value), f"`{status.name.lower().replace('_', '-')}`", status.text)
            for status in Status
            if status is not Status.OK
        ),
        align="rl",
    )


def _operators() -> Table:
    return Table(
        heads=("`op`", "name", "reads", "writes", "packing", "what it computes"),
        rows=tuple(
            (
                str(op.number),
                f"`{op.hyphened}`",
                op.reads.name.lower(),
                "by its stage" if op.has_stage else op.writes.name.lower(),
                op.packing.name.lower(),
                op.doc,
            )
            for op in operators.in_order()
        ),
        align="rl",
    )


def _enumerations() -> Table:
    enumerations: tuple[tuple[str, type[IntEnum]], ...] = (
        ("packing", layout.Packing),
        ("stage", layout.Stage),
        ("activation", layout.Activation),
        ("sign", layout.Sign),
        ("cipher", layout.Cipher),
        ("scheme", layout.Scheme),
        ("adapter", layout.Adapter),
        ("front_end", layout.FrontEnd),
        ("benchmark", link.Benchmark),
    )
    return Table(
        heads=("member", "values"),
        rows=tuple(
            (f"`{name}`", ", ".join(f"{value} {value.name.lower()}" for value in kind))
            for name, kind in enumerations
        ),
        align="l",
    )


def _limits() -> Table:
    limits = (
        ("tasks", layout.MAX_TASKS),
        ("layers", layout.MAX_LAYERS),
        ("classes of a task", layout.MAX_CLASSES),
        ("channels of the network's input", layout.MAX_INPUT_CHANNELS),
        ("weights of a filter of a stem", operators.STEM.most_filter_bits),
        ("weights of any other filter", operators.CONV.most_filter_bits),
        ("height and width of a window", layout.MAX_KERNEL),
        ("height and width of an average pool's window", layout.MAX_AVERAGE_WINDOW),
        ("bytes of activation memory", layout.MAX_ARENA_BYTES),
        ("bytes of text in a name", layout.NAME_BYTES - 1),
        ("licences on a device", layout.MAX_LICENCES),
        ("bytes of one input", link.INPUT_BUFFER_BYTES),
        ("bytes of a command without its `%`", link.MAX_COMMAND_BYTES),
        ("timed inferences, and warm-ups, of one `infer`", link.MAX_INFERENCES),
    )
    rows = tuple((str(most), what) for what, most in limits)
    return Table(heads=("maximum", "of"), rows=rows, align="rl")


def tables() -> dict[str, str]:
    """Every table by name."""
    made = {
        record.name: f"{record.doc} {record.size} bytes.\n\n{_record(record).markdown()}"
        for record in layout.RECORDS
    }
    others = {
        "commands": _commands(),
        "enumerations": _enumerations(),
        "limits": _limits(),
        "operators": _operators(),
        "statuses": _statuses(),
    }
    return made | {name: table.markdown() for name, table in others.items()}


def render(text: str) -> str:
    """``text`` with every table replaced by the current one."""
    made = tables()
    return _TABLE.sub(
        lambda match: f"<!-- table {match[1]} -->\n{made[match[1]]}\n<!-- end -->", text
    )


def main(arguments: list[str]) -> int:
    """Write the tables, or with ``--check`` say whether they are current."""
    path = repository() / DOCUMENT
    text = path.read_text()
    current = render(text)
    if "--check" in arguments:
        if current == text:
            return 0
        print(f"{DOCUMENT} is stale. Run: make spec", file=sys.stderr)
        return 1
    write_atomic(path, current)
    print(f"wrote the tables of {DOCUMENT}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
