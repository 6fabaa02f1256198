"""A new run: its folder, config and secrets; settings that are refused."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from rbnn.errors import RbnnError
from rbnn.nets import resnet
from rbnn.runs import start
from rbnn.runs.parameters import ModelParameters
from rbnn.runs.run import Run, choose_run, new_run, newest_run
from rbnn.runs.setting import parse_factors
from rbnn.runs.settings import Settings
from rbnn.runs.start import load_data, share_batches, start_run, usual_epochs
from rbnn.spec.layout import Adapter, Cipher, FrontEnd
from rbnn.tasks import TaskData


def test_only_their_owner_can_read_the_secrets(begin: Callable[..., Run]) -> None:
    run = begin()
    assert stat.S_IMODE(run.secrets_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(run.secrets_file.parent.stat().st_mode) == 0o700


def test_secrets_are_nowhere_else(begin: Callable[..., Run]) -> None:
    run = begin()
    texts = [path.read_text() for path in run.folder.rglob("*.json") if path != run.secrets_file]
    for secret in run.secrets().values():
        assert not any(secret.hex() in text for text in texts)


def test_each_run_draws_its_own_secrets(tmp_path: Path, data: list[TaskData]) -> None:
    one, two = (start_run(tmp_path, data, Settings(seed=1)) for _ in range(2))
    drawn = {*one.secrets().values(), *two.secrets().values()}
    assert len(drawn) == 4
    assert one.config().model_id != two.config().model_id


def test_config_describes_the_tasks(begin: Callable[..., Run], data: list[TaskData]) -> None:
    config = begin().config()
    colour, sound = config.tasks
    assert colour.adapter is Adapter.IDENTITY
    assert sound.adapter is Adapter.REPLICATE
    assert len(set(sound.offsets)) == 1
    assert len(sound.offsets) == 3
    means = data[0].train.images.mean(axis=(0, 1, 2))
    assert all(abs(a - b) <= 0.5 for a, b in zip(colour.offsets, means, strict=True))
    assert config.steps_per_epoch == 5
    assert [config.progress(steps, 1e9) for steps in (0, 5, 10)] == [0, 0.5, 1]


def test_folders_are_named_by_date_and_tasks_and_never_reused(tmp_path: Path) -> None:
    names = [new_run(tmp_path, ["cifar", "kws"], date(2026, 11, 21)).folder.name for _ in "123"]
    first = "2026-11-21-cifar-kws"
    assert names == [first, f"{first}-2", f"{first}-3"]


def test_newest_run_is_the_one_written_last(tmp_path: Path) -> None:
    with pytest.raises(RbnnError, match="No trained run"):
        newest_run(tmp_path)
    for name, age in (("new", 10), ("old", 20)):
        file = tmp_path / name / "parameters.npz"
        file.parent.mkdir()
        file.touch()
        os.utime(file, (1000 - age, 1000 - age))
    (tmp_path / "untrained").mkdir()
    assert newest_run(tmp_path).folder.name == "new"


def test_a_run_is_given_by_folder_or_name(
    begin: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begin()
    runs, name = run.folder.parent, run.folder.name
    monkeypatch.chdir(runs.parent)
    assert choose_run(run.folder, Path("elsewhere")).folder == run.folder
    assert choose_run(Path(name), runs).folder == run.folder
    with pytest.raises(RbnnError, match="nowhere is not a run folder"):
        choose_run(Path("nowhere"), runs)
    with pytest.raises(RbnnError, match=r"^runs/nowhere is not a run folder"):
        choose_run(Path("runs/nowhere"), Path("runs"))


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("architecture", "alexnet", "alexnet"),
        ("width", 0, "--width 8"),
        ("width", 2000, "--width 1024"),
        ("depth", 1, "--depth 3"),
        ("epochs", 0, "--epochs"),
        ("minutes", -1.0, "--minutes"),
        ("minutes", float("nan"), "--minutes"),
        ("minutes", float("inf"), "--minutes"),
        ("learning_rate", 0.0, "--learning-rate"),
        ("learning_rate", float("inf"), "--learning-rate"),
        ("batch", 1, "--batch"),
        ("seed", -1, "--seed"),
        ("trunk", -1, "--trunk"),
        ("trunk", 6, "0 to 5 layers"),
    ],
)
def test_unusable_settings_are_refused_before_anything_is_written(
    tmp_path: Path, data: list[TaskData], field: str, value: object, named: str
) -> None:
    with pytest.raises(RbnnError) as caught:
        start_run(tmp_path / "runs", data, Settings(**{field: value}))  # type: ignore[arg-type]
    assert named in str(caught.value)
    assert not (tmp_path / "runs").exists()


def test_an_output_folder_that_is_a_file_is_refused(tmp_path: Path, data: list[TaskData]) -> None:
    (tmp_path / "runs").touch()
    with pytest.raises(RbnnError, match="Cannot make a run folder"):
        start_run(tmp_path / "runs", data, Settings())


def test_a_run_that_cannot_be_written_leaves_no_folder(
    tmp_path: Path, data: list[TaskData], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(run: Run, secrets: object) -> None:
        raise RbnnError("No space left on device.")

    monkeypatch.setattr(Run, "write_secrets", full)
    with pytest.raises(RbnnError, match="No space"):
        start_run(tmp_path, data, Settings())
    assert list(tmp_path.iterdir()) == []


def test_data_that_have_changed_are_refused(
    begin: Callable[..., Run], data: list[TaskData], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = begin().config()
    found = {task.source: task for task in data}
    monkeypatch.setattr(start, "load", lambda source, form, progress: found[source])
    assert load_data(config) == data
    found["sound"] = data[0]
    with pytest.raises(RbnnError, match=r"sound .* have changed"):
        load_data(config)


def test_a_run_from_before_the_integer_front_end_keeps_its_sounds(
    begin: Callable[..., Run], data: list[TaskData], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its pictures were computed in floating point, so the fingerprint is another."""
    config = begin().config()
    entry = config.tasks[1]
    assert entry.name == "sound" and entry.front_end
    old = entry.model_copy(update={"front_end": FrontEnd.NONE, "fingerprint": "00" * 32})
    assert "front_end" not in old.model_dump()
    found = {task.source: task for task in data}
    monkeypatch.setattr(start, "load", lambda source, form, progress: found[source])
    assert load_data(config.model_copy(update={"tasks": (config.tasks[0], old)})) == data
    other = old.model_copy(update={"labels": ("x", "y", "z")})
    with pytest.raises(RbnnError, match=r"sound .* have changed"):
        load_data(config.model_copy(update={"tasks": (other,)}))


def test_epochs_follow_the_size_of_the_data() -> None:
    assert usual_epochs(45) == 20
    assert usual_epochs(1000) == 15
    assert usual_epochs(10_000) == 10


def test_parameters_cut_off_are_refused(begin: Callable[..., Run]) -> None:
    run = begin()
    ModelParameters({0: np.zeros((64, 64), np.float32)}, {}).save(run.parameters_file)
    whole = run.parameters_file.read_bytes()
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 1
    for part in (whole[:0], whole[:1000], bytes(damaged)):
        run.parameters_file.write_bytes(part)
        with pytest.raises(RbnnError, match="does not hold trained parameters"):
            ModelParameters.load(run.parameters_file)


@pytest.mark.parametrize("damage", ['{"colour": "00"}', "[]", "{", '{"colour": 3}'])
def test_damaged_secrets_are_refused(begin: Callable[..., Run], damage: str) -> None:
    run = begin()
    run.secrets_file.write_text(damage)
    with pytest.raises(RbnnError, match="Cannot read the task secrets"):
        run.secrets()


def test_a_config_of_another_version_is_refused(begin: Callable[..., Run]) -> None:
    run = begin()
    run.config_file.write_text(json.dumps({"version": 99}))
    with pytest.raises(RbnnError, match="format 99"):
        run.config()


def test_a_run_of_an_older_format_is_named_as_such(begin: Callable[..., Run]) -> None:
    run = begin()
    old = json.loads(run.config_file.read_text()) | {"version": 1}
    del old["depth"]
    run.config_file.write_text(json.dumps(old))
    with pytest.raises(RbnnError, match="a run of format 1; this version of rbnn reads 3"):
        run.config()


@pytest.mark.parametrize("damage", ["", "[]", "{", '{"version": 3}'])
def test_a_damaged_config_is_refused(begin: Callable[..., Run], damage: str) -> None:
    run = begin()
    run.config_file.write_text(damage)
    with pytest.raises(RbnnError, match="not a run of this version"):
        run.config()


def test_a_run_keeps_its_architecture_width_depth_and_cipher(begin: Callable[..., Run]) -> None:
    config = begin(architecture="resnet", width=None, cipher="chacha12").config()
    assert (config.architecture, config.width, config.depth) == ("resnet", 64, 6)
    assert config.key_cipher is Cipher.CHACHA12
    assert config.topology() == resnet.topology((32, 32, 3), 4)


def test_a_run_ends_at_the_limit_that_comes_first(begin: Callable[..., Run]) -> None:
    timed = begin(epochs=None, minutes=2.0).config()
    assert timed.epochs is None
    assert timed.progress(10**9, 60.0) == 0.5
    both = begin(epochs=4, minutes=2.0).config()
    assert both.progress(15, 60.0) == 0.75
    assert both.progress(5, 90.0) == 0.75
    counted = both.model_copy(update={"epochs": None, "minutes": None, "steps": 10})
    assert counted.progress(5, 1e9) == 0.5


def test_sub_batches_follow_the_sizes_of_the_training_sets() -> None:
    sizes = [24_000, 3_500, 12_000]
    assert share_batches(sizes, 64, 0.0) == [64, 64, 64]
    assert share_batches(sizes, 64, 0.0, [4, 1, 1]) == [128, 32, 32]
    assert share_batches([100, 300], 64, 1.0) == [32, 96]
    half = share_batches(sizes, 64, 0.5)
    assert half[1] < half[2] < half[0] and abs(sum(half) - 192) <= 1
    assert min(share_batches([10, 100_000], 4, 1.0)) == 2, "batch norm needs more than one sample"


def test_an_epoch_is_a_pass_over_the_largest_task(begin: Callable[..., Run]) -> None:
    config = begin(sampling=1.0).config()
    assert [task.batch for task in config.tasks] == [12, 8]
    assert config.steps_per_epoch == 5
    assert config.planned_steps == 10


@pytest.mark.parametrize(
    ("fields", "planned"),
    [
        ({"steps": 7}, 7),
        ({"epochs": None, "steps": 40}, 40),
        ({"epochs": None, "minutes": 1.0}, None),
    ],
)
def test_steps_are_known_beforehand_unless_time_decides(
    begin: Callable[..., Run], fields: dict[str, object], planned: int | None
) -> None:
    assert begin(**fields).config().planned_steps == planned


@pytest.mark.parametrize(
    ("fields", "fix"),
    [
        ({"sampling": 1.5}, "--sampling"),
        ({"shares": {"colour": 0.0}}, "--share colour"),
        ({"shares": {"cifar": 2.0}}, "The tasks are colour, sound"),
        ({"weights": {"sound": -1.0}}, "--weight sound"),
        ({"weights": {"cifar": 2.0}}, "--weight names 'cifar'"),
        ({"steps": 0}, "--steps"),
        ({"distill": 0.5}, "--baseline"),
        ({"distill": 1.5, "baseline": True}, "--distill"),
        ({"distill": 0.5, "baseline": True, "temperature": 0}, "--temperature"),
        ({"distill": 0.5, "baseline": True, "minutes": 1.0}, "--steps in place of --minutes"),
        ({"architecture": "resnet", "stages": 9}, "--stages 4"),
        ({"stages": 3}, "Leave --stages out"),
    ],
)
def test_options_of_joint_training_that_do_not_work_are_refused(
    begin: Callable[..., Run], fields: dict[str, object], fix: str, tmp_path: Path
) -> None:
    with pytest.raises(RbnnError) as caught:
        begin(**fields)
    assert fix in str(caught.value)
    assert not list((tmp_path / "runs").glob("*"))


def test_precision_is_what_the_processor_is_made_for(
    begin: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    for flags, precision in (("fpu avx512_bf16 sse", "bfloat16"), ("fpu sse", "float32")):
        monkeypatch.setattr(Path, "read_text", lambda _, flags=flags: flags)
        assert start.usual_precision() == precision
    monkeypatch.undo()
    assert begin(precision="float32").config().precision == "float32"


def test_a_run_without_keys_has_no_secrets(begin: Callable[..., Run]) -> None:
    assert not begin(scheme="none").secrets_file.exists()


def test_shares_are_read_from_the_command_line(begin: Callable[..., Run]) -> None:
    assert parse_factors("--share", ["colour=3", "sound=0.5"]) == {"colour": 3.0, "sound": 0.5}
    config = begin(shares={"colour": 3.0}).config()
    assert [task.batch for task in config.tasks] == [15, 5]
    for texts in (["colour"], ["colour=much"], ["colour=1", "colour=2"]):
        with pytest.raises(RbnnError, match="--share"):
            parse_factors("--share", texts)
