"""What tells published keys from keys that protect something.

``tests/vectors`` holds keys that everybody knows. Each starts with the marker, and key files that
hold one are refused. The task secrets of a published model cannot start like that if its bits were
trained with other secrets; its container names the provider below, and firmware for such a model
does not build unless it is said to be for a test.
"""

from __future__ import annotations

TEST_ONLY_MARKER = b"rbnn TEST-ONLY "
"""First bytes of every published key; one random key in 2^120 starts with them."""
TEST_ONLY_PROVIDER = TEST_ONLY_MARKER + b"provider........."
"""X25519 private key, 32 bytes, of the provider of published models."""
TEST_ONLY_PROVIDER_PUBLIC = bytes.fromhex(
    "09403f62ed402b870480ca9d8341b214ce4c54c709e9f947381a144e64336154"
)
"""Its public key, 32 bytes: in the header of every published container."""
