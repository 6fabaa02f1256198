"""Small generated data sets: WAV and picture files, folders and zips of them."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

Maker = Callable[[dict[str, bytes]], Path]
"""Writes files, given by their path in the set; returns the path of the set."""


def wav_bytes(
    samples: np.ndarray, rate: int = 16_000, code: int = 1, bits: int = 16, channels: int = 1
) -> bytes:
    """A WAV file of ``samples`` in -1..1; several channels must be interleaved already."""
    if code == 3:
        body = samples.astype(f"<f{bits // 8}").tobytes()
    elif bits == 8:
        body = np.clip(samples * 127 + 128, 0, 255).astype(np.uint8).tobytes()
    else:
        values = np.clip(samples * 2.0 ** (bits - 1), -(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1)
        wide = values.astype("<i8").view(np.uint8).reshape(-1, 8)
        body = wide[:, : bits // 8].tobytes()
    block = channels * bits // 8
    header = struct.pack("<HHIIHH", code, channels, rate, rate * block, block, bits)
    chunks = b"fmt " + struct.pack("<I", 16) + header
    chunks += b"LIST" + struct.pack("<I", 3) + b"abc\0"  # a chunk of odd size, to be skipped
    chunks += b"data" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def picture_bytes(pixels: np.ndarray, kind: str = "PNG", mode: str | None = None) -> bytes:
    """A picture file of an array."""
    buffer = io.BytesIO()
    picture = Image.fromarray(pixels)
    (picture.convert(mode) if mode else picture).save(buffer, kind)
    return buffer.getvalue()


def tone(hertz: float, seconds: float = 1.0, rate: int = 16_000) -> np.ndarray:
    """A sine of half amplitude."""
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def small_files(kind: str = "colour") -> dict[str, bytes]:
    """Two classes, two training files and one test file each."""
    random = np.random.default_rng(3)
    files = {}
    for label in ("ants", "bees"):
        for part, number in (("train", 0), ("train", 1), ("test", 0)):
            if kind == "sound":
                raw = wav_bytes(tone(400 if label == "ants" else 2000) * random.uniform(0.5, 1))
                files[f"{part}/{label}/{number}.wav"] = raw
            else:
                shape = (40, 30) if kind == "grey" else (40, 30, 3)
                pixels = random.integers(0, 256, shape, dtype=np.uint8)
                files[f"{part}/{label}/{number}.png"] = picture_bytes(pixels)
    return files


def write_folder(root: Path, files: dict[str, bytes]) -> Path:
    for name, raw in files.items():
        path = root / name
        if name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(raw)
    return root


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in files.items():
            archive.writestr(name, raw)
    return path
