"""One-way Noise handshakes over 25519, ChaChaPoly and BLAKE2b, both sides.

A licence is the single message of ``Kpsk0``. A pattern is data, so the published test vectors of
the other one-way patterns check the same code.

A Diffie-Hellman product of all zeros (a public key of small order) is refused here, because
``cryptography`` refuses it; the firmware hashes it and continues, as the specification advises. So
no licence can be issued to such a key.

Source: The Noise Protocol Framework, revision 34, sections 4.3, 5 and 9.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from rbnn.spec.layout import NOISE_PROTOCOL

HASH_BYTES = 64
KEY_BYTES = 32
TAG_BYTES = 16


@dataclass(frozen=True)
class Pattern:
    """A one-way pattern: protocol name, whether the initiator's static key is known beforehand,
    and the tokens of its message."""

    protocol: str
    initiator_known: bool
    tokens: tuple[str, ...]


KPSK0 = Pattern(NOISE_PROTOCOL, True, ("psk", "e", "es", "ss"))


class Refused(Exception):
    """The message was made with other keys, or changed; does not say which."""


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.blake2b).digest()


def _public(key: X25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def _exchange(private: X25519PrivateKey, public: bytes) -> bytes:
    try:
        return private.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError as error:
        raise Refused("a public key is malformed or of small order") from error


class _Symmetric:
    """SymmetricState of section 5.2."""

    def __init__(self, protocol: str) -> None:
        name = protocol.encode()
        padded = name.ljust(HASH_BYTES, b"\0")
        self.hash = padded if len(name) <= HASH_BYTES else hashlib.blake2b(name).digest()
        self.chaining = self.hash
        self.key: bytes | None = None
        self.counter = 0

    def mix_hash(self, data: bytes) -> None:
        self.hash = hashlib.blake2b(self.hash + data).digest()

    def hkdf(self, material: bytes, outputs: int) -> list[bytes]:
        temporary = _hmac(self.chaining, material)
        results = [b""]
        for number in range(1, outputs + 1):
            results.append(_hmac(temporary, results[-1] + bytes([number])))
        return results[1:]

    def _set_key(self, key: bytes) -> None:
        self.key, self.counter = key[:KEY_BYTES], 0

    def mix_key(self, material: bytes) -> None:
        self.chaining, key = self.hkdf(material, 2)
        self._set_key(key)

    def mix_key_and_hash(self, material: bytes) -> None:
        self.chaining, digest, key = self.hkdf(material, 3)
        self.mix_hash(digest)
        self._set_key(key)

    def _nonce(self) -> bytes:
        nonce = bytes(4) + self.counter.to_bytes(8, "little")
        self.counter += 1
        return nonce

    def encrypt(self, text: bytes) -> bytes:
        sealed = text
        if self.key is not None:
            sealed = ChaCha20Poly1305(self.key).encrypt(self._nonce(), text, self.hash)
        self.mix_hash(sealed)
        return sealed

    def decrypt(self, sealed: bytes) -> bytes:
        text = sealed
        if self.key is not None:
            try:
                text = ChaCha20Poly1305(self.key).decrypt(self._nonce(), sealed, self.hash)
            except InvalidTag:
                raise Refused("the message does not open") from None
        self.mix_hash(sealed)
        return text


@dataclass(frozen=True)
class Result:
    """What one message yields.

    Args:
        data: the message for the initiator, the payload for the responder.
        handshake_hash: 64 bytes, the same on both sides.
        transport_key: 32 bytes, initiator to responder (section 5.2, Split).
    """

    data: bytes
    handshake_hash: bytes
    transport_key: bytes

    def __repr__(self) -> str:
        return f"Result({len(self.data)} bytes)"


def _start(pattern: Pattern, prologue: bytes, initiator: bytes, responder: bytes) -> _Symmetric:
    state = _Symmetric(pattern.protocol)
    state.mix_hash(prologue)
    if pattern.initiator_known:
        state.mix_hash(initiator)
    state.mix_hash(responder)
    return state


def _finish(state: _Symmetric, data: bytes) -> Result:
    return Result(data, state.hash, state.hkdf(b"", 2)[0][:KEY_BYTES])


def write(
    pattern: Pattern,
    prologue: bytes,
    static: X25519PrivateKey | None,
    responder: bytes,
    psk: bytes,
    payload: bytes,
    *,
    ephemeral: X25519PrivateKey | None = None,
) -> Result:
    """The initiator's side.

    Args:
        pattern: which handshake.
        prologue: bytes that both sides must agree on.
        static: the initiator's key, if the pattern has one.
        responder: the responder's public key, 32 bytes.
        psk: 32 bytes; unused by patterns without one.
        payload: what to send.
        ephemeral: for test vectors only; otherwise a fresh key is drawn.

    Raises:
        Refused: ``responder`` is of small order.
    """
    state = _start(pattern, prologue, _public(static) if static else b"", responder)
    fresh = ephemeral or X25519PrivateKey.generate()
    message = b""
    for token in pattern.tokens:
        match token:
            case "psk":
                state.mix_key_and_hash(psk)
            case "e":
                message += _public(fresh)
                state.mix_hash(_public(fresh))
                if "psk" in pattern.tokens:
                    state.mix_key(_public(fresh))
            case "es":
                state.mix_key(_exchange(fresh, responder))
            case "s" if static:
                message += state.encrypt(_public(static))
            case "ss" if static:
                state.mix_key(_exchange(static, responder))
            case _:
                raise ValueError(f"Token {token!r} of {pattern.protocol} needs a static key.")
    message += state.encrypt(payload)
    return _finish(state, message)


def read(
    pattern: Pattern,
    prologue: bytes,
    static: X25519PrivateKey,
    initiator: bytes,
    psk: bytes,
    message: bytes,
) -> Result:
    """The responder's side.

    Args:
        pattern: which handshake.
        prologue: bytes that both sides must agree on.
        static: the responder's key.
        initiator: the initiator's public key if the pattern knows it beforehand, else empty.
        psk: 32 bytes; unused by patterns without one.
        message: from :func:`write`.

    Raises:
        Refused: made with other keys, changed, or cut short.
    """
    state = _start(pattern, prologue, initiator, _public(static))
    ephemeral, rest = message[:KEY_BYTES], message[KEY_BYTES:]
    sender = initiator
    for token in pattern.tokens:
        match token:
            case "psk":
                state.mix_key_and_hash(psk)
            case "e":
                state.mix_hash(ephemeral)
                if "psk" in pattern.tokens:
                    state.mix_key(ephemeral)
            case "es":
                state.mix_key(_exchange(static, ephemeral))
            case "s":
                size = KEY_BYTES + (TAG_BYTES if state.key is not None else 0)
                sender, rest = state.decrypt(rest[:size]), rest[size:]
            case "ss":
                state.mix_key(_exchange(static, sender))
            case _:
                raise ValueError(f"Unknown token {token!r} in {pattern.protocol}.")
    return _finish(state, state.decrypt(rest))
