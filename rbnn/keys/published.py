"""The provider of published models, whose key everybody knows: for demonstrations."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from rbnn.keys.provider_key import ProviderKey
from rbnn.spec.published import TEST_ONLY_PROVIDER


def published_provider() -> ProviderKey:
    """The key pair that issues licences for published models. It protects nothing."""
    return ProviderKey(X25519PrivateKey.from_private_bytes(TEST_ONLY_PROVIDER))
