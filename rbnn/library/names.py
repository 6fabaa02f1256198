"""The names of a library: its prefix, and all that follows from it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rbnn.library.errors import LibraryError

DEFAULT = "rbnn_"
_LONGEST = 24
_FORM = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*_?")
_OWN = re.compile(r"\brbnn_")
_OWN_MACRO = re.compile(r"\bRBNN_")
_THIRD_PARTY = re.compile(r"\bcrypto_(?=\w)")
_TAKEN = re.compile(
    "assert|complex|ctype|errno|fenv|float|inttypes|iso646|limits|locale|malloc|math|memory|setjmp|"
    "signal|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|strings?|"
    "tgmath|threads|time|uchar|unistd|wchar|wctype|"
    "all|clean|help|install|monocypher|package|test"
)
"""Headers that any program may include, and targets that every CMake build has."""


@dataclass(frozen=True)
class Names:
    """A prefix for all global symbols.

    Args:
        prefix: ends with an underscore, for example ``rbnn_``.
    """

    prefix: str

    @classmethod
    def parse(cls, text: str) -> Names:
        """Read a prefix as it is typed; the last underscore may be left out.

        Raises:
            LibraryError: no C identifier could begin with it, or it is somebody else's.
        """
        package = text.removesuffix("_")
        if not _FORM.fullmatch(text) or len(package) > _LONGEST:
            raise LibraryError(
                f"{text!r} cannot begin the names of a library.",
                f"Choose a prefix of lower-case letters, digits and single underscores that begins "
                f"with a letter and has at most {_LONGEST} characters, such as door_.",
            )
        if _TAKEN.fullmatch(package):
            raise LibraryError(
                f"The prefix {package}_ is taken: {package}.h or the target {package} belongs to "
                "C or CMake.",
                "Choose another one, such as door_.",
            )
        return cls(package + "_")

    @property
    def package(self) -> str:
        """Name of the header, of the build targets and of the folder of sources."""
        return self.prefix[:-1]

    @property
    def macro(self) -> str:
        """The same prefix for macros and enumerators."""
        return self.prefix.upper()

    def apply(self, text: str) -> str:
        """Give source text this prefix; Monocypher's names get it as well, in front of their own,
        so that a program may hold another copy of it."""
        text = _OWN_MACRO.sub(self.macro, _OWN.sub(self.prefix, text))
        return _THIRD_PARTY.sub(f"{self.prefix}crypto_", text)
