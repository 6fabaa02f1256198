"""``--teacher TASK=FILE``: a user's float model of any kind and size teaches the shared network."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from float_models import stripe_model, write_lite
from tiny_tasks import MODEL, SECRETS

from rbnn.errors import RbnnError
from rbnn.nets.framework import tf
from rbnn.report.settings import settings, train_options
from rbnn.runs.config import FloatTeacher
from rbnn.runs.errors import TrainingError
from rbnn.runs.run import Run
from rbnn.runs.settings import Settings
from rbnn.runs.start import start_run
from rbnn.runs.teachers import check_files
from rbnn.tasks import TaskData
from rbnn.train.figures import read_figures
from rbnn.train.float_model import FloatModel
from rbnn.train.float_teacher import FloatTeaching, examine, examine_file
from rbnn.train.session import train
from rbnn.train.teachers import Teachers
from rbnn.train.trainer import Trainer


def quietly(line: str) -> None:
    assert line


def save(model: object, path: Path) -> Path:
    if path.suffix == ".tflite":
        return write_lite(path, model)
    model.save(path)  # type: ignore[attr-defined]
    return path


@pytest.mark.parametrize("suffix", [".h5", ".keras", ".tflite"])
def test_every_kind_of_file_answers_as_its_model(
    data: list[TaskData], tmp_path: Path, suffix: str
) -> None:
    model = stripe_model()
    path = save(model, tmp_path / f"model{suffix}")
    lines: list[str] = []
    about = examine_file(path, data[0], lines.append)
    assert (about.pixels, about.outputs) == ("0..255", "probabilities")
    assert lines == [
        f"colour is taught by model{suffix}: input 32x32x3, pixels 0..255, outputs probabilities; "
        "100.0% of 50 training samples."
    ]
    images = data[0].test.images
    answers = tf.function(FloatTeaching(path, about).answer)(tf.constant(images))
    np.testing.assert_allclose(tf.nn.softmax(answers), model(images.astype(np.float32)), atol=1e-4)


@pytest.mark.parametrize("library", ["tf_keras", "keras"])
def test_in_bfloat16_a_teacher_answers_almost_the_same(
    data: list[TaskData], tmp_path: Path, library: str
) -> None:
    layers = importlib.import_module(library).layers
    model = importlib.import_module(library).Sequential(
        [
            layers.Input((32, 32, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(8, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(4, activation="softmax"),
        ]
    )
    path = save(model, tmp_path / "model.keras")
    about = examine_file(save(stripe_model(), tmp_path / "other.h5"), data[0], quietly)
    images = tf.constant(data[0].test.images)
    whole, halved = (FloatTeaching(path, about, half).answer(images) for half in (False, True))
    assert not np.array_equal(whole, halved), "nothing was halved"
    np.testing.assert_allclose(tf.nn.softmax(halved), tf.nn.softmax(whole), atol=0.02)


def test_keras_3_is_read_too(data: list[TaskData], tmp_path: Path) -> None:
    import keras  # after rbnn, which chooses the Keras that TensorFlow shows

    path = save(stripe_model(keras, activation=None), tmp_path / "model.keras")
    about = examine_file(path, data[0], quietly)
    assert (about.pixels, about.outputs) == ("0..255", "logits")


@pytest.mark.parametrize(
    ("pixels", "factor", "offset"), [("0..1", 1 / 255, 0.0), ("-1..1", 1 / 127.5, -1.0)]
)
def test_the_range_of_the_pixels_is_found(
    data: list[TaskData], tmp_path: Path, pixels: str, factor: float, offset: float
) -> None:
    path = save(stripe_model(factor=factor, offset=offset), tmp_path / "model.h5")
    about = examine_file(path, data[0], quietly)
    assert about.pixels == pixels


@pytest.mark.parametrize("shape", [(16, 16, 1), (64, 48, 3)])
def test_pictures_are_fitted_to_the_model(
    data: list[TaskData], tmp_path: Path, shape: tuple[int, int, int]
) -> None:
    path = save(stripe_model(shape=shape), tmp_path / "model.h5")
    examine_file(path, data[0], quietly)
    images = tf.constant(data[0].test.images)
    found = FloatModel(path)(images, "0..255").numpy().argmax(axis=1)
    assert np.mean(found == data[0].test.labels) > 0.9


def test_a_model_whose_batch_is_built_in_answers_one_by_one(
    data: list[TaskData], tmp_path: Path
) -> None:
    inner = stripe_model()
    fixed = tf.keras.Sequential([tf.keras.layers.Input(batch_shape=(1, 32, 32, 3)), *inner.layers])
    path = save(fixed, tmp_path / "model.tflite")
    assert examine_file(path, data[0], quietly).outputs == "probabilities"


@pytest.mark.parametrize("name", ["model.h5", "model.hdf5", "model.keras", "model.tflite"])
def test_a_file_that_is_no_model_gives_one_clear_error(
    data: list[TaskData], tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.write_bytes(b"this is no model" * 100)
    with pytest.raises(TrainingError, match=rf"{name} is not a .* model that can be read") as found:
        examine_file(path, data[0], quietly)
    assert "\n" not in str(found.value)
    assert capfd.readouterr().err == ""


def test_a_quantised_model_is_refused(data: list[TaskData], tmp_path: Path) -> None:
    path = write_lite(tmp_path / "model.tflite", stripe_model(), integers=True)
    with pytest.raises(TrainingError, match="is quantised: its input is int8, its output int8"):
        examine_file(path, data[0], quietly)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"classes": 3}, r"3 outputs; task colour has 4 classes: colour0, colour1"),
        ({"order": (1, 2, 3, 0)}, r"does not know task colour: it finds 0\.0% of 50"),
        ({"activation": "sigmoid"}, "neither probabilities nor logits"),
    ],
)
def test_a_teacher_of_something_else_is_refused(
    data: list[TaskData], tmp_path: Path, changes: dict[str, object], what: str
) -> None:
    path = save(stripe_model(**changes), tmp_path / "model.h5")  # type: ignore[arg-type]
    with pytest.raises(TrainingError, match=what):
        examine_file(path, data[0], quietly)


def test_a_model_that_takes_no_pictures_is_refused(tmp_path: Path) -> None:
    layers = tf.keras.layers
    model = tf.keras.Sequential([layers.Input((49,)), layers.Dense(4)])
    with pytest.raises(TrainingError, match=r"does not take pictures: its input is \(None, 49\)"):
        FloatModel(save(model, tmp_path / "model.h5"))


def test_program_code_in_a_model_is_not_run(tmp_path: Path) -> None:
    layers = tf.keras.layers
    model = tf.keras.Sequential(
        [layers.Input((32, 32, 3)), layers.Lambda(lambda x: x + 1), layers.Flatten()]
    )
    for name in ("model.h5", "model.keras"):
        with pytest.raises(TrainingError, match="has a Lambda layer, which is program code"):
            FloatModel(save(model, tmp_path / name))


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("missing.h5", r"The teacher of colour, .*missing\.h5, does not exist\."),
        (".", "is a folder"),
        ("readme.txt", "has no known ending"),
    ],
)
def test_what_is_no_file_of_a_model_is_refused_at_once(
    tmp_path: Path, name: str, what: str
) -> None:
    (tmp_path / "readme.txt").write_text("text")
    with pytest.raises(TrainingError, match=what):
        check_files(Settings(teachers={"colour": str(tmp_path / name)}))


Taught = Callable[..., Run]


@pytest.fixture
def taught(data: list[TaskData], tmp_path: Path) -> Taught:
    """Call it with fields of ``Settings`` for a run whose task ``colour`` has a float teacher."""

    def make(**fields: object) -> Run:
        path = tmp_path / "stripes.h5"
        if not path.exists():
            save(stripe_model(), path)
        usual = {"width": 8, "depth": 3, "batch": 8, "steps": 2, "precision": "float32"}
        chosen = Settings(**{**usual, "teachers": {"colour": str(path)}, **fields})  # type: ignore[arg-type]
        return start_run(
            tmp_path / "runs",
            data,
            chosen,
            secrets=SECRETS,
            model_id=MODEL,
            examined=examine(chosen, data, quietly),
        )

    return make


@pytest.mark.usefixtures("eager")
def test_a_float_model_teaches_without_single_task_networks(
    taught: Taught, data: list[TaskData]
) -> None:
    run = taught()
    rows = train(run, data)
    assert [row.own for row in rows] == [None, None]
    assert not (run.folder / "baseline").exists()
    assert run.config().distill == 0.5
    strong = taught(distill=1.0)
    Trainer(strong, data).fit()
    losses = [read_figures(one)[-1].tasks for one in (run, strong)]
    assert losses[0]["colour"].loss != losses[1]["colour"].loss


@pytest.mark.usefixtures("eager")
def test_only_tasks_without_a_float_model_learn_from_their_own_network(
    taught: Taught, data: list[TaskData], tmp_path: Path
) -> None:
    """The single-task network of the others has the float teacher of the shared one."""
    run = taught(baseline=True, distill=0.75)
    rows = train(run, data)
    assert all(row.own is not None for row in rows)
    colour, sound = run.config().tasks
    assert (colour.teacher, sound.float_teacher) == (None, None)
    assert sound.teacher == "baseline/sound"
    assert run.baseline("sound").config().distill is None
    assert colour.float_teacher is not None
    moved = Run(run.folder.rename(tmp_path / "elsewhere"))
    own = moved.baseline("colour")
    assert (own.config().teachers, own.config().distill) == ({"colour": "stripes.h5"}, 0.75)
    assert Teachers(own).answer({"colour": (tf.constant(data[0].train.images[:4]), None)})


def test_a_run_with_a_teacher_continues_elsewhere(
    taught: Taught, data: list[TaskData], tmp_path: Path
) -> None:
    run = taught()
    assert run.config().tasks[0].float_teacher == FloatTeacher(
        file="teachers/colour/stripes.h5", pixels="0..255", outputs="probabilities"
    )
    (tmp_path / "stripes.h5").unlink()
    assert str(tmp_path) not in run.config_file.read_text()
    moved = Run(run.folder.rename(tmp_path / "elsewhere"))
    Trainer(moved, data).fit()


def test_the_report_says_who_taught_whom(taught: Taught) -> None:
    config = taught().config()
    assert settings(config)["float teachers"] == "colour by stripes.h5"
    words = train_options(config)
    assert words[words.index("--teacher") + 1] == "colour=stripes.h5"
    assert "--baseline" not in words


def test_a_teacher_of_no_task_is_refused(taught: Taught) -> None:
    with pytest.raises(RbnnError, match="--teacher names 'color', which is none of the tasks"):
        taught(teachers={"color": "auto"})


def test_a_run_without_float_teachers_is_written_as_by_earlier_versions(trained: Run) -> None:
    text = trained.config_file.read_text()
    assert "teachers" not in text and "float_teacher" not in text
    assert trained.config().teachers == {}
