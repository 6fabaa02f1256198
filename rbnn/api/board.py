"""A board, real or emulated: flash, switch, infer, measure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from rbnn.api.model import PROVIDER_KEY, RUNS, Model, as_array, say_to_stderr
from rbnn.arguments import ACTION, COUNT, PATH, TEXT, Kind, require, require_list
from rbnn.device import deploy
from rbnn.device.answers import DeviceTask, Identity
from rbnn.device.deploy import FlashReport
from rbnn.device.emulated.target import EmulatedTarget
from rbnn.device.errors import PortError
from rbnn.device.evaluation import BoardAccuracy
from rbnn.device.inference import FileInference, TaskInference, infer_files, infer_images
from rbnn.device.run_evaluation import evaluate_run
from rbnn.device.session import Session
from rbnn.device.source import find_source
from rbnn.device.switching import Switched, switch_task
from rbnn.device.target import Target
from rbnn.device.targets import find_target
from rbnn.image.board import load_board
from rbnn.image.defaults import DEFAULT_BOARD
from rbnn.keys.registry import Registry
from rbnn.keys.user_key import UserKey, load_user_key

SAMPLES = 200
REGISTRY = "registry.sqlite"
Key = UserKey | Path | str
"""A user's key, or the file that holds it."""
KEY = Kind("a user's key or its file", (UserKey, *PATH.types), "'keys/user.key'")
PLACE = Kind("a file or a URL", PATH.types, "'registry.sqlite'")
MODEL = Kind("a model", (Model,), "rbnn.Model.open()")


class Board:
    """A board; a context manager that holds its serial line while it is open.

    ``with rbnn.Board() as board:`` is an emulated one. It stays on afterwards, as for the commands.
    A board is for one thread.

    Args:
        name: of the board; ``rbnn boards`` lists them.
        port: serial port of a real board; None to find it by USB.
        folder: an emulated board's folder; None for ``emulated/<name>``.
        emulated: emulate it although a real one exists.
        say: told each step.

    Raises:
        RbnnError: there is no such board, or the arguments contradict each other.
    """

    def __init__(
        self,
        name: str = DEFAULT_BOARD,
        *,
        port: str | None = None,
        folder: Path | str | None = None,
        emulated: bool = False,
        say: Callable[[str], None] = say_to_stderr,
    ) -> None:
        require("name", name, TEXT)
        require("port", port, TEXT, optional=True)
        require("folder", folder, PATH, optional=True)
        require("say", say, ACTION)
        self._say = say
        self._target: Target = find_target(
            load_board(name),
            port=port,
            folder=None if folder is None else Path(folder),
            emulated=emulated,
            say=say,
        )
        self._session: Session | None = None

    def __enter__(self) -> Board:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<rbnn.Board {self._target.board.name}>"

    def close(self) -> None:
        """Release the serial line; the next call opens it again."""
        if self._session is not None:
            self._session.close()
            self._session = None

    @property
    def session(self) -> Session:
        """The conversation with it: every command of SPEC.md as a method.

        Raises:
            RbnnError: no port, nothing answers, or another board does.
        """
        if self._session is None:
            self._session = self._target.open()
        return self._session

    def identity(self) -> Identity:
        """Board, firmware, model and device."""
        return self.session.identify()

    def tasks(self) -> list[DeviceTask]:
        """Its model's tasks, and whether they are unlicensed, locked, unlocked or active."""
        return self.session.tasks()

    def flash(
        self,
        model: Model,
        user_key: Key,
        *,
        tasks: Sequence[str] = (),
        provider_key: Path | str = PROVIDER_KEY,
        registry: Path | str = REGISTRY,
        development: bool = False,
    ) -> FlashReport:
        """Export, check, build, write, enrol once, and license, as ``rbnn flash`` does.

        Args:
            model: what to put on it.
            user_key: the key that will open the licences.
            tasks: to license; none for all.
            provider_key: issues the licences; made if missing.
            registry: of devices and licences: a file or an SQLAlchemy URL.
            development: with the commands that show what happens inside.

        Raises:
            RbnnError: the model does not fit, a tool is missing, or the board refuses.
        """
        require("model", model, MODEL)
        require("user_key", user_key, KEY)
        require_list("tasks", tasks, TEXT)
        require("provider_key", provider_key, PATH)
        require("registry", registry, PLACE)
        self.close()
        source = find_source(
            model.folder,
            runs=RUNS,
            provider_key=Path(provider_key),
            test_only=False,
            say=self._say,
            development=development,
        )
        names = source.choose_tasks(tasks)
        key = _key(user_key)
        self._target.check()
        Registry.open(registry).close()  # an unusable one is refused before minutes of building
        provider = source.provider()
        prepared = source.prepare(self._target, provider)
        with Registry.open(registry) as book:
            return deploy.flash(prepared, self._target, provider, key, book, names, self._say)

    def switch(self, task: str, user_key: Key | None = None) -> Switched:
        """Make a task active; a locked one needs the user's key.

        Raises:
            RbnnError: no such task or licence, or the licence does not open with this key.
        """
        require("task", task, TEXT)
        require("user_key", user_key, KEY, optional=True)
        load = None if user_key is None else lambda: _key(user_key)
        return switch_task(self.session, task, load)

    def infer(
        self, images: npt.NDArray[np.uint8] | Sequence[npt.NDArray[np.uint8]]
    ) -> list[TaskInference]:
        """Classify inputs with the active task.

        Args:
            images: uint8, (n, height, width, channels), or one without the first axis, or a list
                of such.

        Returns:
            Label, scores and duration of each.

        Raises:
            RbnnError: no task is active, or the array has another shape or type.
        """
        return list(infer_images(self.session, as_array(images)))

    def infer_files(
        self, files: Sequence[Path | str], *, runs: Path | str = RUNS
    ) -> list[FileInference]:
        """Classify pictures and sounds with the active task, as ``rbnn infer`` does.

        Args:
            files: PNG, JPEG, WAV, CSV or NPY.
            runs: folder of all runs; tells whether the task expects pictures or sounds.

        Raises:
            RbnnError: no task is active, or a file cannot be read or is of the wrong kind.
        """
        require_list("files", files, PATH)
        require("runs", runs, PATH)
        paths = [Path(file) for file in files]
        return list(infer_files(self.session, paths, Path(runs), self._say))

    def evaluate(
        self, model: Model, *, samples: int = SAMPLES, user_key: Key | None = None
    ) -> dict[str, BoardAccuracy]:
        """Measure every task on the board.

        Args:
            model: the one that was flashed.
            samples: test samples of each task; 0 for all.
            user_key: for tasks that are locked.

        Returns:
            By task name; ``accuracy`` is a share of 1.

        Raises:
            RbnnError: the board holds another model, or refuses a task.
        """
        require("model", model, MODEL)
        require("samples", samples, COUNT)
        require("user_key", user_key, KEY, optional=True)
        load = None if user_key is None else lambda: _key(user_key)
        found = evaluate_run(self.session, model.run, model.data, samples, load)
        return {one.task: one for one in found}

    def lock(self) -> None:
        """Wipe every task secret and key in the board's RAM."""
        self.session.lock()

    def power_off(self) -> None:
        """Switch an emulated board off.

        Raises:
            RbnnError: it is a real one.
        """
        if not isinstance(self._target, EmulatedTarget):
            raise PortError(
                f"Board {self._target.board.name!r} is real; this machine has no switch for it.",
                "Unplug it.",
            )
        self.close()
        self._target.power_off()


def _key(given: Key) -> UserKey:
    return given if isinstance(given, UserKey) else load_user_key(Path(given), prompt=False)
