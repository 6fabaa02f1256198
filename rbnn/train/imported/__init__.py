"""Trained Keras models of the user's as runs: read, converted to operators, compared."""
