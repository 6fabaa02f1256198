"""What a failed write says: it names what is missing, space or a folder."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from rbnn.errors import RbnnError
from rbnn.files import write_atomic


@pytest.mark.parametrize(
    ("number", "fix"),
    [
        (errno.ENOSPC, "Free some space on its disk, or name another folder in RBNN_CACHE"),
        (errno.EROFS, "Make its folder writable, or name another folder in RBNN_CACHE"),
        (errno.EACCES, "Make its folder writable, or name another folder in RBNN_CACHE"),
    ],
)
def test_the_advice_fits_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, fix: str
) -> None:
    def fail(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(RbnnError) as refusal:
        write_atomic(tmp_path / "cached", b"bytes", folder_option="RBNN_CACHE")
    assert refusal.value.fix.startswith(fix)
    assert list(tmp_path.iterdir()) == []
