"""What the files of a run hold, byte by byte, and that docs/what-may-leave.md says so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pytest
from tiny_tasks import MODEL, SECRETS, eagerly
from trust_rows import Trust, trust_row

import rbnn
from rbnn.audit.audit import audit
from rbnn.audit.page import write_report as write_audit
from rbnn.audit.subject import FOLDER, open_subject
from rbnn.engine import golden
from rbnn.export.checks import record
from rbnn.export.export import NO_PROVIDER, Export, export_run
from rbnn.export.ship import FOLDER as SHIP
from rbnn.export.verify import TaskCheck
from rbnn.report.gather import CARD_FILE, PAGE_FILE, Wishes, report_run, write_report
from rbnn.runs.config import RunConfig
from rbnn.runs.parameters import ModelParameters
from rbnn.runs.run import Run
from rbnn.runs.settings import Settings
from rbnn.runs.start import start_run
from rbnn.spec import key_stream
from rbnn.tasks import TaskData
from rbnn.train.baseline import forget_own, unprotected
from rbnn.train.session import train

DOCUMENT = Path(rbnn.__file__).parents[1] / "docs" / "what-may-leave.md"
ROW = re.compile(r"^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
UNTESTED = {"export/firmware/*", "export/firmware/*/firmware.bin", "baseline/forgotten.txt"}
"""Rows for what the training below does not leave."""
TEACHER = b"a float model that answers without a key"
NEEDLE_BYTES = 48


@dataclass(frozen=True)
class Finished:
    """A run, and by file, relative to its folder, what it holds."""

    run: Run
    held: Mapping[str, set[str]]


def _rows() -> dict[str, tuple[set[str], str]]:
    """By pattern: what the document says such files hold, and whether they may leave."""
    text = DOCUMENT.read_text().split("## Networks without a key")[0]
    return {
        pattern: ({one.strip() for one in holds.split(",")} - {"nothing"}, may.strip())
        for pattern, holds, may in ROW.findall(text)
    }


def _needles(run: Run, export: Export, data: list[TaskData]) -> dict[str, list[bytes]]:
    """Bytes that give away each kind of secret."""

    def arrays(parameters: ModelParameters) -> tuple[list[bytes], list[bytes]]:
        norms = [norm for layers in parameters.normalisations.values() for norm in layers.values()]
        return (
            [kernel.astype(np.float32).tobytes() for kernel in parameters.kernels.values()],
            [norm.mean.tobytes() for norm in norms],
        )

    kernels, norms = arrays(ModelParameters.load(run.parameters_file))
    own = [TEACHER]
    for task in data:
        for found in arrays(ModelParameters.load(run.baseline(task.name).parameters_file)):
            own += found
    stored = _stored_bits(export)
    secrets = []
    for secret in run.secrets().values():
        key = key_stream.stream_key(secret, MODEL)
        for one in (secret, key):
            secrets += [one, one.hex().encode(), one.hex().upper().encode()]
        cipher = run.config().key_cipher
        own += [key_stream.reconfigure(bits, key, n, cipher) for n, bits in stored.items()]
    vectors = golden.load(run.export_folder / "golden.npz")
    return {
        "task secrets": secrets,
        "latent kernels": kernels,
        "norms": norms,
        "own network": own,
        "answers": [one.logits.tobytes() for one in vectors.values()],
        "class names": [label.encode() for task in data for label in task.labels],
    }


def _stored_bits(export: Export) -> dict[int, bytes]:
    """P of every layer that has bits."""
    container = export.container
    layers = range(len(container.topology.layers))
    return {n: bits for n in layers if (bits := container.stored_bits(n))}


def _images(data: list[TaskData]) -> dict[str, np.ndarray]:
    return {task.name: task.test.images for task in data}


def _content(path: Path) -> bytes:
    """A file's bytes; those of an archive's arrays, and those that C source spells out."""
    raw = path.read_bytes()
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            raw = b"".join(name.encode() + arrays[name].tobytes() for name in arrays.files)
    if path.suffix == ".c":
        raw += bytes(int(one, 16) for one in re.findall(rb"0x([0-9a-fA-F]{1,2})\b", raw))
    return raw


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, data: list[TaskData]) -> Finished:
    """A small training with teachers, exported, checked, audited and reported on."""
    chosen = {"baseline": True, "distill": 0.5, "superpose": True, "precision": "float32"}
    settings = Settings(width=32, depth=3, batch=10, epochs=1, seed=5, **chosen)  # type: ignore[arg-type]
    root = tmp_path_factory.mktemp("runs")
    root.chmod(0o755)
    run = start_run(root, data, settings, secrets=SECRETS, model_id=MODEL)
    with eagerly():
        train(run, data)
    teacher = run.folder / "teachers" / "colour" / "model.h5"
    teacher.parent.mkdir(parents=True)
    teacher.write_bytes(TEACHER)
    export = export_run(run, NO_PROVIDER, samples=_images(data))
    checks = [TaskCheck(task=task.name, samples=1, differing_outputs=0, accuracy=0.5,
                        keras_accuracy=None, agreement=None) for task in data]  # fmt: skip
    record(export, checks)

    def given(config: RunConfig, progress: object = None) -> list[TaskData]:
        names = [task.name for task in config.tasks]
        return [task for task in data if task.name in names]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rbnn.report.gather.load_data", given)
        wishes = Wishes(board="nucleo", engine="c", samples=4, wrong_secrets=2)
        report = report_run(run, wishes, lambda what, done, total: None)
        patch.setattr("rbnn.audit.subject.load_data", given)
        patch.setattr("rbnn.audit.checks.patch_sweep.SAMPLES", 2)
        subject = open_subject(run.folder, root)
        write_audit(audit(subject, "rbnn audit", quick=True), run.folder / FOLDER)
    write_report(report, run.folder / PAGE_FILE, run.folder / CARD_FILE)
    needles = _needles(run, export, data)
    held = {}
    for path in sorted(path for path in run.folder.rglob("*") if path.is_file()):
        content = _content(path)
        held[str(path.relative_to(run.folder))] = {
            kind
            for kind, sought in needles.items()
            if any(one[:NEEDLE_BYTES] in content for one in sought)
        }
    return Finished(run, held)


@trust_row(
    "what-may-leave",
    "All files that a training leaves, with teachers, export, check and report, searched for task "
    "secrets, kernels, norms, networks without a key, answers and class names",
    "each secret that is found is in a file that what-may-leave.md says holds it",
)
def test_the_document_says_what_every_file_holds(finished: Finished, trust: Trust) -> None:
    rows = _rows()
    found: dict[str, set[str]] = {}
    unnamed = []
    for name, holds in finished.held.items():
        pattern = max((one for one in rows if fnmatch(name, one)), key=len, default="")
        if not pattern or holds - rows[pattern][0]:
            unnamed.append(name)
        found.setdefault(pattern, set()).update(holds)
    secret = sum(bool(holds) for holds in finished.held.values())
    trust.measured(f"{len(unnamed)} not named, of {secret} files with a secret", len(finished.held))
    assert not unnamed, f"in no row of {DOCUMENT.name}, or not with what they hold"
    assert found == {pattern: holds for pattern, (holds, _) in rows.items() if pattern in found}
    assert set(rows) - set(found) == UNTESTED


def test_nothing_that_keys_protect_may_leave(finished: Finished) -> None:
    for pattern, (holds, may) in _rows().items():
        if holds - {"class names"}:
            assert may.split(";")[0] in ("no", "never"), pattern
    shipped = {name for name in finished.held if name.startswith(f"export/{SHIP}/")}
    assert len(shipped) == 6
    folder = finished.run.export_folder
    for name in ("container.bin", "model_image.c"):  # the search finds what is there
        for bits in _stored_bits(Export.read(folder)).values():
            assert bits[:NEEDLE_BYTES] in _content(folder / SHIP / name)
    assert all(not finished.held[name] for name in shipped)


def test_a_run_is_private(finished: Finished) -> None:
    run = finished.run
    for folder in (run.folder, run.checkpoint_folder, run.baseline("colour").folder):
        assert folder.stat().st_mode & 0o777 == 0o700, folder
    for name, holds in finished.held.items():
        # TensorFlow writes checkpoints, into a folder that is private.
        by_rbnn = "checkpoints/" not in name and "/teachers/" not in f"/{name}"
        if by_rbnn and holds and name not in (PAGE_FILE, CARD_FILE):
            assert (run.folder / name).stat().st_mode & 0o777 == 0o600, name


@pytest.mark.usefixtures("eager")
def test_networks_without_a_key_can_be_forgotten(finished: Finished, data: list[TaskData]) -> None:
    run = finished.run
    rows = train(run, data)
    assert "--forget-own" in unprotected(run)
    gone = forget_own(run)
    assert len(gone) == 5 and not any(path.exists() for path in gone)
    assert unprotected(run) == ""
    left = [name for name, holds in finished.held.items() if "own network" in holds]
    assert left and not any((run.folder / name).exists() for name in left)
    assert train(run, data) == rows  # a finished run that is continued makes none of them again
    assert forget_own(run) == [] and run.parameters_file.exists()
