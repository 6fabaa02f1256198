"""Write the tables of SPEC.md from this package: ``python -m rbnn.spec.document [--check]``.

A table stands between ``<!-- table NAME -->`` and ``<!-- end -->``; the prose around it is
written by hand.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from rbnn.files import write_atomic
from rbnn.spec import layout, link
from rbnn.spec.status import Status
from rbnn.spec.structs import Record

DOCUMENT = Path("SPEC.md")
_TABLE = re.compile(r"<!-- table (\w+) -->\n.*?<!-- end -->", re.DOTALL)


def _record(record: Record) -> str:
    rows = [f"{record.doc} {record.size} bytes.", "", "| offset | type | member | meaning |"]
    rows.append("|---:|---|---|---|")
    for field in record.fields:
        kind = field.kind if field.count == 1 else f"{field.kind}[{field.count}]"
        rows.append(f"| {record.offset(field.name)} | {kind} | `{field.name}` | {field.doc} |")
    return "\n".join(rows)


def _commands() -> str:
    rows = ["| command | arguments | what it does | answer before `m-ready` |", "|---|---|---|---|"]
    for command in link.COMMANDS:
        arguments = command.arguments.replace("|", "\\|")
        answer = "; ".join(line.replace("|", "\\|") for line in command.answer)
        answer = answer.replace("<", "&lt;").replace(">", "&gt;")
        rows.append(f"| `{command.word}` | {arguments} | {command.doc} | {answer} |")
    return "\n".join(rows)


def _statuses() -> str:
    rows = ["| code | name | text |", "|---:|---|---|"]
    for status in Status:
        if status is not Status.OK:
            name = status.name.lower().replace("_", "-")
            rows.append(f"| {status.value} | `{name}` | {status.text} |")
    return "\n".join(rows)


def _limits() -> str:
    limits = (
        ("tasks", layout.MAX_TASKS),
        ("layers", layout.MAX_LAYERS),
        ("classes of a task", layout.MAX_CLASSES),
        ("channels of the network's input", layout.MAX_INPUT_CHANNELS),
        ("height and width of a window", layout.MAX_KERNEL),
        ("height and width of an average pool's window", layout.MAX_AVERAGE_WINDOW),
        ("bytes of activation memory", layout.MAX_ARENA_BYTES),
        ("bytes of text in a name", layout.NAME_BYTES - 1),
        ("licences on a device", layout.MAX_LICENCES),
        ("bytes of one input", link.INPUT_BUFFER_BYTES),
        ("bytes of a command without its `%`", link.MAX_COMMAND_BYTES),
    )
    rows = ["| maximum | of |", "|---:|---|", *(f"| {most} | {what} |" for what, most in limits)]
    return "\n".join(rows)


def tables() -> dict[str, str]:
    """Every table by name."""
    made = {record.name: _record(record) for record in layout.RECORDS}
    return made | {"commands": _commands(), "limits": _limits(), "statuses": _statuses()}


def render(text: str) -> str:
    """``text`` with every table replaced by the current one."""
    made = tables()
    return _TABLE.sub(
        lambda match: f"<!-- table {match[1]} -->\n{made[match[1]]}\n<!-- end -->", text
    )


def main(arguments: list[str]) -> int:
    """Write the tables, or with ``--check`` say whether they are current."""
    path = Path(__file__).resolve().parents[2] / DOCUMENT
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
