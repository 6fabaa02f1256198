"""A run: its settings, its folder on disk, and the parameters that training leaves in it.

Nothing here imports TensorFlow.
"""
