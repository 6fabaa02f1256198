"""Progress of downloads and decoding in a terminal, on stderr."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class LoadingBar:
    """Gives :func:`rbnn.tasks.load.load` a ``progress``; used as a context manager."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._shown: dict[str, TaskID] = {}

    def __enter__(self) -> LoadingBar:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def show(self, what: str, done: int, total: int) -> None:
        """Move the bar of ``what``; a total of 0 means unknown."""
        if what not in self._shown:
            self._shown[what] = self._bars.add_task(what, total=total or None)
        self._bars.update(self._shown[what], completed=done, total=total or None)
