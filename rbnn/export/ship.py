"""``export/ship``: the part of an export that may leave the workstation, as a whole.

::

    ship/
        container.bin, model_*.c, model_*.h    as in the export
        model.json                             the manifest without what only the keys open
        model.bin                              the signed container, as the model partition holds it

A container seals class names and everything else that belongs to a task. So the manifest's class
names are left out, and with them the golden vectors (a task's answers to samples of its data), the
recorded check, and the hash of the run's private files.
"""

from __future__ import annotations

import json
from pathlib import Path

from rbnn.container.container import Container
from rbnn.export.carray import write_c
from rbnn.export.manifest import Manifest
from rbnn.files import write_atomic

FOLDER = "ship"
FILE = "model.json"
SIGNED_FILE = "model.bin"
"""The container signed by its provider, for the model partition of a board (docs/model-update.md);
written by ``rbnn export`` if it can open the provider's key."""


def write_ship(container: Container, manifest: Manifest, export_folder: Path) -> Path:
    """Write the folder into an export; returns it.

    Raises:
        RbnnError: it cannot be written.
    """
    folder = export_folder / FOLDER
    (folder / SIGNED_FILE).unlink(missing_ok=True)  # of an earlier container
    write_atomic(folder / "container.bin", container.data)
    write_c(container, folder)
    public = manifest.model_dump(mode="json", exclude={"source_sha256"})
    for task in public["tasks"]:
        del task["labels"], task["golden"]
    write_atomic(folder / FILE, json.dumps(public, indent=2) + "\n")
    return folder
