"""Reconfigurable binary networks for Arm Cortex-M: one set of stored bits, many tasks.

Rooms, in the order in which data passes through them (each imports only earlier ones):
``spec``, ``tasks``, ``nets``, ``train``, ``export`` beside ``keys``, ``image``, ``flash``,
``device``, ``report``, ``cli``.
"""

__version__ = "0.1.0"
