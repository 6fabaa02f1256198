"""Architectures: their topology in plain data, and their Larq models.

``topology``, ``architectures`` and the builders that these list do not import TensorFlow;
``quantizer``, ``layers`` and ``build`` do, by way of ``framework``.
"""
