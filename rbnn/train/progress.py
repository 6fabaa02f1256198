"""Training shown in a terminal: one bar per task with its loss and accuracy, one for the run.

Goes to stderr. If that is not a terminal, there are no bars, but one line a minute and one per
epoch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from rbnn.runs.figures import EpochFigures
from rbnn.train.outlook import Outlook

FIRST_LINE_SECONDS = 10.0
LINE_SECONDS = 60.0
"""Without a terminal: from the first report to the first line, and from line to line."""


class Watch(Protocol):
    """Observes a training."""

    def step(self, done: int, progress: float, tasks: Mapping[str, tuple[float, float]]) -> None:
        """Some steps passed: ``progress`` of the run (0 to 1), (loss, accuracy) by task."""

    def epoch(self, figures: EpochFigures) -> None:
        """An epoch is over and on disk."""


class ProgressBars:
    """A :class:`rbnn.train.trainer.Watch` for people; used as a context manager.

    Args:
        title: what is trained, such as ``shared`` or ``cifar alone``.
        tasks: names of the tasks.
        steps_per_epoch: steps of one epoch.
        console: where to draw; stderr by default.
        outlook: on the end of the training.
        clock: seconds, for the lines where there are no bars.
    """

    def __init__(
        self,
        title: str,
        tasks: Sequence[str],
        steps_per_epoch: int,
        console: Console | None = None,
        outlook: Outlook | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outlook = outlook or Outlook()
        self._clock = clock
        self._next_line: float | None = None
        self._console = console or Console(stderr=True)
        self._title = title
        self._steps_per_epoch = steps_per_epoch
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {
            name: self._bars.add_task(f"  {name}", total=steps_per_epoch, figures="")
            for name in tasks
        }
        self._run = self._bars.add_task(title, total=1.0, figures="")

    def __enter__(self) -> ProgressBars:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def step(self, done: int, progress: float, tasks: Mapping[str, tuple[float, float]]) -> None:
        """Move the bars."""
        within = (done - 1) % self._steps_per_epoch + 1
        for name, (loss, accuracy) in tasks.items():
            self._bars.update(
                self._tasks[name],
                completed=within,
                figures=f"loss {loss:.3f}  accuracy {accuracy:6.1%}",
            )
        epoch = (done - 1) // self._steps_per_epoch + 1
        self._outlook.see(progress)
        figures = f"epoch {epoch}, step {done}, {self._outlook.words()}"
        self._bars.update(self._run, completed=min(progress, 1.0), figures=figures)
        if not self._console.is_terminal and self._is_time_for_a_line():
            self._print(f"{self._title}: {min(progress, 1.0):.0%}, {figures}")

    def _is_time_for_a_line(self) -> bool:
        now = self._clock()
        if self._next_line is None:
            self._next_line = now + FIRST_LINE_SECONDS
        if now < self._next_line:
            return False
        self._next_line = now + LINE_SECONDS
        return True

    def epoch(self, figures: EpochFigures) -> None:
        """Print the epoch's line."""
        tasks = "   ".join(
            f"{name} loss {task.loss:.3f} train {task.train_accuracy:.1%} "
            f"test {task.test_accuracy:.1%}"
            for name, task in figures.tasks.items()
        )
        self._print(f"{self._title}: epoch {figures.epoch} ({figures.seconds:.0f} s)   {tasks}")

    def _print(self, line: str) -> None:
        self._console.print(line, highlight=False, soft_wrap=True)
