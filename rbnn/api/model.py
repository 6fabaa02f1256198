"""A trained model of several tasks: train, measure, predict, export."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from rbnn.arguments import ACTION, COUNT, PATH, TEXT, Kind, require, shown
from rbnn.errors import RbnnError
from rbnn.export.checks import record
from rbnn.export.export import NO_PROVIDER, Export, export_run
from rbnn.export.integer_predictor import integer_predictor
from rbnn.export.verify import require_passed, verify_run
from rbnn.frozen import first_problem
from rbnn.image.board import load_board
from rbnn.image.fit import check_model
from rbnn.keys.provider_key import load_provider_public
from rbnn.runs.figures import unfinished
from rbnn.runs.recipes import with_recipe
from rbnn.runs.run import Run, choose_run
from rbnn.runs.settings import TABLE, Settings
from rbnn.runs.start import load_data
from rbnn.tasks import TaskData
from rbnn.tasks.names import parse_specs
from rbnn.train.assess import TaskAssessment, assess
from rbnn.train.evaluate import Predictor

Engine = Literal["keras", "reference", "c"]
ENGINES: tuple[Engine, ...] = get_args(Engine)
RUNS = Path("runs")
PROVIDER_KEY = Path("keys/provider.pem")
RUN = Kind("a run; rbnn.Model.open takes its name", (Run,), "rbnn.runs.run.Run(Path('runs/NAME'))")
TASKS = Kind("a text", (str,), "'digits,words'")


def say_to_stderr(line: str) -> None:
    """The usual ``say``: one line for the user to read."""
    print(line, file=sys.stderr)


class Model:
    """One set of stored bits that serves several tasks: what ``rbnn train`` leaves in a run folder.

    Args:
        run: its folder, trained for an epoch or more.
    """

    def __init__(self, run: Run) -> None:
        require("run", run, RUN)
        self.run = run
        self._predictors: dict[Engine, Predictor] = {}

    def __repr__(self) -> str:
        return f"<rbnn.Model {self.folder}: {', '.join(self.tasks)}>"

    @classmethod
    def train(
        cls,
        tasks: str,
        *,
        runs: Path | str = RUNS,
        recipe: str | None = None,
        say: Callable[[str], None] = say_to_stderr,
        **settings: Any,
    ) -> Model:
        """Train one network for several tasks, as ``rbnn train`` does; progress is on stderr.

        Args:
            tasks: as for ``--tasks``: ``"digits,words"``, ``"cifar,mine=path/to/folder"``.
            runs: folder of all runs.
            recipe: a set of settings by name, as for ``--recipe``.
            say: told each step.
            **settings: by their names in :class:`rbnn.runs.settings.Settings`, such as
                ``architecture="resnet"``, ``width=32``, ``steps=800``, ``seed=1``.

        Raises:
            RbnnError: an unknown setting or task, data that cannot be read, or an interruption
                (Ctrl-C); the message says how to go on.
        """
        from rbnn.extras import require_training

        require("tasks", tasks, TASKS)
        require("runs", runs, PATH)
        require("recipe", recipe, TEXT, optional=True)
        require("say", say, ACTION)
        require_training()
        unknown = [name for name in settings if name not in TABLE]
        if unknown:
            raise RbnnError(
                f"There is no setting {unknown[0]!r}.", f"The settings are: {', '.join(TABLE)}."
            )
        chosen = _settings(settings if recipe is None else with_recipe(recipe, settings))
        from rbnn.api.begin import begin
        from rbnn.train.session import train

        run, data = begin(parse_specs(tasks), chosen, Path(runs), recipe=recipe, say=say)
        train(run, data)
        model = cls(run)
        model.__dict__["data"] = data  # loaded already
        return model

    @classmethod
    def open(cls, name: Path | str | None = None, *, runs: Path | str = RUNS) -> Model:
        """Open a run that was trained before.

        Args:
            name: its folder, or its name below ``runs``; None for the newest.
            runs: folder of all runs.

        Raises:
            RbnnError: there is no such run, or it is not trained yet.
        """
        require("name", name, PATH, optional=True)
        require("runs", runs, PATH)
        run = choose_run(None if name is None else Path(name), Path(runs))
        if not run.parameters_file.is_file():
            raise RbnnError(
                f"{run.folder} holds no trained network yet.",
                f"Train it: rbnn train --resume {run.folder}",
            )
        return cls(run)

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.run.folder

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks."""
        return tuple(task.name for task in self.run.config().tasks)

    @property
    def unfinished(self) -> str:
        """What is missing, in words, if training did not come to its end; empty otherwise."""
        return unfinished(self.run)

    def labels(self, task: str) -> tuple[str, ...]:
        """Class names of a task, in the order of their numbers."""
        return self.run.config().tasks[self._number(task)].labels

    @cached_property
    def data(self) -> list[TaskData]:
        """The data of all tasks; loaded when first asked for.

        Raises:
            RbnnError: they are not where they were.
        """
        return load_data(self.run.config())

    def evaluate(
        self, engine: Engine = "keras", *, wrong_secrets: int = 0
    ) -> dict[str, TaskAssessment]:
        """Accuracy of every task on its test set.

        Args:
            engine: ``keras`` (needs ``rbnn[train]``), or the device's integers in NumPy
                (``reference``) or C.
            wrong_secrets: also force so many wrong secrets on each task.

        Returns:
            By task name; ``accuracy`` is a share of 1.

        Raises:
            RbnnError: data, run or compiler are missing, or there is no such engine.
        """
        _check_engine(engine)
        require("wrong_secrets", wrong_secrets, COUNT)
        predictor = None if engine == "keras" else self._predictor(engine)
        return {one.task: one for one in assess(self.run, self.data, wrong_secrets, predictor)}

    def predict(
        self,
        task: str,
        images: npt.NDArray[np.uint8] | Sequence[npt.NDArray[np.uint8]],
        engine: Engine = "c",
    ) -> npt.NDArray[np.int64]:
        """Class numbers of a batch of inputs, computed on this machine.

        Args:
            task: its name.
            images: uint8, (n, height, width, the task's channels), or a list of single inputs.
            engine: as for :meth:`evaluate`.

        Returns:
            (n,) int64.

        Raises:
            RbnnError: no such task or engine, or the array has another shape or type.
        """
        _check_engine(engine)
        one = self.run.config().tasks[self._number(task)]
        height, width, _ = self.run.config().topology().input_shape
        wanted = (height, width, one.input_channels)
        batch = as_array(images)
        if batch.dtype != np.uint8 or batch.ndim != 4 or batch.shape[1:] != wanted:
            raise RbnnError(
                f"Task {task} takes uint8 of shape (n, {', '.join(map(str, wanted))}). Received: "
                f"{batch.dtype} of shape {batch.shape}.",
                "rbnn.read_input(file, channels) makes one input from a picture or a sound; give a "
                "list of them.",
            )
        if not len(batch):
            return np.empty(0, np.int64)
        return self._predictor(engine)(task, batch)

    def export(
        self,
        folder: Path | str | None = None,
        *,
        provider_key: Path | str = PROVIDER_KEY,
        board: str | None = None,
        verify: bool = True,
    ) -> Export:
        """Write container, C arrays and golden vectors, and check them, as ``rbnn export`` does.

        Args:
            folder: where; None for the run's own ``export``.
            provider_key: of whoever will issue licences; only its ``.pub`` file is read, and
                without one the export cannot be licensed.
            board: refuse a model that does not fit this board.
            verify: compare C engine, integer reference and Keras on the test sets.

        Raises:
            RbnnError: the network does not fit the format or the board, or a check failed.
        """
        require("folder", folder, PATH, optional=True)
        require("provider_key", provider_key, PATH)
        require("board", board, TEXT, optional=True)
        check = None if board is None else partial(check_model, load_board(board))
        provider = load_provider_public(Path(provider_key)) or NO_PROVIDER
        made = export_run(self.run, provider, None if folder is None else Path(folder), check=check)
        if verify:
            checks = verify_run(self.run, made.container, self.data)
            record(made, checks)
            require_passed(checks)
        return made

    def _number(self, task: str) -> int:
        require("task", task, TEXT)
        if task not in self.tasks:
            raise RbnnError(
                f"{self.folder} has no task {task!r}.", f"It has: {', '.join(self.tasks)}."
            )
        return self.tasks.index(task)

    def _predictor(self, engine: Engine) -> Predictor:
        if engine not in self._predictors:
            if engine == "keras":
                from rbnn.train.evaluate import keras_predictor
                from rbnn.train.transfer import load_network

                config = self.run.config()
                secrets = {} if config.scheme == "none" else self.run.secrets()
                network = load_network(self.run)
                made = keras_predictor(network, secrets, bytes.fromhex(config.model_id))
            else:
                made = integer_predictor(self.run, engine)
            self._predictors[engine] = made
        return self._predictors[engine]


def as_array(images: object) -> npt.NDArray[Any]:
    """Inputs as one array, whose type and shape are for the caller to check."""
    try:
        return np.asarray(images)
    except ValueError:  # inputs of several shapes
        return np.empty(0)


def _check_engine(engine: object) -> None:
    if not isinstance(engine, str) or engine not in ENGINES:
        raise RbnnError(
            f"There is no engine {shown(engine)}.", f"The engines are: {', '.join(ENGINES)}."
        )


def _settings(chosen: Mapping[str, Any]) -> Settings:
    try:
        return Settings(**chosen)
    except ValidationError as error:
        raise RbnnError(
            f"A setting has a value of another kind: {first_problem(error)}. Received: "
            f"{shown(error.errors()[0]['input'])}.",
            "docs/training.md says what each may be; or: rbnn train --help",
        ) from error
