"""``rbnn flash`` accepts packed models only with ``--test-only``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from packed_models import TASKS, pack_random_model
from typer.testing import CliRunner

from rbnn.cli.main import build
from rbnn.container.parse import parse
from rbnn.device.deploy import DeployError
from rbnn.device.model import prepare
from rbnn.export.errors import PackedModelError


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory, random_export: Callable[..., Any]) -> Path:
    return pack_random_model(tmp_path_factory.mktemp("model"), random_export)[0].folder


def flash(*arguments: str) -> Any:
    return CliRunner().invoke(build(), ["flash", *arguments, "--dry-run"])


def test_a_packed_model_is_refused_without_test_only(packed: Path) -> None:
    done = flash(str(packed))
    assert isinstance(done.exception, PackedModelError)
    assert "TEST-ONLY" in done.exception.what
    assert done.exception.fix.endswith(f"rbnn flash {packed} --test-only")


@pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None,
    reason="apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi",
)
def test_a_packed_model_is_built_with_test_only(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare, "build_cache", lambda: tmp_path)
    done = flash(str(packed), "--test-only", "--board", "nucleo", "--json")
    assert done.exit_code == 0, done.output
    plan = json.loads(done.stdout)
    assert plan["run"] == str(packed)
    assert "RBNN_ALLOW_TEST_ONLY=1" in plan["commands"][0]
    assert {f"task {name}" for name, _, _ in TASKS} <= {p["part"] for p in plan["sizes"]["parts"]}


@pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None,
    reason="apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi",
)
def test_a_packed_model_is_flashed_with_the_benchmarks_that_are_named(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare, "build_cache", lambda: tmp_path)
    before = (packed / "container.bin").read_bytes()
    named = ("--benchmark", "colour=ic01", "--benchmark", "more=kws01")
    done = flash(str(packed), "--test-only", *named, "--json")
    assert done.exit_code == 0, done.output
    (file,) = (tmp_path / "packed").glob("*/container.bin")
    assert [task.benchmark for task in parse(file.read_bytes()).tasks] == [1, 0, 2]
    assert (packed / "container.bin").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--test-only", "--benchmark", "nope=ic01"), "The model has no task 'nope'. It has: colo"),
        (("--test-only", "--benchmark", "more=vgg"), "--benchmark more must be one of none, ic01"),
        (("--benchmark", "more=ic01"), "requires --test-only. Add --test-only, or omit"),
    ],
)
def test_benchmarks_that_cannot_be_named_are_refused(
    packed: Path, arguments: tuple[str, ...], said: str
) -> None:
    assert said in str(flash(str(packed), *arguments).exception)


def test_a_task_that_a_packed_model_lacks_is_named(packed: Path) -> None:
    done = flash(str(packed), "--test-only", "--tasks", "nope")
    assert isinstance(done.exception, DeployError)
    assert "'nope'" in done.exception.what and "colour, grey, more" in done.exception.fix


def test_only_the_model_needs_no_build(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare, "build_cache", lambda: tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    done = flash(str(packed), "--test-only", "--model-only", "--board", "nucleo", "--json")
    assert done.exit_code == 0, done.output
    plan = json.loads(done.stdout)
    assert plan["sizes"] is None
    model, provisioning = plan["commands"]
    assert "model.bin} 0x08020000 verify" in model and "provisioning.bin" in provisioning


@pytest.mark.parametrize("other", ["--partition", "--development"])
def test_only_the_model_excludes_what_is_built(packed: Path, other: str) -> None:
    done = flash(str(packed), "--test-only", "--model-only", other)
    assert f"{other} cannot be combined with --model-only" in done.exception.what
