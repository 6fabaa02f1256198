"""The report of a run: its figures, what it says of incomplete runs, and that it has no secrets."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from reported_run import SAMPLES, add_own_networks, made_data, make_report, write_metrics

from rbnn.errors import RbnnError
from rbnn.keys import licence
from rbnn.keys.provider_key import ProviderKey, public_file
from rbnn.keys.registry import Registry
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import UserKey
from rbnn.report.gather import notes, write_report
from rbnn.report.page import card, page
from rbnn.report.results import choose, count_confusion, mix_ups
from rbnn.runs.run import Run
from rbnn.spec.layout import HELPER_RECORD_BYTES
from rbnn.tasks import TaskError
from rbnn.tasks.overlap import ALIKE


@pytest.fixture(scope="module")
def exported(random_export: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Exported, and trained to its end according to its metrics; one task has a single-task network
    to compare with."""
    made = random_export(tmp_path_factory.mktemp("report") / "a-run")
    write_metrics(made.run, 3)
    add_own_networks(made.run, ["colour"])
    run: Run = made.run
    return run


@pytest.fixture
def run(exported: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr("rbnn.report.gather.load_data", made_data)
    folder = tmp_path / exported.folder.name
    shutil.copytree(exported.folder, folder)
    return Run(folder)


def test_figures_agree_with_each_other(run: Run, tmp_path: Path) -> None:
    report = make_report(run, tmp_path, samples=4, wrong_secrets=2)
    colour, grey = report.tasks
    for task in (colour, grey):
        assert task.results is not None and task.data is not None
        confusion = np.array(task.results.confusion)
        assert confusion.sum() == SAMPLES == task.data.test
        assert task.results.accuracy == np.trace(confusion) / SAMPLES
        assert task.results.interval[0] < task.results.accuracy < task.results.interval[1]
        assert 0 < len(task.results.right) <= 4 and len(task.results.wrong) == 4
        for sample in task.results.right:
            assert sample.guesses[0].label == sample.truth
        for sample in task.results.wrong:
            assert sample.guesses[0].label != sample.truth
            assert sum(guess.probability for guess in sample.guesses) <= 1.000001
        assert task.results.wrong_secrets is not None
        assert len(task.results.wrong_secrets.accuracies) == 2
        assert [one.epoch for one in task.curve] == [1, 2, 3]
    assert colour.shared == 0.8 and colour.own == 0.7
    assert colour.difference == pytest.approx(0.1)
    assert grey.own is None and report.mean_difference is None
    assert report.export.state == "current" and report.export.digest
    assert report.export.board is not None and report.export.board.problem is None
    assert report.network.bits <= report.network.stored_bits
    assert sum(layer.bits for layer in report.network.layers) == report.network.stored_bits
    assert report.training.finished
    (note,) = report.notes  # the network was never trained and is worse than its metrics say
    assert "differ from those that training recorded" in note and "against 80.0%" in note


def test_no_secret_and_no_path_is_published(run: Run, tmp_path: Path) -> None:
    report = make_report(run, tmp_path)
    write_report(report, tmp_path / "out" / "page.html", tmp_path / "out" / "card.md")
    texts = [(tmp_path / "out" / name).read_text() for name in ("page.html", "card.md")]
    texts.append(report.model_dump_json())
    for text in texts:
        squeezed = text.replace(" ", "")
        for secret in run.secrets().values():
            assert secret.hex() not in squeezed
        assert str(tmp_path) not in text and "/somewhere/private" not in text
        assert "noise.zip" in text
    assert "data:image/png" not in texts[2]


def test_test_samples_that_take_part_in_training_are_counted(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clean = card(make_report(run, tmp_path))
    assert "colour 0 in every byte, 0 more almost" in clean and f"{ALIKE} or more" in clean

    def copied(config: Any, progress: Any) -> Any:
        return [dataclasses.replace(task, test=task.train) for task in made_data(config)]

    monkeypatch.setattr("rbnn.report.gather.load_data", copied)
    report = make_report(run, tmp_path)
    for task in report.tasks:
        assert task.data is not None and (task.data.equal, task.data.alike) == (SAMPLES, 0)
        (note,) = (note for note in report.notes if f"samples of task {task.name} are" in note)
        assert f"{SAMPLES} of {SAMPLES} test samples" in note
    for text in (page(report), card(report)):
        assert "are training samples too" in text
        assert f"{SAMPLES} in every byte" in text


def test_a_run_that_is_not_exported_says_so(run: Run, tmp_path: Path) -> None:
    shutil.rmtree(run.export_folder)
    report = make_report(run, tmp_path)
    assert report.export.state == "missing" and report.export.digest is None
    assert report.export.together > 0
    assert "has not been exported" in report.notes[0]
    assert "has not been exported" in page(report) and "has not been exported" in card(report)


def test_an_outdated_export_is_not_used(run: Run, tmp_path: Path) -> None:
    config = run.config()
    run.write_config(config.model_copy(update={"seed": config.seed + 1}))
    report = make_report(run, tmp_path)
    assert report.export.state == "outdated" and "since it was exported" in report.notes[0]


def test_a_run_without_metrics_has_no_curves(run: Run, tmp_path: Path) -> None:
    run.metrics_file.unlink()
    shutil.rmtree(run.folder / "baseline")
    report = make_report(run, tmp_path)
    assert "no metrics.json" in report.notes[0]
    assert report.tasks[0].accuracy == report.tasks[0].results.accuracy  # type: ignore[union-attr]
    assert "Learning curves" not in page(report)
    assert "nothing to compare with" in page(report)


def test_the_report_of_an_unfinished_run_says_how_far_it_is(run: Run, tmp_path: Path) -> None:
    run.write_config(run.config().model_copy(update={"epochs": 4}))
    report = make_report(run, tmp_path)
    assert not report.training.finished
    assert "Training is not finished: 75%" in report.notes[0]
    assert report.notes[0].endswith(f"rbnn train --resume {report.run}")
    assert notes(report, "else/where")[0].endswith("rbnn train --resume else/where")


def test_a_run_without_parameters_is_refused(run: Run, tmp_path: Path) -> None:
    run.parameters_file.unlink()
    with pytest.raises(RbnnError, match="no trained parameters yet") as caught:
        make_report(run, tmp_path)
    assert "rbnn train --resume" in caught.value.fix


def test_missing_data_of_one_task_leave_the_other_tasks(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(config: Any, progress: Any) -> Any:
        if config.tasks[0].name == "grey":
            raise TaskError("grey.zip is missing.", "Put it back.")
        return made_data(config)

    monkeypatch.setattr("rbnn.report.gather.load_data", load)
    report = make_report(run, tmp_path)
    colour, grey = report.tasks
    assert colour.results is not None
    assert grey.results is None and grey.missing == "grey.zip is missing. Put it back."
    assert any("grey.zip is missing" in note for note in report.notes)
    for text in (page(report), card(report)):
        assert "grey" in text
    assert "not available" in card(report) and "were not compared" in card(report)


def test_a_scheme_that_devices_do_not_support(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rbnn.report.scorer import Scorer

    def classes(task: str, images: Any, forced: bytes | None = None) -> Any:
        return np.zeros(len(images), np.int64)

    def probabilities(task: str, images: Any) -> Any:
        return np.full((len(images), 4), 0.25)

    def open_scorer(*_: Any) -> Scorer:
        return Scorer("keras", classes, probabilities)

    shutil.rmtree(run.export_folder)
    run.write_config(run.config().model_copy(update={"scheme": "sign"}))
    with pytest.raises(RbnnError, match="cannot be exported"):
        make_report(run, tmp_path)
    monkeypatch.setattr("rbnn.report.gather.open_scorer", open_scorer)
    report = make_report(run, tmp_path, engine="auto")
    assert report.export.state == "impossible" and report.export.board is None
    assert "cannot be exported to a device" in report.notes[0]
    assert "There is no model for a device" in page(report)


def test_a_board_that_is_too_small_is_reported(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rbnn.image.board import load_board

    board = load_board("nucleo")
    small = board.model_copy(update={"ram": board.ram.model_copy(update={"bytes": 30_000})})
    monkeypatch.setattr("rbnn.report.gather.load_board", lambda name: small)
    report = make_report(run, tmp_path)
    assert report.export.board is not None and report.export.board.instructions is None
    assert "does not fit board nucleo: RAM" in report.notes[0]
    assert "does not fit board nucleo: RAM" in page(report)


def test_only_public_parts_of_keys_are_reported(run: Run, tmp_path: Path) -> None:
    provider = ProviderKey(X25519PrivateKey.generate())
    public_file(tmp_path / "provider.pem").write_text(provider.public.hex() + "\n")
    device = X25519PrivateKey.generate().public_key().public_bytes_raw()
    user = UserKey(Secret(b"\x07" * 32))
    model_id = bytes.fromhex(run.config().model_id)
    secret = run.secrets()["colour"]
    with Registry.open(tmp_path / "registry.sqlite") as book:
        book.add_device(device, bytes(32), "qemu", bytes(HELPER_RECORD_BYTES))
        for number, identity in enumerate((model_id, b"another-model-id"), 1):
            made = licence.issue(provider, device, user, identity, b"d" * 32, 0, secret, number)
            with book.issuing(device) as desk:
                desk.add(made, "colour", user)
        name = book.user(user)
    report = make_report(run, tmp_path)
    assert report.keys.local == provider.public.hex() and report.keys.provider is None
    (issued,) = report.keys.licences
    assert (issued.task, issued.board, issued.user) == ("colour", "qemu", name)
    assert issued.device == device.hex() and issued.other_digest
    text = page(report)
    assert name in text and user.fingerprint not in text and device.hex()[:16] in text
    assert (b"\x07" * 32).hex() not in text.replace(" ", "")


def test_a_missing_registry_is_not_created(run: Run, tmp_path: Path) -> None:
    make_report(run, tmp_path)
    assert not (tmp_path / "registry.sqlite").exists()


def test_samples_are_of_many_classes_and_the_same_for_a_seed() -> None:
    truth = np.array([0] * 50 + [1] * 3 + [2] * 2)
    numbers = np.arange(len(truth))
    first = choose(truth, numbers, 4, np.random.default_rng(5))
    assert first == choose(truth, numbers, 4, np.random.default_rng(5))
    assert {int(truth[number]) for number in first} == {0, 1, 2} and len(first) == 4
    assert choose(truth, numbers[:2], 9, np.random.default_rng(5)) == [0, 1]


def test_confusion_counts_and_mix_ups() -> None:
    truth, found = np.array([0, 0, 0, 1, 2, 2]), np.array([0, 1, 1, 1, 0, 2])
    confusion = count_confusion(truth, found, 3)
    assert confusion.tolist() == [[1, 2, 0], [0, 1, 0], [1, 0, 1]]
    worst, other = mix_ups(("a", "b", "c"), confusion)
    assert (worst.truth, worst.found, worst.count) == ("a", "b", 2)
    assert worst.share == pytest.approx(2 / 3)
    assert (other.truth, other.found) == ("c", "a")
