"""Reconfigurable binary networks for Arm Cortex-M: one set of stored bits, many tasks.

ARCHITECTURE.md lists the packages in the order in which data passes through them; each imports only
earlier ones.
"""

__version__ = "0.1.0"
