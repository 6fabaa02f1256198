"""Joint training of all tasks, baselines, checkpoints, and the run folder that they fill.

Most of its modules import TensorFlow; :mod:`rbnn.runs` does not.
"""
