"""Sensor series: recordings to windows, windows to the bytes of an input."""
