"""``rbnn audit`` as typed: runs, exports and packed models, exit codes, and what it refuses."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from rule_network import CLASSES, striped_task
from typer.testing import CliRunner, Result

from rbnn.audit import gate
from rbnn.audit import subject as subjects
from rbnn.audit.audit import STEPS
from rbnn.audit.checks import patch_sweep
from rbnn.audit.errors import AuditError
from rbnn.cli.main import build
from rbnn.errors import RbnnError
from rbnn.runs.config import RunConfig
from rbnn.runs.run import Run
from rbnn.tasks import TaskData
from rbnn.tasks.errors import TaskError


def audit(*arguments: object) -> Result:
    return CliRunner().invoke(build(), ["audit", *map(str, arguments)])


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The task's data are at hand, and few of them are tried."""

    def find(config: RunConfig, progress: object = None) -> list[TaskData]:
        if config.tasks[0].name != "stripes":
            raise TaskError("The data are not there.", "Bring them.")
        return [striped_task()]

    monkeypatch.setattr(subjects, "load_data", find)
    monkeypatch.setattr(patch_sweep, "SAMPLES", 2)
    monkeypatch.setattr(patch_sweep, "WAVES", (6,))


@pytest.fixture(scope="module")
def export(random_export: Callable[..., object]) -> Run:
    """Two tasks with random weights; the data of one are at hand."""
    made = random_export(tasks=(("stripes", CLASSES, 1), ("secret", 4, 1)))
    return made.run  # type: ignore[attr-defined, no-any-return]


def outcomes(document: dict[str, object]) -> dict[str, str]:
    (task,) = document["tasks"]  # type: ignore[misc]
    return {check["name"]: check["outcome"] for check in task["checks"]}  # type: ignore[index]


def test_a_run_is_audited_quickly(export: Run) -> None:
    done = audit(export.folder, "--task", "stripes", "--quick", "--json")
    document = json.loads(done.stdout)
    assert done.exit_code == document["exit_code"]
    found = outcomes(document)
    assert list(found) == [step.name for step in STEPS]
    assert found["trigger inversion"] == found["float against deployed"] == "not run"
    assert document["form"] == "run" and document["quick"]
    files = {path.name for path in (export.folder / "audit").iterdir()}
    assert files == {"audit.html", "audit.md", "audit.json"}
    held = json.loads((export.folder / "audit" / "audit.json").read_text())
    assert held["digest"] == document["digest"]


def test_a_task_without_samples_cannot_be_told(export: Run, tmp_path: Path) -> None:
    done = audit(export.folder, "--task", "secret", "--quick", "--out", tmp_path, "--json")
    assert done.exit_code == 2
    document = json.loads(done.stdout)
    assert document["outcome"] == "could not tell"
    assert "The data are not there." in done.stdout


def test_a_table_is_printed_for_people(export: Run, tmp_path: Path) -> None:
    done = audit(export.folder, "--task", "secret", "--quick", "--out", tmp_path)
    assert "secret: could not tell" in done.stdout
    assert f"Page: {tmp_path / 'audit.html'}" in done.stdout
    assert "Note: A quick audit" in done.stdout


def test_an_export_needs_its_run_or_the_secrets(
    export: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = tmp_path / "delivered"
    shutil.copytree(export.export_folder, moved)
    refused = audit(moved, "--quick")
    assert isinstance(refused.exception, AuditError) and refused.exception.exit_code == 2
    assert "--secrets" in refused.exception.fix

    monkeypatch.setattr(subjects, "KNOWN", {"stripes": None})
    monkeypatch.setattr(subjects, "load", lambda name, progress=None: striped_task())
    options = ["--task", "stripes", "--quick", "--json", "--out", tmp_path / "out"]
    for path in (moved, moved / "container.bin", moved / "ship"):
        done = audit(path, "--secrets", export.secrets_file, *options)
        document = json.loads(done.stdout)
        assert document["form"] == "export"
        assert outcomes(document)["patch sweep"] != "could not tell"
    inside = audit(export.export_folder, *options)
    assert json.loads(inside.stdout)["form"] == "export"


def test_samples_of_the_users_own_take_the_place_of_the_tasks_data(
    export: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subjects, "load", lambda spec, progress=None: striped_task(spec.name))
    options = ["--task", "stripes", "--quick", "--json", "--out", tmp_path]
    done = audit(export.folder, *options, "--samples", f"stripes={tmp_path}")
    found = outcomes(json.loads(done.stdout))
    assert found["data scan"] == found["superposition entropy"] == "not run"
    assert found["patch sweep"] != "not run"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "nowhere is not a run folder"),
        (["RUN", "--task", "smell"], "has no task 'smell'"),
        (["RUN", "--secrets", "missing.json"], "holds no task secrets"),
        (["RUN", "--samples", "stripes="], "no path"),
    ],
)
def test_what_cannot_be_audited_ends_with_2(
    export: Run, arguments: Sequence[str], said: str
) -> None:
    done = audit(*(str(export.folder) if one == "RUN" else one for one in arguments))
    assert isinstance(done.exception, RbnnError)
    assert done.exception.exit_code == 2
    assert said in str(done.exception)


def test_files_that_are_no_model_secrets_or_samples_end_with_2(
    export: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep, other = tmp_path / "deep.json", tmp_path / "other.bin"
    deep.write_text("[" * 100_000)
    other.write_bytes((export.export_folder / "container.bin").read_bytes())
    for arguments, said in (
        ((export.folder, "--secrets", deep), "holds no task secrets"),
        ((other, "--secrets", export.secrets_file), "is a file"),
        ((export.folder, "--quick", "--samples", f"stripes={tmp_path / 'none'}"), "none"),
    ):
        done = audit(*arguments)
        assert isinstance(done.exception, AuditError) and done.exception.exit_code == 2
        assert said in str(done.exception)

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("rbnn.audit.audit.audit", fail)  # 1 would say that something was found
    done = audit(export.folder, "--task", "stripes", "--quick")
    assert isinstance(done.exception, AuditError) and "ZeroDivisionError" in str(done.exception)


def test_flashing_with_an_audit_stops_at_what_it_cannot_tell(
    export: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(
        build(), ["flash", str(export.folder), "--tasks", "secret", "--dry-run", "--audit"]
    )
    assert isinstance(done.exception, RbnnError)
    assert done.exception.exit_code == 3
    assert "could not tell for secret" in done.exception.what
    assert "audit.html" in done.exception.fix
    assert not list(tmp_path.glob("keys/*"))


def test_a_whole_audit_of_the_same_parameters_is_taken_as_it_is(
    export: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(tmp_path / "run")
    shutil.copytree(export.folder, run.folder, ignore=shutil.ignore_patterns("audit"))
    assert gate.audit_line(run) is None
    audit(run.folder, "--task", "stripes", "--quick")
    held = gate.read_audit(run)
    assert held is not None
    whole = held.model_copy(update={"quick": False})
    (run.folder / "audit" / "audit.json").write_text(whole.model_dump_json())
    monkeypatch.setattr(gate, "audit", lambda *_, **__: pytest.fail("audited again"))
    assert gate.audit_before(run.folder, ["stripes"], "rbnn flash")[0] == whole
    line = gate.audit_line(run)
    assert line is not None and line.current and not line.quick
    run.parameters_file.write_bytes(run.parameters_file.read_bytes() + b" ")
    line = gate.audit_line(run)
    assert line is not None and not line.current
