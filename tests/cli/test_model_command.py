"""``rbnn model load``: what it takes as a model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from typer.testing import CliRunner

from rbnn.cli.main import build
from rbnn.keys.errors import SignedModelError
from rbnn.keys.models.signed import sign
from rbnn.keys.provider_key import ProviderKey

PROVIDER = ProviderKey(X25519PrivateKey.from_private_bytes(bytes(range(32))))


def load(file: Path, folder: Path) -> Any:
    return CliRunner().invoke(
        build(), ["model", "load", str(file), "--device-folder", str(folder / "none")]
    )


@pytest.mark.parametrize("cut", [0, 1, 100, 161])
def test_a_file_that_is_cut_short_is_named(
    random_export: Callable[..., Any], tmp_path: Path, cut: int
) -> None:
    model = sign(random_export(provider_public=PROVIDER.public).export.container, PROVIDER)
    file = tmp_path / "model.bin"
    file.write_bytes(model.data[:-cut] if cut else b"")
    done = load(file, tmp_path)
    assert isinstance(done.exception, SignedModelError)
    assert str(file) in done.exception.what and "rbnn export" in done.exception.fix


def test_a_container_is_no_signed_model(random_export: Callable[..., Any], tmp_path: Path) -> None:
    done = load(random_export().export.container_file, tmp_path)
    assert isinstance(done.exception, SignedModelError)
    assert "no signed model" in done.exception.what
