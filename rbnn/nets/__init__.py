"""Architectures: their topology as plain data, and their Larq models.

``topology``, ``architectures`` and the modules that it lists do not import TensorFlow;
``quantizer``, ``layers`` and ``build`` do, through ``framework``.
"""
