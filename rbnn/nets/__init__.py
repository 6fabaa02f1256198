"""Architectures: their topology in plain data, and their Larq models.

``topology`` and ``vgg`` do not import TensorFlow; ``quantizer``, ``layers`` and ``build`` do, by
way of ``framework``.
"""
