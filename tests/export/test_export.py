"""``export_run``: the folder it writes, when it is out of date, and what it refuses."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from rbnn.cli.main import build as build_app
from rbnn.container.errors import ExportError
from rbnn.engine import golden
from rbnn.engine.compile import FIRMWARE, compile_native, compiler, engine_sources
from rbnn.errors import RbnnError
from rbnn.export.export import NO_PROVIDER, Export, export_run
from rbnn.export.integer_predictor import integer_predictor
from rbnn.export.verify import require_passed, verify_task
from rbnn.runs.parameters import ModelParameters, Normalisation
from rbnn.runs.run import Run

PROVIDER = bytes(range(1, 33))
FILES = {
    "container.bin", "model_image.c", "model_kernels.c", "model_features.h", "model_config.h",
    "golden.npz", "manifest.json",
}  # fmt: skip


@pytest.fixture(scope="module")
def made(random_export: Callable[..., Any]) -> Any:
    return random_export()


@pytest.fixture
def run(made: Any, tmp_path: Path) -> Run:
    """A copy of the run that a test may spoil."""
    shutil.copytree(made.run.folder, tmp_path / "run")
    return Run(tmp_path / "run")


def test_the_folder_is_complete_and_reads_back(made: Any) -> None:
    assert {path.name for path in made.export.folder.iterdir()} == FILES | {"ship"}
    again = Export.read(made.export.folder)
    assert again.container == made.export.container
    assert again.manifest == made.export.manifest
    assert again.manifest.model_digest == again.container.digest.hex()
    assert again.manifest.bits == again.container.topology.bits
    assert [task.golden for task in again.manifest.tasks] == [16, 16]


def test_exporting_twice_gives_the_same_bytes(made: Any, tmp_path: Path) -> None:
    export_run(made.run, NO_PROVIDER, tmp_path / "again", samples=made.images)
    shipped = [f"ship/{path.name}" for path in (made.export.folder / "ship").iterdir()]
    assert len(shipped) == 6
    for name in (*FILES, *shipped):
        assert (tmp_path / "again" / name).read_bytes() == (
            made.export.folder / name
        ).read_bytes(), name


def test_sizes_add_up(made: Any) -> None:
    sizes = made.export.manifest.sizes
    container = made.export.container
    assert sizes.container == len(container.data) == (made.export.container_file).stat().st_size
    assert sizes.shared >= container.plan.weights_bytes >= container.topology.bits / 8
    records = sum(task.record + task.sealed for task in sizes.tasks)
    assert abs(sizes.shared + records - sizes.container) < 32
    assert all(task.own < task.separate for task in sizes.tasks)
    assert sizes.reconfigurable < sizes.separate


def test_a_task_takes_less_than_a_twentieth(random_export: Callable[..., Any]) -> None:
    """On a network of 400,000 bits or more."""
    manifest = random_export(width=64).export.manifest
    assert manifest.bits >= 400_000
    assert all(task.own <= 0.05 * manifest.sizes.shared for task in manifest.sizes.tasks)


def test_the_c_array_is_the_container(made: Any, tmp_path: Path) -> None:
    main = tmp_path / "main.c"
    main.write_text(
        "#include <stdio.h>\n"
        '#include "model_config.h"\n'
        '#include "core/model_image.h"\n'
        "_Static_assert(RBNN_MODEL_ARENA_BYTES > 0 && RBNN_MODEL_WORK_BYTES > 0 &&\n"
        '               RBNN_MODEL_PARAMS_BYTES > 0, "");\n'
        "int main(void)\n{\n"
        "  if ((unsigned long)rbnn_model_image % 16) return 1;\n"
        "  return fwrite(rbnn_model_image, rbnn_model_image_bytes, 1, stdout) != 1;\n}\n"
    )
    folder = made.export.folder
    program = compile_native(
        "show", [folder / "model_image.c", main],
        ("-Wall", "-Wextra", "-Wconversion", "-Werror", f"-I{folder}"),
        tmp_path,
    )  # fmt: skip
    shown = subprocess.run([program], check=True, capture_output=True).stdout
    assert shown == made.export.container.data
    table = (folder / "model_config.h").read_text()
    for layer in made.export.container.topology.layers:
        assert layer.op.name in table
    assert f"RBNN_MODEL_ARENA_BYTES {made.export.container.plan.arena_bytes}u" in table


def test_is_current_until_something_changes(run: Run, made: Any) -> None:
    export = Export.read(run.export_folder)
    assert export.is_current(run, NO_PROVIDER)
    assert not export.is_current(run, PROVIDER)
    export.golden_file.unlink()
    assert not export.is_current(run, NO_PROVIDER)
    export = export_run(run, PROVIDER, samples=made.images)
    assert export.is_current(run, PROVIDER)
    parameters = ModelParameters.load(run.parameters_file)
    parameters.kernels[0][:] *= -1
    parameters.save(run.parameters_file)
    assert not export.is_current(run, PROVIDER)


def test_damaged_folders_are_refused(run: Run, made: Any, random_export: Any) -> None:
    other = random_export(seed=9).export
    container = run.export_folder / "container.bin"
    container.write_bytes(other.container.data)
    with pytest.raises(ExportError, match="do not belong together"):
        Export.read(run.export_folder)
    container.unlink()
    with pytest.raises(ExportError, match=r"container\.bin"):
        Export.read(run.export_folder)
    (run.export_folder / "manifest.json").write_text("{}")
    with pytest.raises(RbnnError, match="not a manifest of this version"):
        Export.read(run.export_folder)
    with pytest.raises(RbnnError, match="Cannot read"):
        Export.read(run.folder / "nothing")
    (run.export_folder / "golden.npz").write_bytes(b"PK")
    with pytest.raises(ExportError, match="golden vectors"):
        golden.load(run.export_folder / "golden.npz")


def test_incomplete_runs_are_refused(run: Run, made: Any, tmp_path: Path) -> None:
    secrets = run.secrets()
    run.write_secrets({"colour": secrets["colour"]})
    with pytest.raises(ExportError, match="no secret for task grey"):
        export_run(run, NO_PROVIDER, samples=made.images)
    run.secrets_file.unlink()
    with pytest.raises(RbnnError, match="task secrets"):
        export_run(run, NO_PROVIDER, samples=made.images)
    run.write_secrets(secrets)
    run.parameters_file.write_bytes(b"nothing")
    with pytest.raises(RbnnError, match="trained parameters"):
        export_run(run, NO_PROVIDER, samples=made.images)
    run.parameters_file.unlink()
    with pytest.raises(ExportError, match="Cannot read"):
        export_run(run, NO_PROVIDER, samples=made.images)
    with pytest.raises(RbnnError, match="not a run folder"):
        export_run(Run(tmp_path / "nothing"), NO_PROVIDER)


def test_parameters_of_another_network_are_refused(run: Run, made: Any) -> None:
    parameters = ModelParameters.load(run.parameters_file)
    kernels = {**parameters.kernels, 1: parameters.kernels[1][:1]}
    ModelParameters(kernels, parameters.normalisations).save(run.parameters_file)
    with pytest.raises(ExportError, match=r"Layer 1 \(conv\) needs a kernel of shape"):
        export_run(run, NO_PROVIDER, samples=made.images)
    ModelParameters(parameters.kernels, {"colour": parameters.normalisations["colour"]}).save(
        run.parameters_file
    )
    with pytest.raises(ExportError, match="Task grey, layer 0"):
        export_run(run, NO_PROVIDER, samples=made.images)


def test_a_negative_gamma_names_task_and_layer(run: Run, made: Any) -> None:
    parameters = ModelParameters.load(run.parameters_file)
    norm: Normalisation = parameters.normalisations["grey"][3]
    norm.gamma[3] = -1
    parameters.save(run.parameters_file)
    with pytest.raises(ExportError, match=re.escape("Task grey, layer 3 (conv): gamma")):
        export_run(run, NO_PROVIDER, samples=made.images)


@pytest.mark.parametrize("scheme", ["sign", "permute", "none"])
def test_other_schemes_are_refused(run: Run, made: Any, scheme: str) -> None:
    run.write_config(run.config().model_copy(update={"scheme": scheme}))
    if scheme == "none":
        run.secrets_file.unlink()
    for attempt in (
        lambda: export_run(run, NO_PROVIDER, samples=made.images),
        lambda: integer_predictor(run, "c"),
    ):
        with pytest.raises(ExportError, match=f"scheme '{scheme}'"):
            attempt()


def test_nothing_half_written_where_the_folder_cannot_be_made(
    run: Run, made: Any, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RbnnError, match="Cannot write"):
        export_run(run, NO_PROVIDER, tmp_path / "file" / "out", samples=made.images)
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_missing_compiler_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ExportError, match="No C compiler") as caught:
        compiler()
    assert "apt-get install gcc" in caught.value.fix


def test_missing_crypto_sources_name_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rbnn.places.third_party", lambda: tmp_path)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path / "pip"))
    with pytest.raises(RbnnError, match="Monocypher's C files are not here yet") as caught:
        engine_sources()
    assert "python -m rbnn.monocypher" in caught.value.fix


def test_sources_that_do_not_compile_say_why(tmp_path: Path) -> None:
    (tmp_path / "broken.c").write_text("int x = ;\n")
    with pytest.raises(ExportError, match="cannot build broken"):
        compile_native("broken", [tmp_path / "broken.c"], (), tmp_path / "cache")
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_a_changed_header_causes_a_new_build(tmp_path: Path) -> None:
    (tmp_path / "answer.c").write_text('#include "answer.h"\nint main(void) { return ANSWER; }\n')
    codes = []
    for answer in (41, 42):
        (tmp_path / "answer.h").write_text(f"#define ANSWER {answer}\n")
        sources, flags = [tmp_path / "answer.c"], [f"-I{tmp_path}"]
        program = compile_native("answer", sources, flags, tmp_path / "cache")
        codes.append(subprocess.run([program], check=False).returncode)
    assert codes == [41, 42]


def test_failed_checks_are_errors(made: Any) -> None:
    images, secret = made.images["grey"], made.secrets["grey"]
    zeros = np.zeros(len(images), np.int64)
    good = verify_task(made.export.container, 1, secret, images, zeros)
    require_passed([good])
    with pytest.raises(ExportError, match="differ in 7 output bytes"):
        require_passed([good, good.model_copy(update={"differing_outputs": 7})])
    with pytest.raises(ExportError, match=r"only 90\.00 %"):
        require_passed([good.model_copy(update={"agreement": 0.9, "keras_accuracy": 0.9})])


def test_the_command_prints_one_json_document(
    run: Run, made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "rbnn.export.export.load",
        lambda source, form=None, progress=None: type(
            "Data", (), {"test": type("Split", (), {"images": made.images[source]})}
        ),
    )
    arguments = ["export", str(run.folder), "--no-verify", "--json"]
    result = CliRunner().invoke(build_app(), arguments)
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["manifest"]["model_digest"] == made.export.container.digest.hex()
    assert document["checks"] == []
    assert "cannot be licensed" in result.stderr
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "provider.pem.pub").write_text(PROVIDER.hex() + "\n")
    result = CliRunner().invoke(build_app(), arguments)
    assert json.loads(result.stdout)["manifest"]["provider_public"] == PROVIDER.hex()
    assert "cannot be licensed" not in result.stderr
    result = CliRunner().invoke(build_app(), [*arguments[:-1], "--out", str(tmp_path / "other")])
    assert result.exit_code == 0 and "shared parameters" in result.stdout
    assert {path.name for path in (tmp_path / "other").iterdir()} == FILES | {"ship"}


def test_the_command_without_a_run_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(build_app(), ["export"])
    assert isinstance(result.exception, RbnnError)
    assert "rbnn train" in result.exception.fix


@pytest.mark.parametrize(
    ("architecture", "used"),
    [
        ("vgg", {"THRESHOLD", "ODD_WORDS", "EVEN_WORDS"}),
        ("resnet", {"RESIDUAL", "ODD_WORDS", "EVEN_WORDS"}),
        ("reactnet", {"RESIDUAL", "RPRELU", "SIGN_THRESHOLDS", "ODD_WORDS", "EVEN_WORDS"}),
    ],
)
def test_features_are_those_of_the_layers(
    architecture: str, used: set[str], random_export: Callable[..., Any]
) -> None:
    folder = random_export(architecture=architecture).export.folder
    lines = (folder / "model_features.h").read_text().splitlines()
    said = [line.split()[1:] for line in lines if line.startswith("#define RBNN_WITH_")]
    assert said.pop() == ["RBNN_WITH_INPUT_BYTES", "3072u"]
    assert said.pop() == ["RBNN_WITH_TASKS", "2"]
    assert {name.removeprefix("RBNN_WITH_") for name, value in said if value == "1"} == used
    known = (FIRMWARE / "core" / "kernel_features.h").read_text()
    assert all(f"#define {name} 1" in known for name, _ in said)
    # Those that take a number have a default of their own.
    assert known.count("#define RBNN_WITH_") == len(said) + 2
