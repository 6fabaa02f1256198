"""Archives laid out like the official ones of the public sets, with a few samples each."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile

import numpy as np
from small_sets import tone, wav_bytes

from rbnn.tasks.sets.speech_commands import WORDS


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
    """Five training batches and a test batch of three images each; image k has red k throughout."""
    names = b"(" + b"".join(_text(name) for name in CIFAR_CLASSES) + b"l"
    files = {"batches.meta": b"\x80\x02(" + _text(b"label_names") + names + b"d."}
    for number, name in enumerate([*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]):
        pixels = np.zeros((3, 3072), dtype=np.uint8)
        pixels[:, :1024] = 3 * number + np.arange(3)[:, None]  # the red plane
        files[name] = _batch(pixels, [0, 1, 2])
    return {f"cifar-10-batches-py/{name}": raw for name, raw in files.items()}


def speech_files() -> dict[str, bytes]:
    """Ten words and three others, each with three training, one validation and two test clips."""
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


def zip_bytes(files: dict[str, bytes]) -> bytes:
    """A zip of files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in files.items():
            archive.writestr(name, raw)
    return buffer.getvalue()


def idx_bytes(values: np.ndarray) -> bytes:
    """A gzipped IDX file of unsigned bytes."""
    header = bytes((0, 0, 8, values.ndim)) + struct.pack(f">{values.ndim}I", *values.shape)
    return gzip.compress(header + values.astype(np.uint8).tobytes())


def letter(number: int) -> np.ndarray:
    """28x28, upright: a bar from the upper left, one pixel longer than the class number."""
    pixels = np.zeros((28, 28), np.uint8)
    pixels[2:6, : number + 1] = 255
    return pixels


def mnist_files() -> list[bytes]:
    """Training images and labels, test images and labels: two and one per class."""
    bodies = []
    for copies in (2, 1):
        labels = np.tile(np.arange(10), copies)
        bodies += [idx_bytes(np.stack([letter(n) for n in labels])), idx_bytes(labels)]
    return bodies


def emnist_files() -> dict[str, bytes]:
    """Letters 1..26, transposed, and another set that must be ignored."""
    files = {"gzip/emnist-digits-train-images-idx3-ubyte.gz": b"not looked at"}
    for part, copies in (("train", 2), ("test", 1)):
        labels = np.tile(np.arange(1, 27), copies)
        lying = np.stack([letter(n).T for n in labels])
        files[f"gzip/emnist-letters-{part}-images-idx3-ubyte.gz"] = idx_bytes(lying)
        files[f"gzip/emnist-letters-{part}-labels-idx1-ubyte.gz"] = idx_bytes(labels)
    return files


def _ppm(red: int, width: int, height: int) -> bytes:
    return b"P6\n%d %d\n255\n" % (width, height) + bytes((red, 0, 9)) * (width * height)


def gtsrb_files() -> list[dict[str, bytes]]:
    """Training pictures (red: 2 x class), test pictures (2 x class + 1), ground truth."""
    train = {"GTSRB/Readme-Images.txt": b"signs"}
    test: dict[str, bytes] = {}
    rows = ["Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId"]
    for label in range(43):
        folder = f"GTSRB/Final_Training/Images/{label:05}"
        for frame in range(2):
            train[f"{folder}/00000_{frame:05}.ppm"] = _ppm(2 * label, 15 + label, 20)
        train[f"{folder}/GT-{label:05}.csv"] = b"Filename;Width\n"
        file = f"{42 - label:05}.ppm"
        test[f"GTSRB/Final_Test/Images/{file}"] = _ppm(2 * label + 1, 32, 32)
        rows.append(f"{file};32;32;5;5;27;27;{label}")
    test["GTSRB/Final_Test/Images/GT-final_test.test.csv"] = b"Filename;Width\n"
    return [train, test, {"GT-final_test.csv": "\r\n".join(rows).encode() + b"\r\n"}]


def fsdd_files() -> dict[str, bytes]:
    """Seven takes of each digit by two speakers, at 8 kHz; the first five takes are the test."""
    root = "free-spoken-digit-dataset-1.0.9"
    files = {f"{root}/README.md": b"digits", f"{root}/recordings/notes.txt": b"none"}
    for digit in range(10):
        for speaker in ("ann", "bob"):
            for take in range(7):
                sound = tone(300 + 300 * digit, 0.2 + 0.15 * take, 8_000)
                raw = wav_bytes(sound, 8_000)
                files[f"{root}/recordings/{digit}_{speaker}_{take}.wav"] = raw
    return files
