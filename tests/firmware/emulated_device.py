"""An emulated device with licences, a look into its RAM that no serial command gives, and the mark
of its stack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from emulated_memory import read_memory
from trust_rows import Trust, trust_row

from rbnn.device.emulated.emulator import Emulator
from rbnn.device.session import Session
from rbnn.keys import licence, provisioning
from rbnn.keys.licence import Licence
from rbnn.keys.provider_key import ProviderKey
from rbnn.keys.secret import Secret
from rbnn.keys.user_key import UserKey

PROVIDER = ProviderKey(X25519PrivateKey.from_private_bytes(bytes(range(32))))
USER = UserKey(Secret(np.random.default_rng(3).bytes(32)))
USED_BYTES = 0x20000
"""More than the test's firmware uses, from the start of RAM."""
stack_row = trust_row(
    "stack",
    "High-water mark of the stack on the emulated boards: after the self-test, unlocks, switches "
    "and inferences with every architecture, after every command, and with the largest network",
    "at most 75 % of the reserve",
)


@dataclass(frozen=True)
class Licensed:
    """A powered device; ``licences`` by task name."""

    emulator: Emulator
    licences: dict[str, Licence]

    user: UserKey = USER

    def psk(self, task: str) -> bytes:
        """The key that opens the licence of ``task``."""
        return self.user.psk(self.licences[task].licence_id)


def enroll_and_license(
    emulator: Emulator, made: Any, provider: ProviderKey = PROVIDER, user: UserKey = USER
) -> Licensed:
    """Enrol a fresh device, write a licence for every task, and power it up again."""
    container = made.export.container
    with Session(emulator.serial_path()) as session:
        enrolment = session.enroll()
    licences = {
        task.name: licence.issue(
            provider,
            enrolment.public,
            user,
            container.model_id,
            container.digest,
            number,
            made.secrets[task.name],
            sequence=number + 1,
        )
        for number, task in enumerate(container.tasks)
    }
    emulator.power_off()
    emulator.device.write_provisioning(
        provisioning.build(enrolment.record, list(licences.values())),
        emulator.board.provisioning.bytes,
    )
    emulator.power_on()
    return Licensed(emulator, licences, user)


def read_ram(emulator: Emulator, size: int = USED_BYTES) -> bytes:
    """The first ``size`` bytes of RAM (all that the firmware uses), then the fingerprint's."""
    board = emulator.board
    used = read_memory(emulator, board.ram.address, size)
    return used + read_memory(emulator, board.noinit.address, board.noinit.bytes)


def measured_stack(session: Session, what: str, trust: Trust) -> float:
    """The share of the stack's reserve that was used since the start; a figure of its row."""
    stack = session.stack()
    share = stack.used / stack.reserved
    trust.measured(f"{what}: {share:.0%}", 1)
    return share
