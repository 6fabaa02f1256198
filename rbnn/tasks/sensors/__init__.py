"""Sensor series to windows, windows to the bytes of an input; tensors of NumPy files."""
