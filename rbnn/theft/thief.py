"""The theft experiment: how far stolen bits carry a thief who fine-tunes them.

Every cell fine-tunes one network of the attacked run's shape on a share of the victim's training
data, as :class:`rbnn.train.trainer.Trainer` trains any single-task network: same sub-batches,
augmentation, schedule and steps for every start. A seed determines the data, their order, and all
that is random in a start, so that starts are compared in pairs. Accuracy is that after the last
step; nothing is chosen by test data.
"""

from __future__ import annotations

import gc
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rbnn.errors import RbnnError
from rbnn.nets.framework import tf
from rbnn.runs.config import RunConfig, RunTask
from rbnn.runs.errors import TrainingInterruptedError
from rbnn.runs.figures import read_figures
from rbnn.runs.parameters import ModelParameters
from rbnn.runs.run import Run
from rbnn.runs.start import describe
from rbnn.tasks import TaskData
from rbnn.theft.plan import Experiment, FineTuning, FineTuningResult, read_result
from rbnn.theft.starts import Loot, Start, random_signs, signs_of, starting_point
from rbnn.theft.subset import share_of
from rbnn.train.progress import ProgressBars
from rbnn.train.session import fit
from rbnn.train.trainer import Trainer
from rbnn.train.transfer import load_network, read_parameters, write_parameters

SHAPE = (
    *("architecture", "width", "depth", "stages", "network", "stem_bits", "classifier_bits"),
    "input_shape",
)
"""Fields of a run's config that determine the shape of its network, except for the outputs."""

Say = Callable[[str], None]


class Thief:
    """Fine-tunes the cells of one experiment.

    Args:
        run: the attacked run, trained.
        data: its tasks, at least the victims and the others.
        experiment: what the cells have in common.
        others: by victim, the task whose licence and network the thief has.
        folder: of the experiment.
        say: told of what takes long.
        trained: by task, where its single-task network may be, other than among the run's baselines
            and teachers.

    Raises:
        RbnnError: the run cannot be read.
    """

    def __init__(
        self,
        run: Run,
        data: Sequence[TaskData],
        experiment: Experiment,
        others: Mapping[str, str],
        folder: Path,
        say: Say,
        trained: Mapping[str, Run] | None = None,
    ) -> None:
        self._run = run
        self._config = run.config()
        self._data = {task.name: task for task in data}
        self._experiment = experiment
        self._others = others
        self._folder = folder
        self._say = say
        self._trained = dict(trained or {})
        self._shared = ModelParameters.load(run.parameters_file)
        network = load_network(run)
        self._networks = {
            task: signs_of(
                {n: layer.task_kernel(task).numpy() for n, layer in network.shared.items()}
            )
            for task in {*others, *others.values()}
        }
        self._alone: dict[str, Loot] = {}

    def rob(self, cells: Sequence[FineTuning]) -> list[FineTuningResult]:
        """The results of ``cells``; those on disk are not computed again.

        Raises:
            TrainingInterruptedError: Ctrl-C; the next call continues where this one stopped.
            RbnnError: a file is damaged or of other settings, or cannot be written.
        """
        results = [read_result(self._folder, cell, self._others[cell.victim]) for cell in cells]
        missing = results.count(None)
        done = []
        for cell, result in zip(cells, results, strict=True):
            if result is None:
                self._say(
                    f"{missing} to go: {cell.victim}, {cell.share:g} % of the data, "
                    f"seed {cell.seed}, from {cell.start.value}"
                )
                result = self._fine_tune(cell)
                missing -= 1
            done.append(result)
        shutil.rmtree(self._folder / "work", ignore_errors=True)
        return done

    def _fine_tune(self, cell: FineTuning) -> FineTuningResult:
        """Fine-tune one cell, new or interrupted, and write its result."""
        loot = self._loot(cell)
        data = share_of(self._data[cell.victim], cell.share, cell.seed)
        name = f"{cell.victim}-{cell.share:g}-{cell.seed}-{cell.start.value}"
        own = self._prepare(Run(self._folder / "work" / name), data, cell.seed)
        try:
            with ProgressBars(name, [cell.victim], self._experiment.steps) as bars:
                trainer = Trainer(own, [data], bars)
                if trainer.steps == 0:
                    fresh = read_parameters(trainer.network)
                    magnitude = self._experiment.magnitude
                    start = starting_point(fresh, cell.victim, loot, magnitude, cell.seed)
                    write_parameters(trainer.network, start)
                trainer.fit()
        except TrainingInterruptedError as error:
            raise self._interrupted(error.exit_code) from error
        last = read_figures(own)[-1]
        figures = last.tasks[cell.victim]
        result = FineTuningResult(
            **cell.model_dump(),
            other=self._others[cell.victim],
            samples=len(data.train),
            steps=last.steps,
            seconds=last.seconds,
            loss=figures.loss,
            train_accuracy=figures.train_accuracy,
            test_accuracy=figures.test_accuracy,
        )
        result.save(self._folder)
        shutil.rmtree(own.folder, ignore_errors=True)
        # Each trainer traces its own graphs, which Keras would keep.
        del trainer
        tf.keras.backend.clear_session()
        gc.collect()
        return result

    def _prepare(self, own: Run, data: TaskData, seed: int) -> Run:
        """The cell's run folder; created if missing."""
        if not own.config_file.exists():
            steps = self._experiment.steps
            config = self._config.single_task(data.name, steps)
            (entry,) = config.tasks
            own.write_config(
                config.model_copy(
                    update={
                        "tasks": (describe(data, config.input_shape[2], entry.batch),),
                        "seed": seed,
                        "learning_rate": self._experiment.learning_rate,
                        "steps_per_epoch": steps,
                    }
                )
            )
        return own

    def _loot(self, cell: FineTuning) -> Loot | None:
        """What the cell's thief has."""
        other = self._others[cell.victim]
        match cell.start:
            case Start.GLOROT:
                return None
            case Start.BITS:
                return Loot(signs_of(self._shared.kernels))
            case Start.RANDOM:
                return Loot(random_signs(self._shared.kernels, cell.victim, cell.seed))
            case Start.VICTIM:
                return Loot(self._networks[cell.victim])
            case Start.LICENCE:
                return Loot(self._networks[other], self._classes(other), self._shared, other)
            case Start.ALONE:
                if other not in self._alone:
                    self._alone[other] = self._network_alone(other)
                return self._alone[other]

    def _entry(self, task: str) -> RunTask:
        return next(one for one in self._config.tasks if one.name == task)

    def _classes(self, task: str) -> int:
        return len(self._entry(task).labels)

    def _network_alone(self, task: str) -> Loot:
        """The single-task network of ``task``; trained here if there is no finished one."""
        entry = self._entry(task)
        candidates = [self._run.baseline(task)]
        if entry.teacher is not None:
            candidates.append(self._run.teacher(entry))
        if task in self._trained:
            candidates.append(self._trained[task])
        own = next((one for one in candidates if _is_finished(one, self._config)), None)
        if own is None:
            own = self._train_alone(task)
        else:
            self._say(f"The single-task network of {task} is {own.folder}.")
        parameters = ModelParameters.load(own.parameters_file)
        return Loot(signs_of(parameters.kernels), self._classes(task), parameters, task)

    def _train_alone(self, task: str) -> Run:
        """Train the single-task network of ``task`` for as many steps as the shared run took."""
        own = Run(self._folder / "alone" / task)
        if not own.config_file.exists():
            steps = read_figures(self._run)[-1].steps
            own.write_config(self._config.single_task(task, steps))
        if not _is_finished(own, self._config):
            self._say(f"{self._run.folder} has no single-task network of {task}: training it now.")
            try:
                fit(own, [self._data[task]], f"{task} alone")
            except TrainingInterruptedError as error:
                raise self._interrupted(error.exit_code) from error
            tf.keras.backend.clear_session()
        return own

    def _interrupted(self, exit_code: int) -> TrainingInterruptedError:
        return TrainingInterruptedError(
            f"Stopped; everything so far is in {self._folder}.",
            "Continue with the same command.",
            exit_code=exit_code,
        )


def _is_finished(run: Run, like: RunConfig) -> bool:
    """Whether a run was trained to its end, in the shape of ``like``."""
    try:
        config, epochs = run.config(), read_figures(run)
    except RbnnError:
        return False
    last = epochs[-1] if epochs else None
    return (
        last is not None
        and run.parameters_file.exists()
        and config.progress(last.steps, last.seconds) >= 1
        and all(getattr(config, name) == getattr(like, name) for name in SHAPE)
    )
