"""Key bytes that never show up in ``repr``, logs, tracebacks or pickles."""

from __future__ import annotations

import hmac
from typing import NoReturn, final

from rbnn.spec.published import TEST_ONLY_MARKER


@final
class Secret:
    """Immutable secret bytes. Only :meth:`reveal` returns them."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = bytes(value)

    def reveal(self) -> bytes:
        """The bytes themselves; pass them on, do not keep them."""
        return self._value

    @property
    def is_test_only(self) -> bool:
        """Whether these are the bytes of a published test key."""
        return self._value.startswith(TEST_ONLY_MARKER)

    def __len__(self) -> int:
        return len(self._value)

    def __repr__(self) -> str:
        return f"Secret({len(self._value)} bytes)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value, other._value)

    def __hash__(self) -> int:
        raise TypeError("a Secret is not hashable")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not written to disk")
