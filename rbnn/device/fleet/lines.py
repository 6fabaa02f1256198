"""The table of a fleet: a CSV file with one line per board."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import dataclass, replace
from pathlib import Path

from rbnn.errors import RbnnError
from rbnn.keys.records import MOST_NAME, is_device_name

REQUIRED = ("board", "name", "user_key")
OPTIONAL = ("port", "tasks")
_EXAMPLE = "board,port,name,user_key,tasks"


@dataclass(frozen=True)
class Line:
    """One board.

    Args:
        number: of the line in the file, from 1; the heads are line 1.
        board: name of its manifest.
        port: serial port of a real board; empty to find it by USB.
        name: of the device, in the registry; an emulated board's folder has it too.
        user_key: file of the key that opens its licences.
        tasks: to license, separated by commas; empty for all.
        problem: why nothing can be done with it; empty if it is good.
    """

    number: int
    board: str
    port: str
    name: str
    user_key: str
    tasks: str
    problem: str = ""

    @property
    def digest(self) -> str:
        """Differs if anything in the line does."""
        listed = [self.board, self.port, self.name, self.user_key, self.tasks]
        return hashlib.blake2b(json.dumps(listed).encode(), digest_size=16).hexdigest()

    @property
    def label(self) -> str:
        """What to call it."""
        return self.name or f"line {self.number}"


def read_lines(file: Path) -> list[Line]:
    """Read the table of a fleet.

    Args:
        file: CSV in UTF-8; the heads are those of :data:`REQUIRED` and :data:`OPTIONAL`, in any
            order. ``tasks`` separates several by blanks, semicolons or, in quotes, commas.

    Returns:
        Its lines; those that are bad say why.

    Raises:
        RbnnError: the file cannot be read, or its heads are others.
    """
    try:
        text = file.read_text("utf-8-sig")
    except OSError as error:
        raise RbnnError(f"Cannot read {file}: {error.strerror}.", "Name a CSV file.") from error
    except UnicodeDecodeError as error:
        raise RbnnError(f"{file} is not text in UTF-8.", "Save it as CSV in UTF-8.") from error
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    try:
        heads = [head.strip().lower() for head in next(reader, [])]
        _check_heads(file, heads)
        lines = [_line(reader.line_num, heads, row) for row in reader if any(map(str.strip, row))]
    except csv.Error as error:
        raise RbnnError(
            f"{file} is not CSV: {error} in line {reader.line_num}.", f"Its heads: {_EXAMPLE}"
        ) from error
    if not lines:
        raise RbnnError(f"{file} has no line below its heads.", "Write one line per board.")
    return _without_doubles(lines)


def _check_heads(file: Path, heads: list[str]) -> None:
    missing = [head for head in REQUIRED if head not in heads]
    unknown = [head for head in heads if head not in (*REQUIRED, *OPTIONAL)]
    doubled = [head for head in heads if heads.count(head) > 1]
    if missing or unknown or doubled:
        what = f"lacks the column {missing[0]!r}" if missing else "has a column too many"
        named = "" if missing else f": {(unknown or doubled)[0]!r}"
        raise RbnnError(f"{file} {what}{named}.", f"Its first line must be: {_EXAMPLE}")


def _line(number: int, heads: list[str], row: list[str]) -> Line:
    cells = dict(zip(heads, map(str.strip, row), strict=False))
    values = {head: cells.get(head, "") for head in (*REQUIRED, *OPTIONAL)}
    named = values["tasks"]
    values["tasks"] = ",".join(named.replace(";", " ").replace(",", " ").split())
    missing = [head for head in REQUIRED if not values[head]]
    problem = ""
    if len(row) > len(heads):
        problem = f"It has {len(row)} cells, the first line {len(heads)}; put tasks in quotes."
    elif missing:
        problem = f"It has no {missing[0]}."
    elif named and not values["tasks"]:
        problem = f"Its tasks are {named!r}; name some, or leave the cell empty for all."
    elif values["user_key"] == "-":
        problem = "Its user key must be a file: many lines cannot share the standard input."
    elif not is_device_name(values["name"]) or not _is_folder_name(values["name"]):
        problem = f"Its name must have at most {MOST_NAME} characters and be usable for a folder."
    return Line(number=number, problem=problem, **values)


def _is_folder_name(name: str) -> bool:
    return Path(name).name == name and not name.startswith(".")


def _without_doubles(lines: list[Line]) -> list[Line]:
    """A name stands for one board: the second line with it is bad."""
    seen: dict[str, int] = {}
    found = []
    for line in lines:
        first = seen.setdefault(line.name, line.number)
        if line.name and first != line.number and not line.problem:
            line = replace(line, problem=f"Line {first} has the same name.")
        found.append(line)
    return found
