"""The built-in data sets: where each comes from and how it is read."""
