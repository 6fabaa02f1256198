"""A cable that damages bytes, between a client and a device."""

from __future__ import annotations

import os
import pty
import random
import select
import threading
import time
import tty
from dataclasses import dataclass, field

BURST_BYTES = 40


@dataclass
class Damage:
    """What a line has done to the bytes of one direction."""

    bytes: int = 0
    flipped: int = 0
    dropped: int = 0
    inserted: int = 0
    bursts: int = 0

    @property
    def events(self) -> int:
        return self.flipped + self.dropped + self.inserted + self.bursts


@dataclass
class Noise:
    """Damages bytes at random, each kind of damage as often as the others but bursts, of which
    there is one for twenty of them.

    Args:
        seed: of the randomness.
        rate: events per byte.
    """

    seed: int
    rate: float = 0.0
    damage: Damage = field(default_factory=Damage)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self._burst = 0

    def damaged(self, data: bytes) -> bytes:
        """What arrives of ``data``."""
        out = bytearray()
        for byte in data:
            self.damage.bytes += 1
            if self._burst:
                self._burst -= 1
                if self.random.random() < 0.5:
                    out.append(self.random.randrange(256))
            elif self.random.random() >= self.rate:
                out.append(byte)
            else:
                self._one(byte, out)
        return bytes(out)

    def _one(self, byte: int, out: bytearray) -> None:
        match self.random.choice(("flip", "drop", "insert") * 7 + ("burst",)):
            case "flip":
                self.damage.flipped += 1
                out.append(byte ^ 1 << self.random.randrange(8))
            case "drop":
                self.damage.dropped += 1
            case "insert":
                self.damage.inserted += 1
                out += bytes((byte, self.random.randrange(256)))
            case _:
                self.damage.bursts += 1
                self._burst = self.random.randrange(1, BURST_BYTES)


class NoisyLine:
    """A pseudo terminal whose far end is a device, with noise in both directions: bytes come in
    pieces of any size, with pauses, some of them damaged. Use it in a ``with`` block.

    Args:
        device: file descriptors that read what the device says and write what it hears.
        seed: of the randomness.
        pause_s: longest pause between two pieces.
    """

    def __init__(self, device: tuple[int, int], seed: int, pause_s: float = 0.002) -> None:
        self._from, self._to = device
        self.heard, self.said = Noise(seed), Noise(seed + 1)
        self._random = random.Random(seed + 2)
        self._pause_s = pause_s
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self) -> NoisyLine:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        os.close(self._master)
        os.close(self._slave)

    def set_rate(self, rate: float) -> None:
        """Damage so many bytes of each from now on; none before the first call."""
        self.heard.rate = self.said.rate = rate

    @property
    def events(self) -> int:
        """How often bytes were damaged."""
        return self.heard.damage.events + self.said.damage.events

    @property
    def bytes(self) -> int:
        """How many went through."""
        return self.heard.damage.bytes + self.said.damage.bytes

    def _run(self) -> None:
        while not self._stop.is_set():
            for ready in select.select([self._master, self._from], [], [], 0.05)[0]:
                data = os.read(ready, 65536)
                if ready == self._master:
                    self._pass(self.heard.damaged(data), self._to)
                else:
                    self._pass(self.said.damaged(data), self._master)

    def _pass(self, data: bytes, to: int) -> None:
        while data:
            size = self._random.choice((1, 2, 7, 64, 1024, 65536))
            data = data[os.write(to, data[:size]) :]
            if self._random.random() < 0.2:
                time.sleep(self._random.random() * self._pause_s)
