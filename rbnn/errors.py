"""The root of every error that rbnn raises on purpose.

Each room derives its own errors from :class:`RbnnError` in its own ``errors.py`` or module;
the command line prints ``what`` and ``fix`` and exits with ``exit_code``.
"""

from __future__ import annotations


class RbnnError(Exception):
    """Something the user can fix: says what is wrong, where, and how to fix it.

    Args:
        what: one sentence; names the file, board, task or value at fault.
        fix: one sentence; the command or change that helps. May be empty.
    """

    exit_code = 1

    def __init__(self, what: str, fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.what} {self.fix}".rstrip()
