"""What an environment takes on the disk."""

from __future__ import annotations

import importlib.metadata
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

BROUGHT = ("pip", "setuptools")
"""Packages that ``python3 -m venv`` brings, not the wheel."""


@dataclass(frozen=True)
class Sizes:
    """Bytes on the disk, by package; byte code apart."""

    code: Counter[str]
    byte_code: Counter[str]

    def total(self, package: str) -> int:
        """Bytes of a package, its byte code included."""
        return self.code[package] + self.byte_code[package]

    @property
    def all(self) -> int:
        """Bytes of all packages, their byte code included."""
        return self.code.total() + self.byte_code.total()

    def largest(self, count: int) -> list[str]:
        """The largest packages."""
        return sorted(set(self.code) | set(self.byte_code), key=self.total, reverse=True)[:count]


def sizes(site: Path) -> Sizes:
    """Of a ``site-packages`` folder, without what is in every new environment.

    Bytes are those of ``du``: whole blocks of the file system.
    """
    owner = {
        Path(file).parts[0]: distribution.name.lower()
        for distribution in importlib.metadata.distributions(path=[str(site)])
        for file in distribution.files or ()
    }
    found = Sizes(Counter(), Counter())
    for folder, _, names in os.walk(site):
        for name in names:
            path = Path(folder, name)
            package = owner.get(path.relative_to(site).parts[0], "other")
            if package not in BROUGHT:
                kind = found.byte_code if path.suffix == ".pyc" else found.code
                kind[package] += path.lstat().st_blocks * 512
    return found
