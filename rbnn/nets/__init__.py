"""Architectures: their topology in plain data, and their Larq models."""
