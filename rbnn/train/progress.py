"""Training shown in a terminal: one bar per task with its loss and accuracy, one for the run.

Goes to stderr. If that is not a terminal, there are no bars, only one line per epoch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from rbnn.runs.figures import EpochFigures


class ProgressBars:
    """A :class:`rbnn.train.trainer.Watch` for people; used as a context manager.

    Args:
        title: what is trained, such as ``shared`` or ``cifar alone``.
        tasks: names of the tasks.
        steps_per_epoch: steps of one epoch.
        console: where to draw; stderr by default.
    """

    def __init__(
        self,
        title: str,
        tasks: Sequence[str],
        steps_per_epoch: int,
        console: Console | None = None,
    ) -> None:
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
        self._bars.update(
            self._run, completed=min(progress, 1.0), figures=f"epoch {epoch}, step {done}"
        )

    def epoch(self, figures: EpochFigures) -> None:
        """Print the epoch's line."""
        tasks = "   ".join(
            f"{name} loss {task.loss:.3f} train {task.train_accuracy:.1%} "
            f"test {task.test_accuracy:.1%}"
            for name, task in figures.tasks.items()
        )
        self._console.print(
            f"{self._title}: epoch {figures.epoch} ({figures.seconds:.0f} s)   {tasks}",
            highlight=False,
            soft_wrap=True,
        )
