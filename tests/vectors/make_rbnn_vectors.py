"""Make ``rbnn_vectors.json``: ``python tests/vectors/make_rbnn_vectors.py``. Seed 2026.

Golden values of rbnn's own constructions, computed by the host's model; the C code under
sanitizers and the Cortex-M build must give the same. Every key here is TEST-ONLY: it starts with a
marker that key files refuse (``rbnn.keys.secret``).
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from rbnn.keys import noise, puf
from rbnn.keys.fingerprint import Fingerprint
from rbnn.spec import kdf, layout
from rbnn.spec.published import TEST_ONLY_MARKER

SEED = 2026
FILE = Path(__file__).with_name("rbnn_vectors.json")


def key_of(name: str) -> bytes:
    """A TEST-ONLY key, 32 bytes."""
    return (TEST_ONLY_MARKER + name.encode()).ljust(32, b".")[:32]


def kdf_cases(rng: np.random.Generator) -> list[dict[str, str]]:
    """One case per label, contexts of 0 to 300 bytes."""
    cases = []
    for label in kdf.Label:
        context = rng.bytes(int(rng.integers(0, 300)))
        parent = key_of(f"parent {label.value[:7]}")
        cases.append(
            {
                "parent": parent.hex(),
                "label": label.value,
                "context": context.hex(),
                "key": kdf.derive(parent, label, context).hex(),
            }
        )
    return cases


def sketch_cases(rng: np.random.Generator) -> list[dict[str, str]]:
    """Devices with a later power-up at 10 % errors."""
    cases = []
    for seed in range(3):
        device = Fingerprint.draw(seed)
        pattern, later = device.power_up(0.1, rng), device.power_up(0.1, rng)
        enrolment = puf.enroll(pattern)
        cases.append(
            {
                "pattern": pattern.hex(),
                "record": enrolment.helper_record.hex(),
                "later": later.hex(),
                "root": enrolment.root.reveal().hex(),
            }
        )
    return cases


def licence_case(rng: np.random.Generator) -> dict[str, str]:
    """A whole licence with a fixed ephemeral key."""
    provider, device, ephemeral = (
        X25519PrivateKey.from_private_bytes(key_of(name))
        for name in ("provider", "device", "ephemeral")
    )
    licence_id = rng.bytes(16)
    psk = kdf.derive(key_of("user"), kdf.Label.USER_PSK, licence_id)
    prologue = layout.LICENCE_PROLOGUE.pack(
        {
            "magic": layout.LICENCE_MAGIC,
            "version": layout.LICENCE_VERSION,
            "flags": 0,
            "licence_id": licence_id,
            "model_id": rng.bytes(16),
            "model_digest": rng.bytes(32),
            "task": 1,
            "activation_limit": 0,
            "sequence": 1,
            "inference_limit": 0,
        }
    )
    public = device.public_key().public_bytes_raw()
    result = noise.write(
        noise.KPSK0, prologue, provider, public, psk, key_of("task"), ephemeral=ephemeral
    )
    return {
        "provider_public": provider.public_key().public_bytes_raw().hex(),
        "device_private": device.private_bytes_raw().hex(),
        "user_key": key_of("user").hex(),
        "psk": psk.hex(),
        "licence": (prologue + result.data).hex(),
        "secret": key_of("task").hex(),
        "handshake_hash": result.handshake_hash.hex(),
    }


def document() -> str:
    """The file's text."""
    rng = np.random.default_rng(SEED)
    values = {
        "warning": "TEST-ONLY keys: published, refused by rbnn, of no use to protect anything",
        "seed": SEED,
        "kdf": kdf_cases(rng),
        "sketch": sketch_cases(rng),
        "licence": licence_case(rng),
    }
    return json.dumps(values, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(document())
