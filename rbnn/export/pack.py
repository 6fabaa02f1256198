"""``make seven RUN=...``: pack a run as the model that the repository ships.

The run's task secrets are published with it: whoever has the folder can open every task.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from rbnn.container.container import Container
from rbnn.container.errors import ExportError
from rbnn.engine.wide import WideEngine
from rbnn.errors import RbnnError
from rbnn.export import packed
from rbnn.export.export import export_run
from rbnn.export.packed import PackedDocument, PackedModel, PackedTask
from rbnn.export.probes import probe_images
from rbnn.export.saturation import count_logits, limited_layers, summarise
from rbnn.export.verify import TaskCheck, require_passed, verify_task
from rbnn.files import write_atomic
from rbnn.runs.run import Run
from rbnn.spec.published import TEST_ONLY_PROVIDER_PUBLIC
from rbnn.tasks import TaskData
from rbnn.train.evaluate import Predictor

Progress = Callable[[str, int, int], None]
"""Called as ``progress(what, done, total)``."""


def pack(
    run: Run,
    data: Sequence[TaskData],
    folder: Path,
    keras: Predictor | None = None,
    progress: Progress | None = None,
) -> PackedModel:
    """Export a run for the published provider, measure it, and write all that a board needs.

    Args:
        run: trained; its task secrets are published.
        data: its tasks, in its order.
        folder: for the packed model; files of an older one are replaced.
        keras: the network as it was trained; None skips the comparison.
        progress: told what is being done.

    Raises:
        RbnnError: the run cannot be exported, its integers disagree with Keras or with the C
            engine, or the folder cannot be written. The folder is untouched then.
    """
    config = run.config()
    height, width, _ = config.input_shape
    probes = {
        task.name: probe_images(task.name, (height, width, task.input_channels))
        for task in config.tasks
    }
    secrets = run.secrets()
    with tempfile.TemporaryDirectory(prefix="rbnn-") as temporary:
        export = export_run(
            run, TEST_ONLY_PROVIDER_PUBLIC, Path(temporary), progress, samples=probes
        )
        golden_data = export.golden_file.read_bytes()
    checks = []
    for number, task in enumerate(data):
        if progress is not None:
            progress("measuring whole test sets", number, len(data))
        own = partial(verify_task, export.container, number, secrets[task.name])
        equality = own(probes[task.name], np.zeros(len(probes[task.name]), np.int64))
        checks.append(
            _measure(export.container, number, secrets[task.name], task, keras).model_copy(
                update={"differing_outputs": equality.differing_outputs}
            )
        )
    require_passed(checks)

    texts = {name: secret.hex() for name, secret in secrets.items()}
    contents = {
        packed.CONTAINER_FILE: export.container.data,
        packed.GOLDEN_FILE: golden_data,
        packed.SECRETS_FILE: _json({"warning": packed.WARNING, "secrets": texts}),
    }
    document = PackedDocument(
        architecture=config.architecture,
        bits=export.manifest.bits,
        model_digest=export.manifest.model_digest,
        tasks=tuple(
            PackedTask(
                name=task.name,
                labels=task.labels,
                input_channels=task.input_channels,
                fingerprint=one.fingerprint,
                test_samples=check.samples,
                accuracy=check.accuracy,
                keras_accuracy=check.keras_accuracy,
                agreement=check.agreement,
            )
            for task, one, check in zip(config.tasks, data, checks, strict=True)
        ),
        training={
            **config.model_dump(mode="json", exclude={"tasks"}),
            "batches": {task.name: task.batch for task in config.tasks},
        },
        files={name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
    )
    for name, content in contents.items():
        write_atomic(folder / name, content)
    write_atomic(folder / packed.MODEL_FILE, document.model_dump_json(indent=1) + "\n")
    return PackedModel.read(folder)


def _measure(
    container: Container, number: int, secret: bytes, task: TaskData, keras: Predictor | None
) -> TaskCheck:
    """Accuracy of the integers, by the C engine, and of Keras on a whole test set."""
    images, labels = task.test.images, task.test.labels
    logits = WideEngine(container).logits(number, secret, images)
    found = logits.argmax(axis=1)
    theirs = None if keras is None else keras(task.name, images)
    return TaskCheck(
        task=task.name,
        samples=len(images),
        differing_outputs=0,
        accuracy=float(np.mean(found == labels)),
        keras_accuracy=None if theirs is None else float(np.mean(theirs == labels)),
        agreement=None if theirs is None else float(np.mean(theirs == found)),
        saturation=summarise(count_logits(logits), limited_layers(container, number, secret)),
    )


def _json(document: object) -> bytes:
    return (json.dumps(document, indent=1) + "\n").encode()


def _keras(run: Run) -> Predictor:
    from rbnn.train.evaluate import keras_predictor
    from rbnn.train.transfer import load_network

    return keras_predictor(load_network(run), run.secrets(), bytes.fromhex(run.config().model_id))


def _pack(arguments: argparse.Namespace) -> PackedModel:
    from rbnn.runs.run import choose_run
    from rbnn.runs.start import load_data
    from rbnn.tasks.loading_bar import LoadingBar

    run = choose_run(arguments.run, Path("runs"))
    if not arguments.publish_secrets:
        raise ExportError(
            f"A packed model publishes the task secrets of {run.folder}: whoever has it can open "
            "every task.",
            "If that is what you want, add --publish-secrets.",
        )
    with LoadingBar() as bar:
        data = load_data(run.config(), bar.show)
        keras = _keras(run) if arguments.keras else None
        return pack(run, data, arguments.out, keras, bar.show)


def main() -> int:
    """Entry point of ``python -m rbnn.export.pack``."""
    parser = argparse.ArgumentParser(prog="python -m rbnn.export.pack", description=__doc__)
    parser.add_argument("run", type=Path, help="run folder or name")
    parser.add_argument("--out", type=Path, default=packed.SHIPPED, help="folder to write")
    parser.add_argument(
        "--no-keras", dest="keras", action="store_false", help="do not compare with Keras"
    )
    parser.add_argument(
        "--publish-secrets",
        action="store_true",
        help="confirm that the run's task secrets are written, too",
    )
    try:
        model = _pack(parser.parse_args())
    except RbnnError as error:
        print(f"error: {error.what}", file=sys.stderr)
        if error.fix:
            print(f"try: {error.fix}", file=sys.stderr)
        return error.exit_code
    for task in model.document.tasks:
        compared = task.keras_accuracy is not None
        keras = f"{task.keras_accuracy:.2%}" if compared else "not compared"
        print(f"{task.name:<10} {task.accuracy:.2%} of {task.test_samples}; Keras {keras}")
    size = sum(path.stat().st_size for path in model.folder.iterdir())
    print(f"{model.document.bits:,} bits; {size:,} bytes in {model.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
