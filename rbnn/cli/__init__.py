"""The ``rbnn`` command: one file per command, no logic."""
