"""Archives laid out as the official ones of CIFAR-10 and Speech Commands, a few samples each."""

from __future__ import annotations

import io
import struct
import tarfile

import numpy as np
from small_sets import tone, wav_bytes

from rbnn.tasks.speech_commands import WORDS


def tar_bytes(files: dict[str, bytes]) -> bytes:
    """A ``.tar.gz`` of files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, raw in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(raw)
            archive.addfile(member, io.BytesIO(raw))
    return buffer.getvalue()


def _text(raw: bytes) -> bytes:
    return b"T" + struct.pack("<i", len(raw)) + raw


def _array(pixels: np.ndarray) -> bytes:
    """An array as Python 2 pickled it: byte strings where Python 3 has text."""
    rows, columns = pixels.shape
    return (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00t" + _text(b"b") + b"tR"
        b"(K\x01(J" + struct.pack("<i", rows) + b"J" + struct.pack("<i", columns) + b"t"
        b"cnumpy\ndtype\n(" + _text(b"u1") + b"K\x00K\x01tR"
        b"(K\x03" + _text(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        b"\x89" + _text(pixels.tobytes()) + b"tb"
    )


def _batch(pixels: np.ndarray, labels: list[int]) -> bytes:
    numbers = b"".join(b"K" + bytes([label]) for label in labels)
    body = _text(b"data") + _array(pixels) + _text(b"labels") + b"(" + numbers + b"l"
    return b"\x80\x02(" + body + b"d."


CIFAR_CLASSES = [b"airplane", b"automobile", b"bird"]


def cifar_files() -> dict[str, bytes]:
    """Five training batches and a test batch of three images each; image k is all k."""
    names = b"(" + b"".join(_text(name) for name in CIFAR_CLASSES) + b"l"
    files = {"batches.meta": b"\x80\x02(" + _text(b"label_names") + names + b"d."}
    for number, name in enumerate([*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]):
        pixels = np.zeros((3, 3072), dtype=np.uint8)
        pixels[:, :1024] = 3 * number + np.arange(3)[:, None]  # the red plane
        files[name] = _batch(pixels, [0, 1, 2])
    return {f"cifar-10-batches-py/{name}": raw for name, raw in files.items()}


def speech_files() -> dict[str, bytes]:
    """Ten words and three others: three clips to train, one to validate, two to test."""
    random = np.random.default_rng(0)
    files: dict[str, bytes] = {}
    testing, validation = [], []
    for number, word in enumerate([*WORDS, "bed", "cat", "dog"]):
        for clip in range(6):
            name = f"{word}/{clip:08x}_nohash_0.wav"
            sound = tone(200 + 300 * number) * random.uniform(0.2, 1)
            files[f"./{name}"] = wav_bytes(sound + 0.001 * random.standard_normal(16_000))
            if clip >= 4:
                testing.append(name)
            elif clip == 3:
                validation.append(name)
    for name in ("pink_noise", "running_tap"):
        noise = 0.3 * random.standard_normal(80_000)
        files[f"./_background_noise_/{name}.wav"] = wav_bytes(noise)
    files["./_background_noise_/README.md"] = b"where the noise comes from"
    files["./testing_list.txt"] = "\n".join(testing).encode() + b"\n"
    files["./validation_list.txt"] = "\n".join(validation).encode() + b"\n"
    files["./README.md"] = b"speech"
    return files
