"""One module for each built-in data set: where it comes from and how it is read."""
