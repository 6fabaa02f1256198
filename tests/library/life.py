"""Inputs of a library's life (``life.c``), and what it must print."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from licensed_world import ERROR_RATE, Device, key_bytes, make_device

from rbnn.engine.reference import Reference
from rbnn.keys import licence, provisioning
from rbnn.keys.provider_key import ProviderKey
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import UserKey
from rbnn.library.library import write_library
from rbnn.library.names import Names
from rbnn.spec.scores import PPM
from rbnn.spec.status import Status

HERE = Path(__file__).parent
SEED = 1
IMAGES = 2
"""Of each task. The first task's licence ends with the second life: each infers once more."""
PROVIDER = ProviderKey(X25519PrivateKey.from_private_bytes(bytes(range(32))))
USER = UserKey(Secret(key_bytes("user")))


@dataclass(frozen=True)
class Life:
    """A library in a folder, and a device that lives with it.

    Args:
        made: the export that it carries.
        names: the library's.
        folder: where it was written.
        device: whose licences these are.
    """

    made: Any
    names: Names
    folder: Path
    device: Device = field(default_factory=lambda: make_device(SEED))

    def write_program(self, folder: Path) -> Path:
        """Write the C program with its inputs; returns its file."""
        folder.mkdir(parents=True, exist_ok=True)
        for source in ("life.c", "life.h"):
            text = self.names.apply((HERE / source).read_text())
            text = text.replace('"rbnn.h"', f'"{self.names.package}.h"')
            text = text.replace('"life.h"', f'"{self.names.prefix}life.h"')
            (folder / f"{self.names.prefix}{source}").write_text(text)
        (folder / f"{self.names.prefix}inputs.h").write_text(self.names.apply(self._inputs()))
        return folder / f"{self.names.prefix}life.c"

    def wanted(self) -> list[str]:
        """The lines that it must print."""
        return list(self._lines())

    def _inputs(self) -> str:
        container = self.made.export.container
        fingerprint = self.device.fingerprint
        first = fingerprint.power_up(ERROR_RATE, np.random.default_rng(SEED))
        later = fingerprint.power_up(ERROR_RATE, np.random.default_rng(SEED + 1))
        tasks = range(len(container.tasks))
        lines = [
            "#include <stdint.h>",
            f"#define RBNN_IMAGES {IMAGES}u",
            _array("rbnn_first_pattern", first),
            _array("rbnn_later_pattern", later),
            _array("rbnn_wanted_partition", provisioning.build(self.device.helper_record, ())),
            _array("rbnn_wanted_key", self.device.public),
            _array("rbnn_user_key", key_bytes("user")),
            _array("rbnn_foreign_licence", self._licence(0, digest=bytes(32))),
            *(_array(f"rbnn_licence_{task}", self._licence(task)) for task in tasks),
            *(_array(f"rbnn_image_{task}", self._images(task).tobytes()) for task in tasks),
            _table("rbnn_licences", "rbnn_licence_", len(tasks)),
            _table("rbnn_images", "rbnn_image_", len(tasks)),
        ]
        return "\n".join(lines) + "\n"

    def _licence(self, task: int, digest: bytes | None = None) -> bytes:
        container = self.made.export.container
        return licence.issue(
            PROVIDER,
            self.device.public,
            USER,
            container.model_id,
            container.digest if digest is None else digest,
            task,
            self.made.secrets[container.tasks[task].name],
            sequence=task + 1,
            inference_limit=0 if task else 2 * IMAGES + 1,
        ).data

    def _images(self, task: int) -> Any:
        return self.made.images[self.made.export.container.tasks[task].name][:IMAGES]

    def _lines(self) -> Iterator[str]:
        yield from (f"small {Status.ARGUMENT:d}", f"unlock {Status.ARGUMENT:d}")
        yield f"device {Status.POWER_CYCLE:d}"
        yield from ("start 0", f"device {Status.NOT_ENROLLED:d}", "enroll 0", "keys 0")
        yield from ("other partition 0", "other key 0")
        tasks = range(len(self.made.export.container.tasks))
        for task in tasks:
            yield from self._use(task, left=True)
        yield from ("left 0", f"stopped {Status.NO_CONTAINER:d}", "start 0", "device 0")
        for task in tasks:
            yield from self._use(task, left=task > 0)
        yield from (f"foreign {Status.LICENCE_MODEL:d}", f"locked {Status.LOCKED:d}", "left 0")

    def _use(self, task: int, *, left: bool) -> Iterator[str]:
        """One task's lines; with ``left``, one more inference is allowed afterwards."""
        container = self.made.export.container
        name = container.tasks[task].name
        yield from (f"{name} is {task}", "add 0", f"wrong key {Status.LICENCE_REFUSED:d}")
        yield from ("unlock 0", "switch 0", "state 3")
        reference = Reference.open(container, task, self.made.secrets[name])
        for logits in reference.infer(self._images(task)).logits.tolist():
            yield from ("infer 0", "scores 0", f"logits {' '.join(map(str, logits))}")
            yield f"sum {PPM}"
            yield self.made.export.manifest.tasks[task].labels[logits.index(max(logits))]
        yield f"one more {0 if left else Status.LIMIT:d}"


def make_life(
    random_export: Callable[..., Any], folder: Path, prefix: str = "rbnn_", **model: object
) -> Life:
    """Write the library of a model with random parameters.

    Args:
        random_export: the fixture of that name.
        folder: where the library goes.
        prefix: of its names.
        model: of ``make_random_run``, instead of the usual small one.
    """
    values = {"side": 16, "width": 32, "provider_public": PROVIDER.public, **model}
    made = random_export(**values)
    names = Names.parse(prefix)
    write_library(made.export.container, folder, names)
    return Life(made, names, folder)


def _array(name: str, data: bytes) -> str:
    return f"static const uint8_t {name}[] = {{{', '.join(map(str, data))}}};"


def _table(name: str, entry: str, count: int) -> str:
    entries = ", ".join(f"{entry}{number}" for number in range(count))
    return f"static const uint8_t *const {name}[] = {{{entries}}};"
