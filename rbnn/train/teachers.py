"""What a network learns from: labels and, with distillation, the answers of its teachers.

A task's teacher is a float model or its single-task network. It answers the augmented samples of
each step, not a fixed set of them: teacher and student must see the same picture (Beyer et al.,
"Knowledge distillation: a good teacher is patient and consistent", CVPR 2022).

Source: Hinton, Vinyals, Dean, "Distilling the Knowledge in a Neural Network", arXiv 1503.02531.
"""

from __future__ import annotations

from collections.abc import Mapping

from rbnn.nets.build import SharedNetwork
from rbnn.nets.framework import tf
from rbnn.nets.fused.choose import TrainingModels, training_models
from rbnn.runs.config import Distillation
from rbnn.runs.errors import TrainingError
from rbnn.runs.run import Run
from rbnn.train.float_teacher import FloatTeaching
from rbnn.train.superpose import superpose
from rbnn.train.transfer import load_network


class Teachers:
    """The float models and trained single-task networks that a run names; none where it starts
    from random values and learns only from labels.

    Args:
        run: whose tasks name their teachers.
        shared_batch: normalise over the samples of all replicas, as the student does then.
        fused: compute with the fused operations where they fit.

    Raises:
        RbnnError: a teacher is missing, not trained, or of other classes.
    """

    def __init__(self, run: Run, *, shared_batch: bool = False, fused: bool = True) -> None:
        config = run.config()
        self._networks: dict[str, SharedNetwork] = {}
        self._models: dict[str, TrainingModels] = {}
        self._config = config
        halved = config.precision == "bfloat16"
        self._float = {
            task.name: FloatTeaching(
                run.folder / task.float_teacher.file, task.float_teacher, halved
            )
            for task in config.tasks
            if task.float_teacher is not None and config.distill
        }
        for task in config.tasks if config.taught else ():
            if task.teacher is None and task.name in self._float:
                continue
            teacher = run.teacher(task)
            found = {one.name: one.labels for one in teacher.config().tasks}
            if found.get(task.name) != task.labels:
                raise TrainingError(
                    f"{teacher.folder} does not know the classes of task {task.name}.",
                    "Name the run folder of the task's single-task network.",
                )
            network = load_network(teacher, shared_batch=shared_batch)
            self._networks[task.name] = network
            self._models[task.name] = training_models(network, fused)

    def begin(self, network: SharedNetwork) -> None:
        """Give the student its first values where they come from its teachers.

        Raises:
            TrainingError: a teacher has another shape.
        """
        if self._config.superpose:
            superpose(network, self._networks, self._config.weights)

    def answer(self, batches: Mapping[str, tuple[tf.Tensor, tf.Tensor]]) -> dict[str, tf.Tensor]:
        """Logits of the tasks' teachers, (batch, classes) float32; none without distillation.

        A float model answers as at inference. A single-task network normalises with the statistics
        of the sub-batch, as its student does; this avoids the integer arithmetic of inference.
        """
        taught = {name: one.answer(batches[name][0]) for name, one in self._float.items()}
        return taught | {
            name: tf.stop_gradient(model.logits({name: batches[name][0]})[name])
            for name, model in self._models.items()
            if self._config.distill and name not in self._float
        }


def task_loss(
    logits: tf.Tensor,
    labels: tf.Tensor,
    answers: tf.Tensor | None,
    distill: Distillation | None,
) -> tf.Tensor:
    """Mean loss of one task's sub-batch, nats.

    Args:
        logits: (batch, classes) float32.
        labels: (batch,) int64.
        answers: the teacher's logits, as ``logits``; None without one.
        distill: how to mix both.

    Source: arXiv 1503.02531, section 2.
    """
    hard = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
    if answers is None or distill is None:
        return hard
    softened = tf.nn.softmax(answers / distill.temperature)
    given = -tf.reduce_sum(softened * tf.nn.log_softmax(answers / distill.temperature), axis=-1)
    cross = tf.nn.softmax_cross_entropy_with_logits(softened, logits / distill.temperature)
    soft = tf.reduce_mean(cross - given)
    return (1 - distill.weight) * hard + distill.weight * distill.temperature**2 * soft
