"""What can be wrong with keys, licences and the registry."""

from __future__ import annotations

from rbnn.errors import RbnnError


class UserKeyError(RbnnError):
    """A user key is missing, malformed or readable by others."""


class ProviderKeyError(RbnnError):
    """A provider key is missing, malformed or does not open with its passphrase."""


class LicenceError(RbnnError):
    """A licence is malformed, or cannot be issued or opened."""


class FingerprintError(RbnnError):
    """A pattern is not a fingerprint, or does not belong to its helper record."""


class ProvisioningError(RbnnError):
    """A provisioning partition is damaged or cannot be built."""


class RegistryError(RbnnError):
    """The registry cannot be opened, lacks an entry or was tampered with."""


class AttestationError(RbnnError):
    """A device cannot prove that it is the one that was enrolled, or that it gave up a licence."""


class SignedModelError(RbnnError):
    """A signed model is damaged, or is not signed by the right provider."""
