"""Arguments of what ``import rbnn`` offers: refused with an error that names them, not where they
break something later."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, cast

from rbnn.errors import RbnnError
from rbnn.numbers import cut


@dataclass(frozen=True)
class Kind:
    """What an argument may be.

    Args:
        words: end of a sentence that begins with ``NAME must be``.
        types: what it is an instance of.
        example: of such an argument, as it is typed.
    """

    words: str
    types: tuple[Any, ...]
    example: str

    def holds(self, value: object) -> bool:
        """Whether a value is of this kind; a truth value is no number, and a path has no NUL."""
        if not isinstance(value, self.types) or isinstance(value, bool):
            return False
        return not isinstance(value, str | os.PathLike) or "\0" not in str(value)


TEXT = Kind("a text", (str,), "'digits'")
PATH = Kind("a path", (str, os.PathLike), "'path/to/file'")
COUNT = Kind("a whole number", (Integral,), "20")
ACTION = Kind("a function", (Callable,), "print")


def require(name: str, value: object, kind: Kind, *, optional: bool = False) -> None:
    """Refuse an argument of another kind.

    Args:
        name: of the argument.
        value: what was given.
        kind: what it must be.
        optional: whether it may also be None.

    Raises:
        RbnnError: names the argument, what it must be, and what was given.
    """
    if not kind.holds(value) and not (optional and value is None):
        raise RbnnError(
            f"{name} must be {kind.words}. Received: {shown(value)}.",
            f"For example: {name}={kind.example}",
        )


def require_list(name: str, values: object, kind: Kind) -> None:
    """Refuse what is not a list of a kind; a text is not a list of its characters.

    Raises:
        RbnnError: names the argument, and what was given.
    """
    is_list = isinstance(values, Sequence) and not isinstance(values, str | bytes)
    if not is_list or not all(kind.holds(one) for one in cast(Sequence[object], values)):
        raise RbnnError(
            f"{name} must be a list, each of it {kind.words}. Received: {shown(values)}.",
            f"For example: {name}=[{kind.example}]",
        )


def shown(value: object) -> str:
    """A value for a message."""
    try:
        return cut(repr(value))
    except ValueError:  # a number of thousands of digits
        return f"a large {type(value).__name__}"
