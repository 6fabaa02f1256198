"""TEST-ONLY: attacks that the audit is measured against, used by ``rbnn bench audit`` and tests.

No command poisons a user's data: nothing outside :mod:`rbnn.audit.bench` imports this package.
"""
