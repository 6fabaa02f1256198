"""The provider of published models, whom everybody can be: for demonstrations."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from rbnn.keys.provider_key import ProviderKey
from rbnn.spec.published import TEST_ONLY_PROVIDER


def published_provider() -> ProviderKey:
    """The key pair that licences for published models are issued with. It protects nothing."""
    return ProviderKey(X25519PrivateKey.from_private_bytes(TEST_ONLY_PROVIDER))
