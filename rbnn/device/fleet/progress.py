"""What was done of a fleet: a file beside its table, so that a second call continues."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, ValidationError

from rbnn.device.fleet.lines import Line
from rbnn.errors import RbnnError
from rbnn.files import PRIVATE, write_atomic
from rbnn.frozen import Frozen, first_problem


class DoneLine(Frozen):
    """A board that is enrolled and holds its licences."""

    line: str
    """``Line.digest``"""
    device: str
    """X25519 public key, hexadecimal."""


class Progress(Frozen):
    """The file; ``done`` by name of the device."""

    source: str
    """The run or packed model that the boards hold."""
    done: dict[str, DoneLine] = Field(default_factory=dict)

    def has(self, line: Line) -> bool:
        """Whether a line was done, as it is now."""
        done = self.done.get(line.name)
        return done is not None and done.line == line.digest

    def with_line(self, line: Line, device: str) -> Progress:
        """The same and one line more."""
        done = {**self.done, line.name: DoneLine(line=line.digest, device=device)}
        return Progress(source=self.source, done=done)

    def write(self, file: Path) -> None:
        """Write the file, whole or not at all."""
        write_atomic(file, self.model_dump_json(indent=2) + "\n", mode=PRIVATE)


def state_file(table: Path) -> Path:
    """Where the progress of a table is."""
    return table.with_name(table.name + ".state.json")


def read_progress(file: Path, source: str) -> Progress:
    """What was done so far; nothing if there is no file.

    Args:
        file: of :func:`state_file`.
        source: the run or packed model that is to be flashed now.

    Raises:
        RbnnError: the file is damaged, or the boards hold another model.
    """
    again = f"Move {file} away to provision all boards again."
    try:
        found = Progress.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return Progress(source=source)
    except OSError as error:
        raise RbnnError(f"Cannot read {file}: {error.strerror}.", again) from error
    except ValidationError as error:
        raise RbnnError(f"{file} is damaged: {first_problem(error)}.", again) from error
    if found.source != source:
        raise RbnnError(
            f"{file} says what was done with {found.source}, not with {source}.",
            f"Name {found.source} to continue. {again}",
        )
    return found
