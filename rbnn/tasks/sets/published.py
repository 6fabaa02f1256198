"""A set that its authors publish for download: where it is, and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rbnn.tasks.cache import Decoded
from rbnn.tasks.download import Remote, fetch
from rbnn.tasks.form import USUAL, Sides

Progress = Callable[[str, int, int], None]
Reader = Callable[[Sequence[Path], Progress | None, Sides], Decoded]


@dataclass(frozen=True)
class Published:
    """A set as its authors publish it.

    Args:
        archives: the files to download.
        origin: which data and which split, for people to read.
        recipe: what the decoded set depends on besides the archives.
        read: decodes the downloaded archives, given in the same order, to samples of these sides.
    """

    archives: tuple[Remote, ...]
    origin: str
    recipe: Mapping[str, object]
    read: Reader

    @property
    def key(self) -> dict[str, object]:
        """Everything that the decoded set depends on."""
        return {**self.recipe, "archives": [archive.digest for archive in self.archives]}

    @property
    def megabytes(self) -> int:
        """Size of the download, in MB of 10^6 bytes, rounded up."""
        return -(-sum(archive.size_bytes for archive in self.archives) // 1_000_000)

    def make(
        self, downloads: Path, progress: Progress | None = None, sides: Sides = USUAL
    ) -> Decoded:
        """Download what is missing and decode it.

        Raises:
            TaskError: no network, a wrong download, or an archive of another layout.
        """
        fetched = [fetch(each, downloads, progress) for each in self.archives]
        return self.read(fetched, progress, sides)
