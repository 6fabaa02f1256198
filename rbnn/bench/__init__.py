"""Benchmarks: instructions on a board, images per second on the workstation, training speed.

``fit``, ``fit_networks`` and ``fit_cycles`` determine the constants of ``rbnn.cost.table``,
``engines`` those of ``rbnn.cost.peer_table``.
"""
