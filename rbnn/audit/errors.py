"""What an audit cannot be made of."""

from __future__ import annotations

from rbnn.errors import RbnnError


class AuditError(RbnnError):
    """The audit could not tell anything; its exit code is that of such an audit."""

    exit_code = 2
