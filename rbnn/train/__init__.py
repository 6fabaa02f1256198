"""Joint training of all tasks, baselines, checkpoints, and the run folder that they fill.

``run``, ``parameters`` and ``start`` do not import TensorFlow.
"""
