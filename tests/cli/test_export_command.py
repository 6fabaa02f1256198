"""``rbnn export --board``: a model that overflows a board is refused before anything is written."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from rbnn.cli.main import build
from rbnn.container.parse import parse
from rbnn.image import board as boards
from rbnn.image.errors import FitError
from rbnn.keys.models.signed import is_signed_by, verifying_key
from rbnn.keys.models.signed import parse as parse_signed
from rbnn.keys.provider_key import new_provider_key, passphrase_file_of
from rbnn.runs.run import Run


def export(run: Path, out: Path, *arguments: str) -> Any:
    return CliRunner().invoke(
        build(), ["export", str(run), "--no-verify", "--out", str(out), *arguments]
    )


@pytest.fixture
def run(random_export: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run whose tasks need no data sets."""
    made = random_export()

    def load(source: str, **_: object) -> SimpleNamespace:
        return SimpleNamespace(test=SimpleNamespace(images=made.images[source]))

    monkeypatch.setattr("rbnn.export.export.load", load)
    folder: Path = made.run.folder
    return folder


def test_it_says_how_the_ram_is_divided(run: Path, tmp_path: Path) -> None:
    done = export(run, tmp_path / "out", "--board", "nucleo", "--json")
    assert done.exit_code == 0, done.output
    memory = json.loads(done.stdout)["memory"]
    assert memory["arena"] > 0 and memory["work"] > 0 and memory["resident"] > 0
    assert memory["weights"].startswith("resident: layers")


def test_the_model_is_signed_if_the_key_opens_without_a_question(run: Path, tmp_path: Path) -> None:
    out, file = tmp_path / "out", tmp_path / "provider.pem"
    key = new_provider_key(file)
    done = export(run, out, "--provider-key", str(file), "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["signed"] == str(out / "ship" / "model.bin")
    model = parse_signed((out / "ship" / "model.bin").read_bytes())
    assert said["model_key"] == verifying_key(key).hex()
    assert is_signed_by(model, verifying_key(key))
    # Without the passphrase there is none, and none that is left over.
    passphrase_file_of(file).rename(tmp_path / "elsewhere")
    done = export(run, out, "--provider-key", str(file))
    assert done.exit_code == 0 and "not signed" in done.stderr
    assert not (out / "ship" / "model.bin").exists()
    done = export(
        *(run, out, "--provider-key", str(file)), "--passphrase-file", str(tmp_path / "elsewhere")
    )
    assert done.exit_code == 0 and (out / "ship" / "model.bin").exists()


def test_an_overflow_writes_nothing(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = boards.load_board("nucleo")
    ram = small.ram.model_copy(update={"bytes": 32_768})
    monkeypatch.setattr(boards, "load_board", lambda name: small.model_copy(update={"ram": ram}))
    done = export(run, tmp_path / "out", "--board", "nucleo")
    assert isinstance(done.exception, FitError)
    assert "too many" in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_a_model_larger_than_the_flash_is_refused_with_the_figures(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = boards.load_board("nucleo")
    flash = small.flash.model_copy(update={"bytes": 60_000})
    monkeypatch.setattr(
        boards, "load_board", lambda name: small.model_copy(update={"flash": flash})
    )
    done = export(run, tmp_path / "out", "--board", "nucleo")
    assert isinstance(done.exception, FitError)
    assert re.search(
        r"flash needs about [\d,]+ bytes of 60,000 \([\d,]+ too many\)", str(done.exception)
    )
    assert not (tmp_path / "out").exists()


def test_a_task_is_given_its_benchmark_after_training(run: Path, tmp_path: Path) -> None:
    run = shutil.copytree(run, tmp_path / "run")
    done = export(run, tmp_path / "out", "--benchmark", "grey=kws01")
    assert done.exit_code == 0, done.output
    container = parse((tmp_path / "out" / "container.bin").read_bytes())
    assert [task.benchmark for task in container.tasks] == [0, 2]
    assert Run(run).config().benchmarks == {"grey": "kws01"}  # `rbnn flash` exports from the run
    refused = export(run, tmp_path / "none", "--benchmark", "grey=ic99")
    assert "--benchmark grey must be one of" in str(refused.exception)
    assert not (tmp_path / "none").exists()
