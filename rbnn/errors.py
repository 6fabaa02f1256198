"""The root of every error that rbnn raises on purpose.

Each room derives its own errors from :class:`RbnnError` in its own ``errors.py`` or module;
the command line prints ``what`` and ``fix`` and exits with ``exit_code``.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command that fails leaves to a script; docs/commands.md has the whole table."""

    REFUSED = 1
    USAGE = 2
    CHECK_FAILED = 3
    BOARD = 4
    TOO_LARGE = 5


class RbnnError(Exception):
    """Something the user can fix: says what is wrong, where, and how to fix it.

    Args:
        what: one sentence; names the file, board, task or value at fault.
        fix: one sentence; the command or change that helps. May be empty.
        exit_code: of the command, where it is not that of the class.
    """

    exit_code: int = ExitCode.REFUSED

    def __init__(self, what: str, fix: str = "", *, exit_code: int | None = None) -> None:
        super().__init__(what)
        if exit_code is not None:
            self.exit_code = exit_code
        self.what = what
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.what} {self.fix}".rstrip()
