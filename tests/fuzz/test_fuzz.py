"""The firmware's parsers under AddressSanitizer and UBSan, with changed inputs.

Each target also checks that nothing but the issued licence, the right key and the right device
unlocks (fuzz.c). An input that crashes one is kept in .cache/fuzz; the failure names the command
that replays it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fuzzer
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from licensed_world import key_bytes, make_device
from trust_rows import Trust, trust_row

from rbnn.container.seal import unseal
from rbnn.keys import licence, provisioning
from rbnn.keys.provider_key import ProviderKey
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import UserKey
from rbnn.spec.link import COMMANDS

QUICK_S = 12
RUNS = {"container": 3_000_000, "provisioning": 3_000_000, "licence": 1_000_000,
        "serial": 3_000_000, "journal": 1_000_000}  # fmt: skip
TASKS = (("colour", 5, 3), ("grey", 4, 1))


@dataclass(frozen=True)
class Attacked:
    """A licensed device, and valid inputs by target."""

    world: Path
    seeds: Path


def write_all(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture(scope="module")
def attacked(random_export: Callable[..., Any], tmp_path_factory: Any) -> Attacked:
    folder = tmp_path_factory.mktemp("fuzz")
    provider = ProviderKey(X25519PrivateKey.from_private_bytes(bytes(range(32))))
    user = UserKey(Secret(key_bytes("user")))
    device = make_device(1)
    made = random_export(provider_public=provider.public, side=8, tasks=TASKS, sounds=("grey",))
    container = made.export.container
    secrets = [made.secrets[task.name] for task in container.tasks]
    issued = [
        licence.issue(
            provider, device.public, user, container.model_id, container.digest, number, secret,
            number + 1,
        )
        for number, secret in enumerate(secrets)
    ]  # fmt: skip
    psks = [user.psk(one.licence_id) for one in issued]
    partition = provisioning.build(device.helper_record, issued)
    params = unseal(container.tasks[0].sealed, secrets[0], container.model_id, 0)
    files = {
        "container": container.data,
        "partition": partition,
        "pattern": device.fingerprint.power_up(0.1, np.random.default_rng(1)),
        "licences": b"".join(one.data for one in issued),
        "psks": b"".join(psks),
        "params": params,
        "public_key": device.public,
    }
    image = made.images["colour"][0].tobytes()
    unlocks = [f"unlock {task[0]} {psk.hex()}%" for task, psk in zip(TASKS, psks, strict=True)]
    lines = {command.word: f"{command.word}%" for command in COMMANDS if command.word != "reset"}
    lines["load"] = f"db load {len(image)}%db {image.hex()[:1000]}%db print%crc%"
    lines["open"] = f"{unlocks[0]}switch colour%labels%db load {len(image)}%" + "".join(
        f"db {image[at : at + 500].hex()}%" for at in range(0, len(image), 500)
    ) + "infer 1 1%trace%results%infer 1 0%lock%"  # fmt: skip
    lines["give"] = f"db load 164%db {issued[1].data.hex()}%licence%{unlocks[1]}switch grey%tasks%"
    lines["sound"] = (
        f"{unlocks[1]}switch grey%audio start%db load 4%db 01020304%audio 2%audio stop%"
    )
    lines["wrong"] = f"unlock colour {'0' * 64}%switch colour%infer 1 0%"
    lines["odd"] = "db load 4%db 00\b\b01\r\n0203zz%%\x01name%" + "x" * 2100 + "%reset%name%"
    seeds = folder / "seeds"
    write_all(seeds / "serial", {name: line.encode() for name, line in lines.items()})
    write_all(
        seeds / "container", {"damaged": b"\0" + container.data, "own": b"\1" + container.data}
    )
    write_all(seeds / "provisioning", {
        "warm": b"\1" + partition, "fresh": b"\x0f" + partition,
        "empty": b"\1" + provisioning.build(device.helper_record, []),
        "erased": b"\0" + b"\xff" * 99,
    })  # fmt: skip
    write_all(seeds / "licence", {f"{one.task_number}": one.data for one in issued})
    write_all(seeds / "journal", {
        "puts": bytes([0, 3, 0, 7, 0, 3, 1, 9, 2, 0, 0, 0, 1, 0, 60, 1, 1, 5, 60, 0, 0, 4, 0, 1]),
        "cuts": bytes([1, 0, 50, 1, 3, 9, 0, 0, 1, 7, 60, 0, 2, 0, 0, 0, 3, 99, 0, 0, 1, 9, 64, 1]),
        "changes": bytes([1, 0, 9, 1, 6, 0, 0, 0, 4, 40, 0, 1, 2, 0, 0, 0, 5, 1, 2, 0, 0, 1, 0, 1,
                          6, 1, 0, 0, 2, 0, 0, 0, 7, 0, 0, 0, 0, 1, 0, 3]),
    })  # fmt: skip
    return Attacked(write_all(folder / "world", files), seeds)


@trust_row(
    "fuzz-firmware",
    "Changed containers, provisioning partitions, licences, serial lines, and journals of counts "
    "with power cuts, in the firmware's C under AddressSanitizer and UBSan",
    "0 crashes, 0 unlocks with another licence, key or device, 0 records that the device did not "
    "write, 0 that go back without a changed flash",
)
@pytest.mark.parametrize("target", RUNS)
def test_no_input_crashes_or_opens(target: str, attacked: Attacked, trust: Trust) -> None:
    built = fuzzer.build()
    limit = {"runs": RUNS[target]} if trust.full else {"seconds": QUICK_S}
    executed, replays = fuzzer.run(built, target, attacked.world, attacked.seeds / target, **limit)
    trust.measured(f"{target} {executed:,}, {len(replays)} crashes ({built.engine})", executed)
    assert not replays, "replay it with: " + "; ".join(replays)
    assert executed > 100


def test_a_crash_is_kept_and_replayed(attacked: Attacked, tmp_path: Path) -> None:
    """With a key that is not the licence's, what is right to open is a crash."""
    built = fuzzer.build(with_clang=False)
    files = {path.name: path.read_bytes() for path in attacked.world.iterdir()}
    world = write_all(tmp_path / "world", files | {"public_key": bytes(32)})
    executed, replays = fuzzer.run(built, "licence", world, attacked.seeds / "licence", runs=10)
    assert executed == 0 and len(replays) == 1
    again = fuzzer.subprocess.run(
        ["sh", "-c", replays[0]], capture_output=True, text=True, cwd=tmp_path
    )
    assert again.returncode != 0 and "only the right device unlocks" in again.stderr
    fuzzer.shutil.rmtree(Path(replays[0].split()[-1]).parent)
