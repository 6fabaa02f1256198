"""What a build's output says went wrong."""

from __future__ import annotations

import re

from rbnn.image.board import Board
from rbnn.image.errors import FitError

_OVERFLOW = re.compile(r"region `(?P<region>\w+)' overflowed by (?P<bytes>\d+) bytes")
_ERROR_LINE = re.compile(
    r"^.*(?:: (?:fatal )?error: |undefined reference to|ld: (?!warning)|^Error: |\*\*\* ).*$", re.M
)


def first_error(output: str) -> str:
    """The line of a build's output that says what went wrong first."""
    match = _ERROR_LINE.search(output)
    if match:
        return match[0].strip()
    lines = [line.strip() for line in output.splitlines() if line.strip(" =-*")]
    failed = [line for line in lines if "Error" in line][-1:]
    # Without one, the last steps and PlatformIO's "[FAILED]" are all that is known.
    return " / ".join(failed or lines[-3:]) or "it printed nothing"


def raise_overflow(output: str, board: Board, partition: bool) -> None:
    """Turn an overflow that the linker reports into an error with the numbers.

    Args:
        output: of the build.
        board: that it was for.
        partition: whether the model has a partition of its own.

    Raises:
        FitError: there is one.
    """
    overflows = {match["region"]: int(match["bytes"]) for match in _OVERFLOW.finditer(output)}
    said = []
    for region, excess in overflows.items():
        limit = {"flash": board.program_bytes(partition), "ram": board.ram.bytes}.get(region)
        if limit is None:
            said.append(f"{region} is exceeded by {excess:,} bytes")
        else:
            said.append(
                f"{region} needs {limit + excess:,} bytes of {limit:,} ({excess:,} too many)"
            )
    if said:
        raise FitError(
            f"The image does not fit board {board.name}: {'; '.join(said)}.",
            "Train a narrower network (rbnn train --width) or choose a larger board.",
        )
