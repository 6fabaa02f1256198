"""A library whose model is not the one compiled in: signed, checked, and opened by its address."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builds import build_here, have
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from rbnn.keys.models.signed import sign, verifying_key
from rbnn.keys.provider_key import ProviderKey
from rbnn.library.library import write_library
from rbnn.library.names import DEFAULT, Names
from rbnn.spec.status import Status

PROVIDER = ProviderKey(X25519PrivateKey.from_private_bytes(bytes(range(32))))
OTHER = ProviderKey(X25519PrivateKey.from_private_bytes(bytes(range(1, 33))))


@pytest.mark.skipif(not have("gcc"), reason="apt-get install gcc libc6-dev")
@pytest.mark.parametrize("flag", ["", "-DRBNN_WITHOUT_MODEL"])
def test_a_signed_model_is_opened_and_a_foreign_one_is_not(
    random_export: Callable[..., Any], tmp_path: Path, flag: str
) -> None:
    own = random_export(provider_public=PROVIDER.public).export.container
    new = random_export(
        provider_public=PROVIDER.public, seed=2, tasks=(("dawn", 10, 3), ("dusk", 4, 1))
    ).export.container
    wide = random_export(provider_public=PROVIDER.public, width=64).export.container
    foreign = random_export(provider_public=OTHER.public, seed=3).export.container
    folder = tmp_path / "library"
    write_library(own, folder, Names.parse(DEFAULT))
    models = {
        "new": sign(new, PROVIDER).data,
        "wide": sign(wide, PROVIDER).data,
        "foreign": sign(foreign, OTHER).data,
        "damaged": sign(new, PROVIDER).data[:-1] + b"\0",
        "erased": b"\xff" * 4096,
    }
    for name, data in models.items():
        (tmp_path / name).write_bytes(data)
    flags = [flag] if flag else []
    program = build_here(folder, Path(__file__).with_name("apart_main.c"), *flags)
    done = subprocess.run(
        [program, verifying_key(PROVIDER).hex(), *(tmp_path / name for name in models)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    # Refused, the library has the model that is compiled in, or none.
    rest = (Status.OK, "colour") if not flag else (Status.NO_CONTAINER, "-")
    assert [line.split() for line in done.stdout.splitlines()] == [
        [str(checked.value), str(started.value), name]
        for checked, started, name in (
            (Status.OK, Status.OK, "dawn"),
            (Status.OK, Status.MODEL_MEMORY, "-"),
            (Status.MODEL_SIGNATURE, *rest),
            (Status.CONTAINER_DAMAGED, *rest),
            (Status.NO_CONTAINER, *rest),
        )
    ]
