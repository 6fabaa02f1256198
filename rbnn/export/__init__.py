"""From a trained run to the bytes that a device computes with, and proof that they are the same.

Fold batch norm to integers, pack the bits, seal each task's own part, lay all of it out as a
container; compute it in numpy and in the C engine and compare.
"""
